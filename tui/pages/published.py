"""Screen 8: published figures, ours beside them where they can be compared, apart where not."""

from collections.abc import Iterator
from textwrap import wrap

from rich.text import Text
from textual import on
from textual.widget import Widget
from textual.widgets import Static

from store.rows import Row
from tui.frame.folding import folded
from tui.frame.listing import Listing
from tui.frame.rows import Column, Rows
from tui.frame.search import Search
from tui.page import Page
from workbench.comparison.published import Grounds, apart, beside, grounds, published, warning
from workbench.comparison.words import signed

ABOUT = ("system", "trained_on", "query_variety", "measure")
FIGURES = ("base", "finetuned", "gain", "our_base", "our_finetuned", "our_gain")
NARROW = 78
"""Columns that a line of a heading may have: it is not cut in the smallest terminal."""


class Published(Page):
    """Each published figure, before and after training, with the newest of ours if it is on the same collection."""

    HELP = """
The figures of Chari, MacAvaney and Ounis (ECIR 2025) on mMARCO v2. Beside each, in bold, the newest run of this store
with the same system, training and varieties, if it is on the same collection: the same passages and queries, all of
them. Runs on other collections stand apart, below and dim, each group with the reason: no gain of theirs can be held
against a published one.

`lsw compare --reference` prints the same, also as CSV and JSON, with the columns `comparable` and `why_not`.
"""

    FIELDS = ("system", "trained", "queries", "measure", "collection")

    def __init__(self) -> None:
        super().__init__()
        self.figures: list[Row] = []
        self.apart: list[Row] = []
        self.lines: list[Row | str] = []  # a text heads a group
        self.sorted_by: int | None = None
        self.downwards = False

    def body(self) -> Iterator[Widget]:
        yield Static(" reading what the store has ...", id="about", markup=False)
        yield Listing(id="figures")

    def on_mount(self) -> None:
        self.query_one(Listing).focus()

    def refreshed(self) -> None:
        self.read("grounds", lambda: grounds(self.bench.store), self._known)

    def _known(self, known: Grounds) -> None:
        every = published()
        self.figures, self.apart = beside(every, self.bench.runs, known), apart(every, self.bench.runs, known)
        self.query_one("#about", Static).update(f" {warning(self.figures, self.apart)}")
        self.draw()

    def searched(self, search: Search) -> None:
        self.draw()

    @on(Listing.Header)
    def sort_column(self, event: Listing.Header) -> None:
        """By what was clicked, the other way round at the second click, as published at the third; group by group."""
        if self.sorted_by == event.row and self.downwards:
            self.sorted_by = None
        else:
            self.downwards = self.sorted_by == event.row
            self.sorted_by = event.row
        self.draw()

    def _order(self, rows: list[Row]) -> list[Row]:
        some = [row for row in rows if self.search.fits(*_fields(row))]
        if self.sorted_by is None:
            return some
        name = (*ABOUT, *FIGURES, "our_data")[self.sorted_by]
        known = [row for row in some if row[name] is not None]
        return sorted(known, key=lambda row: row[name], reverse=self.downwards) + [r for r in some if r[name] is None]

    def draw(self) -> None:
        """What the search leaves, in its order."""
        self.lines = [*self._order(self.figures)]
        last = ""
        groups: dict[str, list[Row]] = {}
        for row in self.apart:
            groups.setdefault(f"{row['our_data']}{row['why_not']}", []).append(row)
        for row in [row for group in groups.values() for row in self._order(group)]:
            heading = f"Ours on {row['our_data']}, not comparable: {row['why_not']}"
            if heading != last:
                self.lines += wrap(heading, NARROW)
            last = heading
            self.lines.append(row)
        columns = [
            Column("system", 16), Column("trained", 7), Column("on", 4), Column("measure", 7),
            *(Column(name, 6, right=True) for name in ("base", "tuned", "gain", "ours", "tuned", "gain")),
            Column("  of", needs=100),
        ]  # fmt: skip
        listing = self.query_one(Listing)
        listing.show(
            Rows(columns, len(self.lines), self._cells, lambda i: isinstance(self.lines[i], str),
                 sorted_by=self.sorted_by, downwards=self.downwards),
            listing.cursor,
        )  # fmt: skip
        whole = len(self.figures) + len(self.apart)
        self.hits(sum(not isinstance(line, str) for line in self.lines), whole)

    def _cells(self, i: int) -> list[Text]:
        row = self.lines[i]
        if isinstance(row, str):
            return [Text(row, "dim")]
        style = {True: "bold", False: "dim", None: ""}[row["comparable"]]
        about = [row[name] for name in ABOUT]
        figures = [
            "-" if row[name] is None else signed(row[name], 4) if "gain" in name else f"{row[name]:.4f}"
            for name in FIGURES
        ]
        of = f"  {row['our_data'] or ''}{', not comparable' if row['comparable'] is False else ''}"
        return [Text(text, style) for text in (*about, *figures, of)]


def _fields(row: Row) -> tuple[dict[str, str], str]:
    """What a search sees of a figure."""
    texts = [folded(str(row[name] or "")) for name in (*ABOUT, "our_data")]
    return dict(zip(Published.FIELDS, texts, strict=True)), " ".join(texts)
