"""A small list to choose from: typing filters it, the present choice is marked."""

from collections.abc import Callable, Sequence
from typing import ClassVar, NamedTuple

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Label, OptionList
from textual.widgets.option_list import Option

from store import LswError
from tui.frame.folding import folded


class Item(NamedTuple):
    """Something to choose: its name, and what it is."""

    name: str
    about: str = ""


class Pick(ModalScreen[str | None]):
    """Gives the name of the item that was chosen; None after Esc.

    Args:
        title: over the list.
        items: in order.
        present: the name that is chosen now.
        check: where any text may be typed, what refuses a wrong one with an `LswError`; the text stays to be mended.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "take", "Choose"),
        Binding("escape", "dismiss(None)", "Cancel"),
        Binding("down", "move(1)", "Down", show=False),
        Binding("up", "move(-1)", "Up", show=False),
        Binding("pagedown", "move(8)", "Page down", show=False),
        Binding("pageup", "move(-8)", "Page up", show=False),
    ]

    def __init__(
        self, title: str, items: Sequence[Item], present: str = "", check: Callable[[str], object] | None = None
    ) -> None:
        super().__init__()
        self.called, self.items, self.present, self.check = title, list(items), present, check
        self.shown = self.items

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog pick") as box:
            box.border_title = self.called
            yield Input(placeholder="type to filter" + (", or any other" if self.check else ""), compact=True)
            yield OptionList(compact=True)
            yield Label("", id="wrong", markup=False)

    def on_mount(self) -> None:
        self.query_one(OptionList).can_focus = False
        self._fill(self.present)

    def _fill(self, at: str = "") -> None:
        options = self.query_one(OptionList)
        options.clear_options()
        wide = max((len(item.name) for item in self.shown), default=1)
        for item in self.shown:
            mark = "●" if item.name == self.present else " "
            options.add_option(Option(Text.assemble(f"{mark} {item.name:{wide}}", (f"  {item.about}", "dim"))))
        names = [item.name for item in self.shown]
        options.highlighted = (names.index(at) if at in names else 0) if names else None

    def on_input_changed(self, event: Input.Changed) -> None:
        self.query_one("#wrong", Label).update("")
        words = folded(event.value).split()
        self.shown = [item for item in self.items if all(word in folded(f"{item.name} {item.about}") for word in words)]
        # What begins so comes first: `t` is the test t before others that have a t in them.
        begins = folded(event.value.strip())
        self.shown.sort(key=lambda item: not (begins and folded(item.name).startswith(begins)))
        self._fill(self.present if not words else "")

    def on_input_submitted(self) -> None:
        self.action_take()  # after all that was typed before

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self.shown[event.option_index].name)

    def action_move(self, step: int) -> None:
        options = self.query_one(OptionList)
        if options.highlighted is not None:
            options.highlighted = max(0, min(options.highlighted + step, len(self.shown) - 1))

    def action_take(self) -> None:
        typed = self.query_one(Input).value.strip()
        at = self.query_one(OptionList).highlighted
        exact = any(item.name == typed for item in self.items)
        if self.check and typed and not exact:
            try:
                self.check(typed)
            except LswError as error:
                if self.shown and at is not None:  # what was typed filters
                    self.dismiss(self.shown[at].name)
                else:
                    self.query_one("#wrong", Label).update(str(error))
                return
            self.dismiss(typed)
        elif exact:
            self.dismiss(typed)
        elif self.shown and at is not None:
            self.dismiss(self.shown[at].name)
        else:
            self.query_one("#wrong", Label).update(f"Nothing here has '{typed}'; mend it, or Esc.")
