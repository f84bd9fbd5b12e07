"""Negatives that a system finds: they look relevant, and are not judged so."""

import random
from typing import Any, ClassVar

import duckdb

from workbench.costs.base import Cost
from workbench.costs.estimator import STAGE, Estimator
from workbench.graph import Job, Stage
from workbench.stages._behind import queries_of
from workbench.stages.triples.base import Planning, TripleSource, leave
from workbench.talk import Summary
from workbench.varieties import Pair

SEARCHED = 1_000
"""Results that the system is asked for, at least."""


class Mined(TripleSource):
    """Negatives are drawn, seeded, from what a system finds for the query in the variety that mines.

    Left out are those judged relevant and those scored within `margin` of the best relevant passage: these may be
    relevant, unjudged. A query whose relevant passages it does not find cannot be filtered so, and is left out. Reads
    `found`, `qrels`, `queries` and `translation`.
    """

    depth: int
    per_query: int
    margin: float
    seed: int

    version: ClassVar[int] = 2

    @classmethod
    def planned(cls, plan: Planning, on: Pair, most: int | None) -> Stage:
        how = plan.negatives
        return plan.graph.add(
            cls(depth=how.depth, per_query=how.per_query, margin=how.margin, seed=how.seed),
            f"mine negatives for {on}",
            {
                "found": plan.mined(on, how.queries == "low", how.system, max(SEARCHED, how.depth)),
                "qrels": plan.training_qrels(on.high),
                **plan.training_wordings(on),
            },
        )

    def run(self, job: Job) -> Summary:
        """Draw.

        Raises:
            LswError: no triple is left.
        """
        asked, qrels, results = job.queries("queries"), job.read("qrels", "qrel"), job.read("found", "found")
        with duckdb.connect() as con:
            for name, table in (("results", results), ("qrels", qrels)):
                con.register(name, table)
            candidates = con.execute(
                """
                WITH relevant AS (
                    SELECT r.qid, r.docno, r.score FROM results r JOIN qrels q USING (qid, docno) WHERE q.label > 0
                ),
                best AS (SELECT qid, max(score) AS score, arg_max(docno, score) AS docno FROM relevant GROUP BY qid)
                SELECT f.qid, best.docno AS positive, best.score AS high, f.docno AS negative, f.score AS low
                FROM results f JOIN best USING (qid) ANTI JOIN relevant r ON f.qid = r.qid AND f.docno = r.docno
                WHERE f.score <= best.score - abs(best.score) * ?
                QUALIFY row_number() OVER (PARTITION BY f.qid ORDER BY f.score DESC, f.docno DESC) <= ?
                ORDER BY f.qid, low DESC, negative DESC
                """,
                [self.margin, self.depth],
            ).fetchall()
        by_query: dict[str, list[tuple[Any, ...]]] = {}
        for row in candidates:
            by_query.setdefault(row[0], []).append(row)
        rng = random.Random(self.seed)
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
            for qid, positive, high, negative, low in rng.sample(by_query[qid], min(self.per_query, len(by_query[qid])))
        ]
        summary = leave(job, rows, f"{len(query)} queries, margin {self.margin}.")
        return summary | {"queries_left_out": len(query.keys() - by_query.keys())}

    def count(self, stage: Stage, estimator: Estimator) -> int:
        return (queries_of(stage.inputs["queries"], estimator).texts or 0) * self.per_query

    def cost(self, stage: Stage, estimator: Estimator) -> Cost:
        queries = queries_of(stage.inputs["queries"], estimator).texts or 0
        return Cost(seconds=STAGE + queries * SEARCHED * 4e-7)
