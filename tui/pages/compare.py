"""Screen 2: two to four runs, query by query: the contrast, the queries, the rankings side by side, the passage."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import ClassVar

from rich.text import Text
from textual import events, on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widget import Widget
from textual.widgets import Static

from store import LswError
from tui.contrast import COLOURS, letter, strip
from tui.listing import WIDE, Listing, Rows
from tui.page import Page, Plain, settle, until_cancelled
from tui.queries import FILTERS, SORTS, ordered, query_rows
from tui.ranking import passage, ranking_rows, relevant_at
from tui.study import LETTERS, ComparedRuns, QueryRankings, label, with_method
from workbench.evaluation.measures import DEFAULT
from workbench.significance.corrections import CORRECTIONS
from workbench.significance.paired_tests import TESTS

AHEAD = 12
"""Queries before and after the one that is shown, read before they are asked for."""
IDLE = 0.06
"""Seconds after a query is shown until that begins, so that it does not slow the showing."""


class Compare(Page):
    """The heart."""

    HELP = """
Two to four runs on the same queries. **A** is the baseline; the run marked ▸ is the one whose difference from A the
queries on the left show and are sorted by.

Top: mean, difference with its interval, effect size d_z, queries won/tied/lost, a verdict, and how it was tested.
Where a recipe declared this comparison, the verdict follows the p-value of its family.

Right: each ranking under the query text that its run scored. `#1` is the top (rank 0 in the store).

- `✓` relevant, with its label if above 1; `✗` judged and not relevant; `·` not judged.
- In A: `→4` is where the chosen run has the passage, `lost` if nowhere. In the others: `↑3` moved up from A, `↓3` down,
  `=` the same, `new` not in A.
- The selected passage is selected in every ranking. Below, its text: words of the query as they stand in the focused
  ranking are reversed; words that begin alike (a relative's spelling) and single Chinese characters are underlined.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "query(1)", "Next query"),
        Binding("p", "query(-1)", "Previous query", show=False),
        Binding("m", "measure", "Measure", tooltip="Next measure"),
        Binding("M", "any_measure", "Any measure", show=False, tooltip="Type any measure, as in RR(rel=2)@20"),
        Binding("t", "test", "Test", tooltip="Next test"),
        Binding("c", "correction", "Correction", show=False, tooltip="Next correction"),
        Binding("s", "sort", "Sort", tooltip="Sort the queries otherwise"),
        Binding("f", "filter", "Filter", tooltip="All, won, lost, changed"),
        Binding("d", "chosen", "Other run", show=False, tooltip="Sort by the differences of the next run"),
        Binding("b", "baseline", "Other baseline", show=False, tooltip="Make the next run the baseline"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.comparison: ComparedRuns | None = None
        self.shown: QueryRankings | None = None
        self.order: list[int] = []
        self.words: list[str] = []
        self.docno = ""
        self.chosen = 1
        self.keep: str | None = None  # the qid to stay on

    def body(self) -> Iterator[Widget]:
        yield Static(id="strip")
        with Horizontal(id="main"):
            with Vertical(id="left"):
                yield Static(id="about", markup=False)
                yield Listing(id="queries")
            with Vertical(id="right"):
                with Horizontal(id="lists"):
                    for i in range(len(LETTERS)):
                        with Vertical(classes="list", id=f"list{i}"):
                            yield Static(classes="wording", id=f"wording{i}")
                            yield Listing(id=f"ranking{i}")
                with VerticalScroll(id="passage", can_focus=False):
                    yield Static(id="text")

    def on_mount(self) -> None:
        kept = self.bench.remembered
        self.sort_by = kept.get("queries sort", SORTS[0])
        self.filter_by = FILTERS[0]
        self.keep = kept.get("qid", "") or None
        self._soon = self.set_interval(IDLE, self._ahead, pause=True)
        queries = self.query_one("#queries", Listing)
        queries.at_once = self.query_moved
        queries.focus()

    def refreshed(self) -> None:
        choice = self.bench.choice
        runs = self.bench.rows(choice.run_ids)
        choice = replace(choice, run_ids=tuple(r["run_id"] for r in runs))
        if len(runs) < 2:
            self.query_one("#strip", Static).update("Mark two to four runs on screen 1 (space), then Enter.")
            return
        if self.comparison and self.comparison.choice == choice and self.comparison.runs == runs:
            return
        self.chosen = min(self.chosen, len(runs) - 1)
        if self.shown and self.comparison:
            self.keep = self.shown.qid
        study = self.bench.study
        self.bench.note("computing ...")
        self.read("compare", lambda: study.compare(choice, runs, until_cancelled()), self._compared)

    def failed(self, error: LswError) -> None:
        self.query_one("#strip", Static).update(Text(str(error)))
        super().failed(error)

    def _compared(self, comparison: ComparedRuns) -> None:
        self.comparison = comparison
        self.set_timer(0.5, settle)
        for i in range(len(LETTERS)):
            self.query_one(f"#list{i}").display = i < len(comparison.runs)
        self._strip()
        self._queries()

    def _strip(self) -> None:
        if self.comparison:
            self.query_one("#strip", Static).update(strip(self.comparison, self.chosen, self.size.width - 2))

    def on_resize(self, _: events.Resize) -> None:
        self._strip()
        self.call_after_refresh(self._queries)

    # Left: the queries.

    def _queries(self) -> None:
        """Sort and filter; stay on the query one was on, if it is still there."""
        comparison = self.comparison
        if not comparison:
            return
        listing = self.query_one("#queries", Listing)
        self.order = ordered(comparison, self.chosen, self.sort_by, self.filter_by, self.words)
        searched = f", {len(self.order)} match" if self.words else ""
        self.query_one("#about", Static).update(
            f"{len(self.order)}/{len(comparison.qids)} {self.filter_by}{searched}; by {self.sort_by}"
        )
        at = next((r for r, i in enumerate(self.order) if comparison.qids[i] == self.keep), 0)
        listing.show(query_rows(comparison, self.chosen, self.order, narrow=self.size.width < WIDE), at)
        if not self.order:
            self._nothing()

    def _nothing(self) -> None:
        self.shown = None
        for i in range(len(LETTERS)):
            self.query_one(f"#wording{i}", Static).update("")
            self.query_one(f"#ranking{i}", Listing).show(Rows())
        self._show_text(Text("No query is left; f shows all, Esc ends the search."))

    def searched(self, words: list[str]) -> None:
        self.words = words
        self.keep = self.shown.qid if self.shown else self.keep
        self._queries()

    def query_moved(self, row: int) -> None:
        """Show its rankings, at once if they are known."""
        comparison = self.comparison
        if not comparison or row >= len(self.order):
            return
        self.keep = qid = comparison.qids[self.order[row]]
        study, runs = self.bench.study, comparison.runs
        known = study.known(comparison.choice.run_ids, qid)
        if known:
            self._found(known)
        else:
            self.read("query", lambda: study.find(runs, [qid]), lambda queries: self._found(queries[0]))

    def _filled(self, shown: list[QueryRankings]) -> None:
        """The texts have come."""
        if self.shown is shown[0]:
            for listing in self.query("#lists Listing").results(Listing):
                listing.refresh()
            self._passage()

    def _ahead(self) -> None:
        """Read the queries next to this one, so that they are there when they are wanted."""
        self._soon.pause()
        comparison = self.comparison
        if not comparison:
            return
        at = self.query_one("#queries", Listing).cursor
        study, runs = self.bench.study, comparison.runs
        near = [comparison.qids[self.order[r]] for r in range(at - 4, at + 5) if 0 <= r < len(self.order)]
        if all(study.known(comparison.choice.run_ids, q) for q in near):
            return
        window = range(at - AHEAD, at + AHEAD + 1)
        qids = [comparison.qids[self.order[r]] for r in window if 0 <= r < len(self.order)]
        self.read("ahead", lambda: study.fill(runs, study.find(runs, qids)), lambda _: None)

    # Right: the rankings.

    def _found(self, shown: QueryRankings) -> None:
        comparison = self.comparison
        if not comparison or shown.qid != self.keep or len(shown.docnos) != len(comparison.runs):
            return
        self.shown = shown
        at = comparison.qids.index(shown.qid)
        for i, run in enumerate(comparison.runs):
            value = comparison.values(i)[at]
            head = Text.assemble(letter(i), (f" {value:.3f}", "bold"), f"  {label(run)}")
            text = Text(comparison.queries[i].get(shown.qid, "its text is not in the store"), COLOURS[i])
            where = Text(relevant_at(shown, i), "dim")
            for line in (head, where):
                line.truncate(max(1, self.query_one(f"#list{i}").size.width - 2), overflow="ellipsis")
            self.query_one(f"#wording{i}", Static).update(Text("\n").join([head, where, text]), layout=False)
        best = [(min(r.get(d, 10**9) for r in shown.rank), d) for d, label_ in shown.labels.items() if label_ > 0]
        first = next((d[0] for d in shown.docnos if d), "")
        self.docno = min(best)[1] if best and min(best)[0] < 10**9 else first
        for i in range(len(comparison.runs)):
            listing = self.query_one(f"#ranking{i}", Listing)
            listing.rows = Rows()
            with self.prevent(Listing.Moved):
                listing.show(ranking_rows(shown, i, self.chosen))
        self._select(self.docno)
        study, runs = self.bench.study, comparison.runs
        if not shown.filled:
            self.read("texts", lambda: study.fill(runs, [shown]), self._filled)
        self._soon.reset()
        self._soon.resume()

    @on(Listing.Moved)
    def ranking_moved(self, event: Listing.Moved) -> None:
        """Select the same passage in every ranking."""
        name = event.listing.id or ""
        if self.shown and name.startswith("ranking"):
            docnos = self.shown.docnos[int(name[-1])]
            if event.row < len(docnos):
                self._select(docnos[event.row])

    def _select(self, docno: str) -> None:
        shown = self.shown
        if not shown:
            return
        self.docno = docno
        for i, rank in enumerate(shown.rank):
            self.query_one(f"#ranking{i}", Listing).point(rank.get(docno))
        self._passage()

    def focused_run(self) -> int:
        """The run whose ranking has the focus, else the chosen one."""
        name = self.focused.id if self.focused and self.focused.id else ""
        return int(name[-1]) if name.startswith("ranking") else self.chosen

    def on_descendant_focus(self) -> None:
        self._passage()

    def _passage(self) -> None:
        shown, comparison = self.shown, self.comparison
        if not shown or not comparison:
            return
        run = min(self.focused_run(), len(comparison.runs) - 1)
        study, row = self.bench.study, comparison.runs[run]
        docno = self.docno
        if docno and docno not in shown.texts[run]:

            def look() -> dict[str, str]:
                return study.texts(row["collection"], row["document_variety"], frozenset([docno]))

            self.read("text", look, lambda texts: self._text_found(shown, run, texts))
        query = comparison.queries[run].get(shown.qid, "")
        self._show_text(passage(shown, comparison.runs, run, docno, query))

    def _show_text(self, text: Text) -> None:
        """The passage; the screen is laid out anew only if it takes more lines or fewer."""
        static = self.query_one("#text", Static)
        width = max(1, self.query_one("#passage").scrollable_content_region.width)
        lines = len(text.wrap(self.app.console, width))
        if static.styles.height is None or static.styles.height.value != lines:
            static.styles.height = lines
        static.update(text, layout=False)

    def _text_found(self, shown: QueryRankings, run: int, texts: dict[str, str]) -> None:
        if shown is self.shown and texts:
            shown.texts[run].update(texts)
            self._passage()

    # Actions.

    def action_query(self, step: int) -> None:
        self.query_one("#queries", Listing).action_move(step)

    def action_chosen(self) -> None:
        if self.comparison and len(self.comparison.runs) > 2:
            self.chosen = self.chosen % (len(self.comparison.runs) - 1) + 1
            self._strip()
            self._queries()

    def action_baseline(self) -> None:
        ids = self.bench.choice.run_ids
        self.bench.choose(replace(self.bench.choice, run_ids=(*ids[1:], *ids[:1])))
        self.refreshed()

    def action_sort(self) -> None:
        self.sort_by = _next(SORTS, self.sort_by)
        self.bench.remembered.put("queries sort", self.sort_by)
        self._queries()

    def action_filter(self) -> None:
        self.filter_by = _next(FILTERS, self.filter_by)
        self._queries()

    def action_measure(self) -> None:
        runs = self.bench.rows(self.bench.choice.run_ids)
        known = sorted({m for r in runs for m in r["means"]}, key=lambda m: (m not in DEFAULT, m)) or DEFAULT
        self.measure(_next(known, self.bench.choice.measure))

    def action_any_measure(self) -> None:
        from tui.ask import Ask

        self.app.push_screen(Ask("Measure, as ir_measures writes it: RR(rel=2)@20, AP, nDCG@5", "AP"), self.measure)

    def measure(self, name: str | None) -> None:
        """Compare in another measure."""
        from workbench.evaluation.measures import parsed

        if not name:
            return
        try:
            parsed(name)
        except LswError as error:
            super().failed(error)
            return
        self.bench.choose(replace(self.bench.choice, measure=name))
        self.refreshed()

    def action_test(self) -> None:
        choice = self.bench.choice
        self.bench.choose(with_method(choice, test=_next(TESTS.names(), choice.method.test)))
        self.refreshed()

    def action_correction(self) -> None:
        choice = self.bench.choice
        self.bench.choose(with_method(choice, correction=_next(CORRECTIONS.names(), choice.method.correction)))
        self.refreshed()

    # Copying and leaving.

    def current(self) -> tuple[str, str]:
        comparison, shown = self.comparison, self.shown
        if not comparison or not shown:
            return "", ""
        run = self.focused_run()
        if self.focused and (self.focused.id or "").startswith("ranking"):
            return "the passage", f"{self.docno}\t{shown.texts[run].get(self.docno, '')}"
        pairs = zip(comparison.runs, comparison.queries, strict=True)
        texts = dict.fromkeys(f"{run['query_variety']}\t{query.get(shown.qid, '')}" for run, query in pairs)
        return "the query", "\n".join([shown.qid, *texts])

    def table(self) -> Plain:
        """The queries, or the ranking that has the focus, unrounded."""
        comparison, shown = self.comparison, self.shown
        if not comparison:
            return [], []
        if shown and self.focused and (self.focused.id or "").startswith("ranking"):
            run = self.focused_run()
            rows = [
                [str(rank + 1), d, f"{score:.6g}", str(shown.labels.get(d, "")), shown.texts[run].get(d, "")]
                for rank, (d, score) in enumerate(zip(shown.docnos[run], shown.scores[run], strict=True))
            ]
            return ["#", "docno", "score", "label", "text"], rows
        names = [f"{LETTERS[i]} {comparison.choice.measure}" for i in range(len(comparison.runs))]
        texts = [f"{LETTERS[i]} query" for i in range(len(comparison.runs))]
        per_query = [
            [
                comparison.qids[i], *(repr(float(v)) for v in comparison.paired.values[i, :, 0]),
                repr(float(comparison.deltas(self.chosen)[i])),
                *(q.get(comparison.qids[i], "") for q in comparison.queries),
            ]
            for i in self.order
        ]  # fmt: skip
        return ["qid", *names, f"{LETTERS[self.chosen]}-A", *texts], per_query

    def on_unmount(self) -> None:
        if self.keep:
            self.bench.remembered.put("qid", self.keep)


def _next(among: Sequence[str], now: str) -> str:
    return among[(among.index(now) + 1) % len(among)] if now in among else among[0]
