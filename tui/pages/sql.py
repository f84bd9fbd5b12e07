"""Screen 6: read-only SQL over the store's views."""

import re
from collections.abc import Iterator
from typing import Any, ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widget import Widget
from textual.widgets import Static, TextArea
from textual_fastdatatable import DataTable

from store import LswError, browse
from store.query import select_arrow
from tui.page import Page, Plain
from tui.remembered import HISTORY

LIMIT = 100_000
"""Rows shown; all can be had with `lsw sql --format csv`."""
FIRST = """SELECT system, trained_on, query_variety, avg(value) AS rr
FROM measures JOIN runs USING (run_id)
WHERE measure = 'RR@10' GROUP BY ALL ORDER BY rr DESC"""
WORDS = (
    "SELECT", "FROM", "WHERE", "GROUP", "ORDER", "BY", "ALL", "JOIN", "USING", "LEFT", "HAVING", "LIMIT", "DISTINCT",
    "COUNT", "AVG", "WITH", "UNION", "DESC", "AND", "NOT", "DESCRIBE",
)  # fmt: skip
_LAST = re.compile(r"([\w.]+)$")


class Statement(TextArea):
    """Where SQL is written; the grey end of a word is taken with the right arrow key or tab."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f5,ctrl+j,ctrl+r", "screen.run", "Run", key_display="F5 ^R", priority=True),
        Binding("ctrl+up", "screen.history(-1)", "Earlier", show=False, tooltip="Earlier statement"),
        Binding("ctrl+down", "screen.history(1)", "Later", show=False, tooltip="Later statement"),
        Binding("ctrl+e", "screen.export", "Export", show=False, priority=True),
        Binding("tab", "complete", "Complete", tooltip="Take the suggestion, or go to the rows"),
    ]

    known: ClassVar[list[str]] = []

    def update_suggestion(self) -> None:
        """The rest of the name of a view, column or keyword."""
        row, column = self.cursor_location
        line = self.document.get_line(row)
        self.suggestion = ""
        match = _LAST.search(line[:column])
        if not match or column < len(line):
            return
        word = match[0].rpartition(".")[2]
        if len(word) < 2:
            return
        for name in (*self.known, *WORDS):
            if name.casefold().startswith(word.casefold()) and len(name) > len(word):
                rest = name[len(word) :]
                self.suggestion = rest.lower() if word.islower() else rest
                return

    def action_complete(self) -> None:
        """Take the suggestion, or go on to the rows."""
        if self.suggestion:
            self.insert(self.suggestion)
        else:
            self.screen.focus_next()


class Sql(Page):
    """The console."""

    HELP = """
Write a SELECT and press **F5** (or ctrl+r). The store is read-only here. Names of views and their columns are
completed in grey: tab takes them. **ctrl+up** and **ctrl+down** go through what was asked before. **Y** in the rows
copies them as Markdown, ctrl+e exports them.
"""
    BINDINGS: ClassVar[list[BindingType]] = [Binding("slash", "search", "Search", show=False)]

    def __init__(self) -> None:
        super().__init__()
        self.at = 0
        self.answer: Any = None

    def body(self) -> Iterator[Widget]:
        yield Statement(FIRST, id="statement")
        yield Static(id="about", markup=False)
        yield Vertical(id="rows")

    def on_mount(self) -> None:
        history = self.bench.remembered.get("sql", [])
        self.at = len(history)
        area = self.query_one(Statement)
        if history:
            area.text = history[-1]
            self.at -= 1
        area.move_cursor(area.document.end)
        area.focus()

    def refreshed(self) -> None:
        if self.bench.store.exists():
            self.read("views", lambda: browse.views(self.bench.store), self._views)

    def _views(self, views: dict[str, list[str]]) -> None:
        columns = {c for names in views.values() for c in names}
        Statement.known = [*sorted(views), *sorted(columns)]
        if self.answer is None:
            short = ", ".join(views)
            self.query_one("#about", Static).update(f" Views: {short}. DESCRIBE runs lists the columns of one.")

    def lists(self) -> list[Widget]:
        return [self.query_one(Statement), *self.query(DataTable)]

    def action_search(self) -> None:
        """Nothing to search: SQL does."""

    def action_run(self) -> None:
        """Run the statement in a thread."""
        statement = self.query_one(Statement).text.strip().rstrip(";")
        if not statement:
            return
        history = [s for s in self.bench.remembered.get("sql", []) if s != statement][-HISTORY + 1 :]
        self.bench.remembered.put("sql", [*history, statement])
        self.at = len(history)
        self.query_one("#about", Static).update(" ...")
        self.read("sql", lambda: select_arrow(self.bench.store, statement, LIMIT), self._rows)

    def _rows(self, answer: tuple[Any, bool]) -> None:
        table, more = answer
        self.answer = table
        count = f" {len(table):,} rows"
        if more:
            count += f" shown of more than {LIMIT:,}; `lsw sql --format csv` has all"
        self.query_one("#about", Static).update(count)
        holder = self.query_one("#rows", Vertical)
        holder.remove_children()
        holder.mount(DataTable(data=table, null_rep="-", max_column_content_width=60, render_markup=False))

    def failed(self, error: LswError) -> None:
        self.query_one("#about", Static).update(
            "\n".join(f" {t}" for t in (error.title, error.detail, error.cure) if t)
        )

    def action_history(self, step: int) -> None:
        """An earlier statement, or a later one."""
        history = self.bench.remembered.get("sql", [])
        if history:
            self.at = max(0, min(self.at + step, len(history) - 1))
            area = self.query_one(Statement)
            area.text = history[self.at]
            area.move_cursor(area.document.end)

    def table(self) -> Plain:
        """The rows."""
        if self.answer is None:
            return [], []
        columns = [column.to_pylist() for column in self.answer.columns]
        rows = [["" if v is None else str(v) for v in row] for row in zip(*columns, strict=True)]
        return self.answer.column_names, rows

    def on_key(self, event: events.Key) -> None:
        """Numbers are text while SQL is written; Esc leaves the text first."""
        if event.key == "escape" and self.query_one(Statement).has_focus and self.query(DataTable):
            event.stop()
            self.query_one(DataTable).focus()
