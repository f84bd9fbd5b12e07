"""Training moves weights or is refused, resumes, and leaves frozen parts alone."""

import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from store import LswError
from tests.conftest import table
from workbench.collections.folder import MINI, Folder
from workbench.systems import SYSTEMS
from workbench.talk import Progress
from workbench.training import distributed
from workbench.training.finetune import finetune, objective_of
from workbench.training.objectives.base import Training
from workbench.training.trainer import processes
from workbench.training.tuning import Tuning

MODELS = MINI.parent / "models"
ARCHITECTURES = {"bi-encoder": "bge-m3", "multi-vector": "colbert-xm", "mt5": "mt5"}


@pytest.fixture(scope="module")
def triples() -> pa.Table:
    mini = Folder("mini", MINI)
    text = dict(zip(*(table(mini, "fr")[c].to_pylist() for c in ("docno", "text")), strict=True))
    rows = mini.queries("ca", "train").slice(0, 16).to_pylist()
    relevant = {r["qid"]: r["docno"] for r in mini.qrels(split="train").to_pylist() if r["label"] > 0}
    return pa.Table.from_pylist(
        [
            {
                "query": r["query"],
                "positive": text[relevant[r["qid"]]],
                "negative": text[relevant[r["qid"]].translate(str.maketrans("ab", "ba"))],
                "query_variety": "ca",
                "document_variety": "fr",
            }
            for r in rows
            if relevant[r["qid"]].translate(str.maketrans("ab", "ba")) in text
        ]
    )


def tuning(**changes: object) -> Tuning:
    usual = {
        "epochs": 1.0, "learning_rate": 1e-4, "batch_size": 4, "temperature": 0.1, "warmup": 0.0, "frozen": [],
        "checkpoint_steps": 100, "seed": 1,
    }  # fmt: skip
    return Tuning(**{**usual, **changes})  # type: ignore[arg-type]


def nothing(done: int, total: int) -> None:
    """A progress that nobody watches."""


def training(
    architecture: str, checkpoint: Path, triples: pa.Table, tuned: Tuning, work: Path, progress: Progress = nothing
) -> Training:
    """What is trained: queries of 32 tokens, passages of 64."""
    system: Any = SYSTEMS.part(architecture)(
        architecture=architecture, checkpoint=str(checkpoint), query_length=32, document_length=64
    )
    return Training(system, checkpoint, triples, tuned, work, progress)


def weights(folder: Path) -> dict[str, object]:
    from safetensors.torch import load_file

    return {k: v.float() for k, v in load_file(folder / "model.safetensors").items()}


def test_what_cannot_be_trained_is_told_from_what_can() -> None:
    system = SYSTEMS.part("sparse").model_construct(architecture="sparse")
    with pytest.raises(LswError, match="A sparse system cannot be fine-tuned") as caught:
        objective_of(system, tuning())
    assert all(name in caught.value.cure for name in ARCHITECTURES) and "sparse" not in caught.value.cure
    with pytest.raises(LswError, match="'yes-no' cannot train a bi-encoder system"):
        objective_of(SYSTEMS.part("bi-encoder").model_construct(architecture="bi-encoder"), tuning(objective="yes-no"))


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_training_moves_weights_and_records_losses(architecture: str, triples: pa.Table, tmp_path: Path) -> None:
    base = MODELS / ARCHITECTURES[architecture]
    steps: list[tuple[int, int]] = []
    frozen = ["embeddings", "adapters"] if architecture == "multi-vector" else []
    tuned = tuning(epochs=4.0, frozen=frozen)
    watched = training(
        architecture, base, triples, tuned, tmp_path / "work", lambda done, total: steps.append((done, total))
    )
    done = finetune(watched, tmp_path / "out")
    assert steps[-1][0] == done.steps == steps[-1][1]
    assert done.weight_change > 1e-5
    losses = done.curve["loss"].to_pylist()
    assert sum(losses[-3:]) < sum(losses[:3])
    before, after = weights(base), weights(tmp_path / "out")
    assert before.keys() == after.keys()
    changed = {k for k in before if not before[k].equal(after[k])}  # type: ignore[attr-defined]
    assert changed
    if frozen:
        assert not [k for k in changed if "adapter" in k or k.startswith("embeddings.")]
        assert {"embeddings.LayerNorm.weight", "embeddings.position_embeddings.weight"} <= before.keys()
    assert not list((tmp_path / "out").rglob("*.bin"))


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_published_rate_is_refused(architecture: str, triples: pa.Table, tmp_path: Path) -> None:
    with pytest.raises(LswError, match="changed no weight") as caught:
        base, still = MODELS / ARCHITECTURES[architecture], tuning(learning_rate=5e-12)
        finetune(training(architecture, base, triples, still, tmp_path / "work"), tmp_path / "out")
    assert "learning_rate" in caught.value.cure
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_training_resumes_and_ends_where_it_would_have(triples: pa.Table, tmp_path: Path) -> None:
    """Stopped after its first checkpoint and begun again, training gives the very weights of an unbroken one."""
    base = MODELS / "bge-m3"
    tuned = tuning(epochs=4.0, checkpoint_steps=4)

    def stop(done: int, total: int) -> None:
        if done == 6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        finetune(training("bi-encoder", base, triples, tuned, tmp_path / "work", stop), tmp_path / "broken")
    assert (tmp_path / "work" / "checkpoint-4").is_dir()
    # A checkpoint torn by a kill while saving is passed over.
    torn = tmp_path / "work" / "checkpoint-5"
    shutil.copytree(tmp_path / "work" / "checkpoint-4", torn)
    (torn / "trainer_state.json").unlink()
    began: list[int] = []
    again = training("bi-encoder", base, triples, tuned, tmp_path / "work", lambda done, total: began.append(done))
    resumed = finetune(again, tmp_path / "resumed")
    assert began[0] == 5
    whole = finetune(training("bi-encoder", base, triples, tuned, tmp_path / "w2"), tmp_path / "whole")
    assert resumed.steps == whole.steps
    ours, theirs = weights(tmp_path / "resumed"), weights(tmp_path / "whole")
    assert all(ours[k].allclose(theirs[k], atol=1e-6) for k in ours)  # type: ignore[attr-defined]


def steady(system: str, folder: Path) -> Path:
    """A model without dropout, whose losses depend on the batch alone."""
    shutil.copytree(MODELS / system, folder)
    config = json.loads((folder / "config.json").read_text("utf-8"))
    config |= {name: 0.0 for name in config if name.endswith(("dropout_prob", "dropout_rate")) or name == "dropout"}
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    return folder


@pytest.mark.slow
def test_a_batch_in_parts_is_the_same_batch(triples: pa.Table, tmp_path: Path) -> None:
    """Less memory, the same in-batch negatives: the losses are those of whole batches."""
    for architecture, system in ARCHITECTURES.items():
        curves, base = [], steady(system, tmp_path / architecture)
        for parts in (1, 2):
            out, work = tmp_path / f"{architecture}-{parts}", tmp_path / f"work-{architecture}-{parts}"
            done = finetune(training(architecture, base, triples, tuning(accumulation=parts, steps=3), work), out)
            assert done.steps == 3
            curves.append(done.curve["loss"].to_pylist())
        assert curves[0] == pytest.approx(curves[1], rel=1e-3), architecture
    assert processes(0, tuning(accumulation=2)) == 1  # no GPU
    with pytest.raises(LswError, match="cannot be divided"):
        finetune(training("bi-encoder", MODELS / "bge-m3", triples, tuning(accumulation=3), tmp_path), tmp_path)


def test_bfloat16_trains_alike(triples: pa.Table, tmp_path: Path) -> None:
    curves = []
    for precision in ("float32", "bfloat16"):
        tuned, work = tuning(precision=precision, steps=4), tmp_path / f"work-{precision}"
        done = finetune(training("bi-encoder", MODELS / "bge-m3", triples, tuned, work), tmp_path / precision)
        curves.append(done.curve["loss"].to_pylist())
    assert curves[0] == pytest.approx(curves[1], rel=0.05)


@pytest.mark.slow
def test_two_processes_share_a_batch(triples: pa.Table, tmp_path: Path) -> None:
    """Through torchrun: every query is contrasted with the passages of both, so the losses are of the size of one's."""
    told: list[tuple[int, int]] = []
    (tmp_path / "work").mkdir()
    (tmp_path / "alone").mkdir()
    tuned = tuning(steps=3, checkpoint_steps=2)
    base = steady("bge-m3", tmp_path / "base")
    watched = training(
        "bi-encoder", base, triples, tuned, tmp_path / "work", lambda done, total: told.append((done, total))
    )
    shared = distributed.share(2, watched, tmp_path / "two")
    assert told[-1] == (3, 3)
    one = finetune(training("bi-encoder", base, triples, tuned, tmp_path / "alone"), tmp_path / "one")
    assert one.steps == shared.steps
    assert 0.5 < sum(shared.curve["loss"].to_pylist()) / sum(one.curve["loss"].to_pylist()) < 2
    assert shared.weight_change > 1e-5
    assert (tmp_path / "two" / "model.safetensors").exists()
    assert (tmp_path / "work" / "checkpoint-2").is_dir()
    job = tmp_path / "work" / "job.json"  # a fault in one of them comes back as it was said
    asked = json.loads(job.read_text("utf-8"))
    asked["tuning"]["batch_size"] = 3
    asked["tuning"]["accumulation"] = 2
    job.write_text(json.dumps(asked), "utf-8")
    with pytest.raises(LswError, match="cannot be divided"):
        distributed.main(job)
    assert json.loads((tmp_path / "work" / "fault.json").read_text("utf-8"))[0].startswith("A batch of 3")
