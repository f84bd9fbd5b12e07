"""A figure of queries that a model is not trained on: what it is, and that to look changes nothing."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch
from safetensors.torch import load_file

from tests.conftest import reading
from tests.workbench.training.test_finetune import ARCHITECTURES
from workbench.checkpoints.resolve import SHIPPED
from workbench.collections.folder import MINI, Folder
from workbench.systems import SYSTEMS
from workbench.systems._encoding import Computing
from workbench.systems.bi_encoder import encode as encoded
from workbench.training import encoders
from workbench.training.finetune import finetune, objective_of
from workbench.training.held_out import PASSAGES, HeldOut
from workbench.training.objectives.base import Training
from workbench.training.tuning import Tuning

MODELS = SHIPPED / "models"


def held_out(folder: Path) -> HeldOut:
    mini = Folder("mini", MINI)
    return HeldOut.of(mini.queries("ca", "dev"), mini.qrels("", "dev"), reading(mini, "fr", folder), 42, "ca")


def training(architecture: str, work: Path, of: HeldOut | None, **tuned: Any) -> Training:
    name = ARCHITECTURES[architecture]
    system: Any = SYSTEMS.part(architecture)(
        architecture=architecture, checkpoint=name, query_length=8, document_length=64
    )
    long = "on vaig a buscar un bitllet de tren per anar a París demà al matí amb els meus pares "
    triples = pa.table(
        {"query": [f"{long} {i}" for i in range(12)], "positive": [f"le train {i} part" for i in range(12)],
         "negative": [f"il pleut {i} fois" for i in range(12)], "query_variety": ["ca"] * 12,
         "document_variety": ["fr"] * 12}
    )  # fmt: skip
    usual: dict[str, Any] = {"epochs": 2.0, "learning_rate": 1e-3, "batch_size": 4, "seed": 3, "checkpoint_steps": 2}
    return Training(
        system, MODELS / name, triples, Tuning(**{**usual, **tuned}), work, lambda *_: None, held_out=of
    )  # fmt: skip


def test_each_query_is_asked_over_its_passages_and_others(tmp_path: Path) -> None:
    of = held_out(tmp_path)
    assert len(of.queries) == 30 and of == held_out(tmp_path)
    mini = Folder("mini", MINI)
    dev = mini.queries("ca", "dev").to_pylist()
    asked = {row["query"]: row["qid"] for row in dev}
    assert set(of.queries) < set(asked)
    read = reading(mini, "fr", tmp_path)
    judged = [row for row in mini.qrels("", "dev").to_pylist() if row["label"] > 0]
    text = read.texts({row["docno"] for row in judged})
    for query, passages, relevant in zip(of.queries, of.passages, of.relevant, strict=True):
        good = {text[row["docno"]] for row in judged if row["qid"] == asked[query]}
        assert len(passages) == len(relevant) == PASSAGES
        assert {p for p, r in zip(passages, relevant, strict=True) if r} == good
        assert good.isdisjoint(p for p, r in zip(passages, relevant, strict=True) if not r)


@pytest.mark.parametrize(
    ("scores", "relevant", "expected"),
    [
        ([3, 2, 1], [True, False, False], 1),
        ([1, 2, 3], [True, False, False], 1 / 3),
        ([2, 2, 1], [True, False, False], 1 / 2),
        ([1, 3, 2], [True, False, True], 1 / 2),
        ([0, *range(1, 11)], [True, *[False] * 10], 0),
        ([0, *range(1, 10)], [True, *[False] * 9], 1 / 10),
        ([float("nan"), float("nan")], [True, False], 0),
        ([float("nan"), 1], [True, False], 0),
        ([1, float("nan")], [True, False], 1 / 2),
    ],
)
def test_reciprocal_rank(scores: list[float], relevant: list[bool], expected: float) -> None:
    of = HeldOut(["q"], [["p"] * len(scores)], [relevant])
    assert of.reciprocal_rank(lambda queries, passages: [scores]) == pytest.approx(expected)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_to_look_at_a_model_changes_nothing_of_its_training(architecture: str, tmp_path: Path) -> None:
    of = held_out(tmp_path)
    watched = finetune(training(architecture, tmp_path / "w", of), tmp_path / "watched")
    alone = finetune(training(architecture, tmp_path / "a", None), tmp_path / "alone")
    one, other = (load_file(tmp_path / name / "model.safetensors") for name in ("watched", "alone"))
    assert all(one[name].equal(other[name]) for name in one)
    rows = [row for row in watched.curve.to_pylist() if row["held_out"] is not None]
    assert [row["step"] for row in rows] == [0, 2, 4, 6]
    assert all(0 <= row["held_out"] <= 1 and row["loss"] is None for row in rows)
    assert alone.curve["held_out"].null_count == len(alone.curve)


def test_a_system_without_training_ranks_as_it_does_in_search(tmp_path: Path) -> None:
    """The scorer of a bi-encoder, against its vectors as search has them."""
    of = held_out(tmp_path)
    at = training("bi-encoder", tmp_path / "w", of)
    objective = objective_of(at.system, at.tuning)
    _, model, _ = objective.prepare(at)
    scorer = objective.scorer(at, model)
    assert scorer
    scores = scorer(of.queries[:3], of.passages[:3])
    encode = at.system.encoder(at.checkpoint, "fr", Computing())  # type: ignore[union-attr]
    assert encode
    vectors = encode(of.passages[0])
    lengths = model[0].query_length, model[0].document_length
    assert lengths == (8, 64)  # as they were
    [asked] = encoded(model, of.queries[:1], 8, 4096, query=True)
    assert scores[0] == pytest.approx((vectors @ asked).tolist(), abs=1e-5)
    assert np.std(scores[0]) > 0


def test_queries_go_through_their_own_adapter_whatever_is_trained_on(tmp_path: Path) -> None:
    """As when they are searched with: a control is trained on high-resource queries, and watched by others."""
    of = held_out(tmp_path)
    at = training("multi-vector", tmp_path / "w", of)
    at = replace(
        at,
        system=at.system.model_copy(update={"adapter": "own"}),
        triples=at.triples.set_column(3, "query_variety", pa.array(["fr"] * len(at.triples))),
    )
    model = encoders.opened(at)
    scorer = encoders.scorer(at, model)
    with torch.no_grad():
        before = scorer(of.queries[:3], of.passages[:3])
        for name, parameter in model.named_parameters():
            if "adapter_modules.ca_ES" in name:
                parameter.normal_()
        assert np.abs(np.array(scorer(of.queries[:3], of.passages[:3])[0]) - before[0]).max() > 0.1


def test_figures_of_an_interrupted_training_are_kept(tmp_path: Path) -> None:
    of = held_out(tmp_path)

    def stop(done: int, total: int) -> None:
        if done == 5:
            raise KeyboardInterrupt

    broken = training("bi-encoder", tmp_path / "w", of)
    with pytest.raises(KeyboardInterrupt):
        finetune(Training(**{**broken.__dict__, "progress": stop}), tmp_path / "out")
    resumed = finetune(training("bi-encoder", tmp_path / "w", of), tmp_path / "out")
    whole = finetune(training("bi-encoder", tmp_path / "w2", of), tmp_path / "out2")
    figures = [
        [(row["step"], row["held_out"]) for row in outcome.curve.to_pylist() if row["held_out"] is not None]
        for outcome in (resumed, whole)
    ]
    assert [step for step, _ in figures[0]] == [0, 2, 4, 6]
    assert [figure for _, figure in figures[0]] == pytest.approx([figure for _, figure in figures[1]])
