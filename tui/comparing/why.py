"""Why a ranking is as it is: the relevant passage beside what beat it, and what each system scored them by."""

from collections.abc import Iterator
from dataclasses import dataclass

from rich.text import Text
from textual import on
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Static

from tui.comparing.contrast import letter
from tui.comparing.queries import two_sided
from tui.comparing.ranking import judged
from tui.comparing.reasons import Part, Reasons, lit, matched, parts, wording
from tui.frame.listing import Listing
from tui.frame.panes import Pane, Reading
from tui.frame.rows import Cells, Column, Rows, shortened
from tui.study import LETTERS, ComparedRuns, QueryRankings, label
from workbench.comparison.words import signed

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
        above = shown.docnos[run][: shown.rank[run].get(relevant)]
        if above:
            return next((d for d in above if shown.labels.get(d, 0) <= 0), above[0])
    after = shown.docnos[runs[-1]]
    return after[1] if len(after) > 1 else ""


class Why(Vertical):
    """Of one query, in the baseline and the chosen run."""

    DEFAULT_CSS = """
    Why { width: 1fr; height: 1fr; display: none; }
    Why #contenders { height: 6; }
    Why #contenders Pane { width: 1fr; }
    Why #wordings { height: auto; max-height: 4; }
    Why #scored { height: auto; }
    Why #scored Listing { display: none; }
    Why #scored.-parts { height: 1fr; min-height: 4; }
    Why #scored.-parts Listing { display: block; }
    Why #says { height: auto; max-height: 5; color: $text-muted; }
    Why #two { height: 1fr; min-height: 4; }
    Why #two Pane { width: 1fr; margin-right: 1; }
    """

    class Wanted(Message):
        """Reasons are wanted, of these passages of each run."""

    def __init__(self, **options: str) -> None:
        super().__init__(**options)  # type: ignore[arg-type]
        self.comparison: ComparedRuns | None = None
        self.shown: QueryRankings | None = None
        self.runs: list[int] = []
        self.lists: list[list[Place]] = [[], []]
        self.relevant, self.rival = "", ""
        self.known: Reasons | None = None
        self.parts: list[Part] = []
        self._at = 1

    def compose(self) -> Iterator[Widget]:
        with Horizontal(id="contenders"):
            for i in range(2):
                with Pane(id=f"contender{i}"):
                    yield Listing(id=f"above{i}")
        yield Static(id="wordings")
        with Pane(id="scored"):
            yield Static(id="says", markup=False)
            yield Listing(id="parts")
        with Horizontal(id="two"):
            for side in ("relevant", "rival"):
                with Pane(id=side), Reading():
                    yield Static(id=f"{side}-text")

    def focus_first(self) -> None:
        """Focus the chosen run's list."""
        self.query_one("#above1", Listing).focus()

    def focused_run(self) -> int | None:
        """The run whose scores are shown: that of the list that had the focus last."""
        return self.runs[self._at] if self.runs else None

    def passages(self) -> list[str]:
        """Docnos whose scores are wanted."""
        listed = [place.docno for places in self.lists for place in places]
        return list(dict.fromkeys(filter(None, [*listed, self.relevant, self.rival])))

    def show(self, comparison: ComparedRuns, shown: QueryRankings, chosen: int) -> None:
        """Show a query; its reasons are asked for."""
        if shown is not self.shown or self.runs != [0, chosen]:
            self.known = None
        new = shown is not self.shown
        self.comparison, self.shown, self.runs = comparison, shown, [0, chosen]
        relevant = [d for d, label_ in shown.labels.items() if label_ > 0]
        self.relevant = shown.best_relevant or (relevant[0] if relevant else "")
        if new:
            self.rival = rival(shown, self.runs, self.relevant)
        for i, run in enumerate(self.runs):
            self.lists[i] = contenders(shown, run, self.relevant)
            self.query_one(f"#contender{i}", Pane).border_title = self._title(run)
            listing = self.query_one(f"#above{i}", Listing)
            docnos = [place.docno for place in self.lists[i]]
            with self.prevent(Listing.Moved):
                listing.show(self._rows(run, self.lists[i]), docnos.index(self.rival) if self.rival in docnos else 0)
        self.draw()
        if self.known is None:
            self.post_message(self.Wanted())

    def _title(self, run: int) -> str:
        assert self.shown and self.comparison
        at = self.shown.rank[run].get(self.relevant)
        if not self.relevant:
            said = "no relevant passage is known"
        elif at is None:
            said = f"relevant not in {len(self.shown.docnos[run])}"
        else:
            count = sum(label_ > 0 for label_ in self.shown.labels.values())
            which = "relevant" if count == 1 else f"{shortened(self.relevant, 14)}, of {count} relevant,"
            said = f"{which} at #{at + 1}" if at else f"{which} on top"
        name = shortened(label(self.comparison.runs[run]), max(8, self.size.width // 2 - len(said) - 8))
        return f"{LETTERS[run]} {name}: {said}"

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
        """Hold what the cursor is on against the relevant passage; of a part, show its places alone."""
        name = event.listing.id or ""
        event.stop()
        if name.startswith("above"):
            places = self.lists[int(name[-1])]
            if event.row < len(places) and places[event.row].docno != self.relevant:
                self.rival = places[event.row].docno
            self.draw()
        else:
            self._passages()

    def on_descendant_focus(self) -> None:
        for i in range(2):
            if self.query_one(f"#above{i}").has_focus:
                self._at = i
        self.draw()

    def found(self, known: Reasons) -> None:
        """The reasons have come."""
        self.known = known
        self.draw()

    # What is drawn.

    def draw(self) -> None:
        """The wordings, the scores and both passages, as the run in focus sees them."""
        comparison, shown = self.comparison, self.shown
        if not comparison or not shown or not self.runs:
            return
        texts = [comparison.queries[run].get(shown.qid, "") for run in self.runs]
        lines = []
        for i, run in enumerate(self.runs):
            words = self.known.words[i] if self.known else []
            lines.append(Text.assemble(letter(run), " ", wording(texts[i], words, texts[1 - i])))
        self.query_one("#wordings", Static).update(Text("\n").join(lines))
        self._scores()
        self._passages()

    def _scores(self) -> None:
        pane, says = self.query_one("#scored", Pane), self.query_one("#says", Static)
        listing, run = self.query_one("#parts", Listing), self.runs[self._at]
        shown = self.shown
        assert shown
        if self.known is None:
            pane.border_title, self.parts = f"{LETTERS[run]} takes its scores apart ...", []
            says.update("")
            listing.show(Rows())
            return
        said = self.known.said[self._at]
        self.parts = parts(said, (self.relevant, self.rival))
        scores = [said.scores.get(docno, said.recorded.get(docno)) for docno in (self.relevant, self.rival)]
        told = [f"{score:.4g}" if score is not None else "-" for score in scores]
        every = {(p.what, p.query) for d in (self.relevant, self.rival) for p in said.portions.get(d, [])}
        others = f"; {left} add nothing" if (left := len(every) - len(self.parts)) > 0 else ""
        pane.border_title = f"{LETTERS[run]} {said.kind}: {told[0]} relevant, {told[1]} against it{others}"
        whole = self.screen.has_class("-tall")
        says.update(said.why_not or (said.says if whole else f"{said.says.split('. ')[0].rstrip('.')}."))
        wide = listing.size.width >= 90
        most = max((abs(part.difference) for part in self.parts), default=0.0) or 1.0
        texts = [shown.texts[run].get(docno, "") for docno in (self.relevant, self.rival)]

        def cells(i: int) -> Cells:
            part = self.parts[i]
            values = [Text("-" if value is None else f"{value:.3f}") for value in part.values]
            found = [Text(matched(p, text), "dim") for p, text in zip(part.portions, texts, strict=True)]
            bar = two_sided(-part.difference / most, 5)
            return [Text(part.what), values[0], *found[: 1 * wide], bar, values[1], *found[1 : 1 + wide],
                    Text(signed(-part.difference))]  # fmt: skip

        columns = [
            Column("of the query", 0 if not wide else 20), Column("relevant", 8, right=True),
            *([Column("by", 0)] * wide), Column("- | +", 11, whole=True), Column("against", 8, right=True),
            *([Column("by", 0)] * wide), Column("diff.", 7, right=True),
        ]  # fmt: skip
        pane.set_class(bool(self.parts), "-parts")
        with self.prevent(Listing.Moved):
            listing.show(Rows(columns, len(self.parts), cells), min(listing.cursor, max(0, len(self.parts) - 1)))

    def _passages(self) -> None:
        comparison, shown = self.comparison, self.shown
        if not comparison or not shown or not self.runs:
            return
        run, listing = self.runs[self._at], self.query_one("#parts", Listing)
        variety = str(comparison.runs[run]["document_variety"])
        one = self.parts[listing.cursor] if listing.has_focus and listing.cursor < len(self.parts) else None
        for i, (side, docno) in enumerate((("relevant", self.relevant), ("rival", self.rival))):
            text = shown.texts[run].get(docno, "")
            ranks = "  ".join(
                f"{LETTERS[r]} #{shown.rank[r][docno] + 1}" if docno in shown.rank[r] else f"{LETTERS[r]} -"
                for r in self.runs
            )
            pane = self.query_one(f"#{side}", Pane)
            also = ", also relevant" if side == "rival" and shown.labels.get(docno, 0) > 0 else ""
            pane.border_title = f"{'relevant' if side == 'relevant' else 'against it'}: {docno or '-'}{also}  {ranks}"
            body = Text(text)
            if self.known:
                from workbench.explaining.weights import matches

                words = matches(self.known.words[self._at], text, variety) if self.known.words[self._at] else []
                body = lit(
                    text, self.known.said[self._at].portions.get(docno, []), words, one.portions[i] if one else None
                )
            if docno and not text:
                body = Text("The text of this passage is not in the store.", "dim")
            self.query_one(f"#{side}-text", Static).update(body)
