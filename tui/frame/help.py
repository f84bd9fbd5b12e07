"""What a screen shows, and its keys."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Markdown

from tui.page import Page

LISTS = "| j k ↑ ↓ | row |\n| g G | first, last |\n| h l tab | other list |\n| PgUp PgDn | page |"


class Help(ModalScreen[None]):
    """Explains one page; Esc, q, ? or F1 close it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,f1", "dismiss", "Close"),
        Binding("j,down", "scroll(1)", show=False),
        Binding("k,up", "scroll(-1)", show=False),
    ]

    def __init__(self, page: Page) -> None:
        super().__init__()
        rows = []
        for node in (page, page.app):
            for key in node._bindings.key_to_bindings.values():
                for binding in key:
                    if binding.description and binding.action != "command_palette":
                        shown = page.app.get_key_display(binding)
                        rows.append(f"| {shown} | {binding.tooltip or binding.description} |")
        screens = " ".join(f"**{i}** {p}" for i, p in enumerate(page.bench.pages, 1))
        keys = "\n".join(dict.fromkeys(rows))
        self.text = (
            f"# {page.PAGE.capitalize()}\n{page.HELP}\n| key | does |\n|---|---|\n{keys}\n{LISTS}\n"
            f"| ctrl+p | every action, by name |\n\n{screens}"
        )

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="dialog tall"):
            yield Markdown(self.text)

    def on_mount(self) -> None:
        self.query_one(VerticalScroll).focus()

    def action_scroll(self, step: int) -> None:
        self.query_one(VerticalScroll).scroll_relative(y=3 * step, animate=False)
