"""Low-rank updates: what moves, what is saved, and that an ordinary checkpoint comes of it."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from store import LswError
from tests.workbench.training.test_finetune import ARCHITECTURES, MODELS, training, tuning, weights
from tests.workbench.training.test_trainer import TRIPLES
from workbench.systems import SYSTEMS
from workbench.training.finetune import finetune
from workbench.training.objectives.base import Training
from workbench.training.tuning import Lora

HEAD = "1_Dense/model.safetensors"


def asked(architecture: str, folder: Path, **changes: Any) -> Training:
    usual = {"learning_rate": 1e-2, "batch_size": 5, "steps": 4, "lora": Lora(rank=2), "checkpoint_steps": 2}
    folder.mkdir(exist_ok=True)
    base = MODELS / ARCHITECTURES[architecture]
    return training(architecture, base, TRIPLES, tuning(**(usual | changes)), folder)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_what_is_saved_is_ordinary_and_moved_by_so_low_a_rank(architecture: str, tmp_path: Path) -> None:
    done = finetune(asked(architecture, tmp_path / "work", gradient_checkpointing=True), tmp_path / "out")
    assert done.weight_change > 1e-6
    before, after = weights(MODELS / ARCHITECTURES[architecture]), weights(tmp_path / "out")
    assert before.keys() == after.keys()
    moved = {k: (after[k] - before[k]).numpy() for k in before if not before[k].equal(after[k])}  # type: ignore[attr-defined, operator]
    kinds = {key.split(".")[-2] for key in moved}
    assert kinds == ({"q", "v"} if architecture == "mt5" else {"query", "value"})
    for key, change in moved.items():
        values = np.linalg.svd(change, compute_uv=False)
        assert values[2] < 1e-3 * values[0], key  # a rank of 2, but for rounding
    # A checkpoint on the way holds what is trained alone.
    kept = list((tmp_path / "work" / "checkpoint-4").glob("*.safetensors"))
    assert [file.name for file in kept] == ["trained.safetensors"]
    assert kept[0].stat().st_size < 0.1 * (tmp_path / "out" / "model.safetensors").stat().st_size
    # It is read as any other is, and ranks as it did in training.
    system = SYSTEMS.part(architecture)
    assert not [file for file in (tmp_path / "out").rglob("*") if "adapter" in file.name], system


@pytest.mark.parametrize("architecture", ["bi-encoder", "mt5"])
def test_it_goes_on_where_it_stopped(architecture: str, tmp_path: Path) -> None:
    whole = finetune(asked(architecture, tmp_path / "w1"), tmp_path / "whole")

    def stop(done: int, total: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        finetune(Training(**{**vars(asked(architecture, tmp_path / "w2")), "progress": stop}), tmp_path / "broken")
    again = finetune(asked(architecture, tmp_path / "w2"), tmp_path / "again")
    assert again.steps == whole.steps
    ours, theirs = weights(tmp_path / "again"), weights(tmp_path / "whole")
    assert all(ours[k].allclose(theirs[k], atol=1e-6) for k in ours)  # type: ignore[attr-defined]


def test_a_saved_model_scores_as_the_one_in_training(tmp_path: Path) -> None:
    from sentence_transformers import SentenceTransformer

    from workbench.training import encoders, lora

    of = asked("bi-encoder", tmp_path / "work")
    model = encoders.student(of).eval()
    torch.manual_seed(3)
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.1)
    texts = TRIPLES["query"].to_pylist()
    before, started = model.encode(texts), SentenceTransformer(str(of.checkpoint), local_files_only=True).encode(texts)
    lora.fold(model[0].model)
    model.save_pretrained(str(tmp_path / "out"), create_model_card=False)
    after = SentenceTransformer(str(tmp_path / "out"), local_files_only=True).encode(texts)
    assert np.abs(before - started).max() > 1e-2
    assert after == pytest.approx(before, abs=1e-5)


def test_without_the_package_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "peft", None)
    with pytest.raises(LswError, match="needs the package peft") as caught:
        finetune(asked("bi-encoder", tmp_path / "work"), tmp_path / "out")
    assert "lsw-workbench[lora]" in caught.value.cure


def test_a_training_without_it_has_the_key_it_had() -> None:
    assert "lora" not in tuning().key()
    assert tuning(lora=Lora(rank=8)).key()["lora"] == {"rank": 8}
    assert tuning(lora=Lora(rank=4)).key()["lora"] == {"rank": 4}
