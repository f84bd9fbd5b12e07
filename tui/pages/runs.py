"""Screen 2: all runs, by recipe, with what is running now."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Static

from store import LswError
from store.rows import Row, RunRow
from tui.frame.folding import folded
from tui.frame.listing import Listing
from tui.frame.live import left, stopped
from tui.frame.pick import Item
from tui.frame.rows import Cell, Cells, Column, Rows, bar, widest
from tui.frame.search import Search
from tui.page import Page
from tui.study import LETTERS, partner
from workbench.comparison.words import trained_on
from workbench.evaluation.measures import DEFAULT
from workbench.plans.alone import ALONE

HEADS = [
    ("recipe", 0), ("system", 1), ("trained_on", 2), ("query_variety", 3), ("document_variety", 4),
    *((measure, 5 + 2 * i) for i, measure in enumerate(DEFAULT)),
    ("status", 5 + 2 * len(DEFAULT)), ("started_at", 6 + 2 * len(DEFAULT)),
]  # fmt: skip
"""What runs are sorted by, and the column that shows it."""
SILENT = 1.0
"""Minutes without a sign after which that is said, where no lock says more."""
SORTS = [name for name, _ in HEADS]
ABOUT = {"recipe": "grouped, the newest first", "started_at": "the newest first"}


def age(then: datetime, now: datetime | None = None) -> str:
    """How long ago, in one unit."""
    seconds = ((now or datetime.now(UTC).replace(tzinfo=None)) - then).total_seconds()
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return "now"


def ago(then: datetime | None) -> str:
    """`age` in words."""
    old = age(then) if then else "nobody knows when"
    return old if old == "now" or not then else f"{old} ago"


class Runs(Page):
    """Filter, sort, mark two to four, compare."""

    HELP = """
Every run in the store, grouped by the recipe run that made it; recipes at work show how far they are.

- **Space** marks up to four runs, A to D; A is the baseline. **Enter** compares them. With nothing marked, Enter
  compares the run under the cursor with its base, or with its high-resource twin.
- **/** filters as you type: all words must occur in system, training, varieties, collection or run id;
  `queries:yue`, `passages:zh`, `trained:ca-fr`, `system:colbert`, `recipe:zero` look in one place, `!bm25` leaves out.
- **s** chooses what to sort by, **r** turns it round; a click on a column's name sorts by it.
- **o** shows what the recipe of this run found. Of a recipe that was stopped, **y** copies the command that goes on.
- Bars show the mean of each measure from 0 to 1. A run without judgements has none.
"""
    FIELDS = ("system", "trained", "queries", "passages", "collection", "recipe", "run", "status")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "compare", "Compare", tooltip="Compare the marked runs"),
        Binding("space", "mark", "Mark", tooltip="Mark for comparison; the first is the baseline"),
        Binding("o", "results", "Results", tooltip="What the recipe of this run found"),
        Binding("u", "unmark", "Unmark all", show=False),
        Binding("s", "sort", "Sort", tooltip="Choose what to sort by"),
        Binding("r", "reverse", "Reverse", show=False, tooltip="Sort the other way round"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.marked: list[str] = []
        self.lines: list[RunRow | str] = []  # a recipe run's id is the heading of its runs
        self.sort_by, self.reverse = SORTS[0], False
        self._searchable: dict[str, tuple[dict[str, str], str]] = {}

    def body(self) -> Iterator[Widget]:
        yield Static("reading the store ...", id="about", markup=False)
        yield Listing(id="runs")

    def on_mount(self) -> None:
        kept = self.bench.remembered.get("runs sort", SORTS[0])
        self.sort_by = kept if kept in SORTS else SORTS[0]
        self.reverse = self.bench.remembered.get("runs reverse", False)
        self.query_one(Listing).focus()

    def refreshed(self) -> None:
        self._searchable.clear()
        self.draw()

    def worked(self) -> None:
        self.query_one(Listing).refresh()

    def failed(self, error: LswError) -> None:
        self.lines = []
        self.query_one(Listing).show(Rows())
        self.query_one("#about", Static).update(str(error))

    # Rows.

    def searched(self, search: Search) -> None:
        self.draw()

    def _fields(self, run: RunRow) -> tuple[dict[str, str], str]:
        known = self._searchable.get(run["run_id"])
        if known is None:
            recipe: Row = self.bench.recipes.get(run["recipe_run_id"] or "", {})
            named = (run["recipe"], recipe.get("scale"), recipe.get("title"), recipe.get("cell"), run["recipe_run_id"])
            whole = {
                "system": run["system"], "trained": trained_on(run), "queries": run["query_variety"],
                "passages": run["document_variety"] or "", "collection": run["collection"], "run": run["run_id"],
                "recipe": " ".join(str(word) for word in named if word), "status": run["status"],
            }  # fmt: skip
            fields = {name: folded(text) for name, text in whole.items()}
            known = fields, " ".join(text for name, text in fields.items() if name not in ("recipe", "status"))
            self._searchable[run["run_id"]] = known
        return known

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
        search = self.search
        runs = [r for r in self.bench.runs if search.fits(*self._fields(r))]
        if self.sort_by == "recipe":
            recipes = self.bench.recipes
            order = {r: i for i, r in enumerate(recipes)}
            groups: dict[str, list[RunRow]] = {
                r: [] for r, row in recipes.items() if row["status"] != "done" and not search
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
        self.hits(count, whole)
        about = f"{count} of {whole} runs" if count < whole else f"{whole} runs"
        if not whole:
            about = "No run yet. Type `lsw recipe run zero_shot_yue_zh` in another terminal, and watch it here."
        marks = "  ".join(f"{LETTERS[i]} {r}" for i, r in enumerate(self.marked))
        by = f"by {self.sort_by.replace('_', ' ')}{', reversed' if self.reverse else ''}"
        self.query_one("#about", Static).update(f" {about}, {by}  {marks}" if whole else f" {about}")
        bars = 100
        trained = widest((trained_on(line) for line in self.lines if not isinstance(line, str)), 20)
        columns = [
            Column("", 1), Column("system", middle=True), Column("trained on", max(10, trained), middle=True),
            Column("queries", 7),
            Column("passages", 8),
            *(c for m in DEFAULT for c in (Column(m, 7, right=True), Column("", 6, needs=bars))),
            Column("status", 6, needs=bars), Column("age", 6, right=True, needs=79), Column("run", 12, needs=bars),
        ]  # fmt: skip
        ids = [None if isinstance(line, str) else line["run_id"] for line in self.lines]
        cursor = ids.index(at) if at in ids else 0
        column = next(column for name, column in HEADS if name == self.sort_by)
        sorted_by = column if self.sort_by != SORTS[0] else None
        downwards = (self.sort_by in (*DEFAULT, "started_at")) != self.reverse
        rows = Rows(columns, len(self.lines), self._cells, self._heads, (), sorted_by, downwards, self._open)
        listing.show(rows, cursor)

    def _cells(self, i: int) -> Cells:
        run = self.lines[i]
        if isinstance(run, str):
            return [self._heading(run)]
        mark = LETTERS[self.marked.index(run["run_id"])] if run["run_id"] in self.marked else ""
        cells: list[Cell] = [
            Text(mark, "bold"),
            Text(run["system"]),
            Text(trained_on(run) or "-"),
            Text(run["query_variety"]),
        ]
        cells.append(Text(run["document_variety"] or "-"))
        for measure in DEFAULT:
            value = run["means"].get(measure)
            cells += [Text("-" if value is None else f"{value:.3f}"), Text(bar(value or 0, 6), "bar")]
        return [*cells, Text(run["status"]), Text(age(run["started_at"])), Text(run["run_id"], "dim")]

    def _heads(self, i: int) -> bool:
        return isinstance(self.lines[i], str)

    def _open(self, i: int) -> bool:
        """The heading of what is not done can be chosen: it may have no run to stand on, and has a command to copy."""
        recipe = self.bench.recipes.get(str(self.lines[i]), {})
        return bool(recipe.get("status", "done") != "done")

    def _heading(self, recipe_run_id: str) -> Text:
        recipe = self.bench.recipes.get(recipe_run_id)
        if not recipe:
            return Text(recipe_run_id or "imported, or retrieved by itself")
        cell = f", {recipe['cell']}" if recipe["cell"] else ""
        name = f"{recipe['recipe']} ({recipe['scale']}){cell}, {age(recipe['started_at'])}"
        now = self.bench.live.at_work.get(recipe_run_id)
        if recipe["status"] == "running" and now:
            steps = now["finished"] / now["stages"] if now["stages"] else 0
            at = f"{now['finished']}/{now['stages']}"
            if stopped(now):
                return Text.assemble(("■ ", "lost"), name, f": stopped at {at}; y copies the command that goes on")
            if not now["time"]:
                return Text.assemble(("? ", "sign"), name, ": no sign of it yet")
            if (minutes := (time.time() - now["time"]) / 60) > SILENT and now["holder"] in ("unknown", "elsewhere"):
                where = "another machine" if now["holder"] == "elsewhere" else "a process that has no lock"
                return Text.assemble(("? ", "sign"), name, f": {where}, no sign of it for {minutes:.0f} min")
            part = f" {now['done'] / now['total']:.0%}" if now["total"] else ""
            time_left = f", {left(now)}" if left(now) else ""
            return Text.assemble(("▶ ", "won"), name, f": {bar(steps, 10)} {at} {now['label']}{part}{time_left}")
        if recipe["status"] == "done":
            return Text.assemble(("✓ ", "won"), name, ": ", recipe["title"] or "")
        error = (recipe["error"] or "").splitlines()
        return Text.assemble(("✗ ", "lost"), name, f": {recipe['status']}. {error[0] if error else ''}")

    def under(self) -> RunRow | None:
        """The run under the cursor."""
        at = self.query_one(Listing).cursor
        line = self.lines[at] if at < len(self.lines) else ""
        return None if isinstance(line, str) else line

    def focused_run(self) -> RunRow | None:
        return self.under()

    def recipe_run_id(self) -> str:
        """Of the run under the cursor, or of the heading over it; empty if none made it."""
        at = min(self.query_one(Listing).cursor, len(self.lines) - 1)
        if at < 0:
            return ""
        line = self.lines[at]
        return line if isinstance(line, str) else line["recipe_run_id"] or ""

    def current(self) -> tuple[str, str]:
        run = self.under()
        work = self.bench.live.at_work.get(self.recipe_run_id(), {})
        if work.get("command") and stopped(work):
            return "the command that goes on", str(work["command"])
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
        names = [name for name, column in HEADS if column <= event.row]
        by = next(name for name, column in reversed(HEADS) if column <= event.row) if names else SORTS[0]
        self.sort(by, self.sort_by == by and not self.reverse)

    def action_sort(self) -> None:
        self.pick("Sort runs by", (Item(name, ABOUT.get(name, "")) for name in SORTS), self.sort_by, self.sort)

    def action_reverse(self) -> None:
        self.sort(self.sort_by, not self.reverse)

    def sort(self, by: str, reverse: bool = False) -> None:
        """Sort otherwise; remembered."""
        self.sort_by, self.reverse = by, reverse
        self.bench.remembered.put("runs sort", by)
        self.bench.remembered.put("runs reverse", reverse)
        self.draw()

    def action_results(self) -> None:
        recipe = self.recipe_run_id()
        if recipe and self.bench.recipes.get(recipe, {}).get("recipe") not in ALONE:
            self.bench.show_results(recipe)
        else:
            self.notify("No recipe made this run; Enter compares it.", severity="warning", timeout=3)
