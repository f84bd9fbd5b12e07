"""All comparisons of a recipe."""

from typing import ClassVar

import pyarrow as pa

from workbench.comparison.contrasts import RunName, combinations, declared
from workbench.comparison.paired import Paired, compared
from workbench.costs.base import Cost
from workbench.costs.estimator import STAGE, Estimator
from workbench.graph import Job, Kind, Stage
from workbench.registry import Section
from workbench.significance.outcomes import Method
from workbench.talk import Summary


class ComparedRun(Section):
    """A run, and whose it is."""

    system: str
    trained_on: str | None = None
    query_variety: str
    document_variety: str
    run_id: str


class Compare(Kind):
    """Leaves `rows/comparison.parquet`, a row for each contrast and measure. Reads `queries`, and `run.ID` (measures).

    Args:
        recipe, scale: whose comparisons they are.
        pairs: of varieties, in the order of the closing table.
        runs: that are compared.
        measures: the main one first.
        contrasts: `gap`, `gain`, `closure`.
        method: test, correction and the rest.
    """

    recipe: str
    scale: str
    pairs: list[str]
    runs: list[ComparedRun]
    measures: list[str]
    contrasts: list[str]
    method: Method = Method()

    version: ClassVar[int] = 3
    tables: ClassVar[tuple[str, ...]] = ("comparison",)

    def run(self, job: Job) -> Summary:
        """Compare."""
        queries = job.queries("queries")
        topics = dict(zip(queries["qid"].to_pylist(), queries["topic"].to_pylist(), strict=True))
        run_ids = {
            RunName(run.system, run.trained_on, run.query_variety, run.document_variety): run.run_id
            for run in self.runs
        }
        names = list(run_ids.values())
        paired = Paired.of(
            pa.concat_tables([job.read(f"run.{name}", "measure") for name in names]),
            pa.concat_tables([job.read(f"run.{name}", "evaluated") for name in names]),
            names,
            self.measures,
        )
        contrasts = combinations(declared(list(run_ids), self.pairs, self.contrasts), run_ids)
        rows = compared(paired, contrasts, topics, self.method, job.progress)
        if rows:
            job.write("comparison", pa.Table.from_pylist([{**row, "key": job.key} for row in rows]))
        return {"comparisons": len(rows)}

    def cost(self, stage: Stage, estimator: Estimator) -> Cost:
        comparisons = len(self.runs) * 3
        return Cost(seconds=STAGE + 0.3 + comparisons * self.method.resamples / 100_000 * 0.03)
