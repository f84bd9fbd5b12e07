"""Screen 7: published figures beside ours."""

from collections.abc import Iterator

from rich.text import Text
from textual.widget import Widget
from textual.widgets import Static

from store.rows import Row
from tui.listing import Column, Listing, Rows
from tui.page import Page
from workbench.comparison.published import beside, published, warning
from workbench.comparison.words import signed


class Published(Page):
    """Each published figure, before and after training, with the newest of ours."""

    HELP = """
The figures of Chari, MacAvaney and Ounis (ECIR 2025) on mMARCO v2, and beside each the newest run of this store with
the same system, training and varieties. Figures on other collections cannot be compared; the line on top says on which
ours are. Bold: both are there.

`lsw compare --reference` prints the same, also as CSV and JSON.
"""

    def body(self) -> Iterator[Widget]:
        yield Static(id="about", markup=False)
        yield Listing(id="figures")

    def on_mount(self) -> None:
        self.query_one(Listing).focus()

    def refreshed(self) -> None:
        rows = beside(published(), self.bench.runs)
        self.query_one("#about", Static).update(f" {warning(rows)}")
        columns = [
            Column("system", 16), Column("trained", 7), Column("on", 4), Column("measure", 7),
            *(Column(name, 6, right=True) for name in ("base", "tuned", "gain", "ours", "tuned", "gain")),
            Column("  of", needs=100),
        ]  # fmt: skip

        def cells(i: int) -> list[Text]:
            row: Row = rows[i]
            style = "bold" if row["our_base"] is not None else ""
            theirs = [f"{row['base']:.4f}", f"{row['finetuned']:.4f}", signed(row["gain"], 4)]
            ours = ["-" if row[c] is None else f"{row[c]:.4f}" for c in ("our_base", "our_finetuned")]
            gain = "-" if row["our_gain"] is None else signed(row["our_gain"], 4)
            about = (row["system"], row["trained_on"], row["query_variety"], row["measure"])
            return [Text(text, style) for text in (*about, *theirs, *ours, gain, f"  {row['our_data'] or ''}")]

        self.query_one(Listing).show(Rows(columns, len(rows), cells), self.query_one(Listing).cursor)
