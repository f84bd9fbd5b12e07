"""What all screens have in common: the bar on top, keys, copying, exporting, reading in the background."""

import gc
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.css.query import NoMatches
from textual.markup import escape
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Footer, Input, Static
from textual.worker import get_current_worker

from store import LswError, Store
from store.errors import Busy
from store.rows import RunRow
from tui.export import Export, markdown
from tui.listing import WIDE, Listing
from tui.remembered import Remembered
from tui.study import Choice, Study

T = TypeVar("T")
Plain = tuple[list[str], list[list[str]]]


def titled(page: str) -> str:
    """A page's name as a title."""
    return "SQL" if page == "sql" else page.capitalize()


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


class Bar(Static):
    """The screens by number, and a note at the right end."""

    DEFAULT_CSS = "Bar { height: 1; background: $panel; }"

    def show(self, page: str, pages: list[str], note: str) -> None:
        """Draw it for one of the pages."""
        names = []
        for i, name in enumerate(pages, 1):
            shown = f" {i} {titled(name)} "
            names.append(f"[@click=app.go('{name}')]{f'[reverse bold]{shown}[/]' if name == page else shown}[/]")
        quiet = f"  [italic]{escape(note)}[/]" if note else ""
        self.update("".join(names) + quiet)


class Bench(Protocol):
    """What pages ask of the app."""

    store: Store
    study: Study
    remembered: Remembered
    pages: list[str]
    runs: list[RunRow]
    choice: Choice
    note_text: str

    def note(self, text: str) -> None:
        """Say something quietly, on top."""

    def rows(self, run_ids: Iterable[str]) -> list[RunRow]:
        """The runs with these ids that are in the store."""

    def compare(self, run_ids: list[str]) -> None:
        """Compare these runs, the baseline first."""

    def choose(self, choice: Choice) -> None:
        """Compare something else, or otherwise."""

    def action_go(self, page: str) -> None:
        """Show another page."""


class Page(Screen[None]):
    """One of the numbered screens; `PAGE` is its name, that of its module."""

    PAGE: ClassVar[str] = ""
    HELP: ClassVar[str] = ""
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (WIDE, "-wide")]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "search", "Search", tooltip="Search as you type; Esc ends it"),
        Binding("y", "copy", "Copy", show=False, tooltip="Copy what the cursor is on (OSC 52: works over SSH)"),
        Binding("Y", "copy_table", "Copy table", show=False, tooltip="Copy the table as Markdown"),
        Binding("ctrl+e", "export", "Export", show=False, tooltip="Write the view as CSV, Markdown or SVG"),
        Binding("escape", "leave", "Back", show=False),
        Binding("l,right", "focus_next_list", "Next list", show=False),
        Binding("h,left", "focus_previous_list", "Previous list", show=False),
    ]

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
        search = Input(
            placeholder="words that a row must have; Enter keeps them, Esc ends the search", id="search", compact=True
        )
        search.display = False
        yield search
        yield Footer(show_command_palette=False)

    def body(self) -> Iterator[Widget]:
        """The page's own widgets."""
        yield from ()

    def on_screen_resume(self) -> None:
        self.bar()
        if self.is_mounted:
            self.refreshed()

    def bar(self) -> None:
        """Draw the bar on top anew."""
        self.query_one(Bar).show(self.PAGE, self.bench.pages, self.bench.note_text)

    def refreshed(self) -> None:
        """The store has changed, or the page is seen again."""

    def read(self, group: str, make: Callable[[], T], then: Callable[[T], None]) -> None:
        """Do slow work in a thread, and give its result to `then` unless newer work of the same group has begun.

        A busy store is a quiet note, and is tried again; any other error is shown.
        """
        app, bench = self.app, self.bench

        def work() -> None:
            worker = get_current_worker()
            try:
                result = make()
            except Busy as busy:
                if not worker.is_cancelled:
                    app.call_from_thread(bench.note, busy.title.replace(str(bench.store.database), "").strip())
                    app.call_from_thread(self.set_timer, 0.7, lambda: self.read(group, make, then))
                return
            except Stale:
                return
            except LswError as error:
                if not worker.is_cancelled:
                    app.call_from_thread(self.failed, error)
                return
            if not worker.is_cancelled:
                app.call_from_thread(self._hand_over, then, result)

        self.run_worker(work, thread=True, exclusive=True, group=group, exit_on_error=True)

    def _hand_over(self, then: Callable[[T], None], result: T) -> None:
        if self.is_attached:
            self.bench.note("")
            then(result)

    def failed(self, error: LswError) -> None:
        """Show an error; pages that have nothing else to show show it in full."""
        self.notify(str(error), severity="error", markup=False)

    # Searching.

    def action_search(self) -> None:
        box = self.query_one("#search", Input)
        box.display = True
        box.focus()

    def action_leave(self) -> None:
        """Esc: end the search, else go back to the runs."""
        box = self.query_one("#search", Input)
        if box.display:
            box.display = False
            box.value = ""
            self.focus_first()
        elif self.PAGE != "runs":
            self.bench.action_go("runs")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        if event.input.id == "search":
            event.input.display = bool(event.value)
            self.focus_first()

    def on_input_changed(self, event: Input.Changed) -> None:
        if event.input.id == "search":
            self.searched(event.value.casefold().split())

    def searched(self, words: list[str]) -> None:
        """Show what has all of these words."""

    # Focus.

    def lists(self) -> list[Widget]:
        """What h and l go through, from left to right."""
        return [w for w in self.query(Listing) if w.display]

    def focus_first(self) -> None:
        """Focus the first list."""
        if lists := self.lists():
            lists[0].focus()

    def action_focus_next_list(self) -> None:
        self._step(1)

    def action_focus_previous_list(self) -> None:
        self._step(-1)

    def _step(self, step: int) -> None:
        lists = self.lists()
        at = next((i for i, w in enumerate(lists) if w.has_focus), -step if step > 0 else 0)
        if lists:
            lists[max(0, min(at + step, len(lists) - 1))].focus()

    # Copying and exporting.

    def current(self) -> tuple[str, str]:
        """What `y` copies: its name and its text."""
        return "", ""

    def table(self) -> Plain:
        """The view as a table: names of columns, rows."""
        try:
            return self.query_one(Listing).rows.plain()
        except NoMatches:
            return [], []

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

        picture = self.app.export_screenshot(title=f"lsw {self.PAGE}")
        self.app.push_screen(Export(self.PAGE, self.table(), picture), written)
