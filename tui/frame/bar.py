"""The line on top of every screen: the screens by number, what is at work, and a note."""

from rich.cells import cell_len
from textual.markup import escape
from textual.widgets import Static


def titled(page: str) -> str:
    """A page's name as a title."""
    return "SQL" if page == "sql" else page.capitalize()


class Bar(Static):
    """Screens go to their numbers where there is no room for their names; what is at work is never left out."""

    DEFAULT_CSS = "Bar { dock: top; height: 1; background: $panel; }"

    def show(self, page: str, pages: list[str], work: str, note: str) -> None:
        """Draw it for one of the pages."""
        names = {name: f" {i} {titled(name)} " for i, name in enumerate(pages, 1)}
        room = self.app.size.width - cell_len(work) - 3
        if sum(map(cell_len, names.values())) > room:
            names = {
                name: text if name == page else f" {i} {titled(name)[:4]} "
                for i, (name, text) in enumerate(names.items(), 1)
            }
        if sum(map(cell_len, names.values())) > room:
            names = {name: text if name == page else f" {i} " for i, (name, text) in enumerate(names.items(), 1)}
        shown = [
            f"[@click=app.go('{name}')]{f'[reverse bold]{text}[/]' if name == page else text}[/]"
            for name, text in names.items()
        ]
        busy = f"  [@click=app.at_work][bold]▶[/] {escape(work)}[/]" if work else ""
        quiet = f"  [italic]{escape(note)}[/]" if note else ""
        self.update("".join(shown) + busy + quiet)
