"""What all screens have in common: the bar on top, keys, searching, copying, exporting, reading in the background."""

import gc
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import ActiveBinding, Binding, BindingType
from textual.css.query import NoMatches
from textual.keys import key_to_character
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input
from textual.worker import get_current_worker

from store import LswError, Store
from store.errors import Busy
from store.rows import Row, RunRow
from tui.frame.bar import Bar, titled
from tui.frame.export import Export, as_csv, markdown
from tui.frame.keys import Keys
from tui.frame.listing import Listing
from tui.frame.live import Live
from tui.frame.panes import Pane, Reading
from tui.frame.pick import Item, Pick
from tui.frame.remembered import Remembered
from tui.frame.rows import WIDE
from tui.frame.search import Search
from tui.frame.searching import SearchLine
from tui.study import Choice, Study

__all__ = ["Page", "Plain", "Stale", "settle", "titled", "until_cancelled"]

T = TypeVar("T")
BROAD = 140
"""Columns of a terminal from which two tables have room side by side."""
TALL = 34
"""Lines of a terminal from which there is room for more."""
Plain = tuple[list[str], list[list[str]]]


def settle() -> None:
    """Leave what is in memory now out of later garbage collections, which would stop the screen for 60 ms each."""
    gc.collect()
    gc.freeze()


class Stale(Exception):
    """The work is no longer wanted."""


def until_cancelled() -> Callable[[int, int], None]:
    """A progress report for long work in this thread, which ends it once something newer is wanted."""
    worker = get_current_worker()

    def check(_: int, __: int) -> None:
        if worker.is_cancelled:
            raise Stale

    return check


class Bench(Protocol):
    """What pages ask of the app."""

    store: Store
    study: Study
    remembered: Remembered
    pages: list[str]
    runs: list[RunRow]
    recipes: dict[str, Row]
    live: Live
    choice: Choice
    note_text: str
    work_text: str

    def note(self, text: str) -> None:
        """Say something quietly, on top."""

    def rows(self, run_ids: Iterable[str]) -> list[RunRow]:
        """The runs with these ids that are in the store."""

    def compare(self, run_ids: Sequence[str], measure: str = "", qid: str = "") -> None:
        """Compare these runs, the baseline first, in a measure; at a query, else at the worst one."""

    def choose(self, choice: Choice) -> None:
        """Compare something else, or otherwise."""

    def show_results(self, result_id: str) -> None:
        """Show what a recipe run or a study found."""

    def show_provenance(self, run_id: str) -> None:
        """Show how a run was made."""

    def action_go(self, page: str) -> None:
        """Show another page."""


class Page(Screen[None]):
    """One of the numbered screens; `PAGE` is its name, that of its module. It lives as long as the app.

    `FIELDS` may stand before a colon in a search.
    """

    PAGE: ClassVar[str] = ""
    HELP: ClassVar[str] = ""
    FIELDS: ClassVar[tuple[str, ...]] = ()
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (WIDE, "-wide"), (BROAD, "-broad")]
    VERTICAL_BREAKPOINTS = [(0, "-short"), (TALL, "-tall")]
    ALLOW_IN_MAXIMIZED_VIEW = "Bar, Keys, SearchLine"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "search", "Search", priority=True, tooltip="Search as you type: words, field:word, !word"),
        Binding("e,ctrl+e", "export", "Export", show=False, key_display="e", tooltip="Write what is shown to a file"),
        Binding("p", "provenance", "Provenance", show=False, tooltip="How the run in focus was made"),
        Binding("y", "copy", "Copy", show=False, tooltip="Copy what the cursor is on (OSC 52: works over SSH)"),
        Binding("Y", "copy_table", "Copy table", show=False, tooltip="Copy the table as Markdown"),
        Binding("z,plus", "enlarge", "Enlarge", show=False, key_display="z", tooltip="Enlarge the pane in focus"),
        Binding("backspace", "app.back", "Back", show=False, tooltip="The screen one was on before"),
        Binding("escape", "leave", "Esc", show=False, tooltip="End the search, or what is enlarged"),
        Binding("l,right", "aside(1)", "Next pane", show=False),
        Binding("h,left", "aside(-1)", "Pane before", show=False),
    ]  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self._reads: dict[str, int] = {}

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.PAGE = cls.__module__.rpartition(".")[2]

    @property
    def bench(self) -> Bench:
        """The app, as far as pages need it."""
        return cast("Bench", self.app)

    def compose(self) -> ComposeResult:
        yield Bar()
        yield from self.body()
        yield SearchLine(self.FIELDS)
        yield Keys()

    def body(self) -> Iterator[Widget]:
        """The page's own widgets."""
        yield from ()

    def on_screen_resume(self) -> None:
        self.bar()
        if self.is_mounted:
            self.refreshed()

    def bar(self) -> None:
        """Draw the bar on top anew."""
        bench = self.bench
        if self.is_mounted:
            self.query_one(Bar).show(self.PAGE, bench.pages, bench.work_text, bench.note_text)

    def refreshed(self) -> None:
        """The store has changed, or the page is seen again."""

    def worked(self) -> None:
        """What is at work has gone on."""

    def dressed(self) -> None:
        """The theme is another."""
        self.refresh(layout=True)

    def place(self) -> Any:
        """Where one is on this page, to come back to; None if pages are all there is."""
        return None

    def restore(self, place: Any) -> None:
        """Go back to where one was."""

    @property
    def active_bindings(self) -> dict[str, ActiveBinding]:
        """The keys that do something now: letters are text while one types."""
        active, focused = super().active_bindings, self.focused
        if focused is None:
            return active
        return {k: b for k, b in active.items() if not focused.check_consume_key(k, key_to_character(k))}

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """`/` is a letter where one types."""
        if action == "search" and self.focused is not None:
            return not self.focused.check_consume_key("slash", "/")
        return True

    def read(self, group: str, make: Callable[[], T], then: Callable[[T], None]) -> None:
        """Do slow work in a thread, and give its result to `then` unless newer work of the same group has begun.

        A busy store is a quiet note, and is tried again; any other error is shown.
        """
        app, bench = self.app, self.bench
        self._reads[group] = number = self._reads.get(group, 0) + 1

        def again() -> None:
            if self._reads[group] == number:  # nothing newer was asked for meanwhile
                self.read(group, make, then)

        def work() -> None:
            worker = get_current_worker()
            try:
                result = make()
            except Busy as busy:
                if not worker.is_cancelled:
                    app.call_from_thread(bench.note, busy.title.replace(str(bench.store.database), "").strip())
                    app.call_from_thread(self.set_timer, 0.7, again)
                return
            except Stale:
                return
            except LswError as error:
                if not worker.is_cancelled:
                    app.call_from_thread(self._refused, error)
                return
            if not worker.is_cancelled:
                app.call_from_thread(self._hand_over, then, result)

        self.run_worker(work, thread=True, exclusive=True, group=group, exit_on_error=True)

    def _hand_over(self, then: Callable[[T], None], result: T) -> None:
        if self.is_attached:
            self.bench.note("")
            then(result)

    def _refused(self, error: LswError) -> None:
        if self.is_attached:
            self.bench.note("")
            self.failed(error)

    def failed(self, error: LswError) -> None:
        """Show an error; pages that have nothing else to show show it in full."""
        self.notify(str(error), severity="error", markup=False)

    # Choosing.

    def pick(
        self,
        title: str,
        items: Iterable[Item],
        present: str,
        then: Callable[[str], None],
        check: Callable[[str], object] | None = None,
    ) -> None:
        """Let one choose from a small list; `then` has the name, and is not asked after Esc."""

        def chosen(name: str | None) -> None:
            if name is not None:
                then(name)

        self.app.push_screen(Pick(title, list(items), present, check), chosen)

    # Searching.

    @property
    def search(self) -> Search:
        """What is searched for; nothing, if nothing is."""
        try:
            return self.query_one(SearchLine).search
        except NoMatches:
            return Search()

    def action_search(self) -> None:
        self.query_one(SearchLine).begin()

    def action_leave(self) -> None:
        """Esc: end the search."""
        line = self.query_one(SearchLine)
        if line.display:
            line.end()
            self.focus_first()

    @on(Input.Submitted, "#search")
    def kept(self, event: Input.Submitted) -> None:
        """Keep the search; nothing is no search."""
        if not event.value.strip():
            self.query_one(SearchLine).end()
        self.focus_first()

    @on(SearchLine.Changed)
    def looked_for(self, event: SearchLine.Changed) -> None:
        self.searched(event.search)

    def searched(self, search: Search) -> None:
        """Show what it finds."""

    def hits(self, found: int, of: int) -> None:
        """Say how many rows the search has left."""
        self.query_one(SearchLine).told(found, of)

    # Focus.

    def lists(self) -> list[Widget]:
        """What h and l go through, from left to right."""
        return [w for w in self.focus_chain if isinstance(w, Listing | Reading)]

    def focus_first(self) -> None:
        """Focus the first list."""
        if lists := self.lists():
            self.set_focus(lists[0])

    def action_aside(self, step: int) -> None:
        lists = self.lists()
        at = next((i for i, w in enumerate(lists) if w.has_focus), -step if step > 0 else 0)
        if lists:
            lists[max(0, min(at + step, len(lists) - 1))].focus()

    @on(Listing.Aside)
    def beside(self, event: Listing.Aside) -> None:
        self.action_aside(event.row)

    def action_enlarge(self) -> None:
        """The pane in focus fills the screen, or no longer."""
        if self.maximized:
            self.minimize()
        elif self.focused:
            pane = next((w for w in self.focused.ancestors_with_self if isinstance(w, Pane)), None)
            self.maximize(pane or self.focused, container=False)

    # Copying and exporting.

    def focused_run(self) -> RunRow | None:
        """The run that is in focus, if one is."""
        return None

    def action_provenance(self) -> None:
        if run := self.focused_run():
            self.bench.show_provenance(run["run_id"])
        else:
            self.notify("No run is in focus here.", severity="warning", timeout=3)

    def current(self) -> tuple[str, str]:
        """What `y` copies: its name and its text."""
        return "", ""

    def table(self) -> Plain:
        """The view as a table: names of columns, rows."""
        try:
            return self.query_one(Listing).rows.plain()
        except NoMatches:
            return [], []

    def exports(self) -> dict[str, Callable[[Path], None]]:
        """What writes the view to a path, by the endings of files; the first is offered."""
        table, picture = self.table(), self.app.export_screenshot(title=f"lsw {self.PAGE}")
        return {
            ".csv": partial(_write, as_csv(*table)),
            ".md": partial(_write, markdown(*table)),
            ".svg": partial(_write, picture),
        }

    def action_copy(self) -> None:
        what, text = self.current()
        if text:
            self.app.copy_to_clipboard(text)
            self.notify(f"Copied {what}.", timeout=2)

    def action_copy_table(self) -> None:
        columns, rows = self.table()
        if columns:
            self.app.copy_to_clipboard(markdown(columns, rows))
            self.notify(f"Copied {len(rows)} rows as Markdown.", timeout=2)

    def action_export(self) -> None:
        def written(path: Path | None) -> None:
            if path:
                self.notify(f"Wrote {path}", markup=False)

        self.app.push_screen(Export(self.PAGE, self.exports()), written)


def _write(text: str, path: Path) -> None:
    path.write_text(text, "utf-8", newline="")
