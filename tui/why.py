"""Why a ranking is as it is: the relevant passage beside what beat it, and what each system scored them by."""

from collections.abc import Iterator
from dataclasses import dataclass

from rich.text import Text
from textual import on
from textual.containers import Horizontal, Vertical
from textual.widget import Widget
from textual.widgets import Static

from tui.contrast import letter
from tui.listing import Cells, Column, Listing, Rows, shortened
from tui.panes import Pane, Reading
from tui.ranking import judged
from tui.study import LETTERS, ComparedRuns, QueryRankings, label

ABOVE = 3
"""Passages above the relevant one that are listed."""


@dataclass(frozen=True)
class Place:
    """A passage in a ranking; `rank` from 0, None if it is not in it."""

    docno: str
    rank: int | None


def contenders(shown: QueryRankings, run: int, relevant: str) -> list[Place]:
    """The first passages that a run ranks above the relevant one, then that one; where it is on top, what follows it.

    Args:
        shown: the query.
        run: whose ranking.
        relevant: a docno; empty if none is known.
    """
    docnos, at = shown.docnos[run], shown.rank[run].get(relevant)
    above = docnos[: ABOVE if at is None else min(ABOVE, at)]
    places = [Place(docno, i) for i, docno in enumerate(above)]
    if relevant:
        places.append(Place(relevant, at))
    if at is not None and len(above) < ABOVE:
        places += [Place(docno, at + 1 + i) for i, docno in enumerate(docnos[at + 1 : at + 1 + ABOVE - len(above)])]
    return places


def rival(shown: QueryRankings, runs: list[int], relevant: str) -> str:
    """What to hold against the relevant passage: the first that is above it in the last run, else in the one before,
    else the first that is below it."""
    for run in reversed(runs):
        at = shown.rank[run].get(relevant)
        if shown.docnos[run] and at != 0:
            return next((d for d in shown.docnos[run][:at] if d != relevant), "")
    after = shown.docnos[runs[-1]]
    return after[1] if len(after) > 1 else ""


class Why(Vertical):
    """Of one query, in the baseline and the chosen run."""

    DEFAULT_CSS = """
    Why { width: 1fr; height: 1fr; display: none; }
    Why #contenders { height: 7; }
    Why #contenders Pane { width: 1fr; }
    Why #wordings { height: auto; max-height: 4; }
    Why #two { height: 1fr; }
    Why #two Pane { width: 1fr; margin-right: 1; }
    """

    def __init__(self, **options: str) -> None:
        super().__init__(**options)  # type: ignore[arg-type]
        self.comparison: ComparedRuns | None = None
        self.shown: QueryRankings | None = None
        self.runs: list[int] = []
        self.lists: list[list[Place]] = [[], []]
        self.relevant, self.rival = "", ""

    def compose(self) -> Iterator[Widget]:
        with Horizontal(id="contenders"):
            for i in range(2):
                with Pane(id=f"contender{i}"):
                    yield Listing(id=f"above{i}")
        yield Static(id="wordings")
        with Horizontal(id="two"):
            for side in ("relevant", "rival"):
                with Pane(id=side), Reading():
                    yield Static(id=f"{side}-text")

    def focus_first(self) -> None:
        """Focus the chosen run's list."""
        self.query_one(f"#above{len(self.runs) - 1 if self.runs else 0}", Listing).focus()

    def focused_run(self) -> int | None:
        """The run whose list has the focus, else the chosen one."""
        if not self.runs:
            return None
        return self.runs[0] if self.query_one("#above0").has_focus else self.runs[-1]

    def show(self, comparison: ComparedRuns, shown: QueryRankings, chosen: int) -> None:
        """Show a query."""
        new = shown is not self.shown
        self.comparison, self.shown, self.runs = comparison, shown, [0, chosen]
        known = [d for d, label_ in shown.labels.items() if label_ > 0]
        self.relevant = shown.best_relevant or (known[0] if known else "")
        if new:
            self.rival = rival(shown, self.runs, self.relevant)
        for i, run in enumerate(self.runs):
            self.lists[i] = contenders(shown, run, self.relevant)
            at = shown.rank[run].get(self.relevant)
            said = "no relevant passage is known" if not self.relevant else (
                f"relevant not in {len(shown.docnos[run])}" if at is None
                else "relevant on top" if not at else f"relevant at #{at + 1}"
            )  # fmt: skip
            name = shortened(label(comparison.runs[run]), max(8, self.size.width // 2 - len(said) - 9))
            self.query_one(f"#contender{i}", Pane).border_title = f"{LETTERS[run]} {name}: {said}"
            listing = self.query_one(f"#above{i}", Listing)
            docnos = [place.docno for place in self.lists[i]]
            with self.prevent(Listing.Moved):
                listing.show(self._rows(run, self.lists[i]), docnos.index(self.rival) if self.rival in docnos else 0)
        self._draw()

    def _rows(self, run: int, places: list[Place]) -> Rows:
        shown = self.shown
        assert shown

        def cells(i: int) -> Cells:
            docno, rank = places[i].docno, places[i].rank
            text = shown.texts[run].get(docno, "")[:200].replace("\n", " ")
            at = "-" if rank is None else str(rank + 1)
            return [Text(at, "dim"), judged(shown.labels.get(docno)), Text(docno), Text(text, "dim")]

        wide = min(14, max((len(place.docno) for place in places), default=5))
        columns = [Column("#", 4, right=True), Column("", 2, whole=True),
                   Column("docno", wide, needs=34, middle=True), Column("passage")]  # fmt: skip
        return Rows(columns, len(places), cells)

    @on(Listing.Moved)
    def moved(self, event: Listing.Moved) -> None:
        """Hold what the cursor is on against the relevant passage."""
        name = event.listing.id or ""
        if name.startswith("above"):
            event.stop()
            places = self.lists[int(name[-1])]
            if event.row < len(places) and places[event.row].docno != self.relevant:
                self.rival = places[event.row].docno
            self._draw()

    def on_descendant_focus(self) -> None:
        self._draw()

    def _draw(self) -> None:
        """The wordings and both passages, as the run in focus sees them."""
        comparison, shown, run = self.comparison, self.shown, self.focused_run()
        if not comparison or not shown or run is None:
            return
        lines = [Text.assemble(letter(i), " ", comparison.queries[i].get(shown.qid, "")) for i in self.runs]
        self.query_one("#wordings", Static).update(Text("\n").join(lines))
        for side, docno in (("relevant", self.relevant), ("rival", self.rival)):
            pane = self.query_one(f"#{side}", Pane)
            pane.border_title = f"{'relevant' if side == 'relevant' else 'against it'}: {docno or '-'}"
            pane.border_subtitle = "  ".join(
                f"{LETTERS[i]} #{shown.rank[i][docno] + 1}" if docno in shown.rank[i] else f"{LETTERS[i]} -"
                for i in self.runs
            )
            text = shown.texts[run].get(docno, "")
            self.query_one(f"#{side}-text", Static).update(Text(text))
