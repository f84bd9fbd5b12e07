"""`lsw study` as a user types it."""

import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from typer.testing import CliRunner

from store import LswError, Store
from tests.conftest import Lsw
from tests.tui.driving import drive, text, until
from tui.app import Workbench
from tui.pages.results import Results
from tui.results.study import StudyFound
from workbench.cli.main import app
from workbench.comparison.results import Results as Found
from workbench.studies.findings import findings
from workbench.studies.results import StudyResults

STUDY = """
title = "What do terms do?"
[retrieval]
pairs = ["ca-fr"]
systems = ["bm25"]
depth = 20
[comparison]
resamples = 1000
[study]
analysis = { analysis = "difference-in-differences", factor = "b", baseline = 0.75 }
vary."systems.bm25.b" = [0.25, 0.75]
[[at]]
scales = ["mini"]
retrieval.pairs = ["oc-fr"]
"""


@pytest.fixture
def study(tmp_path: Path) -> Path:
    path = tmp_path / "terms.toml"
    path.write_text(STUDY + '[systems.bm25]\narchitecture = "bm25"\n'.replace("[systems", "\n[at.systems"), "utf-8")
    return path


@pytest.mark.slow
def test_a_study_from_its_grid_to_a_figure(study: Path, tmp_path: Path, lsw: Lsw) -> None:
    store = tmp_path / "s"
    foretold = json.loads(lsw("plan", study, "--store", store, "--json").stdout)
    assert foretold["cells"] == 2 and foretold["total"]["stages"] > 10
    done = lsw("study", "run", study, "--store", store)
    assert "2 of 2 cells to run; about" in done.stderr
    assert "What do terms do?" in done.stdout
    found = json.loads(lsw("study", "results", "--store", store, "--json").stdout)
    differences = [row for row in found["effects"] if row["effect"] == "difference"]
    assert {row["query_variety"] for row in differences} == {"oc", "fr"}
    drawn = tmp_path / "forest.svg"
    lsw("study", "figure", "forest", "terms", "--to", drawn, "--store", store)
    assert ET.parse(drawn).getroot().tag.endswith("svg")
    again = lsw("study", "run", study, "--store", store)
    assert "0 of 2 cells to run." in again.stderr and "0 stages run" in again.stderr
    assert again.stdout == done.stdout
    shown = json.loads(lsw("study", "show", study, "--store", store, "--json").stdout)
    assert [(cell["levels"], cell["status"]) for cell in shown] == [
        ({"systems.bm25.b": 0.75}, "done"),
        ({"systems.bm25.b": 0.25}, "done"),
    ]
    latest = lsw("recipe", "results", "terms", "--store", store, "--json")  # of a cell, not of the study
    assert len(json.loads(latest.stdout)["runs"]) == 2

    async def steps(pilot: Pilot[Any], screens: Workbench) -> None:
        """The study is the first screen: its sentences, figures, effects and cells; a cell leads to its recipe run."""
        page = screens.screen
        assert isinstance(page, Results)
        await until(pilot, lambda: isinstance(page.shown_result, StudyResults))
        view = page.query_one(StudyFound)
        assert all(sentence in text(page, "#sentences") for sentence in findings(page.shown_result))  # type: ignore[arg-type]
        assert set(view.views()) > {"forest", "effects", "cells"}
        for _ in view.views():
            await pilot.press("v")
        while view.view != "effects":
            await pilot.press("v")
        listed = [line for line in view.lines if not isinstance(line, str)]
        assert len(listed) == len(found["effects"])
        while view.view != "cells":
            await pilot.press("v")
        await pilot.press("g", "j", "enter")
        await until(pilot, lambda: isinstance(page.shown_result, Found))
        assert page.asked == view.cells[1]["recipe_run_id"]
        await pilot.press("backspace")
        await until(pilot, lambda: isinstance(page.shown_result, StudyResults))

    drive(Store(store), steps)


def test_what_is_wrong_is_said_in_one_error(study: Path, tmp_path: Path) -> None:
    for arguments, told in (
        (["study", "run", "trainin_size"], "training_size"),
        (["study", "run", "robustness"], "is no study"),
        (["study", "run", study, "study.vary.x=[1]"], "unknown section"),
        (["study", "run", study, "study.analysis.factor=c"], "no factor 'c'"),
        (["study", "run", study, "--format", "cvs"], "csv"),
        (["study", "results", "nothing"], "There is no store"),
        (["recipe", "run", study], f"lsw study run {study}"),
    ):
        refused = CliRunner().invoke(app, [*map(str, arguments), "--store", str(tmp_path / "s")])
        error = refused.exception
        assert isinstance(error, LswError), arguments
        assert told in f"{error.title} {error.detail} {error.cure}" and error.exit_code == 2
