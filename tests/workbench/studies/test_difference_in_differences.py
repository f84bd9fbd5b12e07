"""Differences in differences with a known truth, of what four runs share."""

import json
import re
from typing import Any

import numpy as np
import pytest
from scipy import stats

from store import LswError
from tests.workbench.studies.simulated import Grid, Row, covers, effects, of

FACTOR = "genre.pages"
LEVELS = ["passages", "first-256", "maxp"]
BEFORE = {"passages": 0.0, "first-256": -0.10, "maxp": -0.05}
GAIN = {"passages": 0.06, "first-256": 0.01, "maxp": 0.06}


def grid(systems: int = 1, topics: int = 60, seeds: int = 3, collections: tuple[str, ...] = ("neumarco",)) -> Grid:
    rng = np.random.default_rng(1)
    made = Grid({FACTOR: LEVELS, "collection": list(collections)}, [str(i) for i in range(topics)])
    for number, collection in [(n, c) for n in range(systems) for c in collections]:
        name, base = f"s{number}", rng.uniform(0.3, 0.6, topics)
        for level in LEVELS:
            where = {FACTOR: level, "collection": collection}
            before = base + BEFORE[level] + rng.normal(0, 0.1, topics)
            made.add(before, where, system=name)
            better = GAIN[level] + rng.normal(0, 0.1, topics)
            for model in range(seeds):
                after = before + better + rng.normal(0, 0.005) + rng.normal(0, 0.05, topics)
                made.add(after, where, "ca-fr", model, system=name)
    return made


def analysed(made: Grid, **settings: Any) -> list[Row]:
    return effects(
        "difference-in-differences", made.evidence(), **{"factor": "pages", "baseline": "passages"} | settings
    )


def at(level: str, against: str | None = None, collection: str = "neumarco") -> str:
    named = {"collection": collection, FACTOR: level, "against": against}
    return json.dumps({name: value for name, value in named.items() if value})


def test_means_and_their_differences_are_numpys() -> None:
    made = grid(collections=("neumarco", "neuclir"))
    rows, evidence = analysed(made, flips=100_000), made.evidence()

    def mean(level: str, trained: bool, collection: str) -> np.ndarray:
        runs = [r for r in evidence.runs if r.levels == {FACTOR: level, "collection": collection}]
        values = [evidence.values(run.run_id) for run in runs if (run.trained_on is not None) == trained]
        return np.mean(values, axis=0)

    for collection in ("neumarco", "neuclir"):
        for level in LEVELS:
            [row] = of(rows, "mean", trained_on="ca-fr", levels=at(level, collection=collection))
            assert row["estimate"] == pytest.approx(mean(level, True, collection).mean())
            assert (row["models"], row.get("p_value")) == (3, None)
        [row] = of(rows, "difference", trained_on=None, levels=at("maxp", "passages", collection))
        expected = mean("maxp", False, collection) - mean("passages", False, collection)
        assert row["estimate"] == pytest.approx(expected.mean())
        [row] = of(rows, "difference in differences", levels=at("first-256", "passages", collection))
        gains = [mean(level, True, collection) - mean(level, False, collection) for level in ("first-256", "passages")]
        assert row["estimate"] == pytest.approx((gains[0] - gains[1]).mean())
        # About as likely as under the t-test of the same differences.
        assert row["p_value"] == pytest.approx(stats.ttest_1samp(gains[0] - gains[1], 0).pvalue, rel=0.5, abs=1e-3)
        assert (row["family_size"], row["correction"], row["n"]) == (4, "holm", 60)
    assert {row["family"] for row in of(rows, "difference")} == {
        "difference before training", "difference after training",
    }  # fmt: skip
    assert rows[0]["trained_on"] is None


def test_intervals_hold_the_truth_and_tests_reject_as_often_as_they_say() -> None:
    systems = 60
    rows = analysed(grid(systems, topics=50, seeds=2), resamples=500, flips=1_000)
    low, high = stats.binom.interval(0.99, systems, 0.95)
    for level in ("first-256", "maxp"):
        truth = GAIN[level] - GAIN["passages"]
        found = of(rows, "difference in differences", levels=at(level, "passages"))
        assert low <= sum(covers(row, truth) for row in found) <= high
        found = of(rows, "difference", trained_on=None, levels=at(level, "passages"))
        assert low <= sum(covers(row, BEFORE[level]) for row in found) <= high
    # Training helps as much on `maxp` as on passages. The test is of these models, whose spread is small here.
    rejected = sum(
        row["p_value"] <= 0.05 for row in of(rows, "difference in differences", levels=at("maxp", "passages"))
    )
    low, high = stats.binom.interval(0.99, systems, 0.05)
    assert low <= rejected <= high


def test_each_effect_is_of_the_queries_that_its_own_runs_share() -> None:
    made = grid(seeds=1)
    [name] = [n for n in made.values if "None" in n and "maxp" in n]
    made.values[name][:25] = np.nan
    made.topics = [str(i // 2) for i in range(60)]
    rows = analysed(made)
    counts = {
        (row["effect"], row["trained_on"], json.loads(row["levels"])[FACTOR]): (row["n"], row["n_groups"])
        for row in rows
    }
    assert counts["mean", "ca-fr", "maxp"] == counts["difference", "ca-fr", "maxp"] == (60, 30)
    assert counts["mean", None, "maxp"] == counts["difference", None, "maxp"] == (35, 18)
    assert counts["difference in differences", "ca-fr", "maxp"] == (35, 18)
    assert counts["difference in differences", "ca-fr", "first-256"] == (60, 30)
    [row] = of(rows, "difference in differences", levels=at("maxp", "passages"))
    assert json.loads(row["detail"])["left_out"] == 25


def test_what_is_missing_is_said() -> None:
    made = grid(seeds=1)
    made.runs = [
        run for run in made.runs
        if (run.levels[FACTOR], run.trained_on) not in (("maxp", None), ("first-256", "ca-fr"))
    ]  # fmt: skip
    rows = analysed(made)
    [row] = of(rows, "mean", trained_on="ca-fr", levels=at("first-256"))
    assert row["why_not"] == "not run"
    [row] = of(rows, "difference in differences", levels=at("first-256", "passages"))
    assert row["why_not"] == "1 of 4 means: not run"
    [row] = of(rows, "difference in differences", levels=at("maxp", "passages"))
    assert row["why_not"] == "1 of 4 means: not run: the base"
    made = grid(seeds=1)
    for name, values in made.values.items():
        values[slice(0, 30) if "maxp" in name else slice(30, 60)] = np.nan
    [row] = of(analysed(made), "difference", trained_on="ca-fr", levels=at("maxp", "passages"))
    assert row["why_not"] == "no query in common"
    assert row.get("estimate") is None


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"factor": "page"}, "no factor 'page'"),
        ({"baseline": "passage"}, "no level \"passage\".*Did you mean 'passages'"),
        ({"factor": "collection", "baseline": "neumarco"}, "has a single level"),
    ],
)
def test_bad_input_is_refused(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(LswError) as refused:
        analysed(grid(topics=4, seeds=1), **settings)
    assert re.search(says, str(refused.value).replace("\n", " "))
