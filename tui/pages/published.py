"""Screen 7: published figures, ours beside them where they can be compared, apart where not."""

from collections.abc import Iterator
from textwrap import wrap

from rich.text import Text
from textual.widget import Widget
from textual.widgets import Static

from store.rows import Row
from tui.listing import Column, Listing, Rows
from tui.page import Page
from workbench.comparison.published import Grounds, apart, beside, grounds, published, warning
from workbench.comparison.words import signed

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

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[Row | str] = []  # a text heads a group

    def body(self) -> Iterator[Widget]:
        yield Static(id="about", markup=False)
        yield Listing(id="figures")

    def on_mount(self) -> None:
        self.query_one(Listing).focus()

    def refreshed(self) -> None:
        self.read("grounds", lambda: grounds(self.bench.store), self._known)

    def _known(self, known: Grounds) -> None:
        figures = published()
        rows, others = beside(figures, self.bench.runs, known), apart(figures, self.bench.runs, known)
        self.query_one("#about", Static).update(f" {warning(rows, others)}")
        self.lines = [*rows]
        last = ""
        for row in others:
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
        shown = Rows(columns, len(self.lines), self._cells, lambda i: isinstance(self.lines[i], str))
        listing.show(shown, listing.cursor)

    def _cells(self, i: int) -> list[Text]:
        row = self.lines[i]
        if isinstance(row, str):
            return [Text(row, "dim")]
        style = {True: "bold", False: "dim", None: ""}[row["comparable"]]
        about = (row["system"], row["trained_on"], row["query_variety"], row["measure"])
        figures = [
            "-" if row[name] is None else signed(row[name], 4) if "gain" in name else f"{row[name]:.4f}"
            for name in FIGURES
        ]
        of = f"  {row['our_data'] or ''}{', not comparable' if row['comparable'] is False else ''}"
        return [Text(text, style) for text in (*about, *figures, of)]
