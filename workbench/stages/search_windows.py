"""The windows of pages that a retriever finds; no run of the store, whose rankings are of pages."""

from typing import ClassVar

from workbench.costs.base import Cost
from workbench.costs.estimator import Estimator
from workbench.graph import Job, Stage
from workbench.stages._behind import passages_of
from workbench.stages._ranking import DEEPEST, Asks
from workbench.stages._windows import WINDOWS, windows
from workbench.talk import Summary


class SearchWindows(Asks):
    """Leaves `rows/found.parquet`: qid, docno (of the window; strings), score (float32). Reads `index`, `windows` (that
    are in it), `queries`, and `model` if the system has weights.

    `depth` is of pages: so many windows are found that as many pages are among them (`_windows.Windows.sought`).
    """

    files: ClassVar[tuple[str, ...]] = ("found",)

    def run(self, job: Job) -> Summary:
        """Search."""
        queries, there = self.queries(job), windows(job)
        sought = there.sought(self.depth)
        results, summary = self.model_copy(update={"depth": sought}).retrieved(job, queries)
        job.write("found", results)
        return {**summary, "queries": len(queries), "rows": len(results), "windows": there.count, "sought": sought}

    def cost(self, stage: Stage, estimator: Estimator) -> Cost:
        """Of as many windows as twice the mean of a page has, for every page."""
        cut = stage.inputs[WINDOWS]
        count, pages = (passages_of(of, estimator).texts or 0 for of in (cut, cut.inputs["passages"]))
        each = 1 if count <= pages else round(2 * count / max(pages, 1))
        return self.model_copy(update={"depth": min(self.depth * each, DEEPEST)}).cost_of_search(stage, estimator)
