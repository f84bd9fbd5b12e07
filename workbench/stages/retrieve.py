"""One run of a retriever."""

from workbench.costs.base import Cost
from workbench.costs.estimator import Estimator
from workbench.graph import Job, Stage
from workbench.stages._ranking import Asks, Runs
from workbench.talk import Summary


class Retrieve(Asks, Runs):
    """Leaves a run. Reads `index`, `queries`, and `model` if the system has weights."""

    def run(self, job: Job) -> Summary:
        """Search, with the very text that is recorded."""
        queries = self.queries(job)
        results, summary = self.retrieved(job, queries)
        return {**summary, **self.record(job, results, queries)}

    def cost(self, stage: Stage, estimator: Estimator) -> Cost:
        return self.cost_of_search(stage, estimator)
