"""One run made of others: reciprocal rank fusion, or the weighted sum of their scores."""

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from store import LswError, nearest
from workbench.costs.base import Cost
from workbench.costs.estimator import RESULT, STAGE, Estimator
from workbench.evaluation.ties import ranked
from workbench.graph import Job, Stage
from workbench.pipeline import SUM, K
from workbench.stages._behind import passages_of, queries_of
from workbench.stages._ranking import ROW_BYTES, Runs
from workbench.stages._windows import WINDOWS
from workbench.talk import Summary

PARTS = "run."
"""How the roles of the fused runs begin; their numbers follow, from 0."""
SCORES = {"rrf": f"1 / ({K} + rank + 1)", SUM: "weight * score"}
"""What a passage gets from one run, in SQL; from a run that does not have it, 0."""
BLOCK = 500
"""Queries fused at once."""
EACH = 1.5e-6
"""Seconds to read and add up one row of a fused run."""


class Fuse(Runs):
    """Leaves a run. Reads `run.0`, `run.1`, ... (runs) and `queries`.

    A passage's score is the sum over the runs that have it: of 1 / (60 + rank), ranks from 1 (Cormack, Clarke and
    Büttcher 2009), or of weight times score. A run that does not have it adds 0, as in PyTerrier.

    Args:
        method: one of `SCORES`.
        weights: of a sum, one for each run.
    """

    method: str
    weights: list[float]

    def run(self, job: Job) -> Summary:
        """Add up; ties are broken as everywhere, by docno descending.

        Raises:
            LswError: an unknown method.
        """
        if self.method not in SCORES:
            raise LswError(f"Unknown fusion '{self.method}'.", cure=nearest(self.method, SCORES))
        queries = self.queries(job)
        blocks, found_by_all = [], 0
        for start in range(0, max(len(queries), 1), BLOCK):
            summed = self.summed(job, queries.slice(start, BLOCK))
            found_by_all += int((summed["found"].to_numpy() == len(self.weights)).sum())
            blocks.append(ranked(summed.select(["qid", "docno", "score"]), self.depth))
            job.progress(min(start + BLOCK, len(queries)), len(queries))
        if below := self.below(job):
            names = ", ".join(below)
            job.note(f"Scores of {names} are below 0: what it did not find, which adds 0, stands above what it found.")
        results = pa.concat_tables(blocks).select(["qid", "docno", "score"])
        return {"found_by_all": found_by_all, **self.record(job, results, queries)}

    def summed(self, job: Job, queries: pa.Table) -> pa.Table:
        """The sums for some queries.

        Returns:
            columns qid, docno (strings), score (float64), found (in how many runs), by qid in the order of the queries.
        """
        import duckdb

        part = f"""
            SELECT position, qid, docno, {SCORES[self.method]} AS score
            FROM (SELECT qid, docno, rank, score::DOUBLE AS score, ?::DOUBLE AS weight FROM read_parquet(?))
            JOIN numbered USING (qid)
        """
        at = [[weight, str(job.rows(f"{PARTS}{i}", "ranking"))] for i, weight in enumerate(self.weights)]
        with duckdb.connect() as con:
            con.register("asked", queries.select(["qid"]))
            # Added in the order of their size, so that runs in another order give the same score.
            return con.sql(
                f"""
                WITH numbered AS (SELECT qid, row_number() OVER () AS position FROM asked),
                scored AS ({" UNION ALL ".join([part] * len(at))})
                SELECT qid, docno, sum(score ORDER BY score) AS score, count(*) AS found FROM scored
                GROUP BY position, qid, docno ORDER BY position, docno
                """,
                params=[value for values in at for value in values],
            ).to_arrow_table()

    def below(self, job: Job) -> list[str]:
        """The systems that are summed and have scores below 0."""
        if self.method != SUM:
            return []
        roles = [f"{PARTS}{i}" for i in range(len(self.weights))]
        lowest = {role: pc.min(pq.read_table(job.rows(role, "ranking"), columns=["score"])["score"]) for role in roles}
        return [
            system
            for role, score in lowest.items()
            if (score.as_py() or 0) < 0
            for system in job.read(role, "run")["system"].to_pylist()
        ]

    def cost(self, stage: Stage, estimator: Estimator) -> Cost:
        queries = queries_of(stage.inputs["queries"], estimator).texts or 0
        depth = min(self.depth, passages_of(_passages(stage), estimator).texts or 0)
        rows = queries * depth
        return Cost(seconds=STAGE + rows * (len(self.weights) * EACH + RESULT), disk=rows * ROW_BYTES)


def _passages(stage: Stage) -> Stage:
    """The passages behind a run."""
    for role in ("passages", "index", WINDOWS, f"{PARTS}0"):
        if role in stage.inputs:
            return stage.inputs[role] if role == "passages" else _passages(stage.inputs[role])
    raise AssertionError(f"{stage.label} reads no passages")
