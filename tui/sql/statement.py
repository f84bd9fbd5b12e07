"""The editor of SQL: coloured, completed as one types, run as it stands."""

from collections.abc import Mapping
from typing import ClassVar

from rich.style import Style
from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import TextArea
from textual.widgets.text_area import Selection

from tui.sql.completing import (
    AFTER_VALUE,
    AFTER_VIEW,
    BEFORE_VALUE,
    NEW,
    OTHERS,
    Completion,
    Values,
    Views,
    Wanted,
    completions,
    wanted,
    whole,
)  # fmt: skip
from tui.sql.offers import Offers
from tui.sql.tokens import Token, tokens

KEYWORDS = frozenset(
    word.casefold() for phrase in (*NEW, *AFTER_VIEW, *AFTER_VALUE, *BEFORE_VALUE, *OTHERS) for word in phrase.split()
)
"""Those that are coloured: DuckDB has many more, most of them good names too (`nothing`, `level`, `system`)."""
RUN = ("f5", "ctrl+r", "ctrl+enter", "ctrl+j")
"""Keys that run the statement; terminals send one of the last two for ctrl+enter."""
Location = tuple[int, int]


class Statement(TextArea):
    """Where SQL is written.

    Keys that run it or choose a completion are handled here in the order in which they were typed. (A binding with
    priority would be handled by the app at once, while letters typed before it still wait for the editor.)
    """

    DEFAULT_CSS = """
    Statement { padding: 0; }
    Statement .statement--keyword { color: $text-primary; text-style: bold; }
    Statement .statement--view { color: $text-accent; }
    Statement .statement--function { color: $text-secondary; }
    Statement .statement--string { color: $text-success; }
    Statement .statement--number { color: $text-warning; }
    Statement .statement--comment { color: $foreground 60%; text-style: italic; }
    Statement:ansi {
        .statement--keyword { color: ansi_blue; }
        .statement--view { color: ansi_magenta; }
        .statement--function { color: ansi_cyan; }
        .statement--string { color: ansi_green; }
        .statement--number { color: ansi_yellow; }
        .statement--comment { color: ansi_bright_black; }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"statement--{kind}" for kind in ("keyword", "view", "function", "string", "number", "comment")
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f5,ctrl+r,ctrl+enter,ctrl+j", "ask", "Run", key_display="F5", tooltip="Run it, or what is selected"),
        Binding("ctrl+@,ctrl+space", "complete", "Complete", key_display="^space", tooltip="What may come here"),
        Binding("ctrl+up", "screen.history(-1)", "Earlier", show=False, tooltip="Earlier statement"),
        Binding("ctrl+down", "screen.history(1)", "Later", show=False, tooltip="Later statement"),
        Binding("ctrl+e", "screen.export", "Export", show=False),
        # While the drop-down is open: what `_on_key` does, said in the footer.
        Binding("tab", "take", "Take", key_display="tab", tooltip="Take what is highlighted"),
        Binding("escape", "close", "Close", tooltip="Close the drop-down"),
        Binding("tab", "screen.focus_next", "Next pane", show=False),
        Binding("shift+tab", "screen.focus_previous", "Previous pane", show=False),
    ]

    class Asked(Message):
        """SQL to be run; `start` is where it begins in the text that was there when the key came."""

        def __init__(self, sql: str, start: Location, text: str) -> None:
            super().__init__()
            self.sql, self.start, self.text = sql, start, text

    class Wanting(Message):
        """Values of a column would help."""

        def __init__(self, wanted: Wanted) -> None:
            super().__init__()
            self.wanted = wanted

    def __init__(self, offers: Offers, text: str = "") -> None:
        super().__init__(text, id="sql-statement", show_line_numbers=True, highlight_cursor_line=False)
        self.offers = offers
        self.views: Views = {}
        self.rows: Mapping[str, str] = {}
        self.known: Values = {}
        self._columns: frozenset[str] = frozenset()
        self._typed = False  # the next change was typed
        self._asked_for: tuple[str, Location] | None = None  # what the drop-down is for
        self._coloured: tuple[str, list[list[tuple[int, int, str]]]] = ("", [])

    def learn(self, views: Views, rows: Mapping[str, str]) -> None:
        """Take the names that there are, and what one row of each view is."""
        self.views, self.rows = views, rows
        self._columns = frozenset(column.casefold() for columns in views.values() for column in columns)
        self._coloured = ("", [])
        self.notify_style_update()
        self.refresh()

    def learn_values(self, known: Values) -> None:
        """Take values that were asked for; they show if the cursor still is where they were wanted."""
        self.known = known
        if self.has_focus and self._asked_for == self._now():
            self._offer()

    # Colours.

    def get_line(self, line_index: int) -> Text:
        """A line with its colours."""
        line = super().get_line(line_index)
        text = self.text
        if self._coloured[0] != text:
            self._coloured = (text, self._spans(text))
        spans = self._coloured[1]
        for start, end, kind in spans[line_index] if line_index < len(spans) else ():
            style = self.get_component_rich_style(f"statement--{kind}", partial=True)
            line.stylize(Style(color=style.color, bold=style.bold, italic=style.italic), start, end)
        return line

    def _spans(self, text: str) -> list[list[tuple[int, int, str]]]:
        """For each line where its colours begin and end."""
        words = tokens(text)
        lines = text.split("\n")
        starts = [0]
        for line in lines:
            starts.append(starts[-1] + len(line) + 1)
        out: list[list[tuple[int, int, str]]] = [[] for _ in lines]
        row = 0
        for i, word in enumerate(words):
            kind = self._kind(word, words[i + 1] if i + 1 < len(words) else None)
            while starts[row + 1] <= word.start:
                row += 1
            last = row
            while kind and last < len(lines) and starts[last] < word.end:
                begin, end = max(word.start - starts[last], 0), min(word.end - starts[last], len(lines[last]))
                out[last].append((begin, end, kind))
                last += 1
        return out

    def _kind(self, word: Token, after: Token | None) -> str:
        if word.kind in ("string", "number", "comment"):
            return word.kind
        if word.kind == "operator":
            return ""
        if word.word in self.views:
            return "view"
        if word.word not in KEYWORDS and after is not None and after.text == "(":
            return "function"
        return "keyword" if word.kind == "keyword" and word.word in KEYWORDS and word.word not in self._columns else ""

    # Running.

    def action_ask(self) -> None:
        """Run what is selected, else all."""
        self.offers.hide()
        (row, column), sql = self.selection.start, self.selected_text
        if self.selection.start > self.selection.end:
            row, column = self.selection.end
        if not sql.strip():
            (row, column), sql = (0, 0), self.text
        blank = len(sql) - len(sql.lstrip())
        lines = sql[:blank].split("\n")
        start = (row + len(lines) - 1, len(lines[-1]) + (column if len(lines) == 1 else 0))
        self.post_message(self.Asked(sql.strip().rstrip(";").rstrip(), start, self.text))

    # Completing.

    def _now(self) -> tuple[str, Location]:
        return self.text, self.cursor_location

    def typed_before(self) -> int:
        """How many characters are before the cursor."""
        row, column = self.cursor_location
        return sum(len(line) + 1 for line in self.text.split("\n")[:row]) + column

    def location(self, offset: int) -> Location:
        """Row and column of a character."""
        before = self.text[:offset].split("\n")
        return len(before) - 1, len(before[-1])

    async def _on_key(self, event: events.Key) -> None:
        offers, key = self.offers, event.key
        self._typed = False
        taken = True
        if key in RUN:
            self.action_ask()
        elif not offers.display:
            taken = False
        elif key == "down" or (key == "up" and offers.chosen):
            offers.move(1 if key == "down" else -1)
        elif key in ("enter", "tab"):
            taken = self._choose(key)
        elif key == "escape":
            self.action_close()
        else:
            taken = False
        if taken:
            event.stop()
            event.prevent_default()
        else:
            self._typed = event.is_printable or (key == "backspace" and offers.display)
            if not self._typed:
                offers.hide()

    def _choose(self, key: str) -> bool:
        """Take what is highlighted; false if the key means what it always does."""
        offers = self.offers
        chosen = offers.chosen or (offers.offered[0] if key == "tab" and offers.offered else None)
        stale = self._asked_for != self._now()
        if chosen is None or stale or (whole(self.text[chosen.start : chosen.end], chosen) and key == "enter"):
            offers.hide()
            return False
        self.take(chosen)
        return True

    def take(self, chosen: Completion) -> None:
        """Put a completion in its place."""
        self._typed = False
        self.replace(chosen.text, self.location(chosen.start), self.location(chosen.end))
        self.move_cursor(self.location(chosen.start + len(chosen.text)))
        self.offers.hide()

    def put(self, name: str) -> None:
        """Insert a name at the cursor, apart from the word before it."""
        row, column = self.cursor_location
        before = self.document.get_line(row)[:column]
        apart = " " if before[-1:].isalnum() or (before[-1:] in ("_", ",", "*", ")") and before) else ""
        self._typed = False
        self.insert(apart + name)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What tab and Esc mean now."""
        if action in ("take", "close"):
            return self.offers.display
        return super().check_action(action, parameters)

    def action_take(self) -> None:
        """Take what is highlighted, else the first."""
        self._choose("tab")

    def action_close(self) -> None:
        """Close the drop-down."""
        self._asked_for = None
        self.offers.hide()

    def action_complete(self) -> None:
        """Open the drop-down, also where nothing is typed yet."""
        self._offer(True)

    def on_text_area_changed(self) -> None:
        """Complete what was typed; what changed otherwise is left alone."""
        typed, self._typed = self._typed, False
        if typed and self.has_focus:
            self._offer()
        elif self._asked_for != self._now():
            self.offers.hide()

    def on_text_area_selection_changed(self) -> None:
        if self.offers.display and not self._typed and self._asked_for != self._now():
            self.offers.hide()

    def on_blur(self) -> None:
        self.offers.hide()

    def _offer(self, wished: bool = False) -> None:
        text, cursor = self.text, self.typed_before()
        self._asked_for = self._now()
        if self.selection != Selection.cursor(self.cursor_location):
            self.offers.hide()
            return
        offered = completions(text, cursor, self.views, self.known, self.rows)
        word = text[offered[0].start : cursor] if offered else ""
        if len(offered) == 1 and whole(text[offered[0].start : offered[0].end], offered[0]) and not wished:
            offered = []
        x, y = self.cursor_screen_offset
        self.offers.offer(offered, type(self.cursor_screen_offset)(x - len(word), y), bool(word) or wished)
        if want := wanted(text, cursor, self.views):
            self.post_message(self.Wanting(want))
