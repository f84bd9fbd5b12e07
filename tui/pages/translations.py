"""Screen 5: each low-resource wording beside its source, the suspicious first, and what it costs."""

from collections.abc import Iterator
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widget import Widget
from textual.widgets import Static

from store import browse
from store.rows import Row
from tui.comparing.words import beside
from tui.frame.folding import folded
from tui.frame.listing import Listing
from tui.frame.panes import Pane, Reading
from tui.frame.pick import Item
from tui.frame.rows import Cells, Column, Rows, widest
from tui.frame.search import Search
from tui.page import Page
from workbench.audit.signs import SIGNS, signs
from workbench.comparison.words import signed
from workbench.varieties import table as varieties

SORTS = ("suspicion", "cost", "qid", "translator", "wording")
ALL = "all sets"


def judged(pairs: list[Row], costs: dict[tuple[str, str, str, str], float]) -> list[Row]:
    """Pairs of wordings with their `signs` and their `cost`, where a run was evaluated on both."""
    sets: dict[tuple[str, str, str], list[Row]] = {}
    for row in pairs:
        sets.setdefault((row["translator"], row["source_variety"], row["target_variety"]), []).append(row)
    known = varieties()
    for (_, source, target), rows in sets.items():
        alike = source in known and target in known and known[source].words == known[target].words == "han"
        flags = signs([r["source_text"] for r in rows], [r["text"] for r in rows], target, alike)
        for row, signs_of_row in zip(rows, flags, strict=True):
            row["signs"] = signs_of_row
            row["cost"] = costs.get((row["collection"], target, source, row["qid"]))
    return pairs


class Translations(Page):
    """Wordings side by side."""

    HELP = """
Every translation in the store, by translator, and the collection's own parallel queries that runs were asked
("parallel queries"), the suspicious first:

- **empty**: no text; **untranslated**: identical to its source; **script**: mostly letters of another script;
  **length**: less than half or more than twice the usual length for its source; **numbers**: other digits.
- A sign is a reason to look, not a verdict: Catalan and French may well write three words alike.

Below, both in full: the words that the other one has not are underlined, so that of code-switched text what was
switched stands out.

`cost` is the measure of the compare screen on this wording minus that on its source, mean over the base systems whose
runs have both; `-` where no run has. **/** finds `set:`, `signs:`, `qid:`, words of either text.
"""
    FIELDS = ("qid", "set", "signs", "wording", "source")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "sort", "Sort", tooltip="By suspicion, cost, qid, translator"),
        Binding("f", "filter", "Set", tooltip="One translator and pair, or all"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.pairs: list[Row] = []
        self.shown: list[Row] = []
        self.only = ALL
        self.sort_by, self.downwards = SORTS[0], False
        self.columns: list[str] = []

    def body(self) -> Iterator[Widget]:
        yield Static(" reading the wordings ...", id="about", markup=False)
        yield Listing(id="pairs")
        with Horizontal(id="sides"):
            for side in ("source", "target"):
                with Pane(classes="side", id=f"{side}-pane"), Reading():
                    yield Static(id=side)

    def on_mount(self) -> None:
        kept = self.bench.remembered.get("translations sort", SORTS[0])
        self.sort_by = kept if kept in SORTS else SORTS[0]
        self.query_one("#pairs", Listing).focus()

    def refreshed(self) -> None:
        if self.bench.store.exists():
            store, measure = self.bench.store, self.bench.choice.measure
            self.read(
                "pairs", lambda: judged(browse.wording_pairs(store), browse.wording_costs(store, measure)), self._read
            )
        else:
            self._read([])

    def _read(self, pairs: list[Row]) -> None:
        self.pairs = pairs
        for row in pairs:
            fields = {
                "qid": row["qid"], "set": _set(row), "signs": " ".join(row["signs"]),
                "wording": row["text"], "source": row["source_text"],
            }  # fmt: skip
            row["searched"] = {name: folded(text) for name, text in fields.items()}
        self.draw()

    def searched(self, search: Search) -> None:
        self.draw()

    def sets(self) -> list[str]:
        """Translators with their pairs of varieties."""
        return sorted({_set(row) for row in self.pairs})

    def draw(self) -> None:
        """Filter and sort."""

        def cost(row: Row) -> float:
            return 9.0 if row["cost"] is None else float(row["cost"])

        keys = {
            "suspicion": lambda r: (min((SIGNS.index(s) for s in r["signs"]), default=len(SIGNS)), cost(r)),
            "cost": cost,
            "qid": lambda r: r["qid"],
            "translator": lambda r: (r["translator"], r["source_variety"], r["target_variety"]),
            "wording": lambda r: r["searched"]["wording"],
        }
        search = self.search
        some = [
            r for r in self.pairs
            if self.only in (ALL, _set(r)) and search.fits(r["searched"], "\n".join(r["searched"].values()))
        ]  # fmt: skip
        self.shown = sorted(some, key=keys[self.sort_by], reverse=self.downwards)
        self.hits(len(some), len(self.pairs))
        odd = sum(bool(r["signs"]) for r in self.shown)
        about = f" {len(self.shown)} wordings of {self.only}, {odd} suspicious; by {self.sort_by}"
        if not self.pairs:
            about = (
                " No translation in the store, and no run with low-resource queries whose sources are known."
                " `lsw recipe run zero_shot_yue_zh` makes some."
            )
        self.query_one("#about", Static).update(about)
        listing = self.query_one("#pairs", Listing)
        columns = [
            Column("translator", 16, needs=79, middle=True), Column("pair", 8),
            Column("qid", widest((r["qid"] for r in self.shown), 14), middle=True),
            Column("cost", 6, right=True), Column("signs", 14), Column("wording"), Column("source", 40, needs=130),
        ]  # fmt: skip
        self.columns = ["translator", "translator", "qid", "cost", "suspicion", "wording", "wording"]

        def cells(i: int) -> Cells:
            row = self.shown[i]
            cost = "-" if row["cost"] is None else signed(row["cost"])
            return [
                Text(row["translator"]), Text(f"{row['target_variety']}-{row['source_variety']}"), Text(row["qid"]),
                Text(cost, "lost" if (row["cost"] or 0) < 0 else ""), Text(", ".join(row["signs"]), "sign"),
                Text(row["text"]), Text(row["source_text"], "dim"),
            ]  # fmt: skip

        by = self.columns.index(self.sort_by)
        listing.show(
            Rows(columns, len(self.shown), cells, sorted_by=by, downwards=self.downwards),
            min(listing.cursor, max(0, len(self.shown) - 1)),
        )
        if not self.shown:
            self._sides(None)

    @on(Listing.Moved)
    def moved(self, event: Listing.Moved) -> None:
        """Show both texts in full."""
        self._sides(self.shown[event.row] if event.row < len(self.shown) else None)

    def _sides(self, row: Row | None) -> None:
        known = varieties()
        texts = ("source_text", "text")
        for side, variety, text, other in zip(
            ("source", "target"), ("source_variety", "target_variety"), texts, reversed(texts), strict=True
        ):
            pane, shown = self.query_one(f"#{side}-pane", Pane), Text()
            pane.border_title = side
            if row:
                code = row[variety]
                name = known[code].name if code in known else code
                pane.border_title = f"{side}: {name} ({code}), {len(row[text])} characters"
                shown = beside(row[text], row[other])
            self.query_one(f"#{side}", Static).update(shown)

    def current(self) -> tuple[str, str]:
        at = self.query_one("#pairs", Listing).cursor
        row = self.shown[at] if at < len(self.shown) else None
        return ("both wordings", f"{row['source_text']}\t{row['text']}") if row else ("", "")

    def action_sort(self) -> None:
        self.pick("Sort wordings by", map(Item, SORTS), self.sort_by, self.sort)

    def sort(self, by: str, downwards: bool = False) -> None:
        """Sort otherwise; remembered."""
        self.sort_by, self.downwards = by, downwards
        self.bench.remembered.put("translations sort", by)
        self.draw()

    @on(Listing.Header)
    def sort_column(self, event: Listing.Header) -> None:
        """By what was clicked, and the other way round at the second click."""
        by = self.columns[event.row]
        self.sort(by, self.sort_by == by and not self.downwards)

    def action_filter(self) -> None:
        self.pick("Which wordings?", map(Item, [ALL, *self.sets()]), self.only, self.filter)

    def filter(self, only: str) -> None:
        """Show one set, or all."""
        self.only = only
        self.draw()


def _set(row: Row) -> str:
    return f"{row['translator']} {row['target_variety']} from {row['source_variety']}"
