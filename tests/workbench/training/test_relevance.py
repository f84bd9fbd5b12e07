"""A cross-encoder is trained as it is searched: one logit a pair, no batch but its own."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import torch

from tests.workbench.training.test_finetune import MODELS, training, tuning, weights
from workbench.systems import cross_encoder
from workbench.systems._encoding import Computing
from workbench.training.finetune import finetune, objective_of
from workbench.training.tuning import Lora


@pytest.fixture
def judge(tmp_path: Path) -> Path:
    """An untrained XLM-R that gives a pair one logit."""
    from transformers import AutoTokenizer, XLMRobertaConfig, XLMRobertaForSequenceClassification

    tokenizer = AutoTokenizer.from_pretrained(MODELS / "bge-m3")
    torch.manual_seed(3)
    config = XLMRobertaConfig(
        vocab_size=len(tokenizer), hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=48,
        max_position_embeddings=80, type_vocab_size=1, num_labels=1, pad_token_id=tokenizer.pad_token_id,
    )  # fmt: skip
    XLMRobertaForSequenceClassification(config).save_pretrained(tmp_path / "judge")
    tokenizer.save_pretrained(tmp_path / "judge")
    return tmp_path / "judge"


@pytest.fixture
def triples() -> pa.Table:
    n = 16
    return pa.table(
        {"query": [f"train numéro {i}" for i in range(n)], "positive": [f"le train {i} part" for i in range(n)],
         "negative": [f"il pleut {i} fois" for i in range(n)], "query_variety": ["ca"] * n,
         "document_variety": ["fr"] * n}
    )  # fmt: skip


def scores(checkpoint: Path, triples: pa.Table, column: str) -> list[float]:
    import pandas as pd

    frame = pd.DataFrame({"qid": "q", "query": triples["query"], "text": triples[column]})
    frame["docno"] = [str(i) for i in range(len(frame))]
    found: Any = cross_encoder.load(checkpoint, 64, Computing()).transform(frame)
    return list(found.set_index("docno").loc[frame["docno"], "score"])


def test_the_loss_is_that_of_the_scores_of_search(judge: Path, triples: pa.Table, tmp_path: Path) -> None:
    of = training("cross-encoder", judge, triples, tuning(temperature=0.5), tmp_path / "work")
    trainer, model, _ = objective_of(of.system, of.tuning).prepare(of)
    model.eval()
    columns = [triples[name].to_pylist() for name in ("query", "positive", "negative")]
    with torch.no_grad():
        loss = float(trainer.loss(columns))
    logits = torch.tensor([*scores(judge, triples, "positive"), *scores(judge, triples, "negative")]) / 0.5
    truth = torch.tensor([1.0] * 16 + [0.0] * 16)
    expected = -(truth * torch.sigmoid(logits).log() + (1 - truth) * (1 - torch.sigmoid(logits)).log()).mean()
    assert loss == pytest.approx(float(expected), abs=1e-5)


def test_it_learns_to_tell_them_apart(judge: Path, triples: pa.Table, tmp_path: Path) -> None:
    tuned = tuning(epochs=8.0, learning_rate=3e-3, temperature=1.0)
    done = finetune(training("cross-encoder", judge, triples, tuned, tmp_path / "work"), tmp_path / "out")
    assert done.steps == 32 and done.weight_change > 1e-4
    assert min(scores(tmp_path / "out", triples, "positive")) > max(scores(tmp_path / "out", triples, "negative"))
    of = training("cross-encoder", judge, triples, tuned, tmp_path / "other")
    objective = objective_of(of.system, tuned)
    _, model, _ = objective.prepare(of)
    scorer = objective.scorer(of, model)
    assert scorer
    [[first, second]] = scorer(
        triples["query"].to_pylist()[:1], [[triples[c][0].as_py() for c in ("positive", "negative")]]
    )
    assert first == pytest.approx(scores(judge, triples, "positive")[0], abs=1e-5)
    assert second == pytest.approx(scores(judge, triples, "negative")[0], abs=1e-5)


def test_a_model_that_scores_nothing_yet_is_begun_with_a_head_of_its_seed(
    judge: Path, triples: pa.Table, tmp_path: Path
) -> None:
    from transformers import AutoModel

    AutoModel.from_pretrained(judge).save_pretrained(tmp_path / "plain")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (tmp_path / "plain" / name).write_bytes((judge / name).read_bytes())
    outs = []
    for number, seed in enumerate((5, 5, 6)):
        tuned = tuning(epochs=1.0, learning_rate=3e-3, temperature=1.0, seed=seed)
        finetune(
            training("cross-encoder", tmp_path / "plain", triples, tuned, tmp_path / f"w{number}"),
            tmp_path / f"o{number}",
        )
        outs.append(scores(tmp_path / f"o{number}", triples, "positive"))
    assert outs[0] == outs[1] != outs[2]


def test_of_low_rank_updates_the_head_is_trained_whole(judge: Path, triples: pa.Table, tmp_path: Path) -> None:
    tuned = tuning(lora=Lora(rank=2), learning_rate=1e-2, batch_size=8, steps=3)
    before = scores(judge, triples, "positive")
    finetune(training("cross-encoder", judge, triples, tuned, tmp_path / "work"), tmp_path / "out")
    old, new = weights(judge), weights(tmp_path / "out")
    assert old.keys() == new.keys()
    moved = {key for key in old if not torch.equal(old[key], new[key])}  # type: ignore[arg-type]
    assert {key.split(".")[-2] for key in moved} == {"query", "value", "dense", "out_proj"}
    assert all("classifier" in key for key in moved if key.split(".")[-2] in ("dense", "out_proj"))
    assert scores(tmp_path / "out", triples, "positive") != before
