"""The rows of an answer: numbers of a column with as many decimals, NULL a dim dash, sorted by any column."""

import math
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar, NamedTuple

import pyarrow as pa
from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual_fastdatatable import ArrowBackend, DataTable

WIDEST = 40
"""Columns of a cell; the whole of it is shown under the rows."""
NULL = Text("-", "dim")
NULL_RIGHT = Text("-", "dim", justify="right")


class Form(NamedTuple):
    """How the values of a column are written.

    `number` says whether they stand at the right; `spec` is the format of those that have decimals, `width` the widest.
    """

    number: bool
    spec: str = ""
    width: int = 1

    def text(self, value: Any) -> str:
        """A value as it is shown."""
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, float | Decimal) and self.spec:
            if not math.isfinite(value):
                return str(value)
            said = format(value, self.spec)
            return format(value, ".1e") if value and not said.strip("-0.") else said
        if isinstance(value, datetime):
            return value.isoformat(" ", "seconds")
        return str(value)


def form(column: pa.ChunkedArray) -> Form:
    """How to write a column.

    Numbers with decimals get as many as the values need, four at most (six in a column of small numbers). Very large or
    very small ones are written with exponents, and so is one of which no digit would be left.
    """
    kind = column.type
    if pa.types.is_integer(kind):
        return Form(True)
    if not (pa.types.is_floating(kind) or pa.types.is_decimal(kind)):
        return Form(False)
    import numpy as np

    values = np.asarray(column.drop_null().cast(pa.float64()).to_numpy(), dtype=np.float64)
    values = values[np.isfinite(values)]
    if not values.size:
        return Form(True, ".1f", 4)
    sizes = np.abs(values)
    seen = sizes[sizes > 1e-9]  # less is what is left of a difference
    low, high = (float(seen.min()), float(seen.max())) if seen.size else (1.0, 1.0)
    if high >= 1e9 or high < 1e-3:
        return Form(True, ".2e", 9)
    decimals = 4 if high >= 0.1 or low >= 1e-3 else 6
    for fewer in range(1, decimals):
        if np.allclose(values, np.round(values, fewer), rtol=1e-12, atol=1e-10):
            decimals = fewer
            break
    spec = f".{decimals}f"
    return Form(True, spec, max(len(format(float(v), spec)) for v in (values.min(), values.max())))


class Formed(ArrowBackend):
    """Rows whose cells are written by the form of their column; `data` keeps their values."""

    def __init__(self, data: pa.Table) -> None:
        super().__init__(data)
        self.render_markup = False
        self.forms = [form(column) for column in self.data.columns]

    def get_cell_at(self, row_index: int, column_index: int) -> Any:
        return self._shown(super().get_cell_at(row_index, column_index), self.forms[column_index])

    def get_row_at(self, index: int) -> list[Any]:
        return [self._shown(v, f) for v, f in zip(super().get_row_at(index), self.forms, strict=True)]

    def value(self, row: int, column: int) -> Any:
        """What a cell holds."""
        return super().get_cell_at(row, column)

    def measure(self) -> None:
        """Measure the columns, which takes a while, in the thread that reads."""
        assert len(self.column_content_widths) == self.column_count

    @property
    def column_content_widths(self) -> list[int]:
        """Cells that each column needs."""
        if not self._column_content_widths:
            self._column_content_widths = [
                max(1, f.width if f.spec else self._measure(column) or 0)
                for f, column in zip(self.forms, self.data.columns, strict=True)
            ]
        return self._column_content_widths

    @staticmethod
    def _shown(value: Any, how: Form) -> Text:
        if value is None:
            return NULL_RIGHT if how.number else NULL
        return Text(how.text(value), justify="right" if how.number else "default")

    def by(self, column: int, downwards: bool) -> pa.Table:
        """The rows in the order of a column, those without a value last. Lists and the like have no order."""
        import pyarrow.compute as pc

        keys = [("key", "descending" if downwards else "ascending")]
        order = pc.sort_indices(pa.table({"key": self.data[column]}), sort_keys=keys)
        return self.data.take(order)


class Answer(DataTable):
    """The rows; Enter or a double click goes where a cell leads, a click on a name or `s` sorts."""

    DEFAULT_CSS = """
    Answer, Answer:dark { height: 1fr; max-height: 100%; background: transparent; scrollbar-size-vertical: 1;
        scrollbar-background: $background; scrollbar-corner-color: $background; }
    Answer > .datatable--header, Answer:dark > .datatable--header { background: $panel; color: $foreground; }
    Answer > .datatable--even-row, Answer:dark > .datatable--even-row { background: $boost; }
    Answer > .datatable--cursor { background: $primary 40%; color: $text; }
    Answer:focus > .datatable--cursor { background: $primary; color: $text; }
    Answer:ansi > .datatable--cursor { background: ansi_bright_black; color: ansi_bright_white; }
    Answer:ansi:focus > .datatable--cursor { background: ansi_blue; color: ansi_bright_white; text-style: bold; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select_cursor", "Go there", tooltip="Open the run, recipe run or query of this cell"),
        Binding("s", "sort", "Sort", tooltip="Sort by this column; again: the other way round"),
        Binding("j", "cursor_down", "Down", show=False),
        Binding("k", "cursor_up", "Up", show=False),
        Binding("l", "cursor_right", "Right", show=False),
        Binding("h", "cursor_left", "Left", show=False),
        Binding("g", "cursor_table_start", "First", show=False),
        Binding("G", "cursor_table_end", "Last", show=False),
        Binding("tab", "screen.focus_next", "Next pane", show=False),
        Binding("shift+tab", "screen.focus_previous", "Previous pane", show=False),
        Binding("ctrl+c,super+c", "screen.copy", "Copy", show=False),
    ]

    class Sorting(Message):
        """The rows are to be sorted by a column."""

        def __init__(self, column: int) -> None:
            super().__init__()
            self.column = column

    def __init__(self, backend: Formed, sorted_by: tuple[int, bool] | None = None) -> None:
        labels: list[str | Text] = []
        for i, (name, how) in enumerate(zip(backend.columns, backend.forms, strict=True)):
            mark = "" if sorted_by is None or sorted_by[0] != i else (" ▼" if sorted_by[1] else " ▲")
            labels.append(Text(name + mark, justify="right" if how.number else "default"))
        super().__init__(backend=backend, column_labels=labels, max_column_content_width=WIDEST, render_markup=False)
        self.formed = backend
        self.leads = False  # whether the cell under the cursor leads anywhere

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Enter is said only where it does something."""
        return self.leads if action == "select_cursor" else super().check_action(action, parameters)

    def action_sort(self) -> None:
        """Sort by the column under the cursor."""
        self.post_message(self.Sorting(self.cursor_column))

    def on_data_table_header_selected(self, event: DataTable.HeaderSelected) -> None:
        event.stop()
        self.post_message(self.Sorting(event.column_index))

    def on_click(self, event: events.Click) -> None:
        if event.chain == 2 and event.style.meta.get("row", -1) >= 0:
            self.action_select_cursor()
