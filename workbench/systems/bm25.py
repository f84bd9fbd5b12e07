"""BM25 over PISA, on terms that are made alike for queries and passages (`workbench.text.terms`)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from workbench.silence import hushed
from workbench.systems import Progress
from workbench.systems._passages import Reading
from workbench.text import term_counts

K1, B = 0.9, 0.4
"""Anserini's defaults, which the published runs used."""


def index(passages: Reading, out: Path, progress: Progress) -> None:
    """Build the inverted index.

    Args:
        passages: what to index; their variety says how terms are made.
        out: folder that will hold the index.
        progress: told how many passages are taken.
    """
    from pyterrier_pisa import PisaIndex

    def toks() -> Iterator[dict[str, Any]]:
        done = 0
        for docnos, texts in passages.shards(0, 4_096):
            for docno, text in zip(docnos, texts, strict=True):
                yield {"docno": docno, "toks": term_counts(text, passages.variety)}
            done += len(docnos)
            progress(done, len(passages))

    # scale=1: term frequencies as they are; PISA's default of 100 would defeat k1.
    with hushed():
        made = PisaIndex(str(out), stemmer="none", stops="none")
        made.toks_indexer(scale=1).index(toks())
        made.bm25(k1=K1, b=B)  # lays down the block-max data now, so that retrieval only reads


def retrieve(folder: Path, queries: pa.Table, variety: str, depth: int) -> pa.Table:
    """The best passages of each query by BM25 (Robertson and Zaragoza 2009, eq. 3.15).

    Args:
        folder: what `index` made.
        queries: columns qid, query.
        variety: of the queries.
        depth: passages a query at most; those that share no term with it are not returned.

    Returns:
        columns qid, docno, score (float32).
    """
    import pandas as pd
    from pyterrier_pisa import PisaIndex

    frame = pd.DataFrame(
        {
            "qid": queries["qid"].to_pylist(),
            "query": queries["query"].to_pylist(),
            "query_toks": [term_counts(q, variety) for q in queries["query"].to_pylist()],
        }
    )
    frame = frame[frame["query_toks"].map(bool)]  # PISA takes no query without terms
    with hushed():
        retriever = PisaIndex(str(folder), stemmer="none", stops="none").bm25(
            k1=K1, b=B, num_results=depth, toks_scale=1, query_weighted=True, threads=1
        )
        found = retriever(frame)
    return pa.table(
        {
            "qid": found["qid"].astype(str).to_list(),
            "docno": found["docno"].astype(str).to_list(),
            "score": pa.array(found["score"].to_numpy(), pa.float32()),
        }
    )
