"""What a command shows while it runs the cells of a study."""

import time
from typing import TYPE_CHECKING, Any

from workbench.cli.watch import Watcher

if TYPE_CHECKING:
    from store import LswError, Store
    from workbench.graph import Plan, Stage
    from workbench.recipe.study import Cell

SHOWN = 4
"""Gains at most that a cell's line tells."""


class GridWatcher(Watcher):
    """Shows a bar for the stage at work and one for the cells, with the time left; leaves a line for each cell made.

    Args:
        title: what is done.
        store: is asked what a cell found.
        forecast: seconds of each cell that is to be run, by its number; may be empty.
        cells: how many there are.
        stages: whether a line is left for each stage too.
    """

    def __init__(self, title: str, store: "Store", forecast: dict[int, float], cells: int, stages: bool) -> None:
        super().__init__(title)
        self.store, self.forecast, self.count, self.stages = store, forecast, cells, stages
        self.begun = time.monotonic()
        self.place = 0
        self.told = 0.0  # seconds that were foretold of the cells that are done
        self.took = 0.0  # and that they took
        self.waiting = dict(forecast)
        self.made = 0

    def __enter__(self) -> "GridWatcher":
        super().__enter__()
        self.of_cells = self.bars.add_task("cells", total=self.count, place="")
        return self

    def cell(self, cell: "Cell", plan: "Plan") -> None:
        self.place += 1
        self.begun = time.monotonic()
        self.bars.update(self.of_cells, completed=self.place - 1, description=f"cells{self._left()}")

    def cell_done(self, cell: "Cell", plan: "Plan", counts: dict[str, int]) -> None:
        seconds = time.monotonic() - self.begun
        self.told += self.waiting.pop(cell.number, 0.0)
        if counts["ran"]:
            self.took += seconds
            self.made += 1
            found = "; ".join(self._gains(plan))
            line = f"  {self.place:3}/{self.count}  {cell.label}: {seconds:.1f} s"
            self.console.print(f"{line}  {found}".rstrip() + self._left(), soft_wrap=True)
        self.bars.update(self.of_cells, completed=self.place, description=f"cells{self._left()}")

    def cell_failed(self, cell: "Cell", error: "LswError") -> None:
        self.waiting.pop(cell.number, None)
        self.console.print(f"  {self.place:3}/{self.count}  {cell.label}: failed. {error.title}", style="bold red")

    def end(self, stage: "Stage", outcome: str, seconds: float, summary: dict[str, Any]) -> None:
        self.at_work = None
        if self.stages and outcome != "cached":
            super().end(stage, outcome, seconds, summary)

    def _left(self) -> str:
        """How long the rest will take: as foretold, times what the cells so far took of their own forecast."""
        left = sum(self.waiting.values())
        if self.told and self.took:
            left *= self.took / self.told
        elif self.made and not self.forecast:
            left = self.took / self.made * (self.count - self.place)
        if left < 1:
            return ""
        return f", about {left / 60:.0f} min left" if left >= 90 else f", about {left:.0f} s left"

    def _gains(self, plan: "Plan") -> list[str]:
        """What training did to the first variety asked, in the first measure; no verdict."""
        from store.query import rows

        with self.store.reading() as con:
            found = rows(
                con,
                """
                SELECT system, trained_on, variety, delta FROM comparisons
                WHERE recipe_run_id = ? AND contrast = 'gain' AND measure = ? AND why_not IS NULL
                """,
                [plan.recipe_run_id, plan.measures[0]],
            )
        shown = [row for row in found if row["variety"] == found[0]["variety"]][:SHOWN] if found else []
        of_one = len({row["system"] for row in shown}) == 1
        names = [row["trained_on"] if of_one else f"{row['system']} ({row['trained_on']})" for row in shown]
        deltas = [f"{row['delta']:+.3f}".replace("0.", ".", 1) for row in shown]
        return [f"{name} {delta} on {row['variety']}" for name, delta, row in zip(names, deltas, shown, strict=True)]
