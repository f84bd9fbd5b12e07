"""Training triples: a low-resource query, a relevant passage, and a passage that only looks relevant."""

import random
from typing import Any

import duckdb
import pyarrow as pa

from store import LswError
from workbench.stages import Job

TRIPLE = pa.schema(
    [*((c, pa.string()) for c in ("key", "qid", "query", "docno_positive", "docno_negative")),
     ("score_positive", pa.float64()), ("score_negative", pa.float64())]
)  # fmt: skip


def leave(job: Job, rows: list[dict[str, Any]], why: str) -> dict[str, Any]:
    """Leave `rows/triple.parquet`; returns the summary.

    Raises:
        LswError: there are none.
    """
    if not rows:
        raise LswError("No training triple could be made.", why, "Loosen what [negatives] asks for.", exit_code=1)
    job.write("triple", pa.Table.from_pylist([{"key": job.key, **row} for row in rows], schema=TRIPLE))
    return {"triples": len(rows), "queries": len({row["qid"] for row in rows})}


def run(job: Job) -> dict[str, Any]:
    """`rows/triple.parquet`: key, qid, query, docno_positive, docno_negative, score_positive, score_negative.

    Negatives are drawn, seeded, from what a system finds for the query in the variety that mines, without those judged
    relevant and without those scored within `margin` of the best relevant passage: these may be relevant, unjudged.
    A query whose relevant passages it does not find cannot be filtered so, and is left out.

    Raises:
        LswError: no triple is left.
    """
    p = job.parameters
    asked, qrels, found = job.queries("queries"), job.read("qrels", "qrel"), job.read("found", "found")
    con = duckdb.connect()
    for name, table in (("found", found), ("qrels", qrels)):
        con.register(name, table)
    candidates = con.execute(
        """
        WITH relevant AS (
            SELECT f.qid, f.docno, f.score FROM found f JOIN qrels q USING (qid, docno) WHERE q.label > 0
        ),
        best AS (SELECT qid, max(score) AS score, arg_max(docno, score) AS docno FROM relevant GROUP BY qid)
        SELECT f.qid, best.docno AS positive, best.score AS high, f.docno AS negative, f.score AS low
        FROM found f JOIN best USING (qid) ANTI JOIN relevant r ON f.qid = r.qid AND f.docno = r.docno
        WHERE f.score <= best.score - abs(best.score) * ?
        QUALIFY row_number() OVER (PARTITION BY f.qid ORDER BY f.score DESC, f.docno DESC) <= ?
        ORDER BY f.qid, low DESC, negative DESC
        """,
        [p["margin"], p["depth"]],
    ).fetchall()
    by_query: dict[str, list[tuple[Any, ...]]] = {}
    for row in candidates:
        by_query.setdefault(row[0], []).append(row)
    rng = random.Random(p["seed"])
    query = dict(zip(asked["qid"].to_pylist(), asked["query"].to_pylist(), strict=True))
    rows = [
        {
            "qid": qid,
            "query": query[qid],
            "docno_positive": positive,
            "docno_negative": negative,
            "score_positive": high,
            "score_negative": low,
        }
        for qid in sorted(by_query)
        if qid in query
        for qid, positive, high, negative, low in rng.sample(by_query[qid], min(p["per_query"], len(by_query[qid])))
    ]
    said = leave(job, rows, f"{len(query)} queries, margin {p['margin']}.")
    return said | {"queries_left_out": len(query) - len(by_query)}
