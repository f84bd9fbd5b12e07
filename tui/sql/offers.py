"""The drop-down of what may come at the cursor."""

from typing import ClassVar

from rich.cells import cell_len
from rich.text import Text
from textual import on
from textual.geometry import Offset
from textual.message import Message
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from tui.sql.completing import Completion

LEAST, MOST = 14, 60
"""Columns of the drop-down."""
ABOUT = 34
"""Columns of what is said of a completion."""


class Offers(OptionList, can_focus=False):
    """Floats under the word that is written; never has the focus, so that typing goes on."""

    DEFAULT_CSS = """
    Offers {
        overlay: screen; constrain: none inside; display: none; height: auto; max-height: 8; padding: 0; border: none;
        background: $panel; color: $foreground; scrollbar-size-vertical: 1;
    }
    Offers > .option-list--option-highlighted { background: $primary; color: $text; text-style: bold; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = set()

    class Taken(Message):
        """One was chosen, by the mouse."""

        def __init__(self, completion: Completion) -> None:
            super().__init__()
            self.completion = completion

    def __init__(self) -> None:
        super().__init__(markup=False, compact=True)
        self.offered: list[Completion] = []

    def offer(self, offered: list[Completion], at: Offset, choose: bool) -> None:
        """Show completions.

        Args:
            offered: none hides it.
            at: the cell of the screen under which it stands.
            choose: whether the first one is highlighted.
        """
        self.offered = offered
        if not offered:
            self.hide()
            return
        self._open(True)
        widest = max(cell_len(one.name) for one in offered)
        self.set_options(Option(_line(one, min(widest, MOST - 4))) for one in offered)
        self.highlighted = 0 if choose else None
        self.scroll_to(0, 0, animate=False)
        about = max((min(cell_len(one.about), ABOUT) for one in offered), default=0)
        width = min(widest, MOST - 4) + (about + 2 if about else 0) + 3
        self.styles.width = max(LEAST, min(width, self.screen.size.width))
        rows = min(8, len(offered))
        below = at.y + 1 + rows <= self.screen.size.height
        self.absolute_offset = Offset(max(0, at.x - 1), at.y + 1 if below else max(0, at.y - rows))

    def hide(self) -> None:
        """Away with it."""
        self._open(False)
        self.offered = []

    def _open(self, wide: bool) -> None:
        if self.display != wide:
            self.display = wide
            self.screen.refresh_bindings()

    @property
    def chosen(self) -> Completion | None:
        """The one that is highlighted."""
        at = self.highlighted
        return self.offered[at] if at is not None and at < len(self.offered) else None

    def move(self, step: int) -> None:
        """Highlight another one, round and round."""
        if self.offered:
            at = self.highlighted
            self.highlighted = (0 if step > 0 else -1) if at is None else (at + step) % len(self.offered)
            self.highlighted %= len(self.offered)

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        if event.option_index < len(self.offered):
            self.post_message(self.Taken(self.offered[event.option_index]))


def _line(one: Completion, width: int) -> Text:
    line = Text(" " + one.name, no_wrap=True, overflow="ellipsis")
    line.truncate(width + 1, overflow="ellipsis", pad=True)
    if one.about:
        about = Text(one.about)
        about.truncate(ABOUT, overflow="ellipsis")
        line.append("  ").append(about.plain, "dim")
    return line
