"""A widget that draws a figure as large as it is, and says where in the figure's coordinates it was clicked."""

from textual import events
from textual.app import RenderResult
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from workbench.reports.figures._canvas import Frame
from workbench.reports.figures._looks import Ground
from workbench.reports.figures._terminal import pictured
from workbench.reports.figures.base import Drawing


class Picture(Widget):
    """A drawing, or words where there is none; the same as in a terminal and in a file."""

    DEFAULT_CSS = "Picture { width: 1fr; height: 1fr; padding: 0 1; }"

    drawing: reactive[Drawing | None] = reactive(None)
    words: reactive[str] = reactive("")
    """What is said where there is no drawing."""

    class Pointed(Message):
        """A place in the drawing, in the coordinates of its axes."""

        def __init__(self, x: float, y: float) -> None:
            super().__init__()
            self.x, self.y = x, y

    def __init__(self, **options: str) -> None:
        super().__init__(**options)  # type: ignore[arg-type]
        self.frame: Frame | None = None
        """Where the axes were drawn last, in cells."""

    def show(self, drawing: Drawing | None, words: str = "") -> None:
        """Draw something else, or say why there is nothing."""
        self.words, self.drawing = words, drawing

    def render(self) -> RenderResult:
        self.frame = None
        if self.drawing is None:
            return self.words
        size = self.content_size
        if size.width < 1 or size.height < 1:
            return ""
        theme = self.app.current_theme
        ground: Ground = None if theme.ansi else "dark" if theme.dark else "light"
        picture, self.frame = pictured(self.drawing, size.width, size.height, ground)
        return picture

    def on_click(self, event: events.Click) -> None:
        at = event.get_content_offset(self)
        place = self.frame.place(at.x, at.y) if self.frame and at else None
        if place:
            self.post_message(self.Pointed(*place))
