"""What all trainers share: the schedule, batches and their parts, what is frozen; losses as the literature has them."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch
from scipy.special import log_softmax

from store import LswError
from tests.workbench.training.test_finetune import MODELS, steady, training, tuning
from workbench.systems import mt5
from workbench.training.finetune import Outcome, finetune
from workbench.training.trainer import arguments, contrast, freeze, on_one, processes, roles

TEXTS = {
    "query": [f"la pregunta {i}" for i in range(10)],
    "positive": [f"le passage {i} dit cela" for i in range(10)],
    "negative": [f"autre chose, {i}" for i in range(10)],
}
TRIPLES = pa.table({**TEXTS, "query_variety": ["ca"] * 10, "document_variety": ["fr"] * 10})


def trained(architecture: str, base: Path, folder: Path, **changes: Any) -> Outcome:
    """What training did; every step is logged."""
    folder.mkdir()
    work = training(architecture, base, TRIPLES, tuning(**changes), folder / "work")
    return finetune(work, folder / "out")


def test_the_rate_warms_up_and_falls_as_transformers_has_it(tmp_path: Path) -> None:
    """Two epochs of 10 triples in batches of 4 are 6 steps; a seed gives the same losses, another others."""
    from transformers import get_linear_schedule_with_warmup

    base, usual = MODELS / "mt5", {"learning_rate": 1e-3, "warmup": 0.5}
    epochs = trained("mt5", base, tmp_path / "epochs", epochs=2.0, **usual)
    steps = trained("mt5", base, tmp_path / "steps", epochs=9.0, steps=6, **usual)
    other = trained("mt5", base, tmp_path / "other", steps=6, seed=2, **usual)
    optimiser = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1e-3)
    schedule = get_linear_schedule_with_warmup(optimiser, 3, 6)
    rates = []
    for _ in range(6):
        rates.append(schedule.get_last_lr()[0])
        optimiser.step()
        schedule.step()
    assert epochs.steps == 6 and epochs.curve["step"].to_pylist() == [1, 2, 3, 4, 5, 6]
    assert epochs.curve["learning_rate"].to_pylist() == pytest.approx(rates)
    assert epochs.curve.equals(steps.curve)
    assert epochs.curve["loss"].to_pylist() != other.curve["loss"].to_pylist()


def test_the_first_loss_of_a_reranker_is_that_of_its_answers(tmp_path: Path) -> None:
    """Cross-entropy of `yes` for the passages and `no` for the others, over a temperature, in parts of a batch."""
    from transformers import AutoTokenizer, MT5ForConditionalGeneration

    base = steady("mt5", tmp_path / "base")
    done = trained("mt5", base, tmp_path / "run", steps=1, batch_size=10, accumulation=2, temperature=5.0)
    tokenizer = mt5.spelling(AutoTokenizer.from_pretrained(base))
    model = MT5ForConditionalGeneration.from_pretrained(base).eval()
    losses = []
    for column, answer in (("positive", "yes"), ("negative", "no")):
        for ids in mt5.inputs(tokenizer, TEXTS["query"], TEXTS[column], 64):
            with torch.no_grad():
                said = model(input_ids=torch.tensor([ids]), decoder_input_ids=torch.tensor([[0]])).logits[0, -1]
            both = np.array([float(said[tokenizer.encode(word)[0]]) for word in ("yes", "no")])
            losses.append(-log_softmax(both / 5)[("yes", "no").index(answer)])
    assert done.curve["loss"].to_pylist() == pytest.approx([np.mean(losses)], rel=1e-4)


def test_the_first_loss_of_an_encoder_is_that_of_its_batch(tmp_path: Path) -> None:
    """Each query against all passages of its batch (Henderson et al. 2017), though computed in parts."""
    from sentence_transformers import SentenceTransformer

    base = steady("bge-m3", tmp_path / "base")
    done = trained("bi-encoder", base, tmp_path / "run", steps=1, batch_size=10, accumulation=2, temperature=0.2)
    model = SentenceTransformer(str(base), local_files_only=True)
    queries, passages = model.encode(TEXTS["query"]), model.encode(TEXTS["positive"] + TEXTS["negative"])
    expected = -np.diag(log_softmax(queries @ passages.T / 0.2, axis=1)).mean()
    assert done.curve["loss"].to_pylist() == pytest.approx([expected], rel=1e-4)


def test_each_text_is_trained_through_the_adapter_of_its_variety(tmp_path: Path) -> None:
    """The same texts as queries or as passages of another variety have another loss."""
    base, losses = steady("colbert-xm", tmp_path / "base"), []
    for i, (low, high) in enumerate((("fr", "fr"), ("fr", "nl"), ("nl", "fr"))):
        triples = pa.table({**TEXTS, "query_variety": [low] * 10, "document_variety": [high] * 10})
        (tmp_path / str(i)).mkdir()
        work = training("multi-vector", base, triples, tuning(steps=1, batch_size=10), tmp_path / str(i) / "work")
        losses += finetune(work, tmp_path / str(i) / "out").curve["loss"].to_pylist()
    assert len(set(losses)) == 3


@pytest.mark.parametrize(("size", "parts", "shared"), [(12, 1, 1), (12, 3, 1), (12, 1, 2), (12, 3, 2)])
def test_processes_and_parts_make_up_the_batch(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, size: int, parts: int, shared: int
) -> None:
    monkeypatch.setenv("WORLD_SIZE", str(shared))
    tuned = tuning(batch_size=size, accumulation=parts, temperature=0.25, epochs=3.0, warmup=0.67)
    work = training("bi-encoder", MODELS / "bge-m3", TRIPLES, tuned, tmp_path)
    by_trainer, by_loss = arguments(work, in_parts=True), arguments(work, in_parts=False)
    assert by_trainer["gradient_accumulation_steps"] == parts
    assert by_trainer["per_device_train_batch_size"] * parts * shared == size
    assert by_loss["gradient_accumulation_steps"] == 1
    assert by_loss["per_device_train_batch_size"] * shared == size
    assert (by_loss["num_train_epochs"], by_loss["max_steps"], by_loss["report_to"]) == (3.0, -1, "none")
    assert by_loss["warmup_steps"] == 2  # of three: the 10 triples are less than a batch
    part = training("mt5", MODELS / "mt5", TRIPLES, tuning(epochs=0.1, warmup=0.5), tmp_path)
    assert arguments(part, in_parts=True)["warmup_steps"] == 0  # the only step is taken

    def whole(model: str, scale: float, gather_across_devices: bool) -> int:
        assert (model, scale, gather_across_devices) == ("model", 4.0, shared > 1)
        return size // shared

    def cached(model: str, mini_batch_size: int, **options: Any) -> int:
        assert parts > 1 and whole(model, **options)
        return mini_batch_size

    assert contrast(whole, cached, "model", tuned) * parts * shared == size


def test_a_batch_is_shared_by_as_many_as_it_can_be(monkeypatch: pytest.MonkeyPatch) -> None:
    for gpus, size, parts, expected in ((0, 4, 1, 1), (4, 6, 1, 3), (4, 8, 4, 2), (4, 8, 1, 4), (2, 7, 1, 1)):
        monkeypatch.setattr(torch.cuda, "device_count", lambda gpus=gpus: gpus)
        assert processes(0, tuning(batch_size=size, accumulation=parts)) == expected
    assert processes(2, tuning(batch_size=8, accumulation=4)) == 2
    with pytest.raises(LswError, match="A batch of 8 cannot be divided by 4 processes and 4 parts") as caught:
        processes(4, tuning(batch_size=8, accumulation=4))
    assert "multiple of 16," in caught.value.cure
    with pytest.raises(LswError, match="A batch of 3 cannot be divided by 1 processes and 2 parts"):
        processes(0, tuning(batch_size=3, accumulation=2))
    assert on_one(SimpleNamespace(n_gpu=2, _n_gpu=2))._n_gpu == 1


@pytest.mark.parametrize(("gpu", "able", "precision"), [(True, True, "bf16"), (True, False, "fp16"), (False, True, "")])
def test_precision_is_what_the_hardware_has(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, gpu: bool, able: bool, precision: str
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpu)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: able)
    work = training("bi-encoder", MODELS / "bge-m3", TRIPLES, tuning(precision="auto"), tmp_path)
    made = arguments(work, in_parts=False)
    assert [name for name in ("bf16", "fp16") if made[name]] == ([precision] if precision else [])
    assert made["use_cpu"] is not gpu


@pytest.mark.parametrize("parts", [[], ["embeddings"], ["adapters"], ["embeddings", "adapters"]])
def test_what_is_frozen_is_what_xmods_authors_freeze(parts: list[str]) -> None:
    """As transformers' own method does it; of mT5, which has no adapters, the words."""
    from transformers import MT5ForConditionalGeneration, XmodConfig, XmodForMaskedLM

    small = {
        "vocab_size": 9,
        "hidden_size": 8,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 8,
    }
    config = XmodConfig(**small, languages=["ca_ES", "fr_XX"], adapter_layer_norm=True)
    theirs, ours = XmodForMaskedLM(config), XmodForMaskedLM(config)
    theirs.freeze_embeddings_and_language_adapters()
    freeze(ours.roberta, parts)

    def still(model: Any, where: str = "") -> set[str]:
        return {n for n, p in model.named_parameters() if not p.requires_grad and where in n}

    words = still(theirs, "embeddings")
    expected = {"embeddings": words, "adapters": still(theirs) - words}
    assert still(ours) == set().union(*(expected[part] for part in parts))
    reranker = MT5ForConditionalGeneration.from_pretrained(MODELS / "mt5")
    freeze(reranker, parts)
    assert still(reranker) == ({"shared.weight"} if "embeddings" in parts else set())


def test_texts_are_marked_in_training_as_in_search() -> None:
    marked = roles(SimpleNamespace(prompts={"query": "query: ", "document": ""}))
    assert marked["prompts"] == {"query": "query: "}
    marked = roles(SimpleNamespace(prompts={"query": "query: ", "document": "passage: "}))
    assert marked["prompts"] == {"query": "query: ", "positive": "passage: ", "negative": "passage: "}
    assert roles(SimpleNamespace(prompts={}))["prompts"] is None
