"""Parts of a screen: each has a title, shows whether it has the focus, and can be enlarged."""

from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.widget import Widget
from textual.widgets import Static


class Pane(Vertical):
    """Widgets under a title.

    Args:
        *children: what is in it.
        title: in its upper edge.
    """

    ALLOW_MAXIMIZE = True
    DEFAULT_CSS = """
    Pane {
        border-top: solid $foreground 25%; border-title-color: $text-muted; border-title-style: none;
        border-subtitle-color: $text-muted;
    }
    Pane:focus-within { border-top: heavy $accent; border-title-color: $accent; border-title-style: bold; }
    Pane:ansi { border-top: solid ansi_bright_black; }
    Pane:ansi:focus-within { border-top: heavy ansi_default; }
    """

    def __init__(self, *children: Widget, title: str = "", **options: str) -> None:
        super().__init__(*children, **options)  # type: ignore[arg-type]
        self.border_title = title


class Reading(VerticalScroll, can_focus=True):
    """Text that is scrolled by the keys of lists."""

    DEFAULT_CSS = "Reading { height: 1fr; scrollbar-size-vertical: 1; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "scroll_down", "Scroll down", show=False),
        Binding("up,k", "scroll_up", "Scroll up", show=False),
        Binding("g", "scroll_home", "Top", show=False),
        Binding("G", "scroll_end", "Bottom", show=False),
        Binding("ctrl+d", "page_down", show=False),
        Binding("ctrl+u", "page_up", show=False),
    ]


class Divider(Static):
    """Stands between two panes; dragging it makes the one before it wider or narrower.

    Args:
        name: that its place is kept under.
    """

    DEFAULT_CSS = """
    Divider { width: 1; height: 100%; hatch: "│" $foreground 25%; }
    Divider:hover { hatch: "┃" $accent; }
    Divider:ansi { hatch: "│" ansi_bright_black; }
    """
    LEAST = 12

    def on_mouse_down(self, event: events.MouseDown) -> None:
        self.capture_mouse()
        event.stop()

    def on_mouse_up(self, _: events.MouseUp) -> None:
        self.release_mouse()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        parent = self.parent
        if self.app.mouse_captured is not self or not isinstance(parent, Widget):
            return
        before = parent.children[parent.children.index(self) - 1]
        widest = parent.size.width - self.LEAST
        before.styles.width = max(self.LEAST, min(event.screen_x - before.region.x, widest))
        before.styles.max_width = None
