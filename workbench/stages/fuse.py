"""One run made of others: reciprocal rank fusion, or the weighted sum of their scores."""

import pyarrow as pa

from store import LswError, nearest
from workbench.costs.base import Cost
from workbench.costs.estimator import RESULT, STAGE, Estimator
from workbench.graph import Job, Stage
from workbench.pipeline import SUM
from workbench.stages._behind import passages_of, queries_of
from workbench.stages._ranking import ROW_BYTES, Runs
from workbench.talk import Summary

K = 60
"""Of reciprocal rank fusion, as Cormack et al. (2009) set it."""
PARTS = "run."
"""How the roles of the fused runs begin; their numbers follow, from 0."""
SCORES = {"rrf": f"1 / ({K} + rank + 1)", SUM: "weight * score"}
"""What a passage gets from one run, in SQL; from a run that does not have it, 0."""
EACH = 2.2e-6
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
        queries = self.queries(job)
        results, found_by_all, below = self.fused(job, queries)
        if below:
            names = ", ".join(below)
            job.note(f"Scores of {names} are below 0: what it did not find, which adds 0, stands above what it found.")
        return {"found_by_all": found_by_all, **self.record(job, results, queries)}

    def fused(self, job: Job, queries: pa.Table) -> tuple[pa.Table, int, list[str]]:
        """The sums.

        Returns:
            columns qid, docno (strings), score (float64), by qid in the order of the queries; how many passages of a
            query all runs have; and the systems whose scores are below 0 and are summed.
        """
        import duckdb

        if self.method not in SCORES:
            raise LswError(f"Unknown fusion '{self.method}'.", cure=nearest(self.method, SCORES))
        below: list[str] = []
        with duckdb.connect() as con:
            con.register("asked", queries.select(["qid"]))
            con.execute("CREATE TABLE scored (qid TEXT, docno TEXT, score DOUBLE)")
            for i, weight in enumerate(self.weights):
                at = [weight, str(job.rows(f"{PARTS}{i}", "ranking"))]
                part = "SELECT qid, docno, rank, score::DOUBLE AS score, ?::DOUBLE AS weight FROM read_parquet(?)"
                con.execute(f"INSERT INTO scored SELECT qid, docno, {SCORES[self.method]} FROM ({part})", at)
                if self.method == SUM and con.execute(f"FROM ({part}) WHERE score < 0 LIMIT 1", at).fetchall():
                    below += job.read(f"{PARTS}{i}", "run")["system"].to_pylist()
                job.progress(i + 1, len(self.weights))
            # Added in the order of their size, so that runs in another order give the same score.
            table = con.sql(
                """
                WITH numbered AS (SELECT qid, row_number() OVER () AS position FROM asked), summed AS (
                    SELECT qid, docno, sum(score ORDER BY score) AS score, count(*) AS found FROM scored GROUP BY ALL
                )
                SELECT qid, docno, score, found FROM summed JOIN numbered USING (qid) ORDER BY position, docno
                """
            ).to_arrow_table()
        found_by_all = int((table["found"].to_numpy() == len(self.weights)).sum())
        return table.drop_columns(["found"]), found_by_all, below

    def cost(self, stage: Stage, estimator: Estimator) -> Cost:
        queries = queries_of(stage.inputs["queries"], estimator).texts or 0
        depth = min(self.depth, passages_of(_passages(stage), estimator).texts or 0)
        rows = queries * depth
        return Cost(seconds=STAGE + rows * (len(self.weights) * EACH + RESULT), disk=rows * ROW_BYTES)


def _passages(stage: Stage) -> Stage:
    """The passages behind a run."""
    for role in ("passages", "index", f"{PARTS}0"):
        if role in stage.inputs:
            return stage.inputs[role] if role == "passages" else _passages(stage.inputs[role])
    raise AssertionError(f"{stage.label} reads no passages")
