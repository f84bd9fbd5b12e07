"""Methods under a budget with a known truth: areas, slopes on noise, equal count against equal cost."""

import json
import re
from typing import Any

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from store import LswError
from tests.workbench.reports.studies import studied
from tests.workbench.studies.simulated import Grid, Row, covers, effects, of
from workbench.reports.figures import FIGURES

BUDGETS = [0, 50, 200, 1000]
NOISES = [0.0, 0.1, 0.3]
METHODS = ["parallel", "lexicon"]
SLOPES = {"parallel": -0.2, "lexicon": -0.05}
WORDS = {"parallel": 10.0, "lexicon": 2.0}


def gain(method: str, noise: float, budget: float) -> float:
    """A share of ln(1 + budget), less what noise costs; nothing of nothing."""
    rate = {"parallel": 0.03, "lexicon": 0.02}[method]
    return rate * float(np.log1p(budget)) + (SLOPES[method] * noise if budget else 0.0)


def grid(systems: int = 1, topics: int = 50, seeds: int = 2, noise: float = 0.08, seed: int = 1) -> Grid:
    rng = np.random.default_rng(seed)
    made = Grid({"budget": BUDGETS, "method": METHODS, "study.noise": NOISES}, [str(i) for i in range(topics)])
    for number in range(systems):
        name, base, own = f"s{number}", rng.uniform(0.2, 0.5, topics), rng.normal(0, 0.1, topics)
        for method, wrong, budget in [(m, z, b) for m in METHODS for z in NOISES for b in BUDGETS]:
            levels = {"budget": budget, "method": method, "study.noise": wrong}
            made.add(base, levels, name=f"{name}/base", system=name)
            for model in range(seeds if budget else 0):
                values = base + gain(method, wrong, budget) + own + rng.normal(0, noise, topics)
                made.add(values, levels, "ca-fr", model, system=name)
    return made


def analysed(made: Grid, **settings: Any) -> list[Row]:
    return effects("budget", made.evidence(), **{"method": "method", "noise": "noise"} | settings)


def levels(method: str, noise: float | None = None, against: str | None = None) -> str:
    named = {"method": method, "study.noise": noise, "against": against}
    return json.dumps({name: level for name, level in named.items() if level is not None})


def test_areas_and_slopes_are_numpys_of_the_means() -> None:
    made = grid()
    rows, evidence = analysed(made), made.evidence()
    means: dict[tuple[str, float, int], float] = {}
    for method, noise, budget in [(m, z, b) for m in METHODS for z in NOISES for b in BUDGETS]:
        at = {"budget": budget, "method": method, "study.noise": noise}
        runs = [r for r in evidence.runs if r.levels == at and r.trained_on]
        found = [np.mean(evidence.values(run.run_id) - evidence.values("s0/base")) for run in runs]
        means[method, noise, budget] = float(np.mean(found)) if found else 0.0
        [row] = of(rows, "gain", levels=levels(method, noise), dose=float(budget))
        assert row["estimate"] == pytest.approx(means[method, noise, budget])
        assert row["models"] == (2 if budget else 0)
    places = np.log1p(BUDGETS)

    def area(method: str, noise: float) -> float:
        return float(np.trapezoid([means[method, noise, b] for b in BUDGETS], places) / places[-1])

    for noise in NOISES:
        [row] = of(rows, "area", levels=levels("lexicon", noise))
        assert row["estimate"] == pytest.approx(area("lexicon", noise))
        [row] = of(rows, "area difference", levels=levels("parallel", noise, "lexicon"))
        assert row["estimate"] == pytest.approx(area("parallel", noise) - area("lexicon", noise))
    for method in METHODS:
        [row] = of(rows, "slope", levels=levels(method), dose=200.0)
        line = np.polyfit(NOISES, [means[method, noise, 200] for noise in NOISES], 1)
        assert row["estimate"] == pytest.approx(line[0])
        assert row["unit"] == "RR@10 per 1 of noise"
    for effect, size in (("gain", 18), ("area", 6), ("area difference", 3), ("slope", 6)):
        family = [row for row in of(rows, effect) if row.get("p_value") is not None]
        assert {row["family_size"] for row in family} == {size} == {len(family)}
        theirs = multipletests([row["p_value"] for row in family], method="holm")[1]
        assert [row["p_corrected"] for row in family] == pytest.approx(theirs.tolist())


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    rows = analysed(grid(30, seeds=1), resamples=500)
    places = np.log1p(BUDGETS)

    def area(method: str, noise: float) -> float:
        return float(np.trapezoid([gain(method, noise, b) for b in BUDGETS], places) / places[-1])

    # What topics have of their own is in all areas of a system, and in no difference and no slope.
    held = {"area": [covers(row, area("lexicon", 0.1)) for row in of(rows, "area", levels=levels("lexicon", 0.1))]}
    held["area difference"] = [
        covers(row, area("parallel", noise) - area("lexicon", noise))
        for noise in NOISES
        for row in of(rows, "area difference", levels=levels("parallel", noise, "lexicon"))
    ]
    held["slope"] = [
        covers(row, SLOPES[method]) for method in METHODS for row in of(rows, "slope", levels=levels(method))
    ]
    for name, size in (("area", 30), ("area difference", 90), ("slope", 180)):
        low, high = stats.binom.interval(0.99, size, 0.95)
        assert len(held[name]) == size
        assert low <= sum(held[name]) <= high


def test_equal_cost_is_over_the_range_that_both_have() -> None:
    rows = analysed(grid(noise=1e-9, seeds=1, topics=400), cost=WORDS)
    shared = np.log1p(1000 * 2.0)  # words: parallel up to 10,000, lexicon up to 2,000
    [parallel] = of(rows, "area at equal cost", levels=levels("parallel", 0.0))
    assert json.loads(parallel["detail"])["to_cost"] == pytest.approx(2000)
    x = np.log1p(np.array(BUDGETS) * 10.0)
    fine = np.linspace(0, shared, 20_001)
    own = np.mean([row["estimate"] for row in of(rows, "gain", levels=levels("parallel", 0.0), dose=50.0)])
    means = [row["estimate"] for row in of(rows, "gain", levels=levels("parallel", 0.0))]
    assert own == means[1]
    assert parallel["estimate"] == pytest.approx(np.trapezoid(np.interp(fine, x, means), fine) / shared, abs=1e-6)
    at_cost = {
        json.loads(row["levels"])["cost"]: row["estimate"] for row in of(rows, "gain at equal cost")
        if json.loads(row["levels"]).items() >= {"method": "parallel", "study.noise": 0.0}.items()
    }  # fmt: skip
    assert sorted(at_cost) == pytest.approx([100, 400, 500, 2000])
    assert at_cost[sorted(at_cost)[1]] == pytest.approx(np.interp(np.log1p(400), x, means))
    [difference] = of(rows, "area difference at equal cost", levels=levels("parallel", 0.0, "lexicon"))
    [lexicon] = of(rows, "area at equal cost", levels=levels("lexicon", 0.0))
    assert difference["estimate"] == pytest.approx(parallel["estimate"] - lexicon["estimate"])
    assert difference["p_corrected"] >= difference["p_value"] > 0


def test_trainings_are_methods_where_no_factor_is_named() -> None:
    made = Grid({"budget": [10, 100]}, [str(i) for i in range(20)])
    rng = np.random.default_rng(1)
    for budget in (10, 100):
        made.add(np.full(20, 0.4), {"budget": budget}, name="base")
        for arm, better in (("optical", 0.2), ("code-switched", 0.1)):
            made.add(0.4 + better + rng.normal(0, 0.05, 20), {"budget": budget}, arm, 1)
    rows = effects("budget", made.evidence())
    [row] = of(rows, "area difference")
    assert (row["trained_on"], json.loads(row["levels"])) == ("optical", {"against": "code-switched"})
    assert row["estimate"] == pytest.approx(0.1, abs=0.03)
    assert len(of(rows, "gain")) == 4 and not of(rows, "slope")


def test_a_cost_is_told_as_a_cost_and_not_as_a_budget() -> None:
    rows = analysed(grid(topics=10, seeds=1), cost=WORDS)
    some = studied(rows, {"budget": BUDGETS, "method": METHODS, "study.noise": NOISES}, analysis="budget")  # type: ignore[arg-type]
    some.study["analysis"]["factor"] = "budget"
    told = [some.named(row) for row in some.effects if row["effect"] == "gain at equal cost"]
    assert told and not any("budget" in each for each in told)
    assert any(each.endswith("cost 2,000") for each in told)
    assert {row.get("dose") for row in of(rows, "gain at equal cost")} == {None}
    assert some.named(one(rows, "gain", levels("parallel", 0.0), 200.0)).endswith("budget 200")  # type: ignore[arg-type]


def one(rows: list[Row], effect: str, levels: str, dose: float | None = None) -> Row:
    [row] = of(rows, effect, levels=levels, dose=dose)
    return row


def beside_the_grid(cells: list[tuple[int, float]], topics: int = 40) -> list[Row]:
    """One method that budget and noise change, and one run of another that stands in every cell."""
    rng = np.random.default_rng(4)
    made = Grid({"budget": [20, 60, 240], "noise": [0.0, 0.3]}, [str(i) for i in range(topics)])
    base, apart = rng.uniform(0.2, 0.5, topics), rng.normal(0.03, 0.1, topics)
    for budget, noise in cells:
        at: dict[str, Any] = {"budget": budget, "noise": noise}
        made.add(base, at, name="base")
        made.add(base + apart, at, "high-only", 1, name="high-only")
        made.add(base + rng.normal(0.02, 0.1, topics), at, "translated", 1)
    return effects("budget", made.evidence(), noise="noise")


def test_a_run_that_stands_in_every_cell_is_one_comparison_and_has_no_budget() -> None:
    rows = beside_the_grid([(budget, noise) for budget in (20, 60, 240) for noise in (0.0, 0.3)])
    gain = one(rows, "gain", "{}")
    assert gain["trained_on"] == "high-only" and gain["estimate"] is not None
    family = [row for row in of(rows, "gain") if row.get("p_value") is not None]
    assert len(family) == 7 and {row["family_size"] for row in family} == {7}
    theirs = multipletests([row["p_value"] for row in family], method="holm")[1]
    assert [row["p_corrected"] for row in family] == pytest.approx(theirs.tolist())
    area = one(rows, "area", "{}")
    assert (area["trained_on"], area["family_size"]) == ("high-only", 3)
    assert area["estimate"] == pytest.approx(gain["estimate"])
    [slope] = of(rows, "slope", trained_on="high-only")
    assert slope["why_not"] == "nothing is compared: the runs are the same" and slope.get("dose") is None
    assert {row["family_size"] for row in of(rows, "slope", trained_on="translated")} == {3}
    differences = of(rows, "area difference")
    assert [json.loads(row["levels"])["noise"] for row in differences] == [0.0, 0.3]
    assert all(row["estimate"] is not None for row in differences)


def test_figures_say_that_they_do_not_show_it() -> None:
    rows = beside_the_grid([(budget, noise) for budget in (20, 60, 240) for noise in (0.0, 0.3)])
    some = studied(rows, {"budget": [20, 60, 240], "noise": [0.0, 0.3]}, analysis="budget")  # type: ignore[arg-type]
    some.study["analysis"]["factor"] = "budget"
    for name, says in (
        ("curve", "the same at every budget, and not shown: 1"),
        ("interaction", "without a level of budget or noise, and not shown: 1"),
        ("heat-map", "without a level of budget or noise, and not shown: 1"),
    ):
        drawing = FIGURES.part(name)().of(some)
        assert drawing is not None and says in drawing.caption
        assert not any("high-only" in panel.title for panel in drawing.panels)


def test_so_it_is_in_an_early_picture() -> None:
    """Corners first: no two cells that are there differ in one factor alone."""
    rows = beside_the_grid([(20, 0.0), (240, 0.3)])
    assert len(of(rows, "gain", trained_on="high-only")) == 1
    assert one(rows, "area", "{}")["estimate"] == pytest.approx(one(rows, "gain", "{}")["estimate"])
    assert {row["family_size"] for row in of(rows, "gain") if row.get("p_value") is not None} == {3}


def test_what_is_missing_is_said() -> None:
    made = grid(topics=20, seeds=1)
    gone = [
        {"budget": 200, "method": "parallel", "study.noise": 0.1},
        {"budget": 1000, "method": "parallel", "study.noise": 0.3},
        {"budget": 1000, "method": "parallel", "study.noise": 0.0},
    ]
    made.runs = [run for run in made.runs if run.levels not in gone]
    rows = analysed(made, cost={"parallel": 10.0})
    [area] = of(rows, "area", levels=levels("parallel", 0.1))
    assert area["why_not"] == "1 of 4 budgets are not there: 200 (not run)"
    [difference] = of(rows, "area difference", levels=levels("parallel", 0.1, "lexicon"))
    assert difference["why_not"] == area["why_not"]
    [slope] = of(rows, "slope", levels=levels("parallel"), dose=200.0)
    assert json.loads(slope["detail"])["missing_noise"] == ["0.1"] and slope["estimate"] is not None
    [slope] = of(rows, "slope", levels=levels("parallel"), dose=1000.0)
    assert slope["why_not"] == "a slope needs two levels of noise, and 1 of 3 are there"
    [at_cost] = of(rows, "area at equal cost", levels=levels("lexicon", 0.1))
    assert at_cost["why_not"] == "no cost is given"


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"method": "methods"}, "no factor 'methods'.*Did you mean 'method'"),
        ({"noise": "budget"}, "A factor is named twice"),
        ({"factor": "method", "method": ""}, "\"parallel\" of 'method' is no number"),
        ({"cost": {"paralel": 2.0}}, "'paralel' is no method here.*Did you mean 'parallel'"),
    ],
)
def test_bad_input_is_refused(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(LswError) as refused:
        analysed(grid(topics=4, seeds=1), **settings)
    assert re.search(says, str(refused.value).replace("\n", " "))
