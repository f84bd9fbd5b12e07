"""Screen 4: each low-resource wording beside its source, the suspicious first, and what it costs."""

from collections.abc import Iterator
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.widget import Widget
from textual.widgets import Static

from store import browse
from store.rows import Row
from tui.listing import Column, Listing, Rows, widest
from tui.page import Page
from workbench.audit.signs import SIGNS, signs
from workbench.comparison.words import signed
from workbench.varieties import table as varieties

SORTS = ("suspicion", "cost", "qid", "translator")


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

`cost` is the measure of screen 2 on this wording minus that on its source, mean over the base systems whose runs have
both; `-` where no run has.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "sort", "Sort", tooltip="By suspicion, cost, qid, translator"),
        Binding("f", "filter", "Set", tooltip="One translator and pair after the other"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.pairs: list[Row] = []
        self.shown: list[Row] = []
        self.words: list[str] = []
        self.only: tuple[str, str, str] | None = None

    def body(self) -> Iterator[Widget]:
        yield Static(id="about", markup=False)
        yield Listing(id="pairs")
        with Horizontal(id="sides"):
            for side in ("source", "target"):
                with VerticalScroll(classes="side", can_focus=False):
                    yield Static(id=side)

    def on_mount(self) -> None:
        self.sort_by = self.bench.remembered.get("translations sort", SORTS[0])
        self.query_one(Listing).focus()

    def refreshed(self) -> None:
        if self.bench.store.exists():
            store, measure = self.bench.store, self.bench.choice.measure
            self.read(
                "pairs", lambda: judged(browse.wording_pairs(store), browse.wording_costs(store, measure)), self._read
            )

    def _read(self, pairs: list[Row]) -> None:
        self.pairs = pairs
        self.draw()

    def searched(self, words: list[str]) -> None:
        self.words = words
        self.draw()

    def _sets(self) -> list[tuple[str, str, str]]:
        return sorted({(r["translator"], r["source_variety"], r["target_variety"]) for r in self.pairs})

    def draw(self) -> None:
        """Filter and sort."""

        def cost(row: Row) -> float:
            return 9.0 if row["cost"] is None else float(row["cost"])

        keys = {
            "suspicion": lambda r: (min((SIGNS.index(s) for s in r["signs"]), default=len(SIGNS)), cost(r)),
            "cost": cost,
            "qid": lambda r: r["qid"],
            "translator": lambda r: (r["translator"], r["source_variety"], r["target_variety"]),
        }
        self.shown = sorted(
            (
                r for r in self.pairs
                if self.only in (None, (r["translator"], r["source_variety"], r["target_variety"]))
                and all(w in f"{r['qid']} {r['source_text']} {r['text']}".casefold() for w in self.words)
            ),
            key=keys[self.sort_by],
        )  # fmt: skip
        odd = sum(bool(r["signs"]) for r in self.shown)
        which = f"{self.only[0]}, {self.only[2]} from {self.only[1]}" if self.only else "all sets"
        about = f" {len(self.shown)} wordings of {which}, {odd} suspicious; by {self.sort_by}"
        if not self.pairs:
            about = " No translation in the store, and no run with low-resource queries whose sources are known."
        self.query_one("#about", Static).update(about)
        qid = Column("qid", widest((r["qid"] for r in self.shown), 14))
        columns = [
            Column("translator", 16, needs=79), Column("pair", 8), qid,
            Column("cost", 6, right=True), Column("signs", 14), Column("wording"), Column("source", 40, needs=130),
        ]  # fmt: skip

        def cells(i: int) -> list[Text]:
            row = self.shown[i]
            cost = "-" if row["cost"] is None else signed(row["cost"])
            return [
                Text(row["translator"]), Text(f"{row['target_variety']}-{row['source_variety']}"), Text(row["qid"]),
                Text(cost, "red" if (row["cost"] or 0) < 0 else ""), Text(", ".join(row["signs"]), "bold yellow"),
                Text(row["text"]), Text(row["source_text"], "dim"),
            ]  # fmt: skip

        self.query_one(Listing).show(Rows(columns, len(self.shown), cells))
        if not self.shown:
            self._sides(None)

    @on(Listing.Moved)
    def moved(self, event: Listing.Moved) -> None:
        """Show both texts in full."""
        self._sides(self.shown[event.row] if event.row < len(self.shown) else None)

    def _sides(self, row: Row | None) -> None:
        known = varieties()
        for side, variety, text in (("source", "source_variety", "source_text"), ("target", "target_variety", "text")):
            shown = Text()
            if row:
                code = row[variety]
                name = known[code].name if code in known else code
                shown = Text.assemble((f"{name} ({code})", "bold"), f"  {len(row[text])} characters\n", row[text])
            self.query_one(f"#{side}", Static).update(shown)

    def current(self) -> tuple[str, str]:
        at = self.query_one(Listing).cursor
        row = self.shown[at] if at < len(self.shown) else None
        return ("both wordings", f"{row['source_text']}\t{row['text']}") if row else ("", "")

    def action_sort(self) -> None:
        self.sort_by = SORTS[(SORTS.index(self.sort_by) + 1) % len(SORTS)] if self.sort_by in SORTS else SORTS[0]
        self.bench.remembered.put("translations sort", self.sort_by)
        self.draw()

    def action_filter(self) -> None:
        among = [None, *self._sets()]
        self.only = among[(among.index(self.only) + 1) % len(among)] if self.only in among else None
        self.draw()
