"""What is typed after `lsw`, refused in the words of the option."""

import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from store import LswError, Store
from store.record import open_recipe_run
from workbench.cli import main


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["compare", "a", "b", "--seed", "-1"], "--seed: input should be a seed"),
        (["audit", "yue-zh", "--seed", "-1"], "--seed: input should be a seed"),
        (["import", __file__, "--qrels", __file__, "--system", "", "--query-variety", "yue"], "cannot be shown"),
        (
            ["import", __file__, "--qrels", __file__, "--system", "\x1b[31m", "--query-variety", "yue"],
            "cannot be shown",
        ),
    ],
)
def test_an_odd_option_is_refused(arguments: list[str], said: str) -> None:
    error = CliRunner().invoke(main.app, arguments).exception
    assert isinstance(error, LswError)
    assert said in error.title


@pytest.mark.parametrize(
    "arguments", [["compare", "a", "--resamples", "1000000000"], ["retrieve", ".", "--depth", "9" * 9]]
)
def test_a_number_out_of_bounds_is_refused(arguments: list[str]) -> None:
    told = CliRunner().invoke(main.app, arguments)
    assert (told.exit_code, "not in the range" in told.output or "less than" in told.output) == (2, True)


def test_what_is_no_utf_8_is_refused_before_it_is_recorded(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["lsw", "runs", "show", "\udcff"])
    monkeypatch.setattr(main.interrupt, "watch", lambda: None)
    with pytest.raises(SystemExit) as ended:
        main.main()
    assert ended.value.code == 2
    assert "is not UTF-8" in capsys.readouterr().err


def test_a_recipe_run_without_results_says_so(tmp_path: Path) -> None:
    at = ["--store", str(tmp_path)]
    store = Store(tmp_path)
    store.create()
    error = CliRunner().invoke(main.app, ["recipe", "results", *at]).exception
    assert isinstance(error, LswError) and "No recipe has run" in error.title and "lsw recipe run" in error.cure
    with store.writing() as con:
        open_recipe_run(
            con, store, "aab1", "mine", "A title", "mini", '{"measures": {"names": ["RR@10"]}}', [("k", "s")]
        )
    error = CliRunner().invoke(main.app, ["recipe", "results", "mine", *at]).exception
    assert isinstance(error, LswError) and "aab1 of mine has no retrieval runs" in error.title
    assert "It is running; run the recipe again" in error.cure
    unknown = CliRunner().invoke(main.app, ["recipe", "results", "--format", "tabel", *at]).exception
    assert isinstance(unknown, LswError) and "Unknown format 'tabel'" in unknown.title and "'table'" in unknown.cure
