"""What all commands share: options, the way errors look, and tables or JSON on stdout."""

import io
import os
import sys
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pydantic import ValidationError
    from rich.console import Console
    from rich.table import Table

    from store import LswError, Store
    from workbench.comparison.results import Results

StoreOption = Annotated[
    Path | None,
    typer.Option("--store", help="The store's folder.  [default: $LSW_STORE, else ./lsw-store]", show_default=False),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")]
RunId = Annotated[str, typer.Argument(help="A run id, or how it begins (see `lsw runs list`).")]
FormatOption = Annotated[str, typer.Option("--format", help="table, json, csv, latex, or a report of a plug-in.")]
ResultsFormatOption = Annotated[
    str, typer.Option("--format", help="screen, table (all of them), json, csv, latex, or a report of a plug-in.")
]
ScaleOption = Annotated[
    str, typer.Option("--scale", help="mini, laptop-mini, laptop, small, paper, or a TOML file of your own.")
]


def debugging() -> bool:
    """Whether tracebacks are wanted."""
    return bool(os.environ.get("LSW_DEBUG"))


def opened(folder: Path | None) -> "Store":
    """The store that a command works on."""
    from store import resolve

    return resolve(folder)


def talk() -> "Console":
    """Where talk goes: stderr."""
    from workbench.cli.terminal import Terminal

    return Terminal(stderr=True, highlight=False, markup=False)


def out() -> "Console":
    """Where tables go: stdout, wide enough for one when it is no terminal."""
    from workbench.cli.terminal import Terminal

    return Terminal(highlight=False, markup=False, width=None if sys.stdout.isatty() else 160)


def data() -> TextIO:
    """Where data that is no table goes: stdout, faithfully; a terminal gets it without what it would obey."""
    if not sys.stdout.isatty():
        return sys.stdout
    from workbench.cli.terminal import Screen

    return io.TextIOWrapper(Screen(), "utf-8", newline="", write_through=True)  # type: ignore[type-var]


def put(text: str) -> None:
    """Print data on stdout."""
    stream = data()
    stream.write(text)
    stream.flush()


def grid(*columns: str, **options: Any) -> "Table":
    """An empty table in the one style of all commands."""
    from rich import box
    from rich.table import Table

    return Table(*columns, box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, title_justify="left", **options)


def one_of(value: str, known: "Sequence[str]", what: str) -> str:
    """The value itself.

    Raises:
        LswError: it is not known; the nearest is offered.
    """
    from store import LswError, nearest

    if value not in known:
        raise LswError(f"Unknown {what} '{value}'.", cure=nearest(value, known))
    return value


def refused(error: "ValidationError") -> "LswError":
    """What is wrong with options that became settings, in words."""
    from store import LswError

    fault = error.errors()[0]
    option = f"--{fault['loc'][-1]}".replace("_", "-")
    return LswError(f"{option}: {fault['msg'][0].lower()}{fault['msg'][1:]}, not {fault['input']!r}.")


def checked_format(form: str, as_json: bool) -> str:
    """How results are to be printed: the name of a report.

    Raises:
        LswError: an unknown format.
    """
    from workbench.reports import REPORTS

    return "json" if as_json else REPORTS.known(form)


def show_results(results: "Results", form: str) -> None:
    """Print results on stdout in one of the formats."""
    from workbench.reports import REPORTS

    report = REPORTS.part(form)().of(results)
    if isinstance(report, str):
        put(report)
    else:
        out().print(report)


@contextmanager
def waiting(what: str) -> "Iterator[Callable[[int, int], None]]":
    """A bar on stderr for work that may be long; yields what has to be told done and total."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = TextColumn("{task.description}", markup=False), BarColumn(), TimeRemainingColumn()
    with Progress(*columns, console=talk(), transient=True) as bars:
        task = bars.add_task(what, total=None)
        yield lambda done, total: bars.update(task, completed=done, total=total)


def fail(title: str, detail: str = "", cure: str = "") -> None:
    """Show an error."""
    from rich.panel import Panel
    from rich.text import Text

    body = Text("\n".join(part for part in (title, detail, cure) if part))
    body.stylize("bold", 0, len(title))
    talk().print(Panel(body, title="error", title_align="left", border_style="red"))


def print_json(value: Any) -> None:
    """JSON on stdout; times in ISO 8601."""
    from workbench.reports.json import dumps

    put(dumps(value))


def shown(value: Any) -> str:
    """A value in a table's cell."""
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.4f}"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M")
    return str(value)
