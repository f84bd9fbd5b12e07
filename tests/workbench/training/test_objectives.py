"""What the published trainings minimise, against their own words, and from where they start."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import cross_entropy

from store import LswError
from workbench.checkpoints.resolve import SHIPPED
from workbench.systems import mt5, multi_vector
from workbench.systems._encoding import Computing
from workbench.systems.base import Workplace
from workbench.systems.multi_vector import MultiVector
from workbench.training.finetune import finetune, objective_of
from workbench.training.objectives.base import Training
from workbench.training.objectives.colbert import Colbert, two_cross_entropies
from workbench.training.trainer import arguments
from workbench.training.tuning import Tuning

MODELS = SHIPPED / "models"


def compute_ib_loss(scores: torch.Tensor, nway: int) -> torch.Tensor:
    """stanford-futuredata/ColBERT, colbert/modeling/colbert.py, from its scores on."""
    queries, passages = scores.shape
    flat = scores.flatten()
    kept = [
        i
        for q in range(queries)
        for i in (
            *range(q * passages, q * passages + nway * q + 1),
            *range(q * passages + nway * (q + 1), q * passages + passages),
        )
    ]
    apart = flat[kept].view(queries, -1)
    return cross_entropy(apart, torch.arange(queries) * nway)


@given(st.integers(2, 6), st.integers(2, 4), st.integers(0, 2**31))
@settings(max_examples=30)
def test_colberts_loss_is_its_authors(queries: int, ways: int, seed: int) -> None:
    scores = torch.from_numpy(np.random.default_rng(seed).normal(0, 3, (queries, queries * ways)))
    own = torch.stack([scores[q, q * ways : (q + 1) * ways] for q in range(queries)])
    # After the exclusion of its own negatives the column of a query's positive moves; theirs accounts for it so.
    theirs = cross_entropy(own, torch.zeros(queries, dtype=torch.long))
    among_others = torch.stack([
        cross_entropy(
            torch.cat([scores[q, : q * ways + 1], scores[q, (q + 1) * ways :]])[None], torch.tensor([q * ways])
        )
        for q in range(queries)
    ]).mean()  # fmt: skip
    assert compute_ib_loss(scores, ways) == pytest.approx(float(among_others))
    assert float(two_cross_entropies(scores, ways)) == pytest.approx(float(theirs + among_others))


def trained(system: Any, checkpoint: Path, work: Path, **tuned: Any) -> Training:
    usual: dict[str, Any] = {"epochs": 1.0, "learning_rate": 1e-3, "batch_size": 4, "seed": 3, "warmup": 0.1}
    queries = [f"train {i} vers Paris" for i in range(12)]
    triples = pa.table(
        {"query": queries, "positive": [f"le train {i} part" for i in range(12)],
         "negative": [f"il pleut {i} fois" for i in range(12)], "query_variety": ["ca"] * 12,
         "document_variety": ["fr"] * 12}
    )  # fmt: skip
    return Training(system, checkpoint, triples, Tuning(**{**usual, **tuned}), work, lambda *_: None)


def colbert_xm(**about: Any) -> MultiVector:
    return MultiVector(architecture="multi-vector", checkpoint="x", query_length=16, document_length=24, **about)


def test_an_encoder_without_a_head_for_tokens_is_given_one(tmp_path: Path) -> None:
    """As ColBERT-XM was begun from facebook/xmod-base: a matrix of 128 without a bias, queries filled up with masks."""
    from transformers import AutoTokenizer, XmodConfig, XmodForMaskedLM

    tokenizer = AutoTokenizer.from_pretrained(MODELS / "colbert-xm")
    config = XmodConfig(
        vocab_size=len(tokenizer), hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=48,
        max_position_embeddings=64, pad_token_id=1, languages=["en_XX", "fr_XX", "ca_ES"], adapter_reduction_factor=2,
    )  # fmt: skip
    XmodForMaskedLM(config).save_pretrained(tmp_path / "xmod")
    tokenizer.save_pretrained(tmp_path / "xmod")
    with pytest.raises(LswError, match="gives no vector for each token"):
        multi_vector.load(tmp_path / "xmod", 16, 24)
    training = trained(colbert_xm(adapter="documents"), tmp_path / "xmod", tmp_path / "work", objective="colbert")
    outcome = finetune(training, tmp_path / "out")
    assert outcome.steps == 3 and outcome.weight_change > 1e-5
    model = multi_vector.load(tmp_path / "out", 16, 24)
    head = next(part for part in model.modules() if isinstance(part, torch.nn.Linear) and part.out_features == 128)
    assert head.bias is None and head.in_features == 32
    multi_vector.speak(model, "fr")
    [query] = model.encode_query(["train"], convert_to_numpy=True)
    assert query.shape == (16, 128)  # filled up


@pytest.mark.parametrize(("adapter", "spoken"), [("own", "ca"), ("documents", "fr")])
def test_queries_go_through_the_declared_adapter(adapter: Any, spoken: str, tmp_path: Path) -> None:
    system = colbert_xm(adapter=adapter)
    assert system.spoken("ca", "fr") == spoken
    model = multi_vector.load(MODELS / "colbert-xm", 16, 24)
    expected = multi_vector.speak(model, spoken)
    trainer, _, _ = Colbert(objective="colbert").prepare(
        trained(system, MODELS / "colbert-xm", tmp_path, objective="colbert")
    )
    batch = trainer.data_collator([trainer.train_dataset[i] for i in range(2)])
    languages = list(model[0].model.config.languages)
    assert {languages[i] for i in batch["query_lang_ids"].tolist()} == {expected}
    assert ("adapter" in system.key()) == (adapter != "own")


def test_the_adapter_of_search_is_that_of_training(tmp_path: Path) -> None:
    """Recorded, and another one gives other scores."""
    from tests.conftest import reading
    from workbench.collections.folder import MINI, Folder

    read = reading(Folder("mini", MINI), "fr", tmp_path, 20)
    queries = pa.table({"qid": ["1", "2"], "query": ["el tren cap a París", "quant costa un bitllet"]})
    results = {}
    for adapter in ("own", "documents"):
        system = colbert_xm(adapter=adapter)
        at = Workplace(MODELS / "colbert-xm", "fr", Computing(), tmp_path / f"work-{adapter}", lambda *_: None)
        at.work.mkdir()
        system.index(read, tmp_path / adapter, at)
        table, summary = system.retrieve(tmp_path / adapter, queries, "id", 5, at)
        results[adapter] = table["score"].to_pylist(), summary["adapter"]
    assert results["own"][1] == "id_ID" and results["documents"][1] == "fr_XX"
    assert results["own"][0] != results["documents"][0]


def test_a_batch_in_parts_is_refused_where_it_must_be_whole() -> None:
    with pytest.raises(LswError, match="computes a batch at once"):
        Colbert(objective="colbert").loss(None, Tuning(epochs=1, learning_rate=1, batch_size=4, accumulation=2))


def test_the_whole_answer_is_what_generating_it_costs(tmp_path: Path) -> None:
    from tests.workbench.training.test_finetune import ARCHITECTURES
    from workbench.systems import SYSTEMS

    assert "mt5" in ARCHITECTURES
    system = SYSTEMS.part("mt5")(architecture="mt5", checkpoint="x", query_length=16, document_length=48)
    training = trained(system, MODELS / "mt5", tmp_path, objective="answer")
    trainer, model, _ = objective_of(system, training.tuning).prepare(training)
    rows = [trainer.train_dataset[i] for i in range(2)]
    batch = trainer.data_collator(rows)
    tokenizer = trainer.processing_class
    losses = []
    for ids, mask, relevant in zip(batch["input_ids"], batch["attention_mask"], [1, 1, 0, 0], strict=True):
        answer = tokenizer(mt5.YES if relevant else mt5.NO, return_tensors="pt")["input_ids"]
        assert answer[0, -1] == tokenizer.eos_token_id
        losses.append(float(model(input_ids=ids[None], attention_mask=mask[None], labels=answer).loss))
    assert float(trainer.compute_loss(model, dict(batch))) == pytest.approx(np.mean(losses), rel=1e-4)


def test_the_optimiser_is_the_one_that_was_declared(tmp_path: Path) -> None:
    declared = {"schedule": "constant", "clip": 0.0, "weight_decay": 0.01, "epsilon": 1e-6}
    of = arguments(trained(colbert_xm(), MODELS / "colbert-xm", tmp_path, **declared), in_parts=True)
    assert (of["lr_scheduler_type"], of["max_grad_norm"], of["weight_decay"], of["adam_epsilon"]) == (
        "constant_with_warmup", 0.0, 0.01, 1e-6,
    )  # fmt: skip
    usual = arguments(trained(colbert_xm(), MODELS / "colbert-xm", tmp_path), in_parts=True)
    assert (usual["lr_scheduler_type"], usual["max_grad_norm"], usual["weight_decay"], usual["adam_epsilon"]) == (
        "linear", 1.0, 0.0, 1e-8,
    )  # fmt: skip


def test_a_constant_rate_stays(tmp_path: Path) -> None:
    system = colbert_xm()
    curve = finetune(
        trained(system, MODELS / "colbert-xm", tmp_path / "w", schedule="constant", warmup=0.0), tmp_path / "out"
    ).curve
    assert set(curve["learning_rate"].to_pylist()) == {1e-3}
