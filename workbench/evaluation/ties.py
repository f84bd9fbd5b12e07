"""How results are ordered: as trec_eval does it, by score as float32 descending, then docno descending."""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray


def single(scores: NDArray[np.float64]) -> NDArray[np.float32]:
    """Scores as float32, which is what trec_eval holds: what ties there must tie here."""
    top = np.finfo(np.float32).max
    return np.clip(scores, -top, top).astype(np.float32)


def ranked(run: pa.Table, depth: int) -> pa.Table:
    """Order a run as trec_eval does and cut it.

    Args:
        run: columns qid, docno, score.
        depth: results kept for each query.

    Returns:
        columns qid, docno, rank (int32, from 0) and score (float32), by qid in order of appearance, then rank.
    """
    import duckdb

    rounded = pa.table({"qid": run["qid"], "docno": run["docno"], "score": single(run["score"].to_numpy())})
    with duckdb.connect() as con:
        con.register("run", rounded)
        return con.sql(
            """
            WITH numbered AS (SELECT *, row_number() OVER () AS line FROM run),
            ordered AS (
                SELECT qid, docno, score, min(line) OVER (PARTITION BY qid) AS position,
                    (row_number() OVER (PARTITION BY qid ORDER BY score DESC, docno DESC) - 1)::INTEGER AS rank
                FROM numbered
            )
            SELECT qid, docno, rank, score FROM ordered WHERE rank < ? ORDER BY position, rank
            """,
            params=[depth],
        ).to_arrow_table()
