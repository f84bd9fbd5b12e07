"""Screen 7: read-only SQL over the store's views."""

import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.timer import Timer
from textual.widget import Widget

from store import LswError, browse
from store.asking import Refused, Running, Stopped, select_arrow, values
from store.errors import Busy
from store.rows import RunRow
from store.schema import VIEWS
from tui.frame.panes import Divider, Pane
from tui.frame.remembered import HISTORY
from tui.page import Page, Plain
from tui.sql.answer import Formed
from tui.sql.catalogue import Catalogue, Names
from tui.sql.completing import Views, Wanted
from tui.sql.files import WRITERS, write, write_all
from tui.sql.offers import Offers
from tui.sql.outcome import Lead, Outcome
from tui.sql.statement import Statement

LIMIT = 100_000
"""Rows shown; a file gets all."""
ROOMY = 110
"""Columns of the screen from which on the catalogue is open unless it was closed."""
_KIND = re.compile(r"^\w[\w ]* Error: ")
FIRST = """SELECT system, trained_on, query_variety, avg(value) AS rr
FROM measures JOIN runs USING (run_id)
WHERE measure = 'RR@10' GROUP BY ALL ORDER BY rr DESC"""


class Sql(Page):
    """The console."""

    HELP = """
Write a SELECT and press **F5** (or ctrl+r): all of it is run, or what is selected. The store is read-only here. What
may come next drops down as you type: **tab** or **Enter** take it, **Esc** closes it, **ctrl+space** opens it.
**F2** shows and hides the views; Enter or a double click there inserts a name. **ctrl+up** and **ctrl+down** go
through what was asked before. **Esc** stops a statement that takes too long, else goes to the
rows and back to the SQL.

In the rows: **Enter** or a double click on a run, a recipe run or a qid goes there, **p** shows where the row's run
comes from, **s** or a click on a column's name sorts, **y** copies the cell, **Y** all rows as Markdown. Files (**e**,
ctrl+e) have every row, also those that are not shown.
"""
    CSS = """
    #sql { height: 1fr; }
    #asking { width: 1fr; }
    #writing { height: 30%; min-height: 6; max-height: 12; }
    #sql-statement { height: 1fr; background: $background; padding: 0; border: none; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f5,ctrl+r,ctrl+enter,ctrl+j", "run", "Run", key_display="F5"),
        Binding("f2", "catalogue", "Views", key_display="F2", tooltip="Show or hide the views and their columns"),
        Binding("escape", "stop", "Stop", tooltip="Stop the statement at work"),
        Binding("escape", "rows", "Rows", tooltip="From the SQL to its rows"),
        Binding("escape", "statement", "SQL", tooltip="From the rows to the SQL"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.at = 0
        self.outcome = Outcome(self._leads)
        self.draft = ""  # what was written before one went back in the history
        self.ran = ""  # the SQL of the answer
        self.more = False
        self.running: Running | None = None
        self.since = 0.0
        self.ticking: Timer | None = None
        self.values: dict[tuple[str, str], list[str]] = {}
        self.whole: set[tuple[str, str]] = set()  # columns whose values are all known
        self.views: Views = {}

    def body(self) -> Iterator[Widget]:
        offers = Offers()
        with Horizontal(id="sql"):
            yield Catalogue()
            yield Divider(id="divider")
            with Vertical(id="asking"):
                with Pane(id="writing", title="SQL"):
                    yield Statement(offers, FIRST)
                yield self.outcome
        yield offers

    # The page as it was left.

    def on_mount(self) -> None:
        area = self.query_one(Statement)
        history = self.bench.remembered.get("sql", [])
        self.at = len(history)
        kept = self.bench.remembered.get("sql draft", {})
        text, cursor = kept.get("text"), kept.get("cursor")
        if text := text if isinstance(text, str) else str(history[-1]) if history else "":
            area.text = text
        match cursor:
            case [int(row), int(column)]:
                area.move_cursor((row, column))
            case _:
                area.move_cursor(area.document.end)
        self._lay_out()
        area.focus()

    def on_resize(self) -> None:
        self._lay_out()

    def _lay_out(self) -> None:
        """The catalogue is open where there is room, unless it was opened or closed by hand."""
        wished = self.bench.remembered.get("sql catalogue", "")
        wide = self.app.size.width >= ROOMY
        self._open(wide if not wished else wished == "open")

    def _open(self, wide: bool) -> None:
        self.query_one(Catalogue).display = self.query_one(Divider).display = wide

    def action_catalogue(self) -> None:
        """Show the views, or hide them."""
        catalogue = self.query_one(Catalogue)
        self._open(not catalogue.display)
        self.bench.remembered.put("sql catalogue", "open" if catalogue.display else "closed")
        (self.query_one(Names) if catalogue.display else self.query_one(Statement)).focus()

    @on(Statement.Changed)
    @on(Statement.SelectionChanged)
    def _drafted(self) -> None:
        area = self.query_one(Statement)
        self.bench.remembered.put("sql draft", {"text": area.text, "cursor": list(area.cursor_location)})

    # What the store has.

    def refreshed(self) -> None:
        self.values.clear()
        self.whole.clear()
        if self.bench.store.exists():
            self.read("views", lambda: browse.views(self.bench.store), self._views)
        elif self.answer is None:
            self.outcome.say("There is no store yet. Make one with: lsw recipe run zero_shot_yue_zh")

    def _views(self, views: dict[str, dict[str, str]]) -> None:
        self.views = views
        self.query_one(Statement).learn(views, VIEWS)
        self.query_one(Catalogue).show(views, VIEWS)
        if self.answer is None and not self.running and not self.ran:
            self.outcome.say("F5 runs it. Names are offered as you type; F2 lists the views.")

    @on(Statement.Wanting)
    def _wanted(self, event: Statement.Wanting) -> None:
        """Values of a column are read as they are needed: all of it, or those that begin as what is typed."""
        want, store = event.wanted, self.bench.store
        key = (want.view, want.column)
        if key in self.whole or not store.exists():
            return
        begins = want.begins if key in self.values else ""

        def look() -> tuple[list[str], bool]:
            try:
                return values(store, want.view, want.column, begins)
            except LswError:  # it is only a suggestion
                return [], True

        self.read("values", look, lambda found: self._valued(want, begins, found))

    def _valued(self, want: Wanted, begins: str, found: tuple[list[str], bool]) -> None:
        key = (want.view, want.column)
        before = self.values.get(key, [])
        self.values[key] = sorted({*before, *found[0]})
        if not begins and not found[1]:
            self.whole.add(key)
        if self.values[key] != before:
            self.query_one(Statement).learn_values(self.values)

    @on(Offers.Taken)
    def _offer_taken(self, event: Offers.Taken) -> None:
        self.query_one(Statement).take(event.completion)

    @on(Names.Taken)
    def _name_taken(self, event: Names.Taken) -> None:
        area = self.query_one(Statement)
        area.put(event.name)
        area.focus()

    # Asking.

    def action_run(self) -> None:
        """Run the statement, from wherever one is."""
        self.query_one(Statement).action_ask()

    @on(Statement.Asked)
    def _asked(self, event: Statement.Asked) -> None:
        """Run what was there when the key came, in a thread."""
        sql, store, running = event.sql, self.bench.store, Running()
        if not sql:
            return
        if self.running:
            self.running.stop()
        history = [s for s in self.bench.remembered.get("sql", []) if s != sql][-HISTORY + 1 :]
        self.bench.remembered.put("sql", [*history, sql])
        self.at = len(history) + 1
        self.running, self.since = running, monotonic()
        self.refresh_bindings()

        def ask() -> tuple[Formed, bool, float] | LswError:
            begun = monotonic()
            try:
                table, more = select_arrow(store, sql, LIMIT, running)
            except Busy:
                raise  # tried again
            except LswError as error:
                return error
            seconds = monotonic() - begun
            backend = Formed(table)
            backend.measure()  # not on the screen's time
            return backend, more, seconds

        def ended(found: tuple[Formed, bool, float] | LswError) -> None:
            self.running = None
            if self.ticking:
                self.ticking.stop()
                self.ticking = None
            if isinstance(found, LswError):
                self._not_answered(found, event)
            else:
                self._answered(sql, *found)
            self.refresh_bindings()

        self.read("sql", ask, ended)
        if self.ticking is None:
            self.ticking = self.set_interval(0.2, self._tick)

    def _tick(self) -> None:
        if not self.running:
            return
        if self.running.stopped:
            self.running.stop()
        if (seconds := monotonic() - self.since) > 0.3:
            self.outcome.border_title = f"Running for {seconds:.1f} s; Esc stops it"
        self.refresh_bindings()

    def _answered(self, sql: str, backend: Formed, more: bool, seconds: float) -> None:
        self.ran, self.more = sql, more
        count = f"{backend.row_count:,} row{'s' if backend.row_count != 1 else ''}"
        if more:
            count = f"The first {count} of more; a file (ctrl+e) gets all"
        self.outcome.say("" if backend.row_count else "No rows.")
        self.outcome.border_title = f"{count}, {seconds:.2f} s"
        self.outcome.show(backend)

    def _not_answered(self, error: LswError, asked: Statement.Asked) -> None:
        """Say what is wrong and where, with the cursor there; the text and the rows before stay."""
        if isinstance(error, Stopped):
            self.outcome.border_title = f"Stopped after {monotonic() - self.since:.1f} s"
            return
        self.outcome.border_title = "Not run; the rows of before" if self.outcome.rows else "Not run"
        title = error.title
        if isinstance(error, Refused) and error.place:
            row, column = error.place
            at = (row - 1 + asked.start[0], column - 1 + (asked.start[1] if row == 1 else 0))
            title = f"Line {at[0] + 1}, column {at[1] + 1}:"
            area = self.query_one(Statement)
            if area.text == asked.text:  # one may have typed on
                area.move_cursor(at, center=True)
                area.focus()
        first, *others = error.detail.splitlines() or [""]
        if not others and "Did you" not in error.detail:
            others = [error.cure]
        self.outcome.say("\n".join([f"{title} {_KIND.sub('', first)}", *others][:4]), wrong=True)

    def failed(self, error: LswError) -> None:
        """What the store says of itself."""
        self.outcome.say(str(error), wrong=True)

    def on_unmount(self) -> None:
        """A thread that is at work would keep the process from ending."""
        if self.running:
            self.running.stop()

    def action_history(self, step: int) -> None:
        """An earlier statement, or a later one; after the last comes what was being written."""
        history = self.bench.remembered.get("sql", [])
        area = self.query_one(Statement)
        if self.at >= len(history) or area.text != history[self.at]:
            self.draft = area.text
            self.at = len(history) - (1 if history and history[-1] == area.text else 0)
        to = max(0, min(self.at + step, len(history)))
        if to == self.at:
            return
        self.at = to
        area.text = history[to] if to < len(history) else self.draft
        area.move_cursor(area.document.end)

    # Esc: stop what is running, else go from the SQL to the rows, else back. The footer says which.

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What Esc means now."""
        on_rows, rows = self.outcome.focused_rows, self.outcome.rows
        if action == "stop":
            return self.running is not None
        if action == "rows":
            return self.running is None and rows is not None and not on_rows
        if action == "statement":
            return self.running is None and not self.query_one(Statement).has_focus and (on_rows or rows is None)
        if action == "search":
            return False  # SQL does
        return super().check_action(action, parameters)

    def action_stop(self) -> None:
        """Stop the statement at work."""
        if self.running:
            self.running.stop()
            self.outcome.border_title = "Stopping ..."

    def action_rows(self) -> None:
        """Go to the rows."""
        if self.outcome.rows:
            self.outcome.rows.focus()

    def action_statement(self) -> None:
        """Go to the SQL."""
        self.query_one(Statement).focus()

    # The rows.

    def lists(self) -> list[Widget]:
        return [self.query_one(Statement), *([self.outcome.rows] if self.outcome.rows else [])]

    def _leads(self, name: str, value: Any) -> Lead | None:
        """Where a cell leads, in words, and what goes there."""
        if not isinstance(value, str) or not value:
            return None
        bench = self.bench
        if bench.rows([value]):
            return "where this run comes from", partial(bench.show_provenance, value)
        if name.endswith("recipe_run_id"):
            return "the results of this recipe run", partial(bench.show_results, value)
        if name == "qid":
            return "compare at this query", partial(self._to_query, value)
        return None

    def focused_run(self) -> RunRow | None:
        """The run of the cell under the cursor, else of its row."""
        if not self.outcome.focused_rows:
            return None
        found = self.bench.rows([value for value in self.outcome.row() if isinstance(value, str)])
        cell = self.outcome.cell()[1]
        return next((run for run in found if run["run_id"] == cell), next(iter(found), None))

    def _to_query(self, qid: str) -> None:
        """Compare at a query, if the runs that are compared have it."""
        runs, store = list(self.bench.choice.run_ids), self.bench.store
        if not self.bench.rows(runs):
            self.notify("No runs are compared yet: choose them on the runs screen first.")
            return

        def look() -> bool:
            with store.reading() as con:
                sql = (
                    "SELECT count(DISTINCT run_id) FROM measures WHERE qid = ? AND run_id IN (SELECT unnest(?::TEXT[]))"
                )
                [[count]] = con.execute(sql, [qid, runs]).fetchall()
            return int(count) == len(runs)

        def then(has: bool) -> None:
            if has:
                self.bench.compare(runs, qid=qid)
            else:
                self.notify(f"The runs that are compared now do not have query {qid}.", markup=False)

        self.read("query", look, then)

    # Copying and files.

    @property
    def answer(self) -> Any:
        """The rows as an Arrow table, in the order that they are shown in; None before the first."""
        return self.outcome.backend.data if self.outcome.backend else None

    def current(self) -> tuple[str, str]:
        """The cell under the cursor; the SQL while that is written."""
        if self.query_one(Statement).has_focus:
            return "the SQL", self.query_one(Statement).text
        name, value = self.outcome.cell()
        return name, "" if value is None else str(value)

    def table(self) -> Plain:
        """The rows that are shown."""
        if self.answer is None:
            return [], []
        columns = [column.to_pylist() for column in self.answer.columns]
        rows = [["" if v is None else str(v) for v in row] for row in zip(*columns, strict=True)]
        return self.answer.column_names, rows

    def exports(self) -> dict[str, Callable[[Path], None]]:
        """The whole answer by the ending of the file, asked again where there is more than is shown; the screen."""
        picture = self.app.export_screenshot(title="lsw sql")
        out: dict[str, Callable[[Path], None]] = {".svg": partial(_picture, picture)}
        return out if self.answer is None else {ending: partial(self._write, ending) for ending in WRITERS} | out

    def _write(self, ending: str, path: Path) -> None:
        if self.more:
            count = write_all(self.bench.store, self.ran, ending, path)
            self.notify(f"All {count:,} rows, not only the {LIMIT:,} that are shown.")
        else:
            write(self.answer, ending, path)


def _picture(picture: str, path: Path) -> None:
    path.write_text(picture, "utf-8")
