"""Rankings side by side: each under its wording, lines between neighbours."""

from collections.abc import Iterator

from rich.text import Text
from textual.containers import Horizontal, Vertical
from textual.widget import Widget
from textual.widgets import Static

from tui.comparing.contrast import letter
from tui.comparing.links import Links
from tui.comparing.ranking import ranking_rows, relevant_at
from tui.comparing.words import beside
from tui.frame.listing import Listing
from tui.frame.looks import run as look
from tui.frame.rows import Rows, shortened
from tui.study import LETTERS, ComparedRuns, QueryRankings, label

LEAST = 24
"""Columns of a list; where there is no room for all, some are shown at a time."""
BETWEEN = 4
"""Columns between two lists, about."""


class Rankings(Horizontal):
    """Lists are by place, whichever runs they show: the baseline first, then others in order."""

    DEFAULT_CSS = """
    Rankings { height: 1fr; }
    Rankings .ranking { width: 1fr; }
    Rankings .between { width: auto; }

    Rankings .between .wording { width: 1; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.runs: list[int] = []
        """Which run each list shows."""

    def compose(self) -> Iterator[Widget]:
        lists = [Listing(id=f"ranking{i}") for i in range(len(LETTERS))]
        for i, listing in enumerate(lists):
            if i:
                with Vertical(classes="between", id=f"between{i}"):
                    yield Static(classes="wording")
                    yield Links(lists[i - 1], listing, id=f"links{i}")
            with Vertical(classes="ranking", id=f"list{i}"):
                yield Static(classes="wording", id=f"wording{i}")
                yield listing

    def listing(self, place: int) -> Listing:
        """The list at a place."""
        return self.query_one(f"#ranking{place}", Listing)

    def fit(self, count: int, chosen: int) -> None:
        """Show as many of so many runs as there is room for: the baseline, the chosen one, and those after it."""
        room = max(1, min(count, (self.size.width + BETWEEN) // (LEAST + BETWEEN)))
        others = range(1, count)
        first = min(chosen, max(1, count - room + 1))
        self.runs = list(range(count)) if room >= count else [0, *others[first - 1 : first - 2 + room]]
        self.runs = self.runs if room > 1 else [chosen]
        for place in range(len(LETTERS)):
            shown = place < len(self.runs)
            self.query_one(f"#list{place}").display = shown
            if place:
                self.query_one(f"#between{place}").display = shown

    def empty(self) -> None:
        """Show nothing."""
        for place in range(len(LETTERS)):
            self.query_one(f"#wording{place}", Static).update("")
            self.listing(place).show(Rows())

    def show(self, comparison: ComparedRuns, shown: QueryRankings, chosen: int) -> None:
        """A query's rankings; a wording's words that the baseline's has not are underlined, as are those it lost."""
        at = comparison.qids.index(shown.qid)
        words = [queries.get(shown.qid, "its text is not in the store") for queries in comparison.queries]
        wide = max(1, self.query_one("#list0").size.width)
        for place, i in enumerate(self.runs):
            run = comparison.runs[i]
            head = Text.assemble(letter(i), (f" {comparison.values(i)[at]:.3f}", "bold"), "  ")
            head.append(shortened(label(run), max(1, wide - head.cell_len)))
            where = Text(relevant_at(shown, i), "dim")
            where.truncate(wide, overflow="ellipsis")
            other = words[chosen if i == 0 else 0]
            wording = beside(words[i], other)
            wording.stylize_before(look(i))
            self.query_one(f"#wording{place}", Static).update(Text("\n").join([head, where, wording]), layout=False)
            listing = self.listing(place)
            listing.rows = Rows()
            with self.prevent(Listing.Moved):
                listing.show(ranking_rows(shown, i, chosen, listing.size.width))

    def select(self, shown: QueryRankings, docno: str) -> None:
        """Put the cursor on a passage wherever it is, and draw the lines."""
        relevant = {d for d, label_ in shown.labels.items() if label_ > 0}
        for place, i in enumerate(self.runs):
            self.listing(place).point(shown.rank[i].get(docno))
            if place:
                before = self.runs[place - 1]
                links = self.query_one(f"#links{place}", Links)
                links.show(shown, (before, i), relevant, docno)

    def run_of(self, widget: Widget | None) -> int | None:
        """The run whose list this is; None if it is none."""
        name = (widget.id or "") if widget else ""
        place = int(name[-1]) if name.startswith("ranking") else len(self.runs)
        return self.runs[place] if place < len(self.runs) else None

    def about(self, count: int) -> str:
        """Which runs are shown, where not all have room."""
        if len(self.runs) == count:
            return ""
        more = "d goes on" if count > 2 else "b turns them round"
        return f": {', '.join(LETTERS[i] for i in self.runs)} of {count} runs; {more}"
