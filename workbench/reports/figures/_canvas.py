"""A drawing in a terminal's cells: letters, and lines of Braille's eight dots a cell."""

from dataclasses import dataclass

from rich.cells import cell_len
from rich.text import Text

_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""Of each line and column of a cell, as Unicode numbers them."""


@dataclass(frozen=True)
class Frame:
    """Where a panel's coordinates are in cells, counted from the upper left corner of the drawing.

    Args:
        left, top: of the first cell within the axes.
        columns, lines: cells within the axes.
        x, y: both ends of each axis.
    """

    left: int
    top: int
    columns: int
    lines: int
    x: tuple[float, float]
    y: tuple[float, float]

    def dots(self, x: float, y: float) -> tuple[int, int]:
        """The nearest dot, in dots from the corner of the drawing; outside of the axes, one at their edge."""
        across = (x - self.x[0]) / (self.x[1] - self.x[0])
        up = (y - self.y[0]) / (self.y[1] - self.y[0])
        dx = round(min(max(across, 0.0), 1.0) * (2 * self.columns - 1))
        dy = round((1 - min(max(up, 0.0), 1.0)) * (4 * self.lines - 1))
        return 2 * self.left + dx, 4 * self.top + dy

    def cell(self, x: float, y: float) -> tuple[int, int]:
        """The column and line of a place."""
        dx, dy = self.dots(x, y)
        return dx // 2, dy // 4

    def place(self, column: int, line: int) -> tuple[float, float] | None:
        """What the middle of a cell stands for; None outside of the axes."""
        column, line = column - self.left, line - self.top
        if not (0 <= column < self.columns and 0 <= line < self.lines):
            return None
        across, up = (column + 0.5) / self.columns, 1 - (line + 0.5) / self.lines
        return self.x[0] + across * (self.x[1] - self.x[0]), self.y[0] + up * (self.y[1] - self.y[0])

    def below(self, lines: int) -> "Frame":
        """The same so many lines further down."""
        return Frame(self.left, self.top + lines, self.columns, self.lines, self.x, self.y)


class Canvas:
    """Cells that are written on; letters lie over dots, and what is written last over what was before."""

    def __init__(self, columns: int, lines: int) -> None:
        self.columns, self.lines = columns, lines
        self._letters = [[""] * columns for _ in range(lines)]
        self._styles = [[""] * columns for _ in range(lines)]
        self._dots = [[0] * columns for _ in range(lines)]
        self._tints = [[""] * columns for _ in range(lines)]

    def free(self, column: int, line: int, long: int) -> bool:
        """Whether so many cells have neither letters (but those of lines) nor dots."""
        if not (0 <= line < self.lines and column >= 0 and column + long <= self.columns):
            return False
        letters = self._letters[line][column : column + long]
        return all(each in ("", " ", "─", "·") for each in letters) and not any(
            self._dots[line][column : column + long]
        )

    def write(self, column: int, line: int, text: str, style: str = "") -> None:
        """Letters from a cell on; what lies outside is left out."""
        if not 0 <= line < self.lines:
            return
        for letter in text:
            wide = cell_len(letter)
            if wide and column >= 0 and column + wide <= self.columns:
                for i in range(wide):
                    self._letters[line][column + i] = "" if i else letter
                    self._styles[line][column + i] = style
                    self._dots[line][column + i] = -1 if i else 0
            column += wide

    def dot(self, x: int, y: int, style: str) -> None:
        """One dot, two of which are beside and four below each other in a cell."""
        column, line = x // 2, y // 4
        if 0 <= line < self.lines and 0 <= column < self.columns and self._dots[line][column] >= 0:
            self._dots[line][column] |= _DOTS[y % 4][x % 2]
            self._tints[line][column] = style

    def line(self, start: tuple[int, int], end: tuple[int, int], style: str) -> None:
        """Dots from one to another."""
        (x, y), (u, v) = start, end
        most = max(abs(u - x), abs(v - y), 1)
        for i in range(most + 1):
            self.dot(round(x + (u - x) * i / most), round(y + (v - y) * i / most), style)

    def text(self, whole: bool = False) -> Text:
        """All of it; lines end with what is last seen in them, or are `whole`."""
        out = Text(no_wrap=True, overflow="crop")
        for line in range(self.lines):
            run, of = "", ""
            for letter, style, dots, tint in zip(
                self._letters[line], self._styles[line], self._dots[line], self._tints[line], strict=True
            ):
                seen, look = (chr(0x2800 + dots), tint) if dots > 0 else (letter or ("" if dots else " "), style)
                if look != of and seen:
                    out.append(run, of)
                    run, of = "", look
                run += seen
            out.append(run if of or whole else run.rstrip(), of)
            if line + 1 < self.lines:
                out.append("\n")
        return out
