"""A list of one-line rows, each drawn when it is seen, so that a million cost what a page of them costs."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.frame.rows import LETTERS, Cells, Rows, fitted


@dataclass(frozen=True)
class Drawn:
    """What all lines of one drawing share: width, widths of the columns, styles."""

    width: int
    widths: list[int]
    base: Style
    header: Style
    cursor: Style
    heading: Style
    cell: Style


class Listing(ScrollView, can_focus=True):
    """Rows with a cursor; hjkl, arrows, g, G, page keys and the mouse move it."""

    DEFAULT_CSS = """
    Listing { height: 1fr; overflow-x: hidden; overflow-y: scroll; scrollbar-size-vertical: 1; }
    Listing > .listing--header { text-style: bold; }
    Listing > .listing--cursor { background: $surface-lighten-2; }
    Listing:focus > .listing--cursor { background: $primary; color: $text; text-style: bold; }
    Listing > .listing--heading { background: $panel; text-style: bold; }
    Listing > .listing--cell { background: $panel; text-style: underline; }
    Listing:focus > .listing--cell { background: $primary; color: $text; text-style: bold; }
    Listing:ansi > .listing--cursor { background: ansi_bright_black; color: ansi_bright_white; }
    Listing:ansi:focus > .listing--cursor { background: ansi_blue; color: ansi_bright_white; text-style: bold; }
    Listing:ansi:focus > .listing--cell { background: ansi_cyan; color: ansi_black; text-style: bold; }
    Listing:ansi > .listing--heading { text-style: bold underline; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "listing--header", "listing--cursor", "listing--heading", "listing--cell",
    }  # fmt: skip
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("pagedown,ctrl+d", "page(1)", "Page down", show=False),
        Binding("pageup,ctrl+u", "page(-1)", "Page up", show=False),
        Binding("g,home", "end(-1)", "First", show=False),
        Binding("G,end", "end(1)", "Last", show=False),
        Binding("right,l", "side(1)", "Right", show=False),
        Binding("left,h", "side(-1)", "Left", show=False),
    ]

    cursor = reactive(0, repaint=False)
    column = reactive(0)
    """Of `Rows.across`: which column's cell is chosen."""

    class Told(Message):
        """What becomes of a list; each sort has a handler of its own."""

        def __init__(self, listing: "Listing", row: int) -> None:
            super().__init__()
            self.listing, self.row = listing, row

        @property
        def control(self) -> "Listing":
            return self.listing

    class Moved(Told):
        """The cursor is on another row."""

    class Chosen(Told):
        """A row was clicked twice."""

    class Header(Told):
        """A column's name was clicked; `row` is the column."""

    class Aside(Told):
        """Another pane is wanted: the next if `row` is 1, the one before if it is -1."""

    def __init__(self, rows: Rows | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.rows = rows or Rows()
        self.pointing = True  # whether the cursor is seen
        self.at_once: Callable[[int], None] | None = None
        """Called with the cursor's row instead of posting `Moved`: what it changes is drawn with the cursor."""

    def show(self, rows: Rows, cursor: int = 0) -> None:
        """Show other rows, the cursor on one of them, which `Moved` tells."""
        self.rows = rows
        self._sized()
        cursor = self._allowed(max(0, min(cursor, rows.count - 1)), 1)
        self.set_reactive(Listing.cursor, cursor)
        self.pointing = True
        self._follow()
        self.refresh()
        self._tell()

    def point(self, row: int | None) -> None:
        """Put the cursor on a row, or on none, without telling."""
        self.pointing = row is not None
        if row is not None and row < self.rows.count:
            self.set_reactive(Listing.cursor, row)
            self._follow()
        self.refresh()

    def _allowed(self, row: int, step: int) -> int:
        """The nearest row that is no heading, first in the direction of `step`."""
        for towards in (step, -step):
            at = row
            while 0 <= at < self.rows.count:
                if not self.rows.fixed(at):
                    return at
                at += towards
        return 0

    def on_resize(self) -> None:
        self._sized()
        self._follow()

    def _sized(self) -> None:
        size = Size(self.size.width, self.rows.count + 1)
        if size != self.virtual_size:  # setting it lays out the whole screen
            self.virtual_size = size

    def _follow(self) -> None:
        """Scroll so that the cursor is seen; the header takes the first line."""
        height = max(1, self.size.height - 1)
        top = self.scroll_offset.y
        if self.cursor < top or (self.cursor <= 1 and top):
            self.scroll_to(y=0 if self.cursor <= 1 else self.cursor, animate=False, force=True, immediate=True)
        elif self.cursor >= top + height:
            self.scroll_to(y=self.cursor - height + 1, animate=False, force=True, immediate=True)

    def watch_cursor(self, old: int, new: int) -> None:
        top, was = self.scroll_offset.y, self.pointing
        self.pointing = True
        self._follow()
        if was and top == self.scroll_offset.y:
            self.refresh_line(old + 1)
            self.refresh_line(new + 1)
        else:
            self.refresh()
        self._tell()

    def _tell(self) -> None:
        if self.rows.count and self.at_once:
            self.at_once(self.cursor)
        elif self.rows.count:
            self.post_message(self.Moved(self, self.cursor))

    def action_move(self, step: int) -> None:
        if 0 <= self.cursor + step < self.rows.count:
            self.cursor = self._allowed(self.cursor + step, step)

    def action_side(self, step: int) -> None:
        """To the next cell of the row; from the last one, or where rows are chosen whole, to the next pane."""
        if 0 <= self.column + step < len(self.rows.across):
            self.column += step
            self._tell()
        else:
            self.post_message(self.Aside(self, step))

    def action_page(self, step: int) -> None:
        if self.rows.count:
            at = self.cursor + step * max(1, self.size.height - 2)
            self.cursor = self._allowed(max(0, min(at, self.rows.count - 1)), step)

    def action_end(self, step: int) -> None:
        if self.rows.count:
            self.cursor = self._allowed(0 if step < 0 else self.rows.count - 1, -step)

    def widths(self) -> list[int]:
        """Of each column here; 0 for those dropped."""
        whole = self.scrollable_content_region.width
        kept = [c if whole >= c.needs else None for c in self.rows.columns]
        used = sum(c.width + 1 for c in kept if c) - 1
        widths = [0 if c is None else c.width or max(1, whole - used) for c in kept]

        def over() -> int:
            return sum(w + 1 for w in widths if w) - 1 - whole

        # Texts give way, the widest first, and go where a few letters are left; then figures go, the last first.
        texts = [i for i, c in enumerate(self.rows.columns) if not (c.right or c.whole)]
        while over() > 0 and (wide := [i for i in texts if widths[i]]):
            at = max(wide, key=widths.__getitem__)
            left = widths[at] - over()
            widths[at] = left if left >= LETTERS else 0
        for at in reversed(range(len(widths))):
            if over() > 0:
                widths[at] = 0
        return widths

    def line(self, cells: Cells, widths: list[int]) -> Text:
        """A row's text."""
        shown = [
            fitted(cell(width) if callable(cell) else cell, width, column.right, column.middle)
            for cell, width, column in zip(cells, widths, self.rows.columns, strict=False)
            if width
        ]
        return Text(" ").join(shown)

    def _span(self, widths: list[int]) -> tuple[int, int] | None:
        """Where the chosen cell is in its line; None if rows are chosen whole."""
        if not self.rows.across:
            return None
        at = self.rows.across[min(self.column, len(self.rows.across) - 1)]
        start = sum(w + 1 for w in widths[:at] if w)
        return start, start + widths[at]

    def render_lines(self, crop: Region) -> list[Strip]:
        # What is the same for all lines is looked up once.
        self._drawn = Drawn(
            self.scrollable_content_region.width,
            self.widths(),
            self.rich_style,
            *(
                self.get_component_rich_style(f"listing--{part}", partial=True)
                for part in ("header", "cursor", "heading", "cell")
            ),
        )
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        look = self._drawn
        row = self.scroll_offset.y + y - 1
        style = look.base
        if y == 0:
            text = self.line(self.rows.heads(), look.widths)
            style += look.header
        elif row >= self.rows.count:
            return Strip.blank(look.width, style)
        elif self.rows.heading(row):
            cells = [cell for cell in self.rows.cells(row) if isinstance(cell, Text)]
            text = fitted(Text(" ").join(cells), look.width, False)
            style += look.heading
            if row == self.cursor and self.pointing and self.rows.open(row):
                style += look.cursor
        else:
            text = self.line(self.rows.cells(row), look.widths)
            if row == self.cursor and self.pointing:
                style += look.cursor
                if span := self._span(look.widths):
                    text.stylize(look.cell, *span)
        strip = Strip(Segment.apply_style(text.render(self.app.console, end=""), style))
        return strip.adjust_cell_length(look.width, style)

    def on_click(self, event: events.Click) -> None:
        left, at = 0, 0
        for i, width in enumerate(self.widths()):
            if width and left <= event.x <= left + width:
                at = i
            left += width + 1 if width else 0
        if event.y == 0:
            self.post_message(self.Header(self, at))
            return
        row = self.scroll_offset.y + event.y - 1
        if 0 <= row < self.rows.count and not self.rows.fixed(row):
            if at in self.rows.across:
                self.column = list(self.rows.across).index(at)
            self.cursor = row
            if event.chain > 1:
                self.post_message(self.Chosen(self, row))
