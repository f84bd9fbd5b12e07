"""The app: its screens, the store it watches, and what it remembers."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from pydantic import ValidationError
from rich.segment import Segment
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.color import Color
from textual.filter import LineFilter
from textual.screen import Screen
from textual.theme import BUILTIN_THEMES

from store import LswError, Store, browse
from store.errors import Busy
from store.rows import RunRow
from tui.page import Page, settle, titled
from tui.pages import PAGES
from tui.remembered import Remembered
from tui.study import Choice, Study
from workbench.evaluation.measures import DEFAULT
from workbench.significance.outcomes import Method
from workbench.talk import inert

DARK, LIGHT = "textual-dark", "textual-light"
WATCH = 1.0
"""Seconds between looks at the store."""
PATIENCE = 1.0
"""Seconds that a read waits for a writer before it becomes a note and is tried again."""


class Inert(LineFilter):
    """Leaves out what a terminal would obey: a query may hold an escape sequence."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return [Segment(inert(text), style, control) for text, style, control in segments]


class Workbench(App[None]):
    """`lsw tui`.

    Args:
        store: what to show.
        chosen: run ids to compare at once.
    """

    TITLE = "lsw"
    CSS_PATH = Path(__file__).parent / "app.tcss"
    ENABLE_COMMAND_PALETTE = True
    COMMAND_PALETTE_BINDING = "ctrl+p"
    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(str(i), f"go('{page}')", titled(page), show=False) for i, page in enumerate(PAGES.names(), 1)),
        Binding("question_mark,f1", "help", "Help", key_display="?", tooltip="What this screen shows, and its keys"),
        Binding("ctrl+t", "light", "Light or dark", show=False),
        Binding("q", "quit", "Quit"),
    ]

    def __init__(self, store: Store, chosen: list[str] | None = None) -> None:
        super().__init__()
        store.patience = PATIENCE
        self.store = store
        self.study = Study(store)
        self.remembered = Remembered(store.folder)
        self.pages = PAGES.names()
        self.runs: list[RunRow] = []
        self.note_text = ""
        self._asked = chosen or []
        self._stamp = (-1, -1)
        self._looking = False
        kept = self.remembered.get("choice", {})
        method = Method()
        with suppress(ValidationError):  # a test of a plug-in that is gone
            method = Method.model_validate(kept.get("method", kept.get("how", {})))  # its name before
        self.choice = Choice(tuple(kept.get("run_ids", [])), kept.get("measure", DEFAULT[0]), method)

    def get_default_screen(self) -> Screen[Any]:
        return PAGES.part(PAGES.names()[0])()

    def on_mount(self) -> None:
        theme = self.remembered.get("theme", DARK)
        self.theme = theme if theme in BUILTIN_THEMES else DARK
        self.set_interval(WATCH, self.look)
        self.look()

    def get_line_filters(self) -> Sequence[LineFilter]:
        return [*super().get_line_filters(), Inert()]

    # The store.

    def look(self) -> None:
        """Read the runs again if the store has changed."""
        stamp = browse.stamp(self.store)
        if stamp == self._stamp or self._looking:
            return
        self._looking = True
        self.run_worker(lambda: self._read(stamp), thread=True, group="runs", exit_on_error=True)

    def _read(self, stamp: tuple[int, int]) -> None:
        try:
            runs = self.study.runs()
        except Busy:
            self.call_from_thread(self._unread, "the store is being written; shown as it was")
        except LswError as error:
            self.call_from_thread(self._unread, "", error)
            self._stamp = stamp
        else:
            self.call_from_thread(self._seen, stamp, runs)
        finally:
            self._looking = False

    def _unread(self, note: str, error: LswError | None = None) -> None:
        self.note(note)
        if error and isinstance(self.screen_stack[0], Page):
            self.screen_stack[0].failed(error)

    def _seen(self, stamp: tuple[int, int], runs: list[RunRow]) -> None:
        first = self._stamp == (-1, -1)
        if first:
            self.call_after_refresh(settle)
            self.run_worker(_warm, thread=True, group="warm")
        self._stamp = stamp
        before = {r["run_id"]: r for r in self.runs}
        self.runs = runs
        self.study.forget(any(before.get(r["run_id"], r) != r for r in runs))
        self.note("")
        if first:
            self._begin()
        for screen in self.screen_stack:
            if isinstance(screen, Page) and screen.is_mounted:
                screen.refreshed()

    def _begin(self) -> None:
        """Open what was asked for, else what was open last."""
        if self._asked:
            ids = []
            for name in self._asked:
                ids += [r["run_id"] for r in self.runs if r["run_id"].startswith(name)][:1]
            self.compare(ids)
            return
        if page := self.remembered.get("page", ""):
            self.action_go(page)

    def note(self, text: str) -> None:
        """Say something quietly, on top."""
        if text != self.note_text:
            self.note_text = text
            if isinstance(self.screen, Page):
                self.screen.bar()

    def rows(self, run_ids: Iterable[str]) -> list[RunRow]:
        """The runs with these ids that are in the store."""
        known = {r["run_id"]: r for r in self.runs}
        return [known[r] for r in run_ids if r in known]

    # The screens.

    def action_go(self, page: str) -> None:
        """Show one of the numbered screens."""
        while not isinstance(self.screen, Page):
            self.pop_screen()
        if page == self.screen.PAGE or page not in self.pages:
            return
        while len(self.screen_stack) > 1:
            self.pop_screen()
        self.remembered.put("page", page)
        if page != "runs":
            self.push_screen(PAGES.part(page)())

    def compare(self, run_ids: list[str]) -> None:
        """Compare these runs, the baseline first."""
        self.choose(Choice(tuple(run_ids), self.choice.measure, self.choice.method))
        self.action_go("compare")

    def choose(self, choice: Choice) -> None:
        """Compare something else, or otherwise; remembered."""
        self.choice = choice
        method = {name: getattr(choice.method, name) for name in ("test", "correction", "interval")}
        self.remembered.put("choice", {"run_ids": list(choice.run_ids), "measure": choice.measure, "method": method})

    def action_help(self) -> None:
        """Explain the screen one is on."""
        from tui.help import Help

        if isinstance(self.screen, Page):
            self.push_screen(Help(self.screen))

    def action_light(self) -> None:
        """Light theme, or dark."""
        self.theme = LIGHT if self.current_theme.dark else DARK

    def watch_theme(self, theme: str) -> None:
        self.remembered.put("theme", theme, here=False)

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Every action of the screen one is on, then the app's."""
        for node in (screen, self):
            for bindings in node._bindings.key_to_bindings.values():
                for binding in bindings:
                    if binding.description and binding.action != "command_palette":
                        name = f"{binding.description} ({self.get_key_display(binding)})"
                        help_text = binding.tooltip or binding.description
                        yield SystemCommand(name, help_text, partial(node.run_action, binding.action))
        yield SystemCommand("Theme", "Choose a theme", self.action_change_theme)

    def on_unmount(self) -> None:
        self.remembered.save()


def _warm() -> None:
    """Import what the first comparison needs, before it is asked for."""
    import pyarrow.dataset
    import scipy.special
    import scipy.stats

    from workbench.evaluation.measures import parsed

    assert pyarrow.dataset and scipy.stats and scipy.special
    parsed("RR@10")
