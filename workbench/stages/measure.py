"""The measures of one run."""

from typing import ClassVar

import pyarrow as pa
import pyarrow.parquet as pq

from store import LswError
from workbench.costs.base import Cost, NotEstimatedError
from workbench.costs.estimator import STAGE, Estimator
from workbench.evaluation.evaluate import evaluate
from workbench.graph import Job, Kind, Stage
from workbench.stages._behind import queries_of
from workbench.stages._ranking import Asked
from workbench.talk import Summary

PER_RESULT = 1.5e-7
"""Seconds to join one row of a ranking with the judgements."""


class Measure(Kind):
    """Leaves `rows/` `measure`, `judged`, `evaluated` and `unasked` (`.parquet`). Reads `run` and `qrels`."""

    measures: list[str]

    version: ClassVar[int] = 4
    tables: ClassVar[tuple[str, ...]] = ("measure", "judged", "evaluated", "unasked")

    def run(self, job: Job) -> Summary:
        """Evaluate; the summary holds means and counts.

        Raises:
            LswError: queries and judgements have no query in common.
        """
        [run_id] = job.read("run", "run")["run_id"].to_pylist()
        asked = job.rows("run", "scored_query")  # a run made elsewhere does not say
        evaluation = evaluate(
            run_id, job.rows("run", "ranking"), job.rows("qrels", "qrel"), self.measures,
            asked if asked.exists() else None,
        )  # fmt: skip
        if not len(evaluation.queries) and len(evaluation.unasked) and asked.exists():
            n = len(pq.read_table(asked, columns=["qid"]))
            raise LswError(
                f"None of the {n:,} queries asked is judged over these passages: nothing can be measured.",
                f"{len(evaluation.unasked):,} other queries are.",
                "Do the queries and the judgements come from the same collection and split? Take this pair out of "
                "retrieval.pairs.",
                exit_code=1,
            )
        tables = {
            "measure": evaluation.values, "judged": evaluation.judged, "evaluated": evaluation.queries,
            "unasked": evaluation.unasked,
        }  # fmt: skip
        for name, table in tables.items():
            job.write(name, table.append_column("key", pa.array([job.key] * len(table), pa.string())))
        means = evaluation.values.group_by("measure").aggregate([("value", "mean")]).to_pylist()
        return {**{row["measure"]: round(row["value_mean"], 4) for row in means}, **evaluation.counts()}

    def cost(self, stage: Stage, estimator: Estimator) -> Cost:
        run = stage.inputs["run"]
        if not isinstance(run.work, Asked):
            raise NotEstimatedError("How many results a run has is known once it is read.")
        queries = queries_of(run.inputs["queries"], estimator).texts or 0
        return Cost(seconds=STAGE + queries * run.work.depth * PER_RESULT)
