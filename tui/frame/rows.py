"""What a list shows: columns, cells that are drawn when they are seen, and texts made to fit."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice

from rich.cells import cell_len, set_cell_size
from rich.text import Text

Drawing = Callable[[int], Text]
"""Draws a cell as wide as there is room."""
Cell = Text | Drawing
Cells = Sequence[Cell]
LETTERS = 4
"""Cells of a text below which it says nothing."""
WIDE = 110
"""Columns of a terminal from which there is room for more."""


@dataclass(frozen=True)
class Column:
    """A column: `width` in terminal cells (0: what is left), dropped from lists narrower than `needs`.

    One of figures (`right`, or `whole`) is shown whole or not at all: a number that is cut is another number. A text is
    cut at its end, or (`middle`) in its middle, where names differ at their ends. `head` draws what is over it.
    """

    name: str
    width: int = 0
    right: bool = False
    needs: int = 0
    whole: bool = False
    middle: bool = False
    head: Drawing | None = None


@dataclass
class Rows:
    """What a listing shows.

    Args:
        columns: from left to right; one of them has width 0.
        count: how many rows.
        cells: the cells of row i.
        heading: rows that cannot be chosen: titles of groups.
        across: columns whose cells can be chosen by themselves.
        open: headings that can be chosen all the same.
        sorted_by: the column that rows are sorted by, if one; `downwards` if the largest comes first.
    """

    columns: list[Column] = field(default_factory=list)
    count: int = 0
    cells: Callable[[int], Cells] = lambda _: []
    heading: Callable[[int], bool] = lambda _: False
    across: Sequence[int] = ()
    sorted_by: int | None = None
    downwards: bool = False
    open: Callable[[int], bool] = lambda _: False

    def fixed(self, row: int) -> bool:
        """Whether a row cannot be chosen."""
        return self.heading(row) and not self.open(row)

    def plain(self) -> tuple[list[str], list[list[str]]]:
        """Names of the columns, and all rows but headings, as text: to copy and to export."""
        lines = (self.cells(i) for i in range(self.count) if not self.heading(i))
        rows = [["" if callable(cell) else cell.plain.strip() for cell in row] for row in lines]
        drawn = {i for i in range(len(self.columns)) if self.count and not any(row[i] for row in rows if i < len(row))}
        kept = [i for i in range(len(self.columns)) if not (drawn and i in drawn and not self.columns[i].name.strip())]
        return [self.columns[i].name for i in kept], [[row[i] for i in kept] for row in rows]

    def heads(self) -> Cells:
        """Names of the columns; an arrow at the one that rows are sorted by."""
        arrow = "▼" if self.downwards else "▲"
        names = [Text(f"{c.name}{arrow}" if i == self.sorted_by else c.name) for i, c in enumerate(self.columns)]
        return [c.head or name for c, name in zip(self.columns, names, strict=True)]


def shortened(text: str, width: int) -> str:
    """At most `width` terminal cells; what is too long loses its middle."""
    if cell_len(text) <= width or width < 2:
        return text if cell_len(text) <= width else set_cell_size(text, width)
    tail, at = (width - 1) // 2, len(text)
    while at and cell_len(text[at - 1 :]) <= tail:
        at -= 1
    return set_cell_size(text, width - 1 - cell_len(text[at:])).rstrip() + "…" + text[at:]


def fitted(cell: Text, width: int, right: bool, middle: bool = False) -> Text:
    """Exactly `width` terminal cells: wide characters are two, and what is too long has an ellipsis."""
    long = cell_len(cell.plain)
    if long > width:
        if middle:
            cell = Text(shortened(cell.plain, width), cell.spans[0].style if cell.spans else cell.style)
        else:
            cell = cell.copy()
            cell.truncate(max(width, 1), overflow="ellipsis")
        long = cell_len(cell.plain)
    pad = " " * max(0, width - long)
    return Text.assemble(pad, cell) if right else Text.assemble(cell, pad)


def widest(texts: Iterable[str], most: int) -> int:
    """Terminal cells that the widest of the first thousand takes, at most `most`."""
    return min(most, max((cell_len(text) for text in islice(texts, 1000)), default=1))


def bar(value: float, width: int) -> str:
    """`value` between 0 and 1 as a thin bar of at most `width` cells, to half a cell."""
    halves = round(max(0.0, min(1.0, value)) * width * 2)
    return set_cell_size("━" * (halves // 2) + "╸" * (halves % 2), width)
