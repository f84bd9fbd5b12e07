"""All comparisons of a recipe."""

from typing import ClassVar

import pyarrow as pa

from workbench.comparison.compared import compared
from workbench.comparison.contrasts import RunName, combinations, declared
from workbench.comparison.words import not_made
from workbench.costs.base import Cost
from workbench.costs.estimator import STAGE, Estimator
from workbench.graph import Job, Kind, Stage
from workbench.registry import Section
from workbench.significance.outcomes import Method
from workbench.stages._measured import evaluations, topics
from workbench.talk import Summary


class ComparedRun(Section):
    """A run, and whose it is; `seed` is that of its training, where a recipe trains with several."""

    system: str
    trained_on: str | None = None
    query_variety: str
    document_variety: str
    run_id: str
    seed: int | None = None


class Compare(Kind):
    """Leaves `rows/comparison.parquet`, a row for each contrast and measure, made or not.

    Reads `queries.QUERY-DOCUMENT`, by varieties, and `run.ID` (measures).

    Args:
        recipe, scale: whose comparisons they are.
        pairs: of varieties, in the order of the closing table.
        runs: that are compared.
        measures: the main one first.
        trainings: the pairs that each training saw, by its name.
        control: the training that others are held against.
        contrasts: `gap`, `gain`, `closure`, `control`.
        primary: the one that was declared so.
        method: test, correction and the rest.
    """

    recipe: str
    scale: str
    pairs: list[str]
    runs: list[ComparedRun]
    measures: list[str]
    trainings: dict[str, list[str]] = {}
    control: str | None = None
    contrasts: list[str]
    primary: str | None = None
    method: Method = Method()

    version: ClassVar[int] = 5
    tables: ClassVar[tuple[str, ...]] = ("comparison",)

    def run(self, job: Job) -> Summary:
        """Compare."""
        run_ids: dict[RunName, list[str]] = {}
        for run in self.runs:
            name = RunName(run.system, run.trained_on, run.query_variety, run.document_variety)
            run_ids.setdefault(name, []).append(run.run_id)
        names = [run.run_id for run in self.runs]
        values = evaluations(job, names, self.measures)
        names_of = declared(list(run_ids), self.pairs, self.contrasts, self.trainings, self.control)
        contrasts = combinations(names_of, run_ids, self.primary)
        result = compared(values, contrasts, topics(job), self.method, job.progress)
        rows = [{**row, "key": job.key} for row in (*result.rows, *result.not_made)]
        if rows:
            columns = dict.fromkeys(name for row in rows for name in row)
            job.write("comparison", pa.table({name: [row.get(name) for row in rows] for name in columns}))
        for row in result.not_made:
            if row["measure"] == self.measures[0]:
                job.note(not_made(row))
        return {"comparisons": len(result.rows), "not_made": len(result.not_made)}

    def cost(self, stage: Stage, estimator: Estimator) -> Cost:
        comparisons = len(self.runs) * 3
        return Cost(seconds=STAGE + 0.3 + comparisons * self.method.resamples / 100_000 * 0.03)
