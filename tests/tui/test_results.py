"""What a recipe found, on the first screen, against what the store has."""

import json
from pathlib import Path
from typing import Any, cast

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from store import Store
from store.query import recipe_run, runs, select
from store.rows import EffectRow
from tests.conftest import run_lsw
from tests.tui.driving import compared, drive, go, text, until
from tui.app import Workbench
from tui.frame.listing import Listing
from tui.pages.results import Results
from tui.pages.runs import Runs
from tui.results.forest import Scale
from tui.results.recipe import RecipeFound


async def results(pilot: Pilot[Any], app: Workbench) -> Results:
    """Wait for the first screen to show what was found."""
    await until(pilot, lambda: isinstance(app.screen, Results) and app.screen.shown_result is not None)
    await pilot.pause()
    assert isinstance(app.screen, Results)
    return app.screen


def newest(store: Store) -> str:
    return str(select(store, "SELECT recipe_run_id FROM recipe_runs WHERE recipe = 'zero_shot_yue_zh'")[1][0][0])


def test_results_come_first_and_say_what_the_store_has(finished: Store) -> None:
    _, own, comparisons, _ = recipe_run(finished, newest(finished))
    main = [row for row in comparisons if row["measure"] == "RR@10"]

    async def steps(pilot: Pilot[Any], app: Workbench) -> None:
        page = await results(pilot, app)
        view = page.query_one(RecipeFound)
        shown = [line for line in view.lines if not isinstance(line, str)]
        assert {(r["run_id"], r["baseline_run_id"], r["contrast"]) for r in shown} == {
            (r["run_id"], r["baseline_run_id"], r["contrast"]) for r in main
        }
        forest = page.query_one("#forest", Listing).rows
        for i, row in enumerate(view.lines):
            cells = forest.cells(i)
            if isinstance(row, str):
                some = [r for r in main if r["family"] == row]
                assert f"{row}" in cells[0].plain and f"Holm over {some[0]['family_size']}" in cells[0].plain  # type: ignore[union-attr]
                continue
            starred = row["p_corrected"] < 0.05
            assert cells[2].plain == f"{row['delta']:+.3f}".replace("0.", ".") + "*" * starred  # type: ignore[union-attr]
            track = cells[3](60)  # type: ignore[operator]
            zero, at = track.plain.find("┊"), track.plain.index("●")
            heavy = row["ci_low"] > 0 or row["ci_high"] < 0
            assert ("━" in track.plain) == heavy and track.plain.count("●") == 1
            assert zero < 0 or (at > zero) == (row["delta"] > 0)
        means = {
            (r["system"], r["trained_on"], r["query_variety"], r["document_variety"]): r["means"]["RR@10"] for r in own
        }
        grid = page.query_one("#grid", Listing).rows
        for i, name in enumerate(view.names):
            for cell, column in zip(grid.cells(i)[1:], view.columns, strict=True):
                assert cell.plain == f"{means[(*name, *column)]:.3f}".removeprefix("0")  # type: ignore[union-attr]
        said = text(page, "#words")
        assert all(question in said for question in ("harder before training?", "Did a gap close?"))

    drive(finished, steps, (160, 48))


def test_enter_opens_what_a_figure_is_of_and_backspace_comes_back(finished: Store) -> None:
    by_id = {r["run_id"]: r for r in runs(finished)}

    async def steps(pilot: Pilot[Any], app: Workbench) -> None:
        page = await results(pilot, app)
        view = page.query_one(RecipeFound)
        await pilot.press("m", *"nDCG", "enter")
        await until(pilot, lambda: view.measure == "nDCG@10")
        await pilot.press("slash", *"contrast", "colon", *"gain", "space", *"colbert", "enter")
        left = [line for line in view.lines if not isinstance(line, str)]
        assert left and all(r["contrast"] == "gain" and "colbert" in r["system"] for r in left)
        assert text(page, "#hits").startswith(f"{len(left)} of ")
        await pilot.press("g", "j")
        row, cursor = view.at(), page.query_one("#forest", Listing).cursor
        assert row
        await pilot.press("enter")
        after = await compared(pilot, app)
        assert list(app.choice.run_ids) == [row["baseline_run_id"], row["run_id"]]
        assert after.comparison and after.comparison.choice.measure == "nDCG@10"
        assert after.comparison.rows[0]["delta"] == pytest.approx(row["delta"], abs=1e-12)
        # A new comparison starts at its worst query.
        deltas = after.comparison.deltas(1)
        assert deltas[after.comparison.qids.index(after.keep or "")] == deltas.min()
        await pilot.press("backspace")
        assert app.screen is page
        assert page.query_one("#forest", Listing).cursor == cursor and view.measure == "nDCG@10"
        # A mean is held against its base, and what cannot be trained against its high-resource twin.
        grid = page.query_one("#grid", Listing)
        grid.focus()
        for name, held in ((("bge-m3", "ca-fr"), ("bge-m3", None)), (("bm25", None), ("bm25", None))):
            await pilot.press("g", *["j"] * view.names.index(name))
            grid.column = view.columns.index(("yue", "zh"))
            await pilot.press("enter")
            await compared(pilot, app)
            base, run = (by_id[i] for i in app.choice.run_ids)
            assert (run["system"], run["trained_on"], run["query_variety"]) == (*name, "yue")
            assert (base["system"], base["trained_on"]) == held
            assert base["query_variety"] == ("yue" if name[1] else "zh")
            await pilot.press("backspace")

    drive(finished, steps, (120, 40))


def test_the_report_of_the_page_is_that_of_the_command(finished: Store, tmp_path: Path) -> None:
    async def steps(pilot: Pilot[Any], app: Workbench) -> None:
        await results(pilot, app)
        for ending in ("csv", "json", "tex"):
            await pilot.press("e")
            app.screen.query_one(Input).value = str(tmp_path / f"found.{ending}")
            await pilot.press("enter")
            await until(pilot, lambda: isinstance(app.screen, Results))

    drive(finished, steps)
    for form, ending in (("csv", "csv"), ("json", "json"), ("latex", "tex")):
        said = run_lsw("recipe", "results", newest(finished), "--format", form, "--store", finished.folder).stdout
        written = (tmp_path / f"found.{ending}").read_text("utf-8")
        if form == "json":
            assert json.loads(written) == json.loads(said)
        else:
            assert written == said


def test_what_was_found_since_one_was_here_is_shown_and_else_where_one_was(finished: Store) -> None:
    async def first(pilot: Pilot[Any], app: Workbench) -> None:
        await results(pilot, app)
        await go(pilot, app, "runs")

    async def second(pilot: Pilot[Any], app: Workbench) -> None:
        await until(pilot, lambda: isinstance(app.screen, Runs))
        await pilot.press("o")  # what the recipe of this run found
        page = await results(pilot, app)
        assert page.asked == newest(finished)

    drive(finished, first)
    drive(finished, second)


def test_an_effect_of_a_study_opens_its_own_two_runs_or_none(finished: Store) -> None:
    _, own, _, _ = recipe_run(finished, newest(finished))
    by_id = {r["run_id"]: r for r in own}

    async def steps(pilot: Pilot[Any], app: Workbench) -> None:
        page = await results(pilot, app)
        about = {"system": "bge-m3", "query_variety": "yue", "document_variety": "zh"}
        for effect, trained, at, held in (
            ("gain", "mixed", {}, None), ("control", "ca-fr", {"against": "high-only"}, "high-only"),
        ):  # fmt: skip
            row = cast("EffectRow", {**about, "effect": effect, "trained_on": trained, "levels": json.dumps(at)})
            page._behind(row, newest(finished), own)
            await compared(pilot, app)
            base, run = (by_id[i] for i in app.choice.run_ids)
            assert (base["system"], base["trained_on"], run["trained_on"]) == ("bge-m3", held, trained)
            assert (run["query_variety"], run["document_variety"]) == ("yue", "zh")
        before = app.choice
        row = cast("EffectRow", {**about, "effect": "cell mean", "trained_on": "mixed", "levels": "{}"})
        page._behind(row, newest(finished), own)
        assert app.choice == before

    drive(finished, steps)


def test_a_scale_has_its_zero_and_its_ends() -> None:
    scale = Scale([0.1, -0.3, None, 0.05])
    columns = [scale.column(v, 50) for v in (-0.3, -0.1, 0.0, 0.1)]
    assert columns == sorted(columns) and columns[0] >= 0 and columns[-1] <= 49
    track = scale.mark(-0.1, -0.3, -0.05, "lost", 50).plain
    assert track.index("━") == columns[0] and track[columns[1]] == "●" and track[columns[2]] == "┊"
    assert "─" in scale.mark(0.0, -0.1, 0.1, "bar", 50).plain
    assert Scale([]).column(0.0, 10) in range(10)
