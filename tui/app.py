"""The app: its screens, the store it watches, and what it remembers."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import ValidationError
from rich.segment import Segment
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.color import Color
from textual.filter import LineFilter
from textual.screen import Screen
from textual.system_commands import SystemCommandsProvider
from textual.theme import BUILTIN_THEMES

from store import LswError, Store, browse
from store.errors import Busy
from store.rows import Row, RunRow
from tui.frame.bar import titled
from tui.frame.live import Live, work_words
from tui.frame.looks import wear
from tui.frame.pick import Item
from tui.frame.remembered import Remembered
from tui.page import Page, settle
from tui.pages import PAGES
from tui.study import Choice, Study
from workbench.evaluation.measures import DEFAULT
from workbench.plans.alone import ALONE
from workbench.significance.outcomes import Method
from workbench.talk import inert

DARK, LIGHT = "textual-dark", "textual-light"
WATCH = 1.0
"""Seconds between looks at the store."""
PATIENCE = 1.0
"""Seconds that a read waits for a writer before it becomes a note and is tried again."""
STEPS_BACK = 50
"""Screens that are gone back through at most."""


class Inert(LineFilter):
    """Leaves out what a terminal would obey: a query may hold an escape sequence."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return [Segment(inert(text), style, control) for text, style, control in segments]


def _made(page: str) -> Page:
    """A page; what it needs is imported when it is first seen."""
    return PAGES.part(page)()


def _objects() -> type:
    from tui.frame.palette import Objects

    return Objects


class Workbench(App[None]):
    """`lsw tui`. Each page is a mode, so that it is as one left it when one comes back.

    Args:
        store: what to show.
        chosen: run ids to compare at once.
    """

    TITLE = "lsw"
    CSS_PATH = Path(__file__).parent / "app.tcss"
    COMMANDS = {SystemCommandsProvider, _objects}
    COMMAND_PALETTE_BINDING = "ctrl+p"
    DEFAULT_MODE = "runs"
    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(str(i), f"go('{page}')", titled(page), show=False) for i, page in enumerate(PAGES.names(), 1)),
        Binding("question_mark", "help", "Help", key_display="?", tooltip="What this screen shows, and its keys"),
        Binding("f1", "help", "Help", show=False, tooltip="What this screen shows, and its keys"),
        Binding("T", "theme", "Theme", show=False, tooltip="Choose a theme"),
        Binding("ctrl+t", "light", "Light or dark", show=False),
        Binding("q", "quit", "Quit"),
    ]

    def __init__(self, store: Store, chosen: list[str] | None = None) -> None:
        super().__init__()
        for page in PAGES.names():
            self.add_mode(page, partial(_made, page))
        store.patience = PATIENCE
        self.store = store
        self.study = Study(store)
        self.remembered = Remembered(store.folder)
        self.pages = PAGES.names()
        self.runs: list[RunRow] = []
        self.recipes: dict[str, Row] = {}
        self.live = Live(store)
        self.note_text, self.work_text = "", ""
        self._asked = chosen or []
        self._stamp = (-1, -1)
        self._looking = False
        self._behind: list[tuple[str, Any]] = []
        self._dressed = False
        kept = self.remembered.get("choice", {})
        method = Method()
        with suppress(ValidationError):  # a test of a plug-in that is gone
            method = Method.model_validate(kept.get("method", kept.get("how", {})))  # its name before
        self.choice = Choice(tuple(kept.get("run_ids", [])), kept.get("measure", DEFAULT[0]), method)

    def on_mount(self) -> None:
        theme = self.remembered.get("theme", DARK)
        self.theme = theme if theme in BUILTIN_THEMES else DARK
        self.watch_theme(self.theme)  # it may be the one that is worn already
        self.set_interval(WATCH, self.look)
        self.look()

    def get_line_filters(self) -> Sequence[LineFilter]:
        return [*super().get_line_filters(), Inert()]

    # The store.

    def look(self) -> None:
        """Read the runs again if the store has changed, and how far is what is at work."""
        stamp = browse.stamp(self.store)
        if self._looking or (stamp == self._stamp and not self.live.at_work):
            return
        self._looking = True
        self.run_worker(lambda: self._read(stamp), thread=True, group="runs", exit_on_error=True)

    def _read(self, stamp: tuple[int, int]) -> None:
        try:
            if stamp != self._stamp:
                runs = self.study.runs()
                recipes = browse.recipe_runs(self.store) if self.store.exists() else []
                self.call_from_thread(self._seen, stamp, runs, recipes)
            if self.live.follow(list(self.recipes.values())):
                self.call_from_thread(self._worked)
        except Busy:
            self.call_from_thread(self._unread, "the store is being written; shown as it was")
        except LswError as error:
            self.call_from_thread(self._unread, "", error)
            self._stamp = stamp
        finally:
            self._looking = False

    def _unread(self, note: str, error: LswError | None = None) -> None:
        self.note(note)
        if error:
            for page in self._pages():
                page.failed(error)

    def _pages(self) -> list[Page]:
        """Those that were seen, each once."""
        stacks = self._screen_stacks.values()
        return [screen for stack in stacks for screen in stack if isinstance(screen, Page) and screen.is_mounted]

    def _seen(self, stamp: tuple[int, int], runs: list[RunRow], recipes: list[Row]) -> None:
        first = self._stamp == (-1, -1)
        if first:
            self.call_after_refresh(settle)
            self.run_worker(_warm, thread=True, group="warm")
        self._stamp = stamp
        before, ended = {r["run_id"]: r for r in self.runs}, self._ended(recipes)
        self.runs, self.recipes = runs, {r["recipe_run_id"]: r for r in recipes}
        self.study.forget(any(before.get(r["run_id"], r) != r for r in runs))
        self.note("")
        for row in [] if first else ended:
            self._tell_end(row)
        if first:
            self._begin(recipes)
        if (page := self.screen_stack[0]) in self._pages():
            page.refreshed()

    def _ended(self, recipes: list[Row]) -> list[Row]:
        """Recipe runs that were at work when one last looked, and no longer are."""
        was = {id_ for id_, row in self.recipes.items() if row["status"] == "running"}
        return [row for row in recipes if row["recipe_run_id"] in was and row["status"] != "running"]

    def _tell_end(self, row: Row) -> None:
        done, found = row["status"] == "done", row["recipe"] not in ALONE
        if done and found:
            self.remembered.put("results", row["recipe_run_id"])
        what = f"{row['status']}." if not done else "is done; 1 shows what it found." if found else "is done."
        severity: Literal["information", "error"] = "information" if done else "error"
        self.notify(f"{row['recipe']} ({row['scale']}) {what}", severity=severity, timeout=10, markup=False)

    def _worked(self) -> None:
        text = work_words(self.live, self.recipes)
        if text != self.work_text:
            self.work_text = text
            self._bars()
        page = self.screen_stack[0]
        if isinstance(page, Page):
            page.worked()

    def _begin(self, recipes: list[Row]) -> None:
        """Open what was asked for, else what was found since one was here, else what was open last."""
        found = [r for r in recipes if r["status"] == "done" and r["recipe"] not in ALONE]
        newest = next((r["recipe_run_id"] for r in found), "")
        if self._asked:
            ids = []
            for name in self._asked:
                ids += [r["run_id"] for r in self.runs if r["run_id"].startswith(name)][:1]
            self.compare(ids)
        elif newest and newest != self.remembered.get("newest", ""):
            self.show_results(newest)
        elif page := self.remembered.get("page", ""):
            self.action_go(page)
        self.remembered.put("newest", newest)
        self._behind.clear()

    def note(self, text: str) -> None:
        """Say something quietly, on top."""
        if text != self.note_text:
            self.note_text = text
            self._bars()

    def _bars(self) -> None:
        if isinstance(self.screen_stack[0], Page):
            self.screen_stack[0].bar()

    def rows(self, run_ids: Iterable[str]) -> list[RunRow]:
        """The runs with these ids that are in the store."""
        known = {r["run_id"]: r for r in self.runs}
        return [known[r] for r in run_ids if r in known]

    # The screens.

    def action_go(self, page: str) -> None:
        """Show one of the numbered screens."""
        self._go(page, keep=True)

    def _go(self, page: str, keep: bool) -> None:
        while not isinstance(self.screen, Page):
            self.pop_screen()
        if page not in self.pages:
            return
        if keep:
            self._behind = [*self._behind, (self.screen.PAGE, self.screen.place())][-STEPS_BACK:]
        if page == self.screen.PAGE:
            return
        self.remembered.put("page", page)
        self.switch_mode(page)

    async def action_back(self) -> None:
        """To where one was before."""
        while self._behind:
            page, place = self._behind.pop()
            here = self.screen
            if isinstance(here, Page) and (page, place) == (here.PAGE, here.place()):
                continue
            self._go(page, keep=False)
            if isinstance(self.screen, Page) and place is not None:
                self.screen.restore(place)
            return

    def compare(self, run_ids: Sequence[str], measure: str = "", qid: str = "") -> None:
        """Compare these runs, the baseline first, in a measure; at a query, else at the worst one."""
        run_ids = tuple(dict.fromkeys(run_ids))
        if len(run_ids) < 2:
            self.notify("A run is not compared with itself.", severity="warning")
            return
        self.action_go("compare")
        if run_ids != self.choice.run_ids or qid:
            self.remembered.put("qid", qid)
        self.choose(Choice(run_ids, measure or self.choice.measure, self.choice.method))
        self._refresh()

    def show_results(self, result_id: str) -> None:
        """Show what a recipe run or a study found."""
        self.action_go("results")
        self.remembered.put("results", result_id)
        self._refresh()

    def show_provenance(self, run_id: str) -> None:
        """Show how a run was made."""
        self.action_go("provenance")
        self.remembered.put("provenance", run_id)
        self._refresh()

    def _refresh(self) -> None:
        if isinstance(page := self.screen, Page) and page in self._pages():  # another is, once it is there
            page.refreshed()

    def choose(self, choice: Choice) -> None:
        """Compare something else, or otherwise; remembered."""
        self.choice = choice
        method = {name: getattr(choice.method, name) for name in ("test", "correction", "interval")}
        self.remembered.put("choice", {"run_ids": list(choice.run_ids), "measure": choice.measure, "method": method})

    def action_help(self) -> None:
        """Explain the screen one is on."""
        from tui.frame.help import Help

        if isinstance(self.screen, Page):
            self.push_screen(Help(self.screen))

    def action_at_work(self) -> None:
        """To what is at work."""
        self.action_go("runs")

    def action_light(self) -> None:
        """Light theme, or dark."""
        self.theme = LIGHT if self.current_theme.dark else DARK

    def action_theme(self) -> None:
        """Choose a theme."""
        if isinstance(self.screen, Page):
            kinds = [(name, "dark" if theme.dark else "light") for name, theme in sorted(self.available_themes.items())]
            self.screen.pick("Theme", [Item(*kind) for kind in kinds], self.theme, partial(setattr, self, "theme"))

    def watch_theme(self, theme: str) -> None:
        wear(self.console, self.current_theme, first=not self._dressed)
        self._dressed = True
        self.remembered.put("theme", theme, here=False)
        for page in self._pages():
            page.call_after_refresh(page.dressed)

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Every action of the screen one is on, then the app's, each once."""
        named = set[str]()
        for node in (screen, self):
            for bindings in node._bindings.key_to_bindings.values():
                for binding in bindings:
                    if binding.description and binding.action not in {"command_palette", *named}:
                        named.add(binding.action)
                        name = f"{binding.description} ({self.get_key_display(binding)})"
                        help_text = binding.tooltip or binding.description
                        yield SystemCommand(name, help_text, partial(node.run_action, binding.action))

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
