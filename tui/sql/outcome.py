"""What came of a statement: how it went on the edge, what is wrong, the rows, the whole of one cell."""

from collections.abc import Callable
from typing import Any, cast

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.coordinate import Coordinate
from textual.widgets import Static
from textual_fastdatatable import DataTable

from tui.frame.panes import Pane
from tui.page import Page
from tui.sql.answer import Answer, Formed

Lead = tuple[str, Callable[[], None]]
"""Where a cell leads, in words, and what goes there."""


class Outcome(Pane):
    """The lower half of the screen.

    Args:
        leads: where a cell leads, by the name of its column and its value; None if nowhere.
    """

    DEFAULT_CSS = """
    Outcome { height: 1fr; }
    Outcome #about { padding: 0 1; height: auto; max-height: 6; color: $text-muted; }
    Outcome #cell { height: auto; max-height: 6; padding: 0 1; background: $boost; display: none; }
    Outcome #cell.shown { display: block; }
    """

    def __init__(self, leads: Callable[[str, Any], Lead | None]) -> None:
        super().__init__(id="answer", title="Rows")
        self.leads = leads
        self.backend: Formed | None = None
        self._lines = 1  # of the cell under the cursor
        self.sorted_by: tuple[int, bool] | None = None  # column, from the largest

    def compose(self) -> ComposeResult:
        yield Static(id="about", markup=False)
        yield Static(id="cell", markup=False)

    def say(self, text: str, wrong: bool = False) -> None:
        """Say something over the rows; what is wrong with a statement in the colour of errors."""
        about = self.query_one("#about", Static)
        about.display = bool(text)
        first, _, others = text.partition("\n")
        about.update(Content.styled(first, "$text-error" if wrong else "") + Content("\n" + others if others else ""))

    @property
    def rows(self) -> Answer | None:
        """The rows that are shown."""
        return next((rows for rows in self.query(Answer) if not rows.has_class("-old")), None)

    @property
    def focused_rows(self) -> bool:
        """Whether one is in the rows."""
        return self.rows is not None and self.rows.has_focus

    def show(self, backend: Formed) -> None:
        """Show the rows of another answer."""
        self.sorted_by = None
        self._mount(backend)

    def _mount(self, backend: Formed, at: Coordinate | None = None) -> None:
        focused = self.focused_rows
        for old in self.query(Answer):
            old.add_class("-old")
            old.remove()
        self.backend = backend
        if not backend.column_count:
            self.query_one("#cell").remove_class("shown")
            return
        rows = Answer(backend, self.sorted_by)
        self.mount(rows, before="#cell")
        if at is not None:
            self.call_after_refresh(rows.move_cursor, row=at.row, column=at.column)
        if focused:
            rows.focus()
        self.call_after_refresh(self._tell_cell)

    @on(Answer.Sorting)
    def _sorting(self, event: Answer.Sorting) -> None:
        """At first the largest numbers, but words from a to z; then the other way round."""
        before, backend, column = self.sorted_by, self.backend, event.column
        if backend is None:
            return
        downwards = not before[1] if before and before[0] == column else backend.forms[column].number

        def sort() -> Formed | None:
            import pyarrow as pa

            try:
                ordered = Formed(backend.by(column, downwards))
            except pa.ArrowNotImplementedError:
                return None
            ordered.measure()
            return ordered

        def then(ordered: Formed | None) -> None:
            if ordered is None:
                self.notify("A column of lists has no order.", timeout=3)
            elif self.backend is backend:
                self.sorted_by = (column, downwards)
                self._mount(ordered, Coordinate(0, column))

        cast("Page", self.screen).read("sort", sort, then)

    def cell(self) -> tuple[str, Any]:
        """The name of the column under the cursor, and the value; '' if there is none."""
        rows = self.rows
        if rows is None or not rows.row_count:
            return "", None
        row, column = rows.cursor_coordinate
        return rows.formed.columns[column], rows.formed.value(row, column)

    def row(self) -> list[Any]:
        """The values of the row under the cursor."""
        rows = self.rows
        if rows is None or not rows.row_count:
            return []
        return [rows.formed.value(rows.cursor_row, column) for column in range(rows.formed.column_count)]

    @on(DataTable.CellHighlighted)
    def _tell_cell(self) -> None:
        """The whole of the cell under the cursor, and where Enter goes from it."""
        name, value = self.cell()
        line, rows = self.query_one("#cell", Static), self.rows
        line.set_class(bool(name), "shown")
        if not name or rows is None:
            return
        shown = "NULL" if value is None else rows.formed.forms[rows.cursor_column].text(value)
        if isinstance(value, float) and len(repr(value)) > len(shown):
            shown = repr(value)
        text = Text.assemble((name, "bold"), "  ", shown)
        lead = self.leads(name, value)
        if lead:
            text.append(f"  Enter: {lead[0]}", "italic dim")
        lines = text.cell_len // max(line.size.width - 2, 1) + text.plain.count("\n")  # beyond the first
        line.update(text, layout=bool(lines or self._lines))  # laying out anew takes 20 ms
        self._lines = lines
        if rows.leads != (lead is not None):
            rows.leads = lead is not None
            self.screen.refresh_bindings()

    @on(DataTable.CellSelected)
    def _follow(self) -> None:
        name, value = self.cell()
        if lead := self.leads(name, value):
            lead[1]()
        elif name.endswith("run_id") and value:
            self.notify(f"{value} is not in the store.", markup=False)
        else:
            self.notify("This cell leads nowhere: only run_id, recipe_run_id and qid do.", timeout=3)
