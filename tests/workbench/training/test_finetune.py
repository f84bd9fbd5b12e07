"""Training moves weights or is refused, resumes, and leaves frozen parts alone."""

import json
import shutil
from pathlib import Path

import pyarrow as pa
import pytest

from store import LswError
from tests.conftest import table
from workbench.collections.folder import MINI, Folder
from workbench.training import distributed
from workbench.training.finetune import Settings, finetune, processes

MODELS = MINI.parent / "models"
ARCHITECTURES = {"bi-encoder": "bge-m3", "multi-vector": "colbert-xm", "reranker": "mt5"}


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


def settings(**changes: object) -> Settings:
    given = {
        "epochs": 1.0, "learning_rate": 1e-4, "batch_size": 4, "temperature": 0.1, "query_length": 32,
        "document_length": 64, "warmup": 0.0, "frozen": (), "checkpoint_steps": 100, "seed": 1,
    }  # fmt: skip
    return Settings(**{**given, **changes})  # type: ignore[arg-type]


def weights(folder: Path) -> dict[str, object]:
    from safetensors.torch import load_file

    return {k: v.float() for k, v in load_file(folder / "model.safetensors").items()}


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_training_moves_weights_and_records_losses(architecture: str, triples: pa.Table, tmp_path: Path) -> None:
    base = MODELS / ARCHITECTURES[architecture]
    steps: list[tuple[int, int]] = []
    frozen = ("embeddings", "adapters") if architecture == "multi-vector" else ()
    done = finetune(
        architecture, base, triples, settings(epochs=4.0, frozen=frozen), tmp_path / "out", tmp_path / "work",
        lambda a, b: steps.append((a, b)),
    )  # fmt: skip
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
        finetune(
            architecture, MODELS / ARCHITECTURES[architecture], triples, settings(learning_rate=5e-12),
            tmp_path / "out", tmp_path / "work", lambda a, b: None,
        )  # fmt: skip
    assert "learning_rate" in caught.value.cure
    assert not (tmp_path / "out").exists()


def test_training_resumes_and_ends_where_it_would_have(triples: pa.Table, tmp_path: Path) -> None:
    """Stopped after its first checkpoint and begun again, training gives the very weights of an unbroken one."""
    base = MODELS / "bge-m3"
    said = settings(epochs=4.0, checkpoint_steps=4)

    def stop(done: int, total: int) -> None:
        if done == 6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        finetune("bi-encoder", base, triples, said, tmp_path / "broken", tmp_path / "work", stop)
    assert (tmp_path / "work" / "checkpoint-4").is_dir()
    # A checkpoint torn by a kill while saving is passed over.
    torn = tmp_path / "work" / "checkpoint-5"
    shutil.copytree(tmp_path / "work" / "checkpoint-4", torn)
    (torn / "trainer_state.json").unlink()
    began: list[int] = []
    resumed = finetune(
        "bi-encoder", base, triples, said, tmp_path / "resumed", tmp_path / "work", lambda a, b: began.append(a)
    )
    assert began[0] == 5
    whole = finetune("bi-encoder", base, triples, said, tmp_path / "whole", tmp_path / "w2", lambda a, b: None)
    assert resumed.steps == whole.steps
    ours, theirs = weights(tmp_path / "resumed"), weights(tmp_path / "whole")
    assert all(ours[k].allclose(theirs[k], atol=1e-6) for k in ours)  # type: ignore[attr-defined]


def steady(system: str, folder: Path) -> Path:
    """A model without dropout, whose losses depend on the batch alone."""
    shutil.copytree(MODELS / system, folder)
    said = json.loads((folder / "config.json").read_text("utf-8"))
    said |= {name: 0.0 for name in said if name.endswith(("dropout_prob", "dropout_rate")) or name == "dropout"}
    (folder / "config.json").write_text(json.dumps(said), "utf-8")
    return folder


def test_a_batch_in_parts_is_the_same_batch(triples: pa.Table, tmp_path: Path) -> None:
    """Less memory, the same in-batch negatives: the losses are those of whole batches."""
    for architecture, system in ARCHITECTURES.items():
        curves, base = [], steady(system, tmp_path / architecture)
        for parts in (1, 2):
            out = tmp_path / f"{architecture}-{parts}"
            done = finetune(
                architecture, base, triples, settings(accumulation=parts, steps=3),
                out, tmp_path / f"work-{architecture}-{parts}", lambda a, b: None,
            )  # fmt: skip
            assert done.steps == 3
            curves.append(done.curve["loss"].to_pylist())
        assert curves[0] == pytest.approx(curves[1], rel=1e-3), architecture
    assert processes(0, settings(accumulation=2)) == 1  # no GPU
    with pytest.raises(LswError, match="cannot be divided"):
        finetune(
            "bi-encoder", MODELS / "bge-m3", triples, settings(accumulation=3), tmp_path, tmp_path, lambda a, b: None
        )


def test_bfloat16_trains_alike(triples: pa.Table, tmp_path: Path) -> None:
    curves = [
        finetune(
            "bi-encoder", MODELS / "bge-m3", triples, settings(precision=precision, steps=4), tmp_path / precision,
            tmp_path / f"work-{precision}", lambda a, b: None,
        ).curve["loss"].to_pylist()
        for precision in ("float32", "bfloat16")
    ]  # fmt: skip
    assert curves[0] == pytest.approx(curves[1], rel=0.05)


def test_two_processes_share_a_batch(triples: pa.Table, tmp_path: Path) -> None:
    """Through torchrun: every query is contrasted with the passages of both, so the losses are of the size of one's."""
    told: list[tuple[int, int]] = []
    (tmp_path / "work").mkdir()
    (tmp_path / "alone").mkdir()
    said = settings(steps=3, checkpoint_steps=2)
    base = steady("bge-m3", tmp_path / "base")
    shared = distributed.share(
        2, "bi-encoder", base, triples, said, tmp_path / "two", tmp_path / "work", lambda a, b: told.append((a, b))
    )
    assert told[-1] == (3, 3)
    one = finetune("bi-encoder", base, triples, said, tmp_path / "one", tmp_path / "alone", lambda a, b: None)
    assert one.steps == shared.steps
    assert 0.5 < sum(shared.curve["loss"].to_pylist()) / sum(one.curve["loss"].to_pylist()) < 2
    assert shared.weight_change > 1e-5
    assert (tmp_path / "two" / "model.safetensors").exists()
    assert (tmp_path / "work" / "checkpoint-2").is_dir()
    job = tmp_path / "work" / "job.json"  # a fault in one of them comes back as it was said
    said_to = json.loads(job.read_text("utf-8"))
    said_to["settings"]["batch_size"] = 3
    said_to["settings"]["accumulation"] = 2
    job.write_text(json.dumps(said_to), "utf-8")
    with pytest.raises(LswError, match="cannot be divided"):
        distributed.main(job)
    assert json.loads((tmp_path / "work" / "fault.json").read_text("utf-8"))[0].startswith("A batch of 3")
