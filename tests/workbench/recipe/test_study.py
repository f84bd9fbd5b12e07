"""Grids: which cells there are, in which order, what each changes, and what is refused."""

import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store import LswError
from workbench.recipe.load import load_grid, names, recipe_path, scale_path, scales, studies
from workbench.recipe.study import Study, cells

ONE = """
title = "One"
[fine-tuning]
pair = "ca-fr"
controls = []
systems = ["bge-m3"]
[retrieval]
pairs = ["ca-fr"]
systems = ["bge-m3"]
[study]
analysis = "dose-response"
"""


def grid(vary: dict[str, object], when: list[dict[str, object]] | None = None) -> Study:
    return Study.model_validate({"analysis": "dose-response", "vary": vary, "when": when or []})


def written(tmp_path: Path, text: str, whole: str = ONE) -> Path:
    path = tmp_path / "one.toml"
    path.write_text(whole + text, "utf-8")
    return path


@given(st.lists(st.lists(st.integers(), min_size=1, max_size=6, unique=True), min_size=1, max_size=3))
def test_every_combination_is_a_cell_once_and_the_corners_come_first(levels: list[list[int]]) -> None:
    found = cells(grid({f"{name}.x": known for name, known in zip("abc", levels, strict=False)}))
    asked = sorted(tuple(cell.levels.values()) for cell in found)
    assert asked == sorted(itertools.product(*levels))
    corners = set(itertools.product(*({known[0], known[-1]} for known in levels)))
    assert {tuple(cell.levels.values()) for cell in found[: len(corners)]} == corners
    assert sorted(cell.number for cell in found) == list(range(len(found)))


def test_what_lies_between_comes_from_the_middle_outwards() -> None:
    [*order] = (cell.levels["a.x"] for cell in cells(grid({"a.x": [0, 1, 2, 3, 4, "all"]})))
    assert order == ["all", 0, 2, 3, 1, 4]


def test_cells_change_what_their_levels_say(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        """
        vary."fine-tuning.queries" = [0, 5, "all"]
        vary.regime.short = { fine-tuning.bge-m3.steps = 3 }
        vary.regime.long = { fine-tuning.bge-m3 = { steps = 0, epochs = 2.0 } }
        [[study.when]]
        levels = { queries = [0], regime = ["long"] }
        skip = true
        [[study.when]]
        levels = { queries = ["all"] }
        set = { fine-tuning.seeds = [7, 8] }
        """,
    )
    recipe, found = load_grid(path, scale_path("mini"))
    assert recipe.study and len(found) == 5
    by_levels = {tuple(cell.levels.values()): each for cell, each in found}
    assert set(by_levels) == {(0, "short"), (5, "short"), (5, "long"), ("all", "short"), ("all", "long")}
    assert by_levels[0, "short"].trained("ca-fr") == []
    assert by_levels[5, "short"].queries("ca-fr") == 5
    assert by_levels["all", "long"].queries("ca-fr") is None
    assert by_levels[5, "short"].tuning("ca-fr", "bge-m3").steps == 3
    tuning = by_levels[5, "long"].tuning("ca-fr", "bge-m3")
    assert (tuning.steps, tuning.epochs) == (None, 2.0)
    assert by_levels["all", "short"].seeds("ca-fr", "bge-m3") == [7, 8]
    assert by_levels[5, "short"].seeds("ca-fr", "bge-m3") == [42]
    assert all(each.study is None for each in by_levels.values())


def test_a_factor_may_set_several_paths_and_items_of_lists(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        """
        vary.noise = { of = ["training.one.steps.1.share", "fine-tuning.bge-m3.warmup"], levels = [0.25, 0.5] }
        [training.one]
        pair = "oc-fr"
        steps = [{ step = "sample", queries = 9 }, { step = "replay", share = 1.0, seed = 3 }]
        """,
        ONE.replace('"dose-response"', '{ analysis = "dose-response", factor = "noise" }'),
    )
    recipe, found = load_grid(path, scale_path("mini"))
    assert recipe.study and recipe.study.factors == {"noise": [0.25, 0.5]}
    for cell, each in found:
        sample, replay = (step.model_dump() for step in each.training["one"].steps)
        assert sample["queries"] == 9
        assert (replay["share"], replay["seed"]) == (cell.levels["noise"], 3)
        assert each.tuning("one", "bge-m3").warmup == cell.levels["noise"]


def test_the_command_line_changes_a_grid(tmp_path: Path) -> None:
    path = written(tmp_path, 'vary."fine-tuning.queries" = [5, 6]')
    _, found = load_grid(path, scale_path("mini"), ['study.vary."fine-tuning.queries"=[9]', "retrieval.depth=7"])
    [(cell, recipe)] = found
    assert (cell.levels, recipe.retrieval and recipe.retrieval.depth) == ({"fine-tuning.queries": 9}, 7)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('vary."fine-tuning.queries" = []', "needs levels"),
        ('vary."fine-tuning.queries" = [5, 5]', "given twice"),
        ("vary.fine-tuning.queries = [5, 6]", "should be sections"),
        ('vary."fine-tunin.queries" = [5]', "unknown section 'fine-tunin'"),
        ('vary."fine-tuning.querys" = [5]', "Unknown key 'querys'"),
        ('vary."fine-tuning.queries" = [-5]', "greater than or equal to 0"),
        ('vary."study.analysis" = ["factorial"]', "unknown section 'study'"),
        ('vary."fine-tuning.queries" = [5]\nwhen = [{ levels = { querys = [5] }, skip = true }]', "no factor 'querys'"),
        ('vary."fine-tuning.queries" = [5]\nwhen = [{ levels = { queries = [6] }, skip = true }]', "no level '6'"),
        ('vary."fine-tuning.queries" = [5]\nwhen = [{ levels = { queries = [5] }, skip = true }]', "is left out"),
        ('analysis2 = "x"', "analysis2"),
        ("vary.one = { of = [], levels = [1] }", "list of paths"),
        ('vary.one = { of = ["retrieval.pairs.7.low"], levels = [1] }', "'pairs' has no item 7"),
    ],
)
def test_a_grid_that_cannot_be_is_refused(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(LswError) as error:
        load_grid(written(tmp_path, text), scale_path("mini"))
    assert told in f"{error.value.title} {error.value.detail} {error.value.cure}"


def test_a_grid_of_very_many_cells_is_refused_with_their_number(tmp_path: Path) -> None:
    many = list(range(1, 60))
    text = f'vary."fine-tuning.queries" = {many}\nvary."retrieval.depth" = {many}'
    with pytest.raises(LswError) as error:
        load_grid(written(tmp_path, text), scale_path("mini"))
    assert "3,481 cells" in error.value.title


def test_an_unknown_analysis_is_refused_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(LswError) as error:
        load_grid(written(tmp_path, "", ONE.replace("dose-response", "dose-respons")), scale_path("mini"))
    assert "dose-response" in error.value.cure


def test_the_fault_of_a_cell_says_which_cell(tmp_path: Path) -> None:
    with pytest.raises(LswError) as error:
        load_grid(written(tmp_path, 'vary."retrieval.depth" = [5, 0]'), scale_path("mini"))
    assert "In the cell depth 0." in error.value.detail


@pytest.mark.parametrize("scale", scales())
@pytest.mark.parametrize("name", studies())
def test_every_cell_of_every_study_is_sound_at_every_scale(name: str, scale: str) -> None:
    recipe, found = load_grid(recipe_path(name), scale_path(scale))
    assert recipe.study and len(found) == len({cell.number for cell, _ in found})
    asked = {name: {cell.levels[name] for cell, _ in found} for name in recipe.study.factors}
    assert asked == {name: set(levels) for name, levels in recipe.study.factors.items()}


def test_a_recipe_without_a_grid_is_no_study() -> None:
    plain = next(name for name in names() if name not in studies())
    with pytest.raises(LswError, match="is no study"):
        load_grid(recipe_path(plain), scale_path("mini"))
