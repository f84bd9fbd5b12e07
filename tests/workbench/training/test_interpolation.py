"""Models between two others, held against the sum written out, and at both ends against the two themselves."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from store import LswError
from workbench.checkpoints.resolve import SHIPPED
from workbench.systems.base import System
from workbench.systems.bi_encoder import BiEncoder
from workbench.systems.bm25 import BM25
from workbench.systems.multi_vector import MultiVector
from workbench.training.interpolation import between, interpolate

SYSTEMS: dict[str, System] = {
    "bge-m3": BiEncoder(architecture="bi-encoder", checkpoint="x", query_length=32, document_length=64),
    "colbert-xm": MultiVector(architecture="multi-vector", checkpoint="x", query_length=32, document_length=64),
}


def moved(system: str, folder: Path) -> tuple[Path, Path]:
    """A shipped model, and a copy of it with all of its weights moved."""
    base, tuned = SHIPPED / "models" / system, folder / "tuned"
    shutil.copytree(base, tuned)
    torch.manual_seed(1)
    for path in tuned.rglob("*.safetensors"):
        save_file(
            {n: w.float() + 0.01 * torch.randn(w.shape) for n, w in load_file(path).items()}, path, {"format": "pt"}
        )
    return base, tuned


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return {
        f"{path.relative_to(folder)} {name}": weight.float()  # the shipped ones are of half precision
        for path in sorted(folder.rglob("*.safetensors"))
        for name, weight in load_file(path).items()
    }


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_weight_of_a_model_is_mixed(system: str, tmp_path: Path) -> None:
    base, tuned = moved(system, tmp_path)
    ours = {0.0: base, 1.0: tuned, 0.25: tmp_path / "mixed"}
    for share in ours:
        change = interpolate(SYSTEMS[system], base, tuned, share, tmp_path / f"{share}")
        made, first, second = weights(tmp_path / f"{share}"), weights(base), weights(tuned)
        assert made.keys() == first.keys() == second.keys()
        if share in (0, 1):
            assert change == 0 or share
            assert all(torch.equal(made[n], (second if share else first)[n]) for n in made)
            continue
        for name, weight in made.items():
            np.testing.assert_allclose(weight, 0.75 * first[name] + 0.25 * second[name], atol=1e-6)
        apart = np.sqrt(sum(float(((made[n] - first[n]) ** 2).sum()) for n in made))
        assert change == pytest.approx(apart / np.sqrt(sum(float((w**2).sum()) for w in first.values())), rel=1e-4)


@given(st.floats(0, 1), st.lists(st.floats(-10, 10, width=32), min_size=1, max_size=5))
def test_between_is_a_straight_line(share: float, values: list[float]) -> None:
    base = {"w": torch.tensor(values), "n": torch.arange(3)}
    tuned = {"w": torch.tensor(values[::-1]), "n": torch.arange(3)}
    mixed = between(base, tuned, share)["w"].numpy()
    np.testing.assert_allclose(mixed, (1 - share) * np.array(values) + share * np.array(values[::-1]), atol=1e-4)


@pytest.mark.parametrize(
    ("tuned", "words"),
    [
        ({"w": torch.zeros(3), "head": torch.zeros(1)}, "Only the tuned model has head"),
        ({}, "Only the base has w"),
        ({"w": torch.zeros(3, 1)}, r"w has the shape \(3,\) in the base, \(3, 1\)"),
        ({"w": torch.zeros(3, dtype=torch.long)}, "w holds whole numbers"),
    ],
)
def test_other_weights_are_refused(tuned: dict[str, torch.Tensor], words: str) -> None:
    with pytest.raises(LswError, match=words):
        between({"w": torch.ones(3)}, tuned, 0.5)


def test_what_has_no_weights_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LswError, match="bm25 systems cannot be mixed"):
        interpolate(BM25(architecture="bm25"), tmp_path, tmp_path, 0.5, tmp_path)
