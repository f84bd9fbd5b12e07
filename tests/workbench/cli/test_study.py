"""`lsw study` as a user types it."""

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from typer.testing import CliRunner

from store import LswError
from tests.conftest import Lsw
from workbench.cli.main import app

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
