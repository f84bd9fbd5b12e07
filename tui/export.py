"""Views as files and as text to paste: CSV, Markdown, SVG."""

import csv
import io
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Label

FORMATS = (".csv", ".md", ".svg")


def markdown(columns: list[str], rows: list[list[str]]) -> str:
    """A table in Markdown."""
    head = [c or " " for c in columns]
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(c.replace('|', chr(92) + '|') for c in line)} |" for line in lines) + "\n"


def as_csv(columns: list[str], rows: list[list[str]]) -> str:
    """A table in CSV, with a header."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return out.getvalue()


class Export(ModalScreen[Path | None]):
    """Asks for a file and writes it; its ending is the format. An existing file is not overwritten.

    Args:
        name: of the page, which the file is called after.
        table: names of columns, rows.
        picture: the screen as SVG.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", "Cancel")]

    def __init__(self, name: str, table: tuple[list[str], list[list[str]]], picture: str) -> None:
        super().__init__()
        self.called, self.table, self.picture = name, table, picture

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            question = f"Write {len(self.table[1])} rows as .csv or .md, or the screen as .svg, to:"
            yield Label(question, id="question", markup=False)
            yield Input(f"lsw-{self.called}.csv")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        path = Path(event.value.strip()).expanduser()
        say = self.query_one("#question", Label)
        if path.suffix not in FORMATS:
            say.update(f"A file ends in {', '.join(FORMATS)}.")
            return
        writer = {".csv": as_csv, ".md": markdown}.get(path.suffix)
        text = writer(*self.table) if writer else self.picture
        if self.app.is_web:
            self.app.deliver_text(io.StringIO(text), save_filename=path.name)
            self.dismiss()
            return
        try:
            with path.open("x", encoding="utf-8", newline="") as file:
                file.write(text)
        except FileExistsError:
            say.update("That file exists; give another name.")
        except OSError as error:
            say.update(f"{error.strerror}: {path}")
        else:
            self.dismiss(path.resolve())
