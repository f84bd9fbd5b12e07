"""The grid of a study: which recipe run is which cell."""

import json
from typing import Any, ClassVar

import pyarrow as pa

from workbench.costs.base import Cost
from workbench.costs.estimator import STAGE, Estimator
from workbench.graph import Job, Kind, Stage
from workbench.registry import Section
from workbench.talk import Summary


class GridCell(Section):
    """A cell: its number in the grid, its level of each factor, and the recipe run that it is."""

    cell: int
    levels: dict[str, Any]
    recipe_run_id: str


class Study(Kind):
    """Leaves `rows/study.parquet` and `rows/study_cell.parquet`. The id of the study is that of this stage.

    Args:
        study, title, scale: whose grid it is.
        factors: the levels of each.
        cells: in the order in which they are run.
        analysis: the settings of what is estimated.
    """

    study: str
    title: str
    scale: str
    factors: dict[str, list[Any]]
    cells: list[GridCell]
    analysis: dict[str, Any]

    tables: ClassVar[tuple[str, ...]] = ("study", "study_cell")

    def run(self, job: Job) -> Summary:
        """Write the grid down."""
        about = {"study_id": job.run_id, "key": job.key}
        own = {
            **about,
            **{name: getattr(self, name) for name in ("study", "title", "scale")},
            "analysis": json.dumps(self.analysis),
            "factors": json.dumps(self.factors, ensure_ascii=False),
            "n_cells": len(self.cells),
        }
        job.write("study", pa.Table.from_pylist([own]))
        rows = [
            {
                **about,
                "cell": cell.cell,
                "position": position,
                "levels": json.dumps(cell.levels, ensure_ascii=False),
                "recipe_run_id": cell.recipe_run_id,
            }
            for position, cell in enumerate(self.cells)
        ]
        job.write("study_cell", pa.Table.from_pylist(rows))
        return {"cells": len(self.cells), "recipe_runs": len({cell.recipe_run_id for cell in self.cells})}

    def cost(self, stage: Stage, estimator: Estimator) -> Cost:
        return Cost(seconds=STAGE)
