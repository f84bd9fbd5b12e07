"""The documents say what the code does: links lead somewhere, commands exist, made parts are as the code is."""

import re
import shlex
import tomllib
from pathlib import Path

import pytest
from typer.main import get_command

from store import Store
from store.schema import VIEWS
from tests.conftest import ROOT, Lsw
from tests.make_docs import PAGES, filled
from workbench.cli.main import app

DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_made_parts_are_as_the_code_is(page: Path) -> None:
    assert page.read_text("utf-8") == filled(page), "python -m tests.make_docs writes it anew"


@pytest.mark.parametrize("page", DOCUMENTS, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text("utf-8")):
        assert link.startswith("https://") or (page.parent / link).exists(), link


@pytest.mark.parametrize("page", DOCUMENTS, ids=lambda page: page.name)
def test_commands_and_their_options_exist(page: Path) -> None:
    """Every line that begins with `lsw` in a block of shell."""
    root = get_command(app)
    for block in re.findall(r"```sh\n(.*?)```", page.read_text("utf-8"), re.DOTALL):
        for line in re.findall(r"^lsw (.*)", block, re.MULTILINE):
            whole = line.count('"') != 1  # else a statement goes on on the next line
            words = shlex.split(line.partition("  #")[0].replace("|", " ")) if whole else line.split()[:1]
            command = root
            while words and words[0] in getattr(command, "commands", {}):
                command = command.commands[words.pop(0)]  # type: ignore[attr-defined]
            assert command is not root, line
            known = {option for parameter in command.params for option in parameter.opts}
            assert not [word for word in words if word.startswith("--") and word not in known], line


def test_blocks_of_toml_are_toml() -> None:
    for page in DOCUMENTS:
        for block in re.findall(r"```toml\n(.*?)```", page.read_text("utf-8"), re.DOTALL):
            tomllib.loads(block)


def test_the_sql_of_the_store_page_runs(made: Store, lsw: Lsw) -> None:
    text = (ROOT / "docs" / "store.md").read_text("utf-8")
    statements = re.findall(r'^lsw sql "(.*?)"', text, re.MULTILINE | re.DOTALL)
    assert len(statements) == 3
    for statement in statements:
        lsw("sql", statement, "--store", made.folder)


def test_every_command_has_help() -> None:
    """Listed from the app itself: what it does, and every option."""

    def walk(command: object, words: list[str]) -> None:
        children = getattr(command, "commands", {})
        for name, child in children.items():
            walk(child, [*words, name])
        assert command.get_short_help_str(200), words  # type: ignore[attr-defined]
        for parameter in command.params if words else ():  # type: ignore[attr-defined]
            told = getattr(parameter, "help", None) or parameter.param_type_name == "argument"
            assert told, (words, parameter.name)

    walk(get_command(app), [])


def test_the_help_of_sql_lists_the_views(lsw: Lsw) -> None:
    told = lsw("sql", "--help").stdout
    assert all(view in told for view in VIEWS)
