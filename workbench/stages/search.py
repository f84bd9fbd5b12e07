"""What the base of a system finds for training queries; no run of the store."""

from typing import ClassVar

from workbench.costs.base import Cost
from workbench.costs.estimator import Estimator
from workbench.graph import Job, Stage
from workbench.stages._ranking import Asks
from workbench.talk import Summary


class Search(Asks):
    """Leaves `rows/found.parquet`: qid, docno (strings), score (float32). Reads what `retrieve` reads."""

    files: ClassVar[tuple[str, ...]] = ("found",)
    group: ClassVar[str] = "train"

    def run(self, job: Job) -> Summary:
        """Search."""
        queries = self.queries(job)
        results, summary = self.retrieved(job, queries)
        job.write("found", results)
        return {**summary, "queries": len(queries), "rows": len(results)}

    def cost(self, stage: Stage, estimator: Estimator) -> Cost:
        return self.cost_of_search(stage, estimator)
