"""Screen 1: all runs, by recipe, with what is running now."""

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Static

from store import LswError, browse
from store.rows import Row, RunRow
from tui.listing import Column, Listing, Rows, bar, widest
from tui.page import Page
from tui.study import LETTERS, partner
from workbench.comparison.words import trained_on
from workbench.evaluation.measures import DEFAULT

SORTS = ("recipe", "system", "trained_on", "query_variety", "document_variety", *DEFAULT, "status", "started_at")


SILENT = 60
"""Seconds without a sign after which a recipe whose process is not here is taken to be stopped."""


def age(then: datetime, now: datetime | None = None) -> str:
    """How long ago, in one unit."""
    seconds = ((now or datetime.now(UTC).replace(tzinfo=None)) - then).total_seconds()
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return "now"


class Runs(Page):
    """Filter, sort, mark two to four, compare."""

    HELP = """
Every run in the store, grouped by the recipe run that made it; recipes at work show how far they are.

- **Space** marks up to four runs, A to D; A is the baseline. **Enter** compares them. With nothing marked, Enter
  compares the run under the cursor with its base, or with its high-resource twin.
- **/** filters as you type: all words must occur in system, pair, varieties, recipe or run id.
- **s** sorts by the next column, **r** the other way round; a click on a column's name sorts by it.
- Bars show the mean of each measure from 0 to 1. A run without judgements has none.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "compare", "Compare", tooltip="Compare the marked runs"),
        Binding("space", "mark", "Mark", tooltip="Mark for comparison; the first is the baseline"),
        Binding("u", "unmark", "Unmark all", show=False),
        Binding("s", "sort", "Sort", tooltip="Sort by the next column"),
        Binding("r", "reverse", "Reverse", show=False, tooltip="Sort the other way round"),
        Binding("p", "provenance", "Provenance", show=False, tooltip="How this run was made"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.marked: list[str] = []
        self.words: list[str] = []
        self.lines: list[RunRow | str] = []  # a recipe run's id is the heading of its runs
        self.recipes: dict[str, Row] = {}
        self.running: dict[str, Row] = {}

    def body(self) -> Iterator[Widget]:
        yield Static(id="about", markup=False)
        yield Listing(id="runs")

    def on_mount(self) -> None:
        kept = self.bench.remembered
        self.sort_by = kept.get("runs sort", "recipe")
        self.reverse = kept.get("runs reverse", False)
        self.set_interval(1.0, self.follow)
        self.query_one(Listing).focus()

    def refreshed(self) -> None:
        if self.bench.store.exists():
            self.read("recipes", lambda: browse.recipe_runs(self.bench.store), self._recipes)
        self.draw()

    def _recipes(self, recipes: list[Row]) -> None:
        self.recipes = {r["recipe_run_id"]: r for r in recipes}
        self.follow()
        self.draw()

    def follow(self) -> None:
        """How far the recipes are that are at work now."""
        at_work = [r for r in self.recipes.values() if r["status"] == "running"]
        if not at_work and not self.running:
            return
        self.running = {r["recipe_run_id"]: browse.progress(self.bench.store, r["recipe_run_id"]) for r in at_work}
        self.query_one(Listing).refresh()

    def failed(self, error: LswError) -> None:
        self.lines = []
        self.query_one(Listing).show(Rows())
        self.query_one("#about", Static).update(str(error))

    # Rows.

    def searched(self, words: list[str]) -> None:
        self.words = words
        self.draw()

    def _matches(self, run: RunRow) -> bool:
        columns = ("run_id", "system", "trained_on", "query_variety", "document_variety", "collection", "recipe")
        recipe = self.recipes.get(run["recipe_run_id"] or "", {})
        about = (recipe.get(c, "") for c in ("title", "cell"))
        text = " ".join(map(str, [*(run.get(c) for c in columns), *about])).casefold()
        return all(word in text for word in self.words)

    def _key(self, run: RunRow) -> tuple[bool, float | str]:
        if self.sort_by in DEFAULT:
            value = run["means"].get(self.sort_by)
            return (value is None) != self.reverse, -(value or 0.0)  # last either way
        if self.sort_by == "started_at":
            return False, -run["started_at"].timestamp()
        cell = run.get(self.sort_by)
        return cell is None, str(cell)

    def draw(self) -> None:
        """Filter, sort, group."""
        listing = self.query_one(Listing)
        if not self.bench.runs and not self.bench.store.exists():
            return
        under = self.under()
        at = under["run_id"] if under else None
        runs = [r for r in self.bench.runs if self._matches(r)]
        if self.sort_by == "recipe":
            order = {r: i for i, r in enumerate(self.recipes)}
            groups: dict[str, list[RunRow]] = {
                r: [] for r, row in self.recipes.items() if row["status"] != "done" and not self.words
            }
            for run in runs:
                groups.setdefault(run["recipe_run_id"] or "", []).append(run)
            names = sorted(groups, key=lambda r: order.get(r, len(order)), reverse=self.reverse)
            self.lines = []
            for name in names:
                self.lines += [name, *reversed(groups[name])]
        else:
            by_column = sorted(runs, key=self._key, reverse=self.reverse)
            self.lines = [*by_column]
        count, whole = len(runs), len(self.bench.runs)
        about = f"{count} of {whole} runs" if count < whole else f"{whole} runs"
        if not whole:
            about = "No run yet. Type `lsw recipe run zero_shot_yue_zh` in another terminal, and watch it here."
        marks = "  ".join(f"{LETTERS[i]} {r}" for i, r in enumerate(self.marked))
        by = f"by {self.sort_by.replace('_', ' ')}{', reversed' if self.reverse else ''}"
        self.query_one("#about", Static).update(f" {about}, {by}  {marks}" if whole else f" {about}")
        bars = 100
        trained = widest((trained_on(line) for line in self.lines if not isinstance(line, str)), 20)
        columns = [
            Column("", 1), Column("system"), Column("trained on", max(10, trained)), Column("queries", 7),
            Column("passages", 8),
            *(c for m in DEFAULT for c in (Column(m, 7, right=True), Column("", 6, needs=bars))),
            Column("status", 6, needs=bars), Column("age", 6, right=True, needs=79), Column("run", 12, needs=bars),
        ]  # fmt: skip
        ids = [None if isinstance(line, str) else line["run_id"] for line in self.lines]
        cursor = ids.index(at) if at in ids else 0
        listing.show(Rows(columns, len(self.lines), self._cells, lambda i: isinstance(self.lines[i], str)), cursor)

    def _cells(self, i: int) -> list[Text]:
        run = self.lines[i]
        if isinstance(run, str):
            return [self._heading(run)]
        mark = LETTERS[self.marked.index(run["run_id"])] if run["run_id"] in self.marked else ""
        cells = [Text(mark, "bold"), Text(run["system"]), Text(trained_on(run) or "-"), Text(run["query_variety"])]
        cells.append(Text(run["document_variety"] or "-"))
        for measure in DEFAULT:
            value = run["means"].get(measure)
            cells += [Text("-" if value is None else f"{value:.3f}"), Text(bar(value or 0, 6), "cyan")]
        return [*cells, Text(run["status"]), Text(age(run["started_at"])), Text(run["run_id"], "dim")]

    def _heading(self, recipe_run_id: str) -> Text:
        recipe = self.recipes.get(recipe_run_id)
        if not recipe:
            return Text(recipe_run_id or "runs")
        cell = f", {recipe['cell']}" if recipe["cell"] else ""
        name = f"{recipe['recipe']} ({recipe['scale']}){cell}, {age(recipe['started_at'])}"
        if recipe["status"] == "running" and (now := self.running.get(recipe_run_id)):
            silent = time.time() - now["time"]
            # A process that is not here may be at work on another machine.
            if now["pid"] and silent > SILENT and not _alive(now["pid"]):
                warning = f": no sign for {silent / 60:.0f} min; if it was stopped, type the command again to go on"
                return Text.assemble(("■ ", "bold red"), name, warning)
            part = f" {now['done'] / now['total']:.0%}" if now["total"] else ""
            steps = now["finished"] / now["stages"] if now["stages"] else 0
            return Text.assemble(
                ("▶ ", "bold green"), name, f": {bar(steps, 10)} {now['finished']}/{now['stages']} {now['label']}{part}"
            )
        if recipe["status"] == "done":
            return Text.assemble(("✓ ", "green"), name, ": ", recipe["title"] or "")
        error = (recipe["error"] or "").splitlines()
        return Text.assemble(("✗ ", "bold red"), name, f": {recipe['status']}. {error[0] if error else ''}")

    def under(self) -> RunRow | None:
        """The run under the cursor."""
        at = self.query_one(Listing).cursor
        line = self.lines[at] if at < len(self.lines) else ""
        return None if isinstance(line, str) else line

    def current(self) -> tuple[str, str]:
        run = self.under()
        return ("the run id", run["run_id"]) if run else ("", "")

    # Actions.

    def action_mark(self) -> None:
        run = self.under()
        if not run:
            return
        if run["run_id"] in self.marked:
            self.marked.remove(run["run_id"])
        elif len(self.marked) == len(LETTERS):
            self.notify("Four runs are marked already; space unmarks one.", severity="warning")
            return
        else:
            self.marked.append(run["run_id"])
        at = self.query_one(Listing).cursor
        self.draw()
        self.query_one(Listing).cursor = at
        self.query_one(Listing).action_move(1)

    def action_unmark(self) -> None:
        self.marked = []
        self.draw()

    @on(Listing.Chosen)
    def action_compare(self) -> None:
        run = self.under()
        marked = [r["run_id"] for r in self.bench.rows(self.marked)]
        if len(marked) == 1 and run and run["run_id"] not in marked:
            marked.append(run["run_id"])
        elif len(marked) < 2 and run:
            other = partner(run, self.bench.runs)
            if not other:
                self.notify("There is no other run of this collection to compare with.", severity="warning")
                return
            marked = [other["run_id"], run["run_id"]]
        if len(marked) >= 2:
            self.bench.compare(marked)

    @on(Listing.Header)
    def sort_column(self, event: Listing.Header) -> None:
        """Sort by the column that was clicked, and the other way round at the second click."""
        names = ["recipe", "system", "trained_on", "query_variety", "document_variety"]
        names += [m for m in DEFAULT for _ in range(2)] + ["status", "started_at", "recipe"]
        self._sort(names[event.row], self.sort_by == names[event.row] and not self.reverse)

    def action_sort(self) -> None:
        at = SORTS.index(self.sort_by) if self.sort_by in SORTS else -1
        self._sort(SORTS[(at + 1) % len(SORTS)], False)

    def action_reverse(self) -> None:
        self._sort(self.sort_by, not self.reverse)

    def _sort(self, by: str, reverse: bool) -> None:
        self.sort_by, self.reverse = by, reverse
        self.bench.remembered.put("runs sort", by)
        self.bench.remembered.put("runs reverse", reverse)
        self.draw()

    def action_provenance(self) -> None:
        if run := self.under():
            self.bench.remembered.put("provenance", run["run_id"])
            self.bench.action_go("provenance")


def _alive(pid: int) -> bool:
    """Whether a process of this machine is there; one of another machine is believed."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
