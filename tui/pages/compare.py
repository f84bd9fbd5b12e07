"""Screen 3: two to four runs, query by query: the contrast, the queries, the rankings, the passage, and why."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, ClassVar

from rich.text import Text
from textual import events, on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widget import Widget
from textual.widgets import Static

from store import LswError
from store.rows import RunRow
from tui.comparing.choosing import Choosing
from tui.comparing.contrast import strip
from tui.comparing.queries import FIELDS, FILTERS, SORTS, ordered, queries_table, query_rows, worst
from tui.comparing.ranking import passage, ranking_table
from tui.comparing.rankings import Rankings
from tui.comparing.reasons import Reasons, reasons
from tui.comparing.why import Why
from tui.frame.listing import Listing
from tui.frame.panes import Divider, Pane, Reading
from tui.frame.pick import Item
from tui.frame.rows import WIDE, Rows
from tui.frame.search import Search
from tui.frame.searching import SearchLine
from tui.page import Plain, settle, until_cancelled
from tui.study import Choice, ComparedRuns, QueryRankings, unfinished

AHEAD = 12
"""Queries before and after the one that is shown, read before they are asked for."""
IDLE = 0.06
"""Seconds after a query is shown until that begins, so that it does not slow the showing."""


STAYS = 0.15
"""Seconds on a query after which its scores are taken apart."""


class Compare(Choosing):
    """The heart."""

    HELP = """
Two to four runs on the same queries. **A** is the baseline; the run marked ▸ is the one whose difference from A the
queries on the left show and are sorted by.

Top: mean, difference with its interval, effect size d_z, queries won/tied/lost, a verdict, and how it was tested.
Where a recipe declared this comparison, the verdict follows the p-value of its family.

Right: each ranking under the query text that its run scored; words that the baseline's wording has not are underlined.
`#1` is the top (rank 0 in the store). Lines lead from a passage in one list to the same one in the next.

- `✓` relevant, with its label if above 1; `✗` judged and not relevant; `·` not judged.
- In A: `→4` is where the chosen run has the passage, `lost` if nowhere. In the others: `↑3` moved up from A, `↓3` down,
  `=` the same, `new` not in A.
- The selected passage is selected in every ranking. Below, its text: words of the query as they stand in the focused
  ranking are marked by what they weigh (idf; a stop word not at all), words that begin alike (a relative's spelling)
  and single Chinese characters are underlined.

**w** asks why: the relevant passage and the best of what beat it, side by side, with what each system scored them by.
"""
    FIELDS = FIELDS
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "query(1)", "Next query"),
        Binding("N", "query(-1)", "Previous query", show=False),
        Binding("w", "why", "Why", tooltip="What beat the relevant passage, and by what"),
        Binding("s", "sort", "Sort", tooltip="Sort the queries otherwise"),
        Binding("f", "filter", "Filter", tooltip="All, won, lost, changed"),
        Binding("d", "chosen", "Other run", show=False, tooltip="Sort by the differences of the next run"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.comparison: ComparedRuns | None = None
        self.shown: QueryRankings | None = None
        self.order: list[int] = []
        self.docno = ""
        self.chosen = 1
        self.keep: str | None = None  # the qid to stay on
        self.sort_by, self.filter_by = SORTS[0], FILTERS[0]

    def body(self) -> Iterator[Widget]:
        yield Static(id="strip")
        with Horizontal(id="main"):
            with Pane(id="left", title="queries"):
                yield Listing(id="queries")
            yield Divider(id="divider")
            with Vertical(id="right"):
                with Pane(id="lists", title="rankings"):
                    yield Rankings()
                with Pane(id="passage", title="passage"), Reading():
                    yield Static(id="text")
            yield Why(id="why")

    def on_mount(self) -> None:
        kept = self.bench.remembered.get("queries sort", SORTS[0])
        self.sort_by = kept if kept in SORTS else SORTS[0]
        self._soon = self.set_interval(IDLE, self._ahead, pause=True)
        self._why = self.set_interval(STAYS, self._stayed, pause=True)
        queries = self.query_one("#queries", Listing)
        queries.at_once = self.query_moved
        queries.focus()

    def place(self) -> Any:
        return self.bench.choice, self.keep

    def restore(self, place: Any) -> None:
        choice, qid = place
        self.bench.choose(choice)
        self.keep = qid
        self.bench.remembered.put("qid", qid or "")
        self.refreshed()
        if self.comparison and self.comparison.choice == choice and qid:
            self.go_to(qid)

    def refreshed(self) -> None:
        bench, choice = self.bench, self._wanted()
        runs = bench.rows(choice.run_ids)
        if len(runs) < 2:
            self._clear()
            self.query_one("#strip", Static).update(
                "Nothing is compared yet. On Runs (2), mark two to four (space), then Enter; on Results (1), Enter."
            )
            return
        wanted = bench.remembered.get("qid", "")
        if self.comparison and self.comparison.choice == choice and self.comparison.runs == runs:
            if wanted and wanted != self.keep:
                self.go_to(wanted)
            return
        self.chosen = min(self.chosen, len(runs) - 1)
        if not self.comparison or self.comparison.choice.run_ids != choice.run_ids:
            self.keep = wanted or None
        if lacking := unfinished(runs, bench.recipes, bench.live.dead):
            self.failed(lacking)
            return
        bench.note(f"comparing {len(runs)} runs in {choice.measure}: {choice.method.test} test ...")
        study = bench.study
        self.read("compare", lambda: study.compare(choice, runs, until_cancelled()), self._compared)

    def _wanted(self) -> Choice:
        """The present choice, of the runs that are in the store."""
        choice = self.bench.choice
        return replace(choice, run_ids=tuple(r["run_id"] for r in self.bench.rows(choice.run_ids)))

    def failed(self, error: LswError) -> None:
        if self.is_mounted:
            self._clear()
            self.query_one("#strip", Static).update(Text(str(error)))
            super().failed(error)

    def _clear(self) -> None:
        """Nothing is compared: nothing of what was before may stand beside the reason."""
        self.comparison, self.order = None, []
        self.remove_class("-why")
        self.query_one("#left", Pane).border_title = "queries"
        self.query_one("#queries", Listing).show(Rows())
        self._nothing("")

    def _compared(self, comparison: ComparedRuns) -> None:
        if comparison.choice != self._wanted():
            return  # another was chosen while this one was computed
        self.chosen = min(self.chosen, len(comparison.runs) - 1)
        if self.comparison and self.comparison.choice.run_ids != comparison.choice.run_ids:
            self.shown = None
        self.comparison = comparison
        if self.keep is None or self.keep not in comparison.qids:
            self.keep = worst(comparison, self.chosen)
        self.set_timer(0.5, settle)
        self._strip()
        self._fit()
        self._queries()

    def _strip(self) -> None:
        if self.comparison:
            text = strip(self.comparison, self.chosen, self.size.width - 2, self.has_class("-short"))
            self.query_one("#strip", Static).update(text)

    def _fit(self) -> None:
        """As many rankings as there is room for."""
        if self.comparison:
            rankings, count = self.query_one(Rankings), len(self.comparison.runs)
            rankings.fit(count, self.chosen)
            self.query_one("#lists", Pane).border_title = f"rankings{rankings.about(count)}"

    def on_resize(self, _: events.Resize) -> None:
        self._strip()
        self.call_after_refresh(self._resized)

    def _resized(self) -> None:
        self._fit()
        self._queries()

    def dressed(self) -> None:
        super().dressed()
        self._strip()
        if self.shown:
            self._found(self.shown, self.docno)

    # Left: the queries.

    def _queries(self) -> None:
        """Sort and filter; stay on the query one was on, if it is still there."""
        comparison = self.comparison
        if not comparison:
            return
        listing = self.query_one("#queries", Listing)
        self.order = ordered(comparison, self.chosen, self.sort_by, self.filter_by, self.search)
        whole = len(comparison.qids)
        count = f"{len(self.order)}/{whole}" if len(self.order) < whole else str(whole)
        about = "" if self.filter_by == "all" else f" {self.filter_by}"
        self.query_one("#left", Pane).border_title = f"{count} queries{about}, by {self.sort_by}"
        self.hits(len(self.order), whole)
        at = next((r for r, i in enumerate(self.order) if comparison.qids[i] == self.keep), 0)
        narrow = self.size.width < WIDE
        listing.show(query_rows(comparison, self.chosen, self.order, narrow, self.sort_by), at)
        if not self.order:
            self._nothing()

    def _nothing(self, words: str = "No query is left; f shows all, Esc ends the search.") -> None:
        self.shown = None
        self.query_one(Rankings).empty()
        self._show_text(Text(words))

    def searched(self, search: Search) -> None:
        self.keep = self.shown.qid if self.shown else self.keep
        self._queries()

    def go_to(self, qid: str) -> None:
        """Show a query, also one that the filter hides."""
        if self.comparison and qid in self.comparison.qids:
            self.keep = qid
            if all(self.comparison.qids[i] != qid for i in self.order):
                self.filter_by = FILTERS[0]
                self.query_one(SearchLine).end()
            self._queries()
        elif self.comparison:
            self.notify(f"{qid} is no query of this comparison.", severity="warning", markup=False)

    def query_moved(self, row: int) -> None:
        """Show its rankings, at once if they are known."""
        comparison = self.comparison
        if not comparison or row >= len(self.order):
            return
        self.keep = qid = comparison.qids[self.order[row]]
        self.bench.remembered.put("qid", qid)
        study, runs = self.bench.study, comparison.runs
        known = study.known(comparison.choice.run_ids, qid)
        if known:
            self._found(known)
        else:
            self.read("query", lambda: study.find(runs, [qid]), lambda queries: self._found(queries[0]))

    def _filled(self, shown: list[QueryRankings]) -> None:
        """The texts have come."""
        if self.shown is shown[0]:
            for listing in self.query("Rankings Listing").results(Listing):
                listing.refresh()
            self._passage()
            self._reasons()
            self.reasons_wanted()

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

    def _found(self, shown: QueryRankings, docno: str = "") -> None:
        comparison = self.comparison
        if not comparison or shown.qid != self.keep or len(shown.docnos) != len(comparison.runs):
            return
        self.shown = shown
        self.query_one(Rankings).show(comparison, shown, self.chosen)
        self._select(docno or shown.best_relevant or next((d[0] for d in shown.docnos if d), ""))
        study, runs = self.bench.study, comparison.runs
        if shown.filled:
            self._reasons()
            self.reasons_wanted()
        else:
            self.read("texts", lambda: study.fill(runs, [shown]), self._filled)
        self._soon.reset()
        self._soon.resume()

    @on(Listing.Moved)
    def ranking_moved(self, event: Listing.Moved) -> None:
        """Select the same passage in every ranking."""
        run = self.query_one(Rankings).run_of(event.listing)
        if self.shown and run is not None and run < len(self.shown.docnos):
            docnos = self.shown.docnos[run]
            if event.row < len(docnos):
                self._select(docnos[event.row])

    def _select(self, docno: str) -> None:
        if self.shown:
            self.docno = docno
            self.query_one(Rankings).select(self.shown, docno)
            self._passage()

    def at_run(self) -> int:
        """The place of the run whose ranking has the focus, else of the chosen one."""
        if not self.comparison:
            return self.chosen
        of_why = self.query_one(Why).focused_run() if self.query_one(Why).display else None
        run = self.query_one(Rankings).run_of(self.focused) if of_why is None else of_why
        return min(self.chosen if run is None else run, len(self.comparison.runs) - 1)

    def focused_run(self) -> RunRow | None:
        return self.comparison.runs[self.at_run()] if self.comparison else None

    def on_descendant_focus(self) -> None:
        self._passage()

    def _passage(self) -> None:
        shown, comparison = self.shown, self.comparison
        if not shown or not comparison or not self.query_one("#passage").display:
            return
        run = self.at_run()
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
        width = max(1, self.query_one("#passage Reading").scrollable_content_region.width)
        lines = len(text.wrap(self.app.console, width))
        if static.styles.height is None or static.styles.height.value != lines:
            static.styles.height = lines
        static.update(text, layout=False)

    def _text_found(self, shown: QueryRankings, run: int, texts: dict[str, str]) -> None:
        if shown is self.shown and texts:
            shown.texts[run].update(texts)
            self._passage()

    # Why.

    def action_why(self) -> None:
        why = self.query_one(Why)
        self.set_class(not self.has_class("-why"), "-why")
        if self.has_class("-why"):
            self.call_after_refresh(self._reasons)  # once it has its size
            why.focus_first()
        else:
            self.query_one("#queries").focus()
            self._passage()

    def _reasons(self) -> None:
        if self.has_class("-why") and self.shown and self.comparison:
            self.query_one(Why).show(self.comparison, self.shown, self.chosen)

    @on(Why.Wanted)
    def reasons_wanted(self) -> None:
        """Once one stays on a query: a key that is held down asks for none."""
        self._why.reset()
        self._why.resume()

    def _stayed(self) -> None:
        """What takes longer than the next key: what words weigh; in the why view, what the systems say."""
        self._why.pause()
        comparison, shown = self.comparison, self.shown
        if not comparison or not shown:
            return
        if self.has_class("-why"):
            self._explain(comparison, shown)
        elif not shown.words:
            study, runs = self.bench.study, comparison.runs
            queries = [texts.get(shown.qid, "") for texts in comparison.queries]
            app, bench = self.app, self.bench

            def note(words: str) -> None:
                app.call_from_thread(bench.note, f"{words} ...")

            self.read("weights", lambda: study.weigh(shown, runs, queries, note), lambda _: self._passage())

    def _explain(self, comparison: ComparedRuns, shown: QueryRankings) -> None:
        """Ask the systems, in a thread: it may take the loading of a model."""
        why = self.query_one(Why)
        runs = [comparison.runs[i] for i in why.runs]
        queries = [comparison.queries[i].get(shown.qid, "") for i in why.runs]
        texts = [{d: shown.texts[i][d] for d in why.passages() if d in shown.texts[i]} for i in why.runs]
        store, app, bench = self.bench.store, self.app, self.bench

        def note(words: str) -> None:
            app.call_from_thread(bench.note, f"{words} ...")

        of = list(why.runs)

        def found(known: Reasons) -> None:
            if shown is self.shown and comparison is self.comparison and why.runs == of:
                why.found(known)

        self.read("why", lambda: reasons(store, runs, queries, texts, note), found)

    def action_leave(self) -> None:
        if self.has_class("-why") and not self.search:
            self.action_why()
        else:
            super().action_leave()

    # Actions.

    def action_query(self, step: int) -> None:
        self.query_one("#queries", Listing).action_move(step)

    def _choose_run(self, chosen: int) -> None:
        self.chosen = chosen
        self._strip()
        self._fit()
        self._queries()

    def action_chosen(self) -> None:
        if self.comparison and len(self.comparison.runs) > 2:
            self._choose_run(self.chosen % (len(self.comparison.runs) - 1) + 1)

    def action_sort(self) -> None:
        self.pick("Sort the queries by", map(Item, SORTS), self.sort_by, self.sort)

    def sort(self, by: str) -> None:
        """Sort the queries; remembered."""
        self.sort_by = by
        self.bench.remembered.put("queries sort", by)
        self._queries()

    @on(Listing.Header, "#queries")
    def sort_column(self, event: Listing.Header) -> None:
        """By qid, by the difference, and the other way round."""
        event.stop()
        column = event.listing.rows.columns[event.row].name
        self.sort("qid" if column in ("qid", "query") else "gain first" if self.sort_by == "delta" else "delta")

    def action_filter(self) -> None:
        self.pick("Show", map(Item, FILTERS), self.filter_by, self.filter)

    def filter(self, by: str) -> None:
        """Show some queries only."""
        self.filter_by = by
        self._queries()

    # Copying and leaving.

    def current(self) -> tuple[str, str]:
        comparison, shown = self.comparison, self.shown
        if not comparison or not shown:
            return "", ""
        run = self.query_one(Rankings).run_of(self.focused)
        if run is not None:
            return "the passage", f"{self.docno}\t{shown.texts[run].get(self.docno, '')}"
        pairs = zip(comparison.runs, comparison.queries, strict=True)
        texts = dict.fromkeys(f"{row['query_variety']}\t{query.get(shown.qid, '')}" for row, query in pairs)
        return "the query", "\n".join([shown.qid, *texts])

    def table(self) -> Plain:
        """The queries, or the ranking that has the focus, unrounded."""
        comparison, shown = self.comparison, self.shown
        if not comparison:
            return [], []
        run = self.query_one(Rankings).run_of(self.focused)
        if shown and run is not None:
            return ranking_table(shown, run)
        return queries_table(comparison, self.chosen, self.order)
