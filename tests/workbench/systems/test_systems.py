"""The rankers against their definitions, computed apart from them."""

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store import LswError
from store.passages import Passages, write
from tests.conftest import reading, table
from workbench.collections.folder import MINI, Folder
from workbench.evaluation.ties import ranked
from workbench.systems import _maxsim as tokens
from workbench.systems import _reranking, bm25
from workbench.systems import bi_encoder as biencoder
from workbench.systems import mt5 as reranker
from workbench.systems import multi_vector as multivector
from workbench.systems._encoding import Computing, batches
from workbench.systems._passages import Reading
from workbench.systems._shards import Appended

MODELS = MINI.parent / "models"


def nothing(done: int, total: int) -> None:
    """A progress that nobody watches."""


@pytest.fixture(scope="module")
def passages() -> pa.Table:
    return table(Folder("mini", MINI), "fr").slice(0, 60)


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> Reading:
    """The same passages as systems read them."""
    return reading(Folder("mini", MINI), "fr", tmp_path_factory.mktemp("read"), 60)


@pytest.fixture(scope="module")
def queries() -> pa.Table:
    return Folder("mini", MINI).queries("fr").slice(0, 12)


def work(folder: Path) -> Path:
    """A folder for what an interrupted attempt leaves."""
    kept = folder / "work"
    kept.mkdir(exist_ok=True)
    return kept


def test_biencoder_search_is_the_inner_product(
    tmp_path: Path, read: Reading, passages: pa.Table, queries: pa.Table
) -> None:
    from sentence_transformers import SentenceTransformer

    biencoder.index(
        biencoder.load(MODELS / "bge-m3", Computing()),
        read,
        160,
        tmp_path / "index",
        work(tmp_path),
        Computing(),
        nothing,
    )
    results, _ = biencoder.retrieve(
        biencoder.load(MODELS / "bge-m3", Computing()), tmp_path / "index", queries, 64, 10, Computing()
    )
    got = ranked(results, 10)
    model = SentenceTransformer(str(MODELS / "bge-m3"))
    scores = model.encode(queries["query"].to_pylist()) @ model.encode(passages["text"].to_pylist()).T
    docnos = passages["docno"].to_pylist()
    for i, qid in enumerate(queries["qid"].to_pylist()):
        rows = [r for r in got.to_pylist() if r["qid"] == qid]
        assert [r["score"] for r in rows] == pytest.approx(sorted(scores[i], reverse=True)[:10], abs=1e-5)
        assert rows[0]["docno"] == docnos[int(scores[i].argmax())]


def test_multivector_search_is_maxsim(tmp_path: Path, read: Reading, passages: pa.Table, queries: pa.Table) -> None:
    checkpoint, out = MODELS / "colbert-xm", tmp_path / "index"
    adapter = multivector.index(checkpoint, read, 64, 160, out, work(tmp_path), Computing(), nothing)
    results, record = multivector.retrieve(checkpoint, out, queries, "ca", 64, 160, 60, Computing(), nothing)
    assert (adapter, record["adapter"]) == ("fr_XX", "ca_ES")
    model = multivector.load(MODELS / "colbert-xm", 64, 160)
    multivector.speak(model, "fr")
    documents = model.encode_document(passages["text"].to_pylist(), show_progress_bar=False)
    multivector.speak(model, "ca")
    encoded = model.encode_query(queries["query"].to_pylist(), show_progress_bar=False)
    expected = np.asarray(model.similarity(encoded, documents))
    got = {(q, d): s for q, d, s in zip(*(results[c].to_pylist() for c in ("qid", "docno", "score")), strict=True)}
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
        reranker.load(MODELS / "mt5", 220, Computing(token_budget=budget))(frame)
        .sort_values("docno")["score"]
        .to_numpy()
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


def test_reranking_reorders_the_top_and_keeps_the_rest(
    tmp_path: Path, read: Reading, passages: pa.Table, queries: pa.Table
) -> None:
    def rerank(name: str, asked: pa.Table) -> list[dict[str, Any]]:
        (tmp_path / name).mkdir()
        scorer = reranker.load(MODELS / "mt5", 220, Computing())
        results = _reranking.rerank(scorer, candidates, asked, read, 10, tmp_path / name, nothing)
        return ranked(results, 1000).to_pylist()

    docnos = passages["docno"].to_pylist()[:30]
    asked = queries.slice(0, 2)
    candidates = pa.Table.from_pylist(
        [
            {"qid": q, "docno": d, "rank": i, "score": float(-i)}
            for q in asked["qid"].to_pylist()
            for i, d in enumerate(docnos)
        ]
    )
    one = rerank("one", asked)
    for qid in asked["qid"].to_pylist():
        order = [r["docno"] for r in one if r["qid"] == qid]
        assert sorted(order[:10]) == sorted(docnos[:10])
        assert order[10:] == docnos[10:]
    swapped = asked.set_column(1, "query", asked["query"].take(pa.array([1, 0])))
    other = rerank("other", swapped)
    assert [r["score"] for r in other[:10]] != [r["score"] for r in one[:10]]


@given(lengths=st.lists(st.integers(1, 300), min_size=1, max_size=60), budget=st.integers(1, 2_000))
def test_batches_keep_to_the_budget_and_lose_nothing(lengths: list[int], budget: int) -> None:
    all_batches = batches(lengths, budget)
    assert sorted(i for batch in all_batches for i in batch) == list(range(len(lengths)))
    for batch in all_batches:
        assert len(batch) == 1 or max(lengths[i] for i in batch) * len(batch) <= budget


def test_encoding_goes_on_where_it_was_stopped(tmp_path: Path, read: Reading, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped between shards, with half of one on disk: the vectors are those of an attempt that was not."""
    monkeypatch.setattr(biencoder, "SHARD", 16)
    biencoder.index(
        biencoder.load(MODELS / "bge-m3", Computing()),
        read,
        160,
        tmp_path / "whole",
        work(tmp_path),
        Computing(),
        nothing,
    )
    again = tmp_path / "again"
    again.mkdir()

    def stop(done: int, total: int) -> None:
        if done == 32:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        biencoder.index(
            biencoder.load(MODELS / "bge-m3", Computing()), read, 160, tmp_path / "index", again, Computing(), stop
        )
    with (again / biencoder.VECTORS).open("ab") as file:
        file.write(b"half of a shard")
    seen: list[int] = []
    model = biencoder.load(MODELS / "bge-m3", Computing())
    biencoder.index(model, read, 160, tmp_path / "index", again, Computing(), lambda done, _: seen.append(done))
    assert seen == [48, 60]
    one, other = ((tmp_path / name / biencoder.VECTORS).read_bytes() for name in ("whole", "index"))
    assert one == other


def test_what_is_encoded_outlives_a_later_fault(tmp_path: Path) -> None:
    """A graph that cannot be built, and its folder is removed: the vectors are there still. Torn ones are not used."""
    vectors = Appended(work(tmp_path), ("a.f4",))
    vectors.add(2, a_f4=np.arange(4, dtype=np.float32))
    (tmp_path / "out").mkdir()
    vectors.hand_over(tmp_path / "out")
    shutil.rmtree(tmp_path / "out")
    assert Appended(vectors.folder, ("a.f4",)).rows == 2
    with (vectors.folder / "a.f4").open("r+b") as file:
        file.truncate(8)
    assert Appended(vectors.folder, ("a.f4",)).rows == 0


def test_a_trained_encoder_reads_as_much_as_it_is_told(tmp_path: Path) -> None:
    """Not what it was trained with, which is saved with it."""
    model = biencoder.load(MODELS / "bge-m3", Computing())
    text = [" ".join(["le chat dort sur le tapis"] * 10)]
    expected = biencoder.encode(model, text, 64, 500, query=False)
    model[0].query_length, model[0].document_length = 8, 16
    model.save_pretrained(str(tmp_path / "trained"))
    again = biencoder.load(tmp_path / "trained", Computing())
    assert np.abs(biencoder.encode(again, text, 64, 500, query=False) - expected).max() < 1e-6


def test_reranking_goes_on_where_it_was_stopped(
    tmp_path: Path, read: Reading, queries: pa.Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_reranking, "GROUP", 2)
    docnos = read.docnos()
    qids = queries["qid"].to_pylist()[:6]
    candidates = pa.table(
        {"qid": [q for q in qids for _ in range(4)], "docno": docnos[:4] * 6, "rank": list(range(4)) * 6,
         "score": [float(-i) for i in range(4)] * 6}
    )  # fmt: skip
    seen: list[int] = []

    def run(name: str, progress: Callable[[int, int], None]) -> pa.Table:
        (tmp_path / name).mkdir(exist_ok=True)
        scorer = reranker.load(MODELS / "mt5", 220, Computing())
        return _reranking.rerank(scorer, candidates, queries.slice(0, 6), read, 3, tmp_path / name, progress)

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    whole = run("whole", nothing)
    with pytest.raises(KeyboardInterrupt):
        run("again", stop)
    assert run("again", lambda done, _: seen.append(done)) == whole
    assert seen == [12, 18]


def test_bfloat16_ranks_alike(tmp_path: Path, read: Reading, queries: pa.Table) -> None:
    """The ten nearest of each query, from bfloat16 and from float32: what changes are near ties only."""
    results = {}
    for precision in ("float32", "bfloat16"):
        out, computing = tmp_path / precision, Computing(precision=precision)
        (tmp_path / f"work-{precision}").mkdir()
        biencoder.index(
            biencoder.load(MODELS / "bge-m3", computing),
            read,
            160,
            out,
            tmp_path / f"work-{precision}",
            computing,
            nothing,
        )
        results[precision] = ranked(
            biencoder.retrieve(biencoder.load(MODELS / "bge-m3", computing), out, queries, 64, 60, computing)[0], 60
        )
    frames = [results[p].to_pandas().set_index(["qid", "docno"])["score"] for p in ("float32", "bfloat16")]
    exact, rough = frames[0], frames[1].loc[frames[0].index]
    assert np.abs(exact - rough).max() < 0.03
    for qid in queries["qid"].to_pylist():
        a, b = exact[qid], rough[qid]
        for docno in b.nlargest(10).index.difference(a.nlargest(10).index):
            assert a.nlargest(10).min() - a[docno] < 0.03


@pytest.mark.slow
def test_an_approximate_index_says_so_and_finds_most(tmp_path: Path, read: Reading, queries: pa.Table) -> None:
    pytest.importorskip("faiss")
    for search in ("hnsw", "ivf"):
        computing = Computing(search=search)
        (tmp_path / f"work-{search}").mkdir()
        out = tmp_path / search
        biencoder.index(
            biencoder.load(MODELS / "bge-m3", computing),
            read,
            160,
            out,
            tmp_path / f"work-{search}",
            computing,
            nothing,
        )
        _, record = biencoder.retrieve(biencoder.load(MODELS / "bge-m3", computing), out, queries, 64, 10, computing)
        assert record["search"] == f"{search}, approximate"
        assert record["share_of_exact"] > 0.8
    computing = Computing(search="ivf")
    (tmp_path / "tokens").mkdir()
    checkpoint = MODELS / "colbert-xm"
    multivector.index(checkpoint, read, 64, 160, tmp_path / "late", tmp_path / "tokens", computing, nothing)
    rough, record = multivector.retrieve(checkpoint, tmp_path / "late", queries, "fr", 64, 160, 10, computing, nothing)
    exact, _ = multivector.retrieve(checkpoint, tmp_path / "late", queries, "fr", 64, 160, 10, Computing(), nothing)
    assert record["search"] == "ivf, approximate"
    pairs = [set(zip(t["qid"].to_pylist(), t["docno"].to_pylist(), strict=True)) for t in (rough, exact)]
    assert len(pairs[0] & pairs[1]) > 0.8 * len(pairs[1])


@settings(max_examples=25)
@given(
    lengths=st.lists(st.integers(1, 5), min_size=1, max_size=12),
    most=st.integers(1, 9),
    depth=st.integers(1, 6),
    seed=st.integers(0, 1_000),
)
def test_token_search_in_chunks_is_maxsim(lengths: list[int], most: int, depth: int, seed: int) -> None:
    """Whatever the chunks, on either path (numpy's and torch's), against the definition."""
    rng = np.random.default_rng(seed)
    passages = [rng.standard_normal((n, 3)).astype(np.float32) for n in lengths]
    queries = [rng.standard_normal((2, 3)).astype(np.float32) for _ in range(2)]
    expected = np.array([[(q @ p.T).max(axis=1).sum() for p in passages] for q in queries])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "work").mkdir()
        vectors = tokens.opened(folder / "work")
        tokens.add(vectors, passages, "float32")
        tokens.finish(vectors, folder, [f"d{i}" for i in range(len(lengths))], 3, "float32", "exact")
        for where in ("cpu", "cpu:0"):  # a named device takes the path that a GPU takes
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(tokens, "CHUNK", most)
                results, _ = tokens.search(folder, queries, ["a", "b"], depth, "exact", nothing, where)
            for i, qid in enumerate("ab"):
                rows = [r for r in results.to_pylist() if r["qid"] == qid]
                assert sorted((r["score"] for r in rows), reverse=True) == pytest.approx(
                    sorted(expected[i], reverse=True)[:depth], abs=1e-4
                )
                assert all(expected[i, int(r["docno"][1:])] == pytest.approx(r["score"], abs=1e-4) for r in rows)


def test_passages_without_a_term_and_queries_without_one(tmp_path: Path) -> None:
    """PISA ends the process on an index of nothing."""
    path = tmp_path / "p.arrow"
    write(path, pa.table({"docno": ["a", "b"], "text": ["...", "?!"]}).to_batches())
    with pytest.raises(LswError, match="No passage has a term"):
        bm25.index(Reading(Passages(path), "fr", "as written"), tmp_path / "none", nothing)
    write(tmp_path / "q.arrow", pa.table({"docno": ["a", "b"], "text": ["la mer", "?!"]}).to_batches())
    bm25.index(Reading(Passages(tmp_path / "q.arrow"), "fr", "as written"), tmp_path / "some", nothing)
    asked = pa.table({"qid": ["1", "2"], "query": ["...", "mer"]})
    assert bm25.retrieve(tmp_path / "some", asked, "fr", 5).select(["qid", "docno"]).to_pylist() == [
        {"qid": "2", "docno": "a"}
    ]  # fmt: skip
    assert len(bm25.retrieve(tmp_path / "some", asked.slice(0, 1), "fr", 5)) == 0
