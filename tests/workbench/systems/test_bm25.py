"""BM25 against its formula, computed apart from it, whatever its terms are."""

import math
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from store import LswError
from tests.conftest import reading, table
from workbench.collections.folder import MINI, Folder
from workbench.evaluation.ties import ranked
from workbench.recipe.schema import Recipe, bare
from workbench.systems import bm25
from workbench.systems._encoding import Computing
from workbench.systems.base import Workplace
from workbench.terms import TERMS

Scores = dict[tuple[str, str], float]


def expected(passages: pa.Table, queries: pa.Table, codes: tuple[str, str], terms: str) -> Scores:
    """Robertson and Zaragoza (2009), eq. 3.15, term by term."""
    made = TERMS[terms]
    docnos = passages["docno"].to_pylist()
    counts = [Counter(made(text, codes[1])) for text in passages["text"].to_pylist()]
    lengths = [c.total() for c in counts]
    mean, n = sum(lengths) / len(lengths), len(lengths)
    postings: dict[str, list[int]] = defaultdict(list)
    for i, c in enumerate(counts):
        for term in c:
            postings[term].append(i)
    out: Scores = defaultdict(float)
    for row in queries.to_pylist():
        for term, times in Counter(made(row["query"], codes[0])).items():
            found = postings.get(term, [])
            weight = max(math.log((n - len(found) + 0.5) / (len(found) + 0.5)), 1e-6)  # PISA's floor for common terms
            for i in found:
                tf = counts[i][term]
                norm = bm25.K1 * (1 - bm25.B + bm25.B * lengths[i] / mean)
                out[row["qid"], docnos[i]] += times * weight * tf * (bm25.K1 + 1) / (tf + norm)
    return out


def scored(
    collection: Folder, queries: pa.Table, codes: tuple[str, str], terms: str, folder: Path, most: int | None = None
) -> pa.Table:
    """What the system finds, all of it."""
    read = reading(collection, codes[1], folder, most)
    system = bm25.BM25(architecture="bm25", terms=terms)
    at = Workplace(None, codes[1], Computing(), folder, lambda done, total: None)
    system.index(read, folder / "index", at)
    return system.retrieve(folder / "index", queries, codes[0], len(read), at)[0]


def same(got: pa.Table, want: Scores) -> None:
    found = dict(
        zip(zip(got["qid"].to_pylist(), got["docno"].to_pylist(), strict=True), got["score"].to_pylist(), strict=True)
    )
    assert found.keys() == want.keys()
    assert np.allclose([found[pair] for pair in want], list(want.values()), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("terms", TERMS)
@pytest.mark.parametrize("codes", [("ca", "fr"), ("yue", "zh")])
def test_bm25_is_its_formula(tmp_path: Path, codes: tuple[str, str], terms: str) -> None:
    mini = Folder("mini", MINI)
    queries = mini.queries(codes[0]).slice(0, 20)
    # An analyzer is that of the passages, on both sides.
    rules = (codes[1], codes[1]) if terms == "analyzer" else codes
    want = expected(table(mini, codes[1]).slice(0, 120), queries, rules, terms)
    assert want
    same(scored(mini, queries, codes, terms, tmp_path, 120), want)


def reciprocal_rank(run: pa.Table, relevant: dict[str, set[str]], qids: list[str]) -> float:
    best: dict[str, float] = defaultdict(float)
    for row in ranked(run, 10).to_pylist():
        if row["docno"] in relevant[row["qid"]]:
            best[row["qid"]] = max(best[row["qid"]], 1 / (row["rank"] + 1))
    return sum(best[qid] for qid in qids) / len(qids)


def test_on_real_news_4_grams_find_what_words_do_not(real: Path, tmp_path: Path) -> None:
    """Catalan sentences over French ones; scores as an independent scorer's."""
    collection = Folder("ca-fr", real / "ca-fr.sent")
    queries = collection.queries("ca").slice(0, 150)
    relevant: dict[str, set[str]] = defaultdict(set)
    for row in collection.qrels().to_pylist():
        relevant[row["qid"]].add(row["docno"])
    means = {}
    for terms in ("words", "4-grams"):
        (tmp_path / terms).mkdir()
        run = scored(collection, queries, ("ca", "fr"), terms, tmp_path / terms)
        means[terms] = reciprocal_rank(run, relevant, queries["qid"].to_pylist())
        few = queries.slice(0, 15)
        of_few = run.filter(pc.is_in(run["qid"], few["qid"]))
        same(of_few, expected(table(collection, "fr"), few, ("ca", "fr"), terms))
    assert means["4-grams"] > means["words"] + 0.2


@pytest.mark.parametrize(
    ("low", "high", "mean"), [("ca", "fr", 0.439), ("oc", "fr", 0.535), ("af", "nl", 0.603), ("gd", "en", 0.255)]
)
def test_4_grams_on_the_mini_collection(tmp_path: Path, low: str, high: str, mean: float) -> None:
    """RR@10 on the topics of train and dev, as measured once apart (McNamee and Mayfield's way of cutting words)."""
    mini = Folder("mini", MINI)
    queries = pa.concat_tables([mini.queries(low, split) for split in ("train", "dev")])
    relevant: dict[str, set[str]] = defaultdict(set)
    for row in pa.concat_tables([mini.qrels(split=split) for split in ("train", "dev")]).to_pylist():
        relevant[row["qid"]] |= {row["docno"]} if row["label"] > 0 else set()
    run = scored(mini, queries, (low, high), "4-grams", tmp_path)
    assert reciprocal_rank(run, relevant, queries["qid"].to_pylist()) == pytest.approx(mean, abs=0.005)


def test_systems_by_themselves_need_no_scale() -> None:
    assert {name: getattr(system, "terms", "") for name, system in bare().items() if name.startswith("bm25")} == {
        "bm25": "words", "bm25-4grams": "4-grams", "bm25-analyzer": "analyzer",
    }  # fmt: skip
    assert bare()["bm25"].key() == {"architecture": "bm25", "version": 2}
    recipe = {"title": "t", "collection": {"name": "m", "folder": "x"}}
    assert Recipe.model_validate(recipe).system("bm25-4grams").key() == {**bare()["bm25"].key(), "terms": "4-grams"}
    own = {**recipe, "systems": {"bm25-4grams": {"architecture": "bm25", "terms": "4-grams", "k1": 1.2}}}
    assert Recipe.model_validate(own).system("bm25-4grams").key()["k1"] == 1.2
    with pytest.raises(LswError, match="Unknown system 'bm25-4gram'") as refused:
        Recipe.model_validate(recipe).system("bm25-4gram")
    assert "'bm25-4grams'" in refused.value.cure
