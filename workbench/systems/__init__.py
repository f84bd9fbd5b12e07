"""The rankers, each one file: BM25, bi-encoder, multi-vector encoder, reranker.

Imports of torch and PyTerrier stay inside functions, so that a command which ranks nothing starts at once.
"""

from collections.abc import Iterator
from typing import Protocol

import pyarrow as pa


class Progress(Protocol):
    """Called with what is done and the total, in units of the caller's choosing."""

    def __call__(self, done: int, total: int) -> None: ...


def told(passages: pa.Table, progress: Progress) -> Iterator[dict[str, str]]:
    """Rows of docno and text for an indexer, with progress as they are taken."""
    total = len(passages)
    pairs = zip(passages["docno"].to_pylist(), passages["text"].to_pylist(), strict=True)
    for done, (docno, text) in enumerate(pairs, 1):
        yield {"docno": docno, "text": text}
        if done % 64 == 0 or done == total:
            progress(done, total)


def ranked(run: pa.Table, depth: int) -> pa.Table:
    """Order a run as trec_eval does and cut it.

    Scores are rounded to float32 first, which is what trec_eval holds: what ties there must tie here.

    Args:
        run: columns qid, docno, score.
        depth: results kept for each query.

    Returns:
        columns qid, docno, rank (int32, from 0) and score (double), by qid in order of appearance, then rank.
    """
    import duckdb

    con = duckdb.connect()
    con.register("run", run)
    return con.sql(
        """
        WITH rounded AS (SELECT qid, docno, score::FLOAT AS score FROM run),
        ordered AS (
            SELECT qid, docno, score::DOUBLE AS score,
                (row_number() OVER (PARTITION BY qid ORDER BY score DESC, docno DESC) - 1)::INTEGER AS rank
            FROM rounded
        ),
        numbered AS (SELECT qid, row_number() OVER () AS line FROM run),
        first AS (SELECT qid, min(line) AS position FROM numbered GROUP BY qid)
        SELECT qid, docno, rank, score FROM ordered JOIN first USING (qid) WHERE rank < ? ORDER BY position, rank
        """,
        params=[depth],
    ).to_arrow_table()
