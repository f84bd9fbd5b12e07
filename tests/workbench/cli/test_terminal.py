"""What data and file names hold is shown, never obeyed; what is redirected is the data as it is."""

import io
import os
import pty
import subprocess
from pathlib import Path

import pytest

from store import Store
from tests.conftest import LSW, Lsw
from workbench.cli.console import fail, grid, talk
from workbench.cli.terminal import Screen, Terminal
from workbench.talk import inert

EVIL = "\x1b[31mred\x1b]0;title\x07\x9b2J\rover\x7f"
SHOWN = "[31mred]0;title2Jover"


def on_a_terminal(*args: object) -> str:
    """What `lsw` writes to a terminal that is its stdout."""
    ours, theirs = pty.openpty()
    with subprocess.Popen([LSW, *map(str, args)], stdout=theirs, stderr=subprocess.PIPE) as process:
        process.wait(60)
        os.close(theirs)
        written = b""
        while True:
            try:
                written += os.read(ours, 65_536)
            except OSError:  # all is read
                break
    os.close(ours)
    return written.decode()


def test_control_characters_go_and_the_rest_stays() -> None:
    assert inert(EVIL) == SHOWN
    assert inert("à\tb\nc 點") == "à\tb\nc 點"


def test_a_console_obeys_its_own_styles_only() -> None:
    written = io.StringIO()
    console = Terminal(file=written, force_terminal=True, width=60, highlight=False, markup=False)
    table = grid("qid", "query")
    table.add_row("1", EVIL)
    console.print(table, EVIL, style="bold")
    assert written.getvalue().count(SHOWN) == 2
    assert "\x1b[31m" not in written.getvalue()
    assert "\x1b[1m" in written.getvalue()


def test_errors_and_notes_name_files_without_obeying_them(capsys: pytest.CaptureFixture[str]) -> None:
    fail(f"There is no {EVIL}.", "folder\x1b[2J", "type\x9b")
    talk().print(f"read {EVIL}")
    told = capsys.readouterr().err
    assert told.count(SHOWN) == 2
    assert not {"\x1b", "\x9b", "\x07", "\r"} & set(told)


def test_bytes_for_a_terminal_may_come_in_pieces(capsys: pytest.CaptureFixture[str]) -> None:
    screen = Screen()
    for byte in f"點{EVIL}".encode():
        screen.write(bytes([byte]))
    assert capsys.readouterr().out == f"點{SHOWN}"


@pytest.mark.slow
@pytest.mark.parametrize("form", ["csv", "json", "table"])
def test_a_terminal_gets_no_escapes_and_a_file_gets_all(tmp_path: Path, lsw: Lsw, form: str) -> None:
    Store(tmp_path).create()
    ask = ("sql", "SELECT chr(27) || '[31mred' || chr(155) AS q", "--format", form, "--store", tmp_path)
    assert "\x1b[31m" not in on_a_terminal(*ask)
    assert "[31mred" in on_a_terminal(*ask)
    redirected = lsw(*ask).stdout
    assert {"csv": "\x1b[31mred\x9b", "json": "\\u001b[31mred\x9b", "table": "[31mred"}[form] in redirected
