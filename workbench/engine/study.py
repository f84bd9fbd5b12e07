"""Runs a study: its cells as ordinary recipe runs, one after the other, then its analysis."""

from dataclasses import dataclass
from typing import Protocol

from store import LswError, Store
from workbench.costs.estimator import Estimator
from workbench.engine.dry_run import foresee, is_forced
from workbench.engine.execute import Observer, execute, known_kind
from workbench.engine.forecast import START, forecast
from workbench.graph import Plan, Stage
from workbench.plans.study import StudyPlan
from workbench.recipe.study import Cell


class Onlooker(Observer, Protocol):
    """Told of cells too."""

    def cell(self, cell: Cell, plan: Plan) -> None: ...
    def cell_done(self, cell: Cell, plan: Plan, counts: dict[str, int]) -> None: ...
    def cell_failed(self, cell: Cell, error: LswError) -> None: ...


@dataclass(frozen=True)
class Ran:
    """How many stages were made and how many were cached; the cells that failed."""

    ran: int
    cached: int
    failed: list[int]


def run_study(study: StudyPlan, store: Store, onlooker: Onlooker, force: str | None = None, go_on: bool = False) -> Ran:
    """Run the cells that are not cached, and analyse the grid. What several cells share is looked at once.

    Args:
        study: what is to be done.
        store: where to keep it.
        onlooker: is told what happens.
        force: as of `execute`.
        go_on: a cell that fails is told, and left out of the analysis, which counts it.

    Raises:
        LswError: no stage of any cell is to be forced so; a cell failed: what was made before it is kept.
    """
    if force:
        known_kind(study.whole, force)
    ensured: set[tuple[str, str]] = set()
    totals = {"ran": 0, "cached": 0}
    failed: list[int] = []
    execute(study.grid, store, onlooker, ensured=ensured)
    for cell, plan in study.cells:
        onlooker.cell(cell, plan)
        try:
            forced = force if force and any(is_forced(stage, force) for stage in plan.stages) else None
            counts = execute(plan, store, onlooker, forced, ensured)
        except LswError as error:
            if not go_on:
                where = f"In the cell {cell.label}. {error.detail}".strip()
                raise LswError(error.title, where, error.cure, error.exit_code) from error
            failed.append(cell.number)
            onlooker.cell_failed(cell, error)
            continue
        for name, count in counts.items():
            totals[name] += count
        onlooker.cell_done(cell, plan, counts)
    if len(failed) == len(study.cells):
        raise LswError("Every cell of the study failed.", cure="Look at the first error.", exit_code=1)
    counts = execute(study.analysis(_but(study, failed)), store, onlooker)
    return Ran(totals["ran"] + counts["ran"], totals["cached"] + counts["cached"], failed)


def analyse(study: StudyPlan, store: Store, observer: Observer) -> list[int]:
    """Analyse the cells that are there; returns the numbers of those that are not.

    Raises:
        LswError: none is there.
    """
    missing = [cell.number for cell, plan in study.cells if not _there(plan.stages, store)]
    plan = study.analysis(_but(study, missing))
    execute(study.grid, store, observer)
    execute(plan, store, observer)
    return missing


def to_run(study: StudyPlan, store: Store) -> list[tuple[Cell, Plan]]:
    """The cells that are not cached whole."""
    return [(cell, plan) for cell, plan in study.cells if not _there(plan.stages, store)]


def new_stages(study: StudyPlan) -> dict[int, list[Stage]]:
    """The stages of each cell that no cell before it has, by its number."""
    seen: set[str] = set()
    out: dict[int, list[Stage]] = {}
    for cell, plan in study.cells:
        out[cell.number] = [stage for stage in plan.stages if stage.key not in seen]
        seen |= {stage.key for stage in plan.stages}
    return out


def seconds_by_cell(study: StudyPlan, store: Store, estimator: Estimator) -> dict[int, float | None]:
    """What is left to do of each cell, in seconds, what several share counted with the first; None: nobody knows."""
    fates = {fate.stage.key: fate for fate in foresee(study.whole, store)}
    out: dict[int, float | None] = {}
    for number, stages in new_stages(study).items():
        left = [fates[stage.key] for stage in stages if fates[stage.key].outcome != "cached"]
        costs = [each.cost for each in forecast(left, estimator) if each.kind != START]
        if left:
            known = sum(cost.seconds for cost in costs)
            out[number] = None if costs and all(cost.unknown for cost in costs) else known
    return out


def _there(stages: list[Stage], store: Store) -> bool:
    return all(store.artifacts.fresh(stage.key, stage.input_keys).state == "complete" for stage in stages)


def _but(study: StudyPlan, missing: list[int]) -> set[int]:
    return {cell.number for cell, _ in study.cells} - set(missing)
