"""Studies: cells in their order, killed and resumed, cells that fail, and what the store says of them."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from store import LswError, Store
from store.query import rows, runs
from store.studies import study as study_of
from store.studies import study_named
from workbench.engine.execute import execute
from workbench.engine.study import analyse, new_stages, run_study, to_run
from workbench.graph import Plan, Stage
from workbench.plans.study import StudyPlan, compile_study
from workbench.recipe.load import load_grid
from workbench.recipe.study import Cell

STUDY = """
title = "How much of BM25 is its length"
[retrieval]
pairs = ["ca-fr"]
systems = ["bm25"]
depth = 20
[comparison]
resamples = 1000
[study]
analysis = { analysis = "difference-in-differences", factor = "b", baseline = 0.75 }
vary."systems.bm25.b" = [0.0, 0.25, 0.5, 0.75]
"""


class Quiet:
    """An onlooker that notes what happens, and may interrupt a cell or have it fail."""

    def __init__(self, stop: int | None = None, fail: int | None = None) -> None:
        self.stop, self.fail = stop, fail
        self.order: list[Any] = []
        self.made: list[str] = []
        self.failed: list[int] = []
        self.at = -1

    def begin(self, stage: Stage, position: int, total: int) -> None:
        if stage.kind == "retrieve" and self.at == self.stop:
            raise KeyboardInterrupt
        if stage.kind == "retrieve" and self.at == self.fail:
            raise LswError("It broke.", exit_code=1)

    def progress(self, stage: Stage, done: int, total: int) -> None: ...
    def note(self, text: str) -> None: ...

    def end(self, stage: Stage, outcome: str, seconds: float, summary: dict[str, Any]) -> None:
        if outcome == "made":
            self.made.append(stage.kind)

    def cell(self, cell: Cell, plan: Plan) -> None:
        self.at += 1
        self.order += cell.levels.values()

    def cell_done(self, cell: Cell, plan: Plan, counts: dict[str, int]) -> None: ...

    def cell_failed(self, cell: Cell, error: LswError) -> None:
        self.failed.append(cell.number)


@pytest.fixture
def study(tmp_path: Path, small_scale: Path) -> StudyPlan:
    path = tmp_path / "length.toml"
    path.write_text(STUDY, "utf-8")
    scale = small_scale.read_text("utf-8") + '\n[systems.bm25]\narchitecture = "bm25"\n'
    small_scale.write_text(scale, "utf-8")
    return compile_study(*load_grid(path, small_scale), "length", "own", small_scale.parent)


def said(store: Store, sql: str) -> list[dict[str, Any]]:
    with store.reading() as con:
        return rows(con, sql)


def test_a_killed_grid_goes_on_where_it_stopped(study: StudyPlan, tmp_path: Path) -> None:
    store, first = Store(tmp_path / "s"), Quiet(stop=2)
    with pytest.raises(KeyboardInterrupt):
        run_study(study, store, first)
    assert first.order == [0.75, 0.0, 0.25]  # the ends, then what lies between
    [about] = said(store, "SELECT * FROM studies")
    assert (about["study_id"], about["n_cells"], about["done"], about["analysed"]) == (study.study_id, 4, 2, None)
    states = said(store, "SELECT levels, status FROM study_cells ORDER BY position")
    assert [row["status"] for row in states] == ["done", "done", "interrupted", "waiting"]
    assert [json.loads(row["levels"]) for row in states[:2]] == [{"systems.bm25.b": 0.75}, {"systems.bm25.b": 0.0}]
    assert [cell.levels["systems.bm25.b"] for cell, _ in to_run(study, store)] == [0.25, 0.5]

    assert len(analyse(study, store, Quiet())) == 2  # what is there is analysed, and what is not is counted
    assert said(store, "SELECT DISTINCT cells FROM effects") == [{"cells": 2}]

    second = Quiet()
    outcome = run_study(study, store, second)
    assert second.made.count("retrieve") == 2 * 2  # of the two cells that were not done, in two varieties each
    assert outcome.failed == [] and to_run(study, store) == []
    assert said(store, "SELECT done, analysed FROM studies") == [{"done": 4, "analysed": 4}]
    assert said(store, "SELECT DISTINCT cells FROM effects") == [{"cells": 4}]  # the partial ones are not shown
    again = Quiet()
    assert run_study(study, store, again).ran == 0 and again.made == []


def test_cells_are_recipe_runs_like_any_other(study: StudyPlan, tmp_path: Path) -> None:
    store = Store(tmp_path / "s")
    run_study(study, store, Quiet())
    known = said(
        store,
        """
        SELECT levels->>'$."systems.bm25.b"' AS b, r.query_variety, avg(value) AS mean
        FROM study_cells c JOIN recipe_stages s USING (recipe_run_id) JOIN runs r USING (key) JOIN measures m USING (run_id)
        WHERE measure = 'RR@10' GROUP BY ALL
        """,
    )
    assert len(known) == 4 * 2
    told = {(json.dumps(run["levels"]), run["query_variety"]): run["means"]["RR@10"] for run in runs(store)}
    assert told == {
        (json.dumps({"systems.bm25.b": float(row["b"])}), row["query_variety"]): pytest.approx(row["mean"])
        for row in known
    }
    means = said(store, "SELECT * FROM effects WHERE effect = 'mean' AND measure = 'RR@10'")
    by_cell = {(row["b"], row["query_variety"]): row["mean"] for row in known}
    for row in means:
        level = str(json.loads(row["levels"])["systems.bm25.b"])
        assert row["estimate"] == pytest.approx(by_cell[level, row["query_variety"]], abs=1e-9)
    assert len(means) == 8


def test_a_cell_that_fails_ends_the_study_or_is_counted(study: StudyPlan, tmp_path: Path) -> None:
    store = Store(tmp_path / "s")
    with pytest.raises(LswError, match="It broke") as error:
        run_study(study, store, Quiet(fail=1))
    assert "In the cell b 0.0." in error.value.detail
    onlooker = Quiet(fail=1)
    outcome = run_study(study, store, onlooker, go_on=True)
    assert outcome.failed == onlooker.failed == [0]
    assert said(store, "SELECT done, analysed FROM studies") == [{"done": 3, "analysed": 3}]


def compiled(tmp_path: Path, scale: Path, vary: str, factor: str, baseline: str) -> StudyPlan:
    """A study of another grid."""
    path, (head, _, _) = tmp_path / "length.toml", STUDY.partition("analysis")
    analysis = f'analysis = "difference-in-differences", factor = "{factor}", baseline = {baseline}'
    path.write_text(f"{head}analysis = {{ {analysis} }}\nvary.{vary}\n", "utf-8")
    return compile_study(*load_grid(path, scale), "length", "own", scale.parent)


def test_of_several_analyses_the_one_begun_last_is_shown(tmp_path: Path, small_scale: Path) -> None:
    store = Store(tmp_path / "s")
    one = compiled(tmp_path, small_scale, '"retrieval.depth" = [1, 20]', "depth", "1")
    other = compiled(tmp_path, small_scale, '"retrieval.depth" = [1, 20]', "depth", "20")
    for study in (one, other, one):
        run_study(study, store, Quiet())
        assert study_named(store, "length")["study_id"] == study.study_id
    assert said(store, "SELECT count(DISTINCT study_id) AS n FROM effects") == [{"n": 2}]
    # Of one study too: first these two cells, then others, then the first again.
    grid = compiled(tmp_path, small_scale, '"retrieval.depth" = [1, 5, 20]', "depth", "1")
    run_study(grid, store, Quiet())
    for levels in ({1, 5}, {1, 20}, {1, 5}):
        here = {cell.number for cell, _ in grid.cells if cell.levels["retrieval.depth"] in levels}
        execute(grid.analysis(here), store, Quiet())
        _, _, effects = study_of(store, grid.study_id)
        means = [row for row in effects if row["effect"] == "mean" and row["estimate"] is not None]
        told = {json.loads(row["levels"])["retrieval.depth"] for row in means}
        counted = said(store, f"SELECT count(*) AS n FROM effects WHERE study_id = '{grid.study_id}'")
        assert told == levels and counted == [{"n": len(effects)}]


def test_a_kind_that_only_some_cells_have_can_be_forced(tmp_path: Path, small_scale: Path) -> None:
    fused = '"retrieval.systems" = [["bm25"], ["rrf(bm25, bm25-4grams)"]]'
    study, store = compiled(tmp_path, small_scale, fused, "systems", "'[\"bm25\"]'"), Store(tmp_path / "s")
    run_study(study, store, Quiet())
    again = Quiet()
    run_study(study, store, again, force="fuse")
    assert again.made.count("fuse") == 2 and again.made.count("retrieve") == 0
    with pytest.raises(LswError, match="No stage of this recipe is of kind 'finetune'"):
        run_study(study, store, Quiet(), force="finetune")


def test_cells_of_other_passages_have_their_queries_too(tmp_path: Path, small_scale: Path) -> None:
    """One stage reads the queries of both collections, and both have them."""
    shutil.copytree(tmp_path / "small", tmp_path / "larger")
    with (tmp_path / "larger" / "corpus.fr.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"_id": "one-more.a", "text": "Une de plus."}\n')
    store = Store(tmp_path / "s")
    folders = '"collection.folder" = ["small", "larger"]'
    run_study(compiled(tmp_path, small_scale, folders, "folder", '"small"'), store, Quiet())
    counts = said(store, "SELECT collection, count(*) AS n FROM queries WHERE variety = 'ca' GROUP BY ALL ORDER BY 1")
    assert len(counts) == 2 and counts[0]["n"] == counts[1]["n"] > 0
    lacking = said(store, "SELECT count(*) AS n FROM runs r WHERE collection NOT IN (SELECT collection FROM queries)")
    assert lacking == [{"n": 0}]


def test_what_cells_share_is_counted_with_the_first(study: StudyPlan) -> None:
    by_cell = new_stages(study)
    every = [stage.key for stages in by_cell.values() for stage in stages]
    assert len(every) == len(set(every)) == len({stage.key for _, plan in study.cells for stage in plan.stages})
    first, *others = (len(by_cell[cell.number]) for cell, _ in study.cells)
    assert all(0 < other < first for other in others)


def test_nothing_is_analysed_where_nothing_ran(study: StudyPlan, tmp_path: Path) -> None:
    store = Store(tmp_path / "s")
    store.create()
    with pytest.raises(LswError, match="No cell of the study has run"):
        analyse(study, store, Quiet())
    assert said(store, "SELECT * FROM studies") == []
