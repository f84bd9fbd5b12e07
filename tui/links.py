"""Lines between two rankings that stand side by side: where the passages of the one are in the other."""

from typing import Any

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from tui.listing import Listing

DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""Of a Braille character: each line's left and right dot."""
OTHERS, RELEVANT, SELECTED = range(3)
"""What a line is of; of two in one place the later one is seen."""


class Canvas:
    """Terminal cells of 2 x 4 dots, each cell of the kind of the last line through it that matters most."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self.dots: dict[tuple[int, int], int] = {}
        self.kinds: dict[tuple[int, int], int] = {}

    def line(self, left: float, right: float, kind: int) -> None:
        """From a row at the left edge to a row at the right edge; rows outside are cut off at the edges."""
        most = self.width * 2 - 1
        steps = max(most, round(abs(right - left) * 4))
        for step in range(steps + 1):
            x = round(step / steps * most)
            y = round((left + (right - left) * step / steps) * 4 + 1.5)
            place = x // 2, y // 4
            if 0 <= y < self.height * 4:
                self.dots[place] = self.dots.get(place, 0) | DOTS[y % 4][x % 2]
                self.kinds[place] = max(self.kinds.get(place, 0), kind)

    def row(self, y: int) -> list[tuple[str, int]]:
        """Each cell of a row: its character, and the kind of its line."""
        return [
            (chr(0x2800 + self.dots[x, y]) if (x, y) in self.dots else " ", self.kinds.get((x, y), OTHERS))
            for x in range(self.width)
        ]


class Links(Widget):
    """Between two lists; it follows their scrolling.

    Args:
        left, right: the lists.
    """

    DEFAULT_CSS = "Links { width: 3; height: 1fr; }"

    def __init__(self, left: Listing, right: Listing, **options: Any) -> None:
        super().__init__(**options)
        self.sides = left, right
        self.ranks: tuple[dict[str, int], dict[str, int]] = ({}, {})
        self.relevant: set[str] = set()
        self.selected = ""
        self._rows: list[list[tuple[str, int]]] = []

    def on_mount(self) -> None:
        for side in self.sides:
            self.watch(side, "scroll_y", self._scrolled, init=False)

    def _scrolled(self) -> None:
        self.refresh()

    def show(self, ranks: tuple[dict[str, int], dict[str, int]], relevant: set[str], selected: str) -> None:
        """Lines for these rankings.

        Args:
            ranks: of each side, where each docno is (from 0).
            relevant: docnos that are told from others.
            selected: one more.
        """
        self.ranks, self.relevant, self.selected = ranks, relevant, selected
        self.refresh()

    def _draw(self) -> None:
        canvas = Canvas(self.size.width, self.size.height)
        tops = [round(side.scroll_offset.y) for side in self.sides]
        seen = [{d for d, rank in ranks.items() if 0 <= rank - top < self.size.height - 1}
                for ranks, top in zip(self.ranks, tops, strict=True)]  # fmt: skip
        told = self.relevant | {self.selected}
        for docno in (seen[0] & seen[1]) | ((seen[0] | seen[1]) & told):
            if all(docno in ranks for ranks in self.ranks):
                kind = SELECTED if docno == self.selected else RELEVANT if docno in self.relevant else OTHERS
                left, right = (ranks[docno] - top + 1 for ranks, top in zip(self.ranks, tops, strict=True))
                canvas.line(left, right, kind)
        # The first row is beside the names of the columns.
        self._rows = [canvas.row(y) for y in range(self.size.height)]

    def render_lines(self, crop: Region) -> list[Strip]:
        self._draw()
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        base, console = self.rich_style, self.app.console
        looks = (base + Style(dim=True), base + console.get_style("won"), base + Style(bold=True))
        cells = self._rows[y] if 0 < y < len(self._rows) else []
        return Strip([Segment(text, looks[kind]) for text, kind in cells] or [Segment(" " * self.size.width, base)])
