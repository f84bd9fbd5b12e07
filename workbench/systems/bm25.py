"""BM25 over PISA, on terms that are made alike for queries and passages (`workbench.terms`)."""

import math
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar

import pyarrow as pa
from pydantic import AfterValidator

from store import LswError
from store.passages import FILE, Passages, write
from workbench.collections.formats import batched
from workbench.registry import told
from workbench.systems._encoding import Computing
from workbench.systems._explanation import Asked, Explanation, Portion
from workbench.systems._frequencies import Frequencies, idf
from workbench.systems._inverted import invert
from workbench.systems._passages import Reading
from workbench.systems.base import Retriever, Searched, Workplace
from workbench.talk import Progress, Summary, hushed
from workbench.terms import known_terms, term_counts
from workbench.terms.many import Many, of_many
from workbench.terms.places import Term, places_of

K1, B = 0.9, 0.4
"""Anserini's defaults, which the published runs used."""
UNPACKED = ("inv.docs", "inv.freqs")
"""Postings at eight bytes each, of which PISA makes the packed ones that are searched."""


@dataclass(frozen=True)
class Extent:
    """What terms cost: passages indexed to know how fast that is; the index in bytes for a byte of text; seconds of a
    query for each passage (docs/benchmarks.md)."""

    timed: int
    disk: float
    search: float


EXTENTS = {
    "words": Extent(20_000, 0.28, 1.2e-8),
    "4-grams": Extent(5_000, 0.75, 3.5e-8),
    "analyzer": Extent(20_000, 0.21, 6e-9),
}


class BM25(Retriever):
    """BM25; a system without weights. `terms` is one of `workbench.terms.TERMS`."""

    k1: float = K1
    b: float = B
    terms: Annotated[str, AfterValidator(told(known_terms))] = "words"

    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "bm25-4grams": {"terms": "4-grams"},
        "bm25-analyzer": {"terms": "analyzer"},
    }
    version: ClassVar[int] = 2  # before, an index of more than 100,000 passages had postings that were not there

    def index(self, passages: Reading, out: Path, at: Workplace) -> Summary:
        index(passages, out, at.progress, self.k1, self.b, self.terms)
        return {"passages": len(passages)}

    def suits(self, document_variety: str) -> None:
        term_counts("", document_variety, self.terms)

    def retrieve(
        self, index: Path, queries: pa.Table, variety: str, depth: int, at: Workplace
    ) -> tuple[pa.Table, Summary]:
        return retrieve(index, queries, self.rules(variety, at), depth, self.k1, self.b, self.terms), {}

    def rules(self, variety: str, at: Workplace) -> str:
        """The variety by whose rules the terms of queries of a variety are made."""
        return at.document_variety if self.terms == "analyzer" else variety

    def explain(self, asked: Asked, at: Workplace) -> Explanation:
        """Each term of the query has its part of a passage's score: its idf times how much of the passage it is."""
        counts = Frequencies(asked.indexed)
        wanted = by_term(places_of(asked.query, self.rules(asked.variety, at), self.terms))
        weights = {term: idf(counts[term], counts.passages) for term in wanted}
        portions: dict[str, list[Portion]] = {}
        for docno, text in asked.passages.items():
            terms = places_of(text, at.document_variety, self.terms)
            found = by_term(terms)
            long = self.k1 * (1 - self.b + self.b * len(terms) / counts.length)
            portions[docno] = []
            for term, places in wanted.items():
                here = found.get(term, [])
                share = len(here) * (self.k1 + 1) / (len(here) + long)
                facts = {"df": counts[term], "idf": weights[term], "tf": len(here), "times": len(places)}
                value = len(places) * weights[term] * share
                asks, has = (tuple(place.span for place in each) for each in (places, here))
                portions[docno].append(Portion(term, value, asks, has, facts))
        says = (
            "Each term of the query that a passage has adds its idf (the rarer in these passages, the more) times a"
            " share that grows with how often it is there and falls with the passage's length. Terms match as they"
            " are written: meaning, order and near forms count nothing."
        )
        scores = {docno: math.fsum(part.value for part in parts) for docno, parts in portions.items()}
        return Explanation("BM25 terms", says, scores, portions)

    def seconds_to_index(self, texts: list[str], variety: str) -> float:
        with tempfile.TemporaryDirectory() as name:
            path = Path(name) / FILE
            some = [texts[i % len(texts)] for i in range(EXTENTS[self.terms].timed)]
            write(path, batched((str(i), text) for i, text in enumerate(some)))
            began = time.perf_counter()
            reading = Reading(Passages(path), variety, "as written")
            index(reading, Path(name) / "index", lambda done, total: None, terms=self.terms)
            return (time.perf_counter() - began) / sum(len(text.encode()) for text in some)

    def disk(self, passages: int, size: float, width: int, computing: Computing) -> int:
        return round(size * EXTENTS[self.terms].disk)

    def seconds_to_search(self, search: Searched, width: int, multiplication: float) -> float:
        return search.queries * (2e-4 + search.passages * EXTENTS[self.terms].search) + search.results * 4e-7


def by_term(terms: list[Term]) -> dict[str, list[Term]]:
    """All places of each term, the first one first."""
    out: dict[str, list[Term]] = {}
    for term in terms:
        out.setdefault(term.text, []).append(term)
    return out


def index(passages: Reading, out: Path, progress: Progress, k1: float = K1, b: float = B, terms: str = "words") -> None:
    """Build the inverted index.

    Args:
        passages: what to index; their variety says how terms are made.
        out: folder that will hold the index.
        progress: told how many passages are taken.
        k1, b: of the formula; PISA lays its block-max data down for them.
        terms: one of `workbench.terms.TERMS`.

    Raises:
        LswError: no passage has a term.
    """
    from pyterrier_pisa import PisaIndex

    def made() -> Iterator[tuple[list[str], Many]]:
        done = 0
        for docnos, texts in passages.shards(0, 4_096):
            first = 0
            for some in of_many(texts, passages.variety, terms):
                yield docnos[first : first + some.texts], some
                first += some.texts
            done += len(docnos)
            progress(done, len(passages))

    if not invert(made(), out):  # PISA would end the process
        raise LswError(
            "No passage has a term to index.", cure=f"Are these passages in '{passages.variety}'? Correct the corpus."
        )
    with hushed():  # lays down the block-max data now, so that retrieval only reads
        PisaIndex(str(out), stemmer="none", stops="none").bm25(k1=k1, b=b)
    for name in UNPACKED:
        (out / name).unlink()


def retrieve(
    folder: Path, queries: pa.Table, variety: str, depth: int, k1: float = K1, b: float = B, terms: str = "words"
) -> pa.Table:
    """The best passages of each query by BM25 (Robertson and Zaragoza 2009, eq. 3.15).

    Args:
        folder: what `index` made.
        queries: columns qid, query.
        variety: by whose rules their terms are made.
        depth: passages a query at most; those that share no term with it are not returned.
        k1, b, terms: as they were for `index`.

    Returns:
        columns qid, docno, score (float32).
    """
    import pandas as pd
    from pyterrier_pisa import PisaIndex

    frame = pd.DataFrame(
        {
            "qid": queries["qid"].to_pylist(),
            "query": queries["query"].to_pylist(),
            "query_toks": [term_counts(q, variety, terms) for q in queries["query"].to_pylist()],
        }
    )
    frame = frame[frame["query_toks"].map(bool)]  # PISA takes no query without terms
    with hushed():
        retriever = PisaIndex(str(folder), stemmer="none", stops="none").bm25(
            k1=k1, b=b, num_results=depth, toks_scale=1, query_weighted=True, threads=1
        )
        results = retriever(frame)
    return pa.table(
        {
            "qid": results["qid"].astype(str).to_list(),
            "docno": results["docno"].astype(str).to_list(),
            "score": pa.array(results["score"].to_numpy(), pa.float32()),
        }
    )
