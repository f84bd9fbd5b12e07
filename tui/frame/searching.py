"""The line one searches with, at the foot of a screen, with the number of hits."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Static

from store import LswError
from tui.frame.search import Search, parsed


class Box(Input):
    """Where the words are typed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "Keep the search"),
        Binding("escape", "screen.leave", "End the search"),
    ]


class SearchLine(Horizontal):
    """Shown while one searches and while a search is kept.

    Args:
        fields: names that may stand before a colon.
    """

    DEFAULT_CSS = """
    SearchLine { height: 1; dock: bottom; margin-bottom: 1; background: $boost; display: none; }
    SearchLine > #slash { width: 2; }
    SearchLine > Box { width: 1fr; background: $boost; }
    SearchLine > #hits { width: auto; padding: 0 1; color: $text-muted; }
    """

    class Changed(Message):
        """Another search."""

        def __init__(self, search: Search) -> None:
            super().__init__()
            self.search = search

    def __init__(self, fields: tuple[str, ...]) -> None:
        super().__init__()
        self.fields = fields
        self.search = Search()

    def compose(self) -> ComposeResult:
        some = f"words, {self.fields[0]}:word, !word" if self.fields else "words, !word"
        yield Static("/", id="slash")
        yield Box(placeholder=some, id="search", compact=True)
        yield Static("", id="hits", markup=False)

    def begin(self) -> None:
        """Show it and take the keys, at once: the next key is a letter of the search."""
        self.display = True
        self.screen.set_focus(self.query_one(Box))

    def end(self) -> None:
        """Search for nothing, and go."""
        self.display = False
        self.search = Search()
        self.query_one(Box).value = ""

    def told(self, hits: int, of: int) -> None:
        """How many rows there are."""
        self.query_one("#hits", Static).update(f"{hits:,} of {of:,}" if self.search else "")

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        try:
            self.search = parsed(event.value, self.fields)
        except LswError as error:
            self.query_one("#hits", Static).update(f"{error.title} {error.cure}".strip())
            return
        self.query_one("#hits", Static).update("")
        self.post_message(self.Changed(self.search))
