"""What the analysis of a study is told of its cells."""

from pathlib import Path

from workbench.plans.study import StudyPlan, compile_study
from workbench.recipe.load import load_grid, scale_path
from workbench.stages.analyse import Analyse

ONE = """
title = "One"
[fine-tuning]
systems = ["bge-m3"]
[training.x]
pair = "ca-fr"
[training.high-only]
pair = "fr-fr"
[retrieval]
pairs = ["ca-fr"]
systems = ["bge-m3"]
[study]
analysis = { analysis = "factorial", factors = { one = "nominal" } }
"""


def planned(tmp_path: Path, text: str) -> StudyPlan:
    path = tmp_path / "one.toml"
    path.write_text(ONE + text, "utf-8")
    scale = scale_path("mini")
    return compile_study(*load_grid(path, scale), "one", "mini", scale.parent, fetch=False)


def analysis(study: StudyPlan, done: set[int] | None = None) -> Analyse:
    [stage] = study.analysis(done).stages
    assert isinstance(stage.work, Analyse)
    return stage.work


def test_trainings_that_see_other_pairs_in_other_cells_are_told(tmp_path: Path) -> None:
    vary = 'vary.one = { a = {}, b = { training.x.pair = "yue-zh" }, c = {} }'
    both = analysis(planned(tmp_path, vary))
    assert (both.varied, both.trainings) == (["x"], {"x": ["ca-fr", "yue-zh"], "high-only": ["fr-fr"]})
    one = analysis(planned(tmp_path, vary.replace(', b = { training.x.pair = "yue-zh" }', "")))
    assert (one.varied, one.trainings) == ([], {"x": ["ca-fr"], "high-only": ["fr-fr"]})


def test_cells_are_those_that_are_there_and_the_others_are_counted(tmp_path: Path) -> None:
    study = planned(tmp_path, 'vary.one = { of = ["fine-tuning.bge-m3.epochs"], levels = [2.0, 3.0] }')
    whole, part = analysis(study), analysis(study, {1})
    assert ([cell.cell for cell in whole.cells], whole.missing) == ([0, 1], 0)
    assert ([cell.cell for cell in part.cells], part.missing) == ([1], 1)
    assert [cell.levels for cell in part.cells] == [{"one": 3.0}]
    base, *trained = sorted(part.cells[0].runs, key=lambda run: run.trained_on or "")
    assert base.trained_on is None and {run.trained_on for run in trained[1:]} == {"x", "high-only"}
    # A base run is the same in both cells, a trained one is not.
    bases, others = (
        [{run.run_id for run in cell.runs if (run.trained_on is None) == wanted} for cell in whole.cells]
        for wanted in (True, False)
    )
    assert bases[0] == bases[1] and not others[0] & others[1]
