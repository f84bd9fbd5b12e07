"""Lines between two rankings that stand side by side: where the passages of the one are in the other."""

from typing import Any

from rich.text import Text
from textual.app import RenderResult
from textual.widget import Widget

from tui.frame.listing import Listing
from tui.study import QueryRankings
from workbench.reports.figures._canvas import Canvas

OTHER, RELEVANT, SELECTED = "dim", "won", "bold"
"""How lines look, in the order in which they are drawn: a later one lies over those before."""


class Links(Widget):
    """Between two lists; it follows their scrolling.

    Args:
        left, right: the lists.
    """

    DEFAULT_CSS = "Links { width: 3; height: 1fr; }"

    def __init__(self, left: Listing, right: Listing, **options: Any) -> None:
        super().__init__(**options)
        self.sides = left, right
        self.docnos: tuple[list[str], list[str]] = ([], [])
        self.ranks: tuple[dict[str, int], dict[str, int]] = ({}, {})
        self.relevant: set[str] = set()
        self.selected = ""

    def on_mount(self) -> None:
        for side in self.sides:
            self.watch(side, "scroll_y", self._scrolled, init=False)

    def _scrolled(self) -> None:
        self.refresh()

    def show(self, shown: QueryRankings, sides: tuple[int, int], relevant: set[str], selected: str) -> None:
        """Lines for two rankings of a query.

        Args:
            shown: the query.
            sides: which run is at the left, and which at the right.
            relevant: docnos that are told from others.
            selected: one more.
        """
        left, right = sides
        self.docnos = shown.docnos[left], shown.docnos[right]
        self.ranks = shown.rank[left], shown.rank[right]
        self.relevant, self.selected = relevant, selected
        self.refresh()

    def linked(self) -> list[tuple[int, int, str]]:
        """Row at the left, row at the right, and look of each line, in the order in which they are drawn.

        Rows count from the first that is seen; of the relevant and the selected one also those whose other end is not.
        """
        tops = [round(side.scroll_offset.y) for side in self.sides]
        height = max(0, self.size.height - 1)
        seen = [set(docnos[top : top + height]) for docnos, top in zip(self.docnos, tops, strict=True)]
        told = self.relevant | {self.selected}
        out = []
        for docno in (seen[0] & seen[1]) | ((seen[0] | seen[1]) & told):
            if all(docno in ranks for ranks in self.ranks):
                look = SELECTED if docno == self.selected else RELEVANT if docno in self.relevant else OTHER
                left, right = (ranks[docno] - top for ranks, top in zip(self.ranks, tops, strict=True))
                out.append((left, right, look))
        return sorted(out, key=lambda line: (OTHER, RELEVANT, SELECTED).index(line[2]))

    def render(self) -> RenderResult:
        width, height = self.size
        if width < 1 or height < 2:
            return ""
        canvas = Canvas(width, height - 1)
        for left, right, look in self.linked():
            canvas.line((0, 4 * left + 2), (2 * width - 1, 4 * right + 2), look)
        return Text("\n").join([Text(""), *canvas.text(whole=True).split("\n")])  # beside the names of columns, nothing
