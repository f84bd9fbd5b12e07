"""Views as files: each ending is a form; a file is there whole or not at all, and none is overwritten."""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Label

from store import LswError

Writer = Callable[[Path], None]


def markdown(columns: list[str], rows: list[list[str]]) -> str:
    """A table in Markdown."""
    head = [c or " " for c in columns]
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(c.replace('|', chr(92) + '|') for c in line)} |" for line in lines) + "\n"


def as_csv(columns: list[str], rows: list[list[str]]) -> str:
    """A table in CSV, with a header."""
    import csv
    import io

    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return out.getvalue()


def free(path: Path) -> Path:
    """The path, or with the first number after its name that no file has."""
    number, out = 1, path
    while out.exists():
        number += 1
        out = path.with_stem(f"{path.stem}-{number}")
    return out


def written(write: Writer, path: Path) -> None:
    """Write aside, then link into place: nothing is left after an error, and nothing is overwritten.

    Raises:
        FileExistsError: the path is taken.
        OSError: it cannot be written.
        LswError: as `write`.
    """
    aside = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")  # the same ending: it is the form
    try:
        write(aside)
        try:
            os.link(aside, path)
        except (OSError, NotImplementedError):  # a file system without links
            if path.exists():
                raise FileExistsError(str(path)) from None
            aside.replace(path)
    finally:
        with suppress(OSError):
            aside.unlink(missing_ok=True)


class Export(ModalScreen[Path | None]):
    """Asks for a file and writes it; its ending is the form.

    Args:
        name: what the file is called after.
        writers: by ending; the first is offered.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", "Cancel"), Binding("enter", "ok", "Write")]

    def __init__(self, name: str, writers: dict[str, Writer]) -> None:
        super().__init__()
        self.called, self.writers = name, writers

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as box:
            box.border_title = "Export"
            yield Label(f"To a file, as {', '.join(self.writers)}:", id="question", markup=False)
            yield Input(str(free(Path(f"lsw-{self.called}{next(iter(self.writers))}"))))

    def on_mount(self) -> None:
        box = self.query_one(Input)
        box.cursor_position = len(box.value) - len(Path(box.value).suffix)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        path = Path(event.value.strip()).expanduser()
        say = self.query_one("#question", Label)
        write = self.writers.get(path.suffix)
        if write is None:
            say.update(f"A file ends in one of {', '.join(self.writers)}.")
            return
        say.update("writing ...")
        event.input.disabled = True
        self.run_worker(lambda: self._write(write, path), thread=True, exclusive=True)

    def _write(self, write: Writer, path: Path) -> None:
        """In a thread: an answer of some million rows takes its time."""
        try:
            if self.app.is_web:
                self.app.call_from_thread(self._hand_over, write, path)
                done: Path | None = None
            else:
                written(write, path)
                done = path.resolve()
        except FileExistsError:
            self.app.call_from_thread(self._refused, f"{path} exists. This name is free:", str(free(path)))
        except LswError as error:
            self.app.call_from_thread(self._refused, str(error))
        except OSError as error:
            self.app.call_from_thread(self._refused, f"{error.strerror}: {path}")
        else:
            self.app.call_from_thread(self.dismiss, done)

    def _refused(self, words: str, instead: str = "") -> None:
        box = self.query_one(Input)
        box.disabled = False
        box.value = instead or box.value
        box.focus()
        self.query_one("#question", Label).update(words)

    def _hand_over(self, write: Writer, path: Path) -> None:
        """To a browser: by way of a folder that goes when it was read."""
        import io

        with TemporaryDirectory() as folder:
            aside = Path(folder) / path.name
            write(aside)
            self.app.deliver_binary(io.BytesIO(aside.read_bytes()), save_filename=path.name)
