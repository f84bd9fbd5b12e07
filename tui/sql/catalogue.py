"""The store's views with their columns, beside the editor."""

from typing import ClassVar

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Static, Tree

from tui.frame.panes import Pane
from tui.sql.completing import Views

Entry = tuple[str, str]
"""The view, and the column in it ('' for the view itself)."""


class Names(Tree[Entry]):
    """Views, which open to their columns. Enter or a double click takes a name; a click opens a view."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "take", "Insert name"),
        Binding("space", "toggle_node", "Open", show=False),
        Binding("right,l", "open(True)", "Open", key_display="→", tooltip="Show the columns of the view"),
        Binding("left,h", "open(False)", "Close", show=False),
        Binding("down,j", "cursor_down", "Down", show=False),
        Binding("up,k", "cursor_up", "Up", show=False),
    ]

    class Taken(Message):
        """A name is to be inserted."""

        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

    def action_take(self) -> None:
        node = self.cursor_node
        if node is not None and node.data:
            view, column = node.data
            self.post_message(self.Taken(column or view))

    def action_open(self, wide: bool) -> None:
        """Open a view, or close the one that the cursor is in."""
        node = self.cursor_node
        if node is None:
            return
        if wide:
            if node.allow_expand:
                node.expand()
            return
        if not node.allow_expand and node.parent and node.parent is not self.root:
            node = node.parent
            self.move_cursor(node)
        node.collapse()

    async def on_click(self, event: events.Click) -> None:
        event.prevent_default()
        event.stop()
        line = event.style.meta.get("line")
        node = self.get_node_at_line(line) if line is not None else None
        if node is None:
            return
        self.move_cursor(node)
        if event.chain == 2:
            if node.allow_expand:  # as it was before the first click
                node.toggle()
            self.action_take()
        elif node.allow_expand and event.chain == 1:
            node.toggle()


class Catalogue(Pane):
    """The names, and under them what one row of the view under the cursor is."""

    DEFAULT_CSS = """
    Catalogue { width: 28; }
    Catalogue Names {
        height: 1fr; padding: 0; background: transparent; scrollbar-size-vertical: 1; scrollbar-background: $background;
    }
    Catalogue #one-row { height: auto; max-height: 5; padding: 0 1; color: $text-muted; background: $boost; }
    """

    def __init__(self) -> None:
        super().__init__(title="Views", id="catalogue")
        self.rows: dict[str, str] = {}
        self._listed: Views = {}

    def compose(self) -> ComposeResult:
        names: Names = Names("views")
        names.show_root = False
        names.guide_depth = 2
        names.show_guides = False
        yield names
        yield Static("", id="one-row", markup=False)

    def show(self, views: Views, rows: dict[str, str]) -> None:
        """List the views; what is open stays so as long as they are the same."""
        if views == self._listed:
            return
        self._listed, self.rows = views, rows
        tree = self.query_one(Names)
        tree.clear()
        for view in sorted(views, key=lambda view: (view not in rows, list(rows).index(view) if view in rows else 0)):
            node = tree.root.add(view, data=(view, ""))
            widest = max(map(len, views[view]), default=0)
            for column, kind in views[view].items():
                label = Text(f"{column:<{min(widest, 16)}} ")
                label.append(kind, "dim")
                node.add_leaf(label, data=(view, column))
        tree.root.expand()
        tree.cursor_line = 0

    def on_tree_node_highlighted(self, event: Tree.NodeHighlighted[Entry]) -> None:
        if event.node.data:
            view, column = event.node.data
            about = self.rows.get(view, "")
            said = f"One row is {about}." if about and not column else ""
            if column:
                said = f"{view}.{column}: {self._listed[view][column]}"
            self.query_one("#one-row", Static).update(said)
