"""The rankers against their definitions, computed apart from them."""

import math
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from store import LswError
from workbench.collection import MINI, Folder
from workbench.systems import biencoder, bm25, multivector, ranked, reranker
from workbench.text import terms

MODELS = MINI.parent / "models"


def nothing(done: int, total: int) -> None:
    """A progress that nobody watches."""


@pytest.fixture(scope="module")
def passages() -> pa.Table:
    return Folder("mini", MINI).passages("fr").slice(0, 60)


@pytest.fixture(scope="module")
def queries() -> pa.Table:
    return Folder("mini", MINI).queries("fr").slice(0, 12)


@pytest.mark.parametrize("code", ["fr", "zh"])
def test_bm25_is_its_formula(tmp_path: Path, code: str) -> None:
    passages = Folder("mini", MINI).passages(code).slice(0, 80)
    queries = Folder("mini", MINI).queries(code).slice(0, 10)
    bm25.index(passages, code, tmp_path / "index", nothing)
    found = bm25.retrieve(tmp_path / "index", queries, code, 80)
    got = {(q, d): s for q, d, s in zip(*(found[c].to_pylist() for c in ("qid", "docno", "score")), strict=True)}
    documents = {
        d: Counter(terms(t, code))
        for d, t in zip(passages["docno"].to_pylist(), passages["text"].to_pylist(), strict=True)
    }
    mean = sum(c.total() for c in documents.values()) / len(documents)
    frequency = Counter(t for c in documents.values() for t in c)
    n = len(documents)
    expected = {}
    for row in queries.to_pylist():
        for docno, counts in documents.items():
            score = sum(
                times
                * max(math.log((n - frequency[t] + 0.5) / (frequency[t] + 0.5)), 1e-6)  # PISA's floor for common terms
                * counts[t] * (bm25.K1 + 1)
                / (counts[t] + bm25.K1 * (1 - bm25.B + bm25.B * counts.total() / mean))
                for t, times in Counter(terms(row["query"], code)).items()
                if t in counts
            )  # fmt: skip
            if score:
                expected[row["qid"], docno] = score
    assert got.keys() == expected.keys()
    for pair, score in expected.items():
        assert got[pair] == pytest.approx(score, rel=1e-3, abs=1e-3), pair


def test_biencoder_search_is_the_inner_product(tmp_path: Path, passages: pa.Table, queries: pa.Table) -> None:
    from sentence_transformers import SentenceTransformer

    biencoder.index(MODELS / "bge-m3", passages, 64, 160, tmp_path / "index", nothing)
    got = ranked(biencoder.retrieve(MODELS / "bge-m3", tmp_path / "index", queries, 64, 160, 10), 10)
    model = SentenceTransformer(str(MODELS / "bge-m3"))
    scores = model.encode(queries["query"].to_pylist()) @ model.encode(passages["text"].to_pylist()).T
    docnos = passages["docno"].to_pylist()
    for i, qid in enumerate(queries["qid"].to_pylist()):
        rows = [r for r in got.to_pylist() if r["qid"] == qid]
        assert [r["score"] for r in rows] == pytest.approx(sorted(scores[i], reverse=True)[:10], abs=1e-5)
        assert rows[0]["docno"] == docnos[int(scores[i].argmax())]


def test_multivector_search_is_maxsim(tmp_path: Path, passages: pa.Table, queries: pa.Table) -> None:
    (tmp_path / "index").mkdir()
    adapter = multivector.index(MODELS / "colbert-xm", passages, "fr", 64, 160, tmp_path / "index", nothing)
    found, asked = multivector.retrieve(MODELS / "colbert-xm", tmp_path / "index", queries, "ca", 64, 160, 60, nothing)
    assert (adapter, asked) == ("fr_XX", "ca_ES")
    model = multivector.load(MODELS / "colbert-xm", 64, 160)
    multivector.speak(model, "fr")
    documents = model.encode_document(passages["text"].to_pylist(), show_progress_bar=False)
    multivector.speak(model, "ca")
    encoded = model.encode_query(queries["query"].to_pylist(), show_progress_bar=False)
    expected = np.asarray(model.similarity(encoded, documents))
    got = {(q, d): s for q, d, s in zip(*(found[c].to_pylist() for c in ("qid", "docno", "score")), strict=True)}
    for i, qid in enumerate(queries["qid"].to_pylist()):
        for j, docno in enumerate(passages["docno"].to_pylist()):
            assert got[qid, docno] == pytest.approx(float(expected[i, j]), abs=1e-3)


def test_each_variety_speaks_through_its_own_adapter() -> None:
    """With the adapters of two varieties made unlike, the same text gives other vectors."""
    import torch

    model = multivector.load(MODELS / "colbert-xm", 64, 160)
    text = ["quant va durar la guerra"]
    multivector.speak(model, "ca")
    before = np.asarray(model.encode_query(text, show_progress_bar=False)[0])
    with torch.no_grad():
        for name, parameter in model[0].model.named_parameters():
            if ".fr_XX." in name:
                parameter.add_(0.5)
    assert np.allclose(before, np.asarray(model.encode_query(text, show_progress_bar=False)[0]))
    multivector.speak(model, "fr")
    assert not np.allclose(before, np.asarray(model.encode_query(text, show_progress_bar=False)[0]))


def test_reranker_scores_do_not_depend_on_the_batch(passages: pa.Table, queries: pa.Table) -> None:
    import pandas as pd

    texts = sorted(passages["text"].to_pylist(), key=len)[::4]
    texts = [t * (1 + i % 3) for i, t in enumerate(texts)]
    frame = pd.DataFrame(
        {"qid": "q", "query": queries["query"][0].as_py(), "docno": [str(i) for i in range(len(texts))], "text": texts}
    )
    scores = [
        reranker.load(MODELS / "mt5", 220, nothing, token_budget=budget)(frame).sort_values("docno")["score"].to_numpy()
        for budget in (1, 100_000)
    ]
    assert np.abs(scores[0] - scores[1]).max() < 1e-4
    assert scores[0].std() > 1e-3


def test_reranker_keeps_the_prompt_whatever_the_length() -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(str(MODELS / "mt5"))
    rows = reranker.inputs(tokenizer, ["a", "a"], ["b", "b " * 500], 40)
    prompt = tokenizer(reranker.PROMPT)["input_ids"]
    assert [len(r) <= 40 for r in rows] == [True, True]
    assert all(r[-len(prompt) :] == prompt for r in rows)
    assert tokenizer.eos_token_id not in rows[1][: -len(prompt)]


def test_reranker_refuses_answers_it_cannot_tell_apart(tmp_path: Path) -> None:
    from transformers import T5Tokenizer

    blind = T5Tokenizer(vocab=[("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -1.0)], extra_ids=0)
    with pytest.raises(LswError, match="not two different, known tokens"):
        reranker.answers(blind)


def test_reranking_reorders_the_top_and_keeps_the_rest(passages: pa.Table, queries: pa.Table) -> None:
    docnos = passages["docno"].to_pylist()[:30]
    asked = queries.slice(0, 2)
    candidates = pa.Table.from_pylist(
        [
            {"qid": q, "docno": d, "rank": i, "score": float(-i)}
            for q in asked["qid"].to_pylist()
            for i, d in enumerate(docnos)
        ]
    )
    found = ranked(reranker.rerank(MODELS / "mt5", candidates, asked, passages, 220, 10, nothing), 1000).to_pylist()
    for qid in asked["qid"].to_pylist():
        order = [r["docno"] for r in found if r["qid"] == qid]
        assert sorted(order[:10]) == sorted(docnos[:10])
        assert order[10:] == docnos[10:]
    swapped = asked.set_column(1, "query", asked["query"].take(pa.array([1, 0])))
    other = ranked(reranker.rerank(MODELS / "mt5", candidates, swapped, passages, 220, 10, nothing), 1000).to_pylist()
    assert [r["score"] for r in other[:10]] != [r["score"] for r in found[:10]]
