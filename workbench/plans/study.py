"""From a study to plans: one for its grid, one for each cell, one for its analysis."""

from collections.abc import Callable, Container
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from store import LswError
from workbench.graph import Plan, Stage
from workbench.plans.recipe import compile_recipe
from workbench.recipe.schema import Recipe
from workbench.recipe.study import Cell
from workbench.stages.analyse import SIMILARITIES, TRIPLES, Analyse, CellRuns
from workbench.stages.compare import Compare
from workbench.stages.finetune import Finetune
from workbench.stages.study import GridCell, Study


@dataclass(frozen=True)
class StudyPlan:
    """What is to be done for a study.

    Args:
        recipe: without the changes of its grid.
        name, scale: for the record.
        cells: each with its plan, in the order in which they are to be run.
    """

    recipe: Recipe
    name: str
    scale: str
    cells: list[tuple[Cell, Plan]]

    @property
    def grid(self) -> Plan:
        """Writes the grid down."""
        return self._plan(self._grid())

    @property
    def study_id(self) -> str:
        """The same for the same grid and analysis."""
        return self._grid().run_id

    def analysis(self, done: Container[int] | None = None) -> Plan:
        """Estimates the effects from cells by their numbers; from all of them if None.

        Raises:
            LswError: no cell is there.
        """
        study = self.recipe.study
        assert study
        here = [(cell, plan) for cell, plan in self.cells if done is None or cell.number in done]
        if not here:
            raise LswError("No cell of the study has run.", cure=f"Type `lsw study run {self.name}`.")
        here.sort(key=lambda pair: pair[0].number)
        inputs: dict[str, Stage] = {}
        cells = []
        for cell, plan in here:
            compared = _compared(plan)
            inputs |= compared.inputs
            assert isinstance(compared.work, Compare)
            cells.append(CellRuns(cell=cell.number, levels=cell.levels, runs=compared.work.runs))
            for stage in plan.stages:
                if isinstance(stage.work, Finetune) and "triples" in stage.inputs:
                    inputs[f"{TRIPLES}{stage.work.trained_on}"] = stage.inputs["triples"]
                if stage.kind == "similarity":
                    inputs[f"{SIMILARITIES}{stage.key[:12]}"] = stage
        every = [work for _, plan in here if isinstance(work := _compared(plan).work, Compare)]
        trainings: dict[str, list[str]] = {}
        varied = []
        for name, saw in (item for compare in every for item in compare.trainings.items()):
            if trainings.get(name, saw) != saw and name not in varied:
                varied.append(name)
            trainings[name] = list(dict.fromkeys([*trainings.get(name, []), *saw]))
        work = Analyse(
            study_id=self.study_id,
            analysis=study.analysis,
            cells=cells,
            missing=len(self.cells) - len(here),
            factors=study.factors,
            pairs=list(dict.fromkeys(pair for work in every for pair in work.pairs)),
            measures=every[0].measures,
            trainings=trainings,
            varied=varied,
            control=next((work.control for work in every if work.control), None),
        )
        return self._plan(
            Stage(work, f"analyse {len(here)} of {len(self.cells)} cells by {study.analysis.name}", inputs)
        )

    @property
    def whole(self) -> Plan:
        """All that is to be done, each stage once: to foresee, never to be run."""
        every = [self._grid(), *(stage for _, plan in self.cells for stage in plan.stages), *self.analysis().stages]
        runs = {stage.key: stage for _, plan in self.cells for stage in plan.runs}
        return replace(
            self.grid, name=self.name, stages=list({stage.key: stage for stage in every}.values()),
            runs=tuple(runs.values()),
        )  # fmt: skip

    def _grid(self) -> Stage:
        study = self.recipe.study
        assert study
        work = Study(
            study=self.name,
            title=self.recipe.title,
            scale=self.scale,
            factors=study.factors,
            cells=[
                GridCell(cell=cell.number, levels=cell.levels, recipe_run_id=plan.recipe_run_id)
                for cell, plan in self.cells
            ],
            analysis=study.analysis.recorded(),
        )
        return Stage(work, f"write down the grid of {self.name}")

    def _plan(self, stage: Stage) -> Plan:
        first = self.cells[0][1]
        resolved: dict[str, Any] = {"study": self.name, "title": self.recipe.title}
        title = self.recipe.title
        return Plan(f"{self.name} (study)", self.scale, title, resolved, first.collection, [stage], first.also)


def compile_study(
    recipe: Recipe,
    grid: list[tuple[Cell, Recipe]],
    name: str,
    scale: str,
    base: Path,
    fetch: bool = True,
    progress: Callable[[int, int], Any] | None = None,
) -> StudyPlan:
    """Turn a study into stages.

    Args:
        recipe: as it is without its grid.
        grid: the recipe of each cell, in the order in which they are to be run.
        name: of the recipe, for the record.
        scale: its name, for the record.
        base: folder that relative paths of the scale start from.
        fetch: whether a model that is not on this machine may be downloaded now.
        progress: told how many cells are laid out.

    Raises:
        LswError: a collection or checkpoint that a cell needs is not there; a cell has no runs.
    """
    cells = []
    for cell, changed in grid:
        if not changed.retrieval:
            raise LswError(f"The cell {cell.label} retrieves nothing.", cure="Add a section [retrieval].")
        cells.append((cell, compile_recipe(changed, name, scale, base, fetch)))
        if progress:
            progress(len(cells), len(grid))
    return StudyPlan(recipe, name, scale, cells)


def _compared(plan: Plan) -> Stage:
    """The stage that compares all runs of a recipe."""
    return next(stage for stage in plan.stages if isinstance(stage.work, Compare))
