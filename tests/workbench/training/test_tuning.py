"""Settings of training: their limits, what is usual, and the steps before it."""

from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from store import LswError
from tests.workbench.training.test_finetune import MODELS, training, tuning
from workbench.training.needs import Given
from workbench.training.steps.sample import Sample
from workbench.training.tuning import Tuning


def test_what_is_usual_stays_so() -> None:
    """It is in no key: with another usual setting old artifacts would stand for what they are not."""
    usual = {"temperature": 1.0, "warmup": 0.0, "seed": 42, "steps": None, "accumulation": 1, "precision": "float32",
             "frozen": [], "gradient_checkpointing": False, "objective": None, "query_length": None,
             "document_length": None}  # fmt: skip
    assert usual.items() <= Tuning(epochs=1.0, learning_rate=1e-4, batch_size=4).model_dump().items()


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("learning_rate", 5e-12, 0.0),
        ("epochs", 0.5, -1.0),
        ("temperature", 0.01, 0.0),
        ("warmup", 1.0, 1.01),
        ("warmup", 0.0, -0.01),
        ("batch_size", 1, 0),
        ("accumulation", 1, 0),
    ],
)
def test_limits_of_settings(name: str, good: float, bad: float) -> None:
    assert getattr(tuning(**{name: good}), name) == good
    with pytest.raises(ValidationError, match=name):
        tuning(**{name: bad})


def test_lengths_are_the_systems_unless_training_has_its_own(tmp_path: Path) -> None:
    nothing = pa.table({})
    usual = training("mt5", MODELS / "mt5", nothing, tuning(), tmp_path)
    assert (usual.query_length, usual.document_length) == (32, 64)
    own = training("mt5", MODELS / "mt5", nothing, tuning(query_length=16, document_length=128), tmp_path)
    assert (own.query_length, own.document_length) == (16, 128)


@given(names=st.lists(st.text("abcé", max_size=3), min_size=1, max_size=20), seed=st.integers(0, 9))
def test_a_sample_of_queries_keeps_all_their_triples_and_is_in_the_larger_ones(names: list[str], seed: int) -> None:
    triples = pa.table({"query": names, "positive": [f"p{i}" for i in range(len(names))]})
    distinct, before = set(names), set[str]()
    for most in range(1, len(distinct) + 1):
        kept = Sample(step="sample", queries=most, seed=seed).done(triples, Given()).to_pylist()
        asked = {row["query"] for row in kept}
        assert before <= asked and len(asked) == most
        assert kept == [row for row in triples.to_pylist() if row["query"] in asked]
        before = asked
    with pytest.raises(LswError, match=f"{len(distinct) + 1} training queries are asked for, and {len(distinct)} have"):
        Sample(step="sample", queries=len(distinct) + 1, seed=seed).done(triples, Given())


def test_a_sample_is_drawn_by_its_seed() -> None:
    triples = pa.table({"query": [f"q{i}" for i in range(50)]})
    usual, other = Sample(step="sample", queries=5), Sample(step="sample", queries=5, seed=43)
    assert (
        usual.done(triples, Given())
        == Sample(step="sample", queries=5, seed=42).done(triples, Given())
        != other.done(triples, Given())
    )
    with pytest.raises(ValidationError, match="queries"):
        Sample(step="sample", queries=0)
    assert len(Sample(step="sample", queries=1).done(triples, Given())) == 1
