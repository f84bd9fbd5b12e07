"""Curves with a known truth: gains, the smallest dose that helps, the plateau, the parameters; and what is not there."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from store import LswError
from tests.workbench.studies.simulated import Grid, Row, covers, effects, of

TRUTH = {"trainings": {"ca-fr": ["ca-fr"], "high-only": ["fr-fr"]}, "control": "high-only"}
FACTOR = "training.ca-fr.queries"
HEIGHT, SCALE = 0.1, 60.0


def risen(dose: float) -> float:
    return HEIGHT * (1 - float(np.exp(-dose / SCALE)))


def grid(
    doses: list[Any],
    gain: Callable[[float], float] = risen,
    topics: int = 60,
    seeds: int = 3,
    systems: int = 1,
    noise: float = 0.1,
    between: float = 0.005,
    control: bool = False,
    seed: int = 1,
) -> Grid:
    """Gains that vary by topic, seed and both."""
    rng = np.random.default_rng(seed)
    made = Grid({FACTOR: doses}, [str(i) for i in range(topics)])
    for number in range(systems):
        name, base, own = f"s{number}", rng.uniform(0.2, 0.5, topics), 1 + rng.normal(0, 0.6, topics)
        for dose in doses:
            made.add(base, {FACTOR: dose}, name=f"{name}/base", system=name)
            for model in range(seeds if dose else 0):
                for arm in ("ca-fr", "high-only") if control else ("ca-fr",):
                    size = gain(float(dose)) if arm == "ca-fr" else 0.0
                    values = base + size * own + rng.normal(0, between) + rng.normal(0, noise, topics)
                    made.add(values, {FACTOR: dose}, arm, model, system=name)
    return made


def within(rate: float, n: int, expected: float) -> bool:
    low, high = stats.binom.interval(0.99, n, expected)
    return bool(low <= rate * n <= high)


def one(rows: list[Row], effect: str, **columns: Any) -> Row:
    [row] = of(rows, effect, **columns)
    return row


def test_a_clear_curve_is_found_whole() -> None:
    doses = [0, 5, 20, 60, 120, 300, 1000, 2000]
    evidence = grid(doses, topics=500, noise=0.05, between=0.001, control=True).evidence(**TRUTH)
    rows = effects("dose-response", evidence, smallest=0.02, flips=20_000)
    by_hand = evidence.values(evidence.runs[-1].run_id)
    assert by_hand.shape == (500,)
    for row in of(rows, "gain", trained_on="ca-fr"):
        runs = [r for r in evidence.runs if r.trained_on == "ca-fr" and r.levels[FACTOR] == row["dose"]]
        means = [np.mean(evidence.values(run.run_id) - evidence.values("s0/base")) for run in runs]
        assert row["estimate"] == pytest.approx(np.mean(means) if runs else 0)
        assert row["models"] == len(runs)
        if runs:
            assert json.loads(row["detail"])["between_models"] == pytest.approx(np.std(means, ddof=1))
            assert (row["n"], row["n_groups"], row["correction"]) == (500, 500, "fixed sequence")
            assert row["family"] == "gain on seen pairs: s0 after ca-fr, ca-fr"
    minimum = one(rows, "minimum effective dose", trained_on="ca-fr")
    assert (minimum["estimate"], minimum["unit"], minimum["ci_low"]) == (20, "queries", 5)  # .008, .028, ...
    assert sum(json.loads(minimum["detail"])["resamples"].values()) == pytest.approx(1)
    plateau = one(rows, "plateau", trained_on="ca-fr")
    assert (plateau["estimate"], plateau["ci_low"], plateau["ci_high"]) == (120, 60, 120)  # .014 short
    for name, truth in (("G", HEIGHT), ("N0", SCALE), ("k", 1.0)):
        found = one(rows, name, trained_on="ca-fr")
        assert covers(found, truth) and found["estimate"] == pytest.approx(truth, rel=0.15)
    curve = of(rows, "curve", trained_on="ca-fr")
    assert len(curve) == 25 and (curve[0]["dose"], curve[0]["estimate"]) == (0, 0)
    assert curve[-1]["dose"] == pytest.approx(2000)
    controls = of(rows, "control")
    assert [row["dose"] for row in controls] == [float(dose) for dose in doses[1:]]
    assert {row["trained_on"] for row in controls} == {"ca-fr"}
    assert json.loads(controls[0]["levels"]) == {"against": "high-only"}
    assert controls[-1]["p_corrected"] == pytest.approx(min(1, 7 * controls[-1]["p_value"]))
    flat = one(rows, "minimum effective dose", trained_on="high-only")
    assert flat.get("estimate") is None and flat["why_not"].startswith("not reached")
    assert json.loads(flat["detail"])["interval"] == "above 2000"
    assert one(rows, "plateau", trained_on="high-only")["why_not"] == "no minimum effective dose"
    assert one(rows, "N0", trained_on="high-only")["why_not"].startswith("not identified")


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    systems, doses = 100, [0, 15, 50, 120, 300]
    evidence = grid(doses, systems=systems, noise=0.06, topics=50).evidence()
    rows = effects("dose-response", evidence, smallest=0.05, resamples=300, points=4)
    for dose in doses[1:]:
        gains = [covers(row, risen(dose)) for row in of(rows, "gain", dose=dose)]
        assert within(np.mean(gains), systems, 0.95)
    for dose in {row["dose"] for row in of(rows, "curve")} - {0}:
        assert within(np.mean([covers(row, risen(dose)) for row in of(rows, "curve", dose=dose)]), systems, 0.95)
    for name, truth in (("G", HEIGHT), ("N0", SCALE), ("k", 1.0)):
        found = [row for row in of(rows, name) if "why_not" not in row]
        assert len(found) > systems / 2
        held = sum(covers(row, truth) for row in found)
        assert stats.binomtest(held, len(found), 0.95, "less").pvalue > 0.005
    # Of a dose the interval holds the truth at least as often: it can only be one of a few.
    for name, truth in (("minimum effective dose", 50), ("plateau", 50)):  # gains .022 .057 .086 .099
        held = sum(covers(row, truth) and "above" not in row["detail"] for row in of(rows, name))
        assert stats.binomtest(held, systems, 0.95, "less").pvalue > 0.005
        too_small = sum((row.get("estimate") or np.inf) < truth for row in of(rows, name))
        assert stats.binomtest(too_small, systems, 0.05, "greater").pvalue > 0.005


def test_where_nothing_helps_a_dose_is_found_as_seldom_as_the_level_says() -> None:
    systems = 100
    made = grid([30, 100], lambda dose: 0.0, systems=systems, between=0.0, topics=50, seeds=1)
    rows = effects("dose-response", made.evidence(), smallest=1e-6, resamples=100, points=2)
    found = sum("why_not" not in row for row in of(rows, "minimum effective dose"))
    assert stats.binomtest(found, systems, 0.05, "greater").pvalue > 0.005
    rejected = [row["p_value"] <= 0.05 for row in of(rows, "gain")]
    assert within(np.mean(rejected), len(rejected), 0.05)


def test_seeds_in_the_grid_are_models_and_other_factors_are_curves() -> None:
    rng = np.random.default_rng(3)
    made = Grid({FACTOR: [0, 40, 80, 160], "seeds": ["[1]", "[2]"], "regime": ["epochs", "steps"]}, list("abcdefgh"))
    base = rng.uniform(0, 1, 8)
    for dose, seeds, regime in [(d, s, r) for d in (0, 40, 80, 160) for s in (1, 2) for r in ("epochs", "steps")]:
        levels = {FACTOR: dose, "seeds": f"[{seeds}]", "regime": regime}
        made.add(base, levels, name="base")
        if dose:
            made.add(base + 0.2 + rng.normal(0, 0.1, 8), levels, "ca-fr", seeds)
    rows = effects("dose-response", made.evidence())
    gains = of(rows, "gain", dose=40.0)
    assert [json.loads(row["levels"]) for row in gains] == [{"regime": "epochs"}, {"regime": "steps"}]
    assert [row["models"] for row in gains] == [2, 2]
    assert len({row["family"] for row in of(rows, "gain") if row["dose"]}) == 2
    pooled = effects("dose-response", made.evidence(), by=[])
    assert [row["models"] for row in of(pooled, "gain", dose=40.0)] == [4]


def test_equal_comparisons_count_once() -> None:
    """Both regimes have the same runs at the largest dose, and so the same difference to the control there."""
    rng = np.random.default_rng(5)
    doses, regimes = [30, 60, 120], ["epochs", "steps"]
    made = Grid({FACTOR: doses, "regime": regimes}, [str(i) for i in range(40)])
    base = rng.uniform(0.2, 0.5, 40)
    for dose, regime in [(dose, regime) for dose in doses for regime in regimes]:
        at = {FACTOR: dose, "regime": regime}
        made.add(base, at, name="base")
        for arm in ("ca-fr", "high-only"):
            name = f"{arm} {dose}" if dose == 120 else f"{arm} {dose} {regime}"
            made.add(base + 0.01 * (arm == "ca-fr") + rng.normal(0, 0.05, 40), at, arm, 1, name=name)
    rows = of(effects("dose-response", made.evidence(**TRUTH)), "control")
    assert len(rows) == 6 and {row["family_size"] for row in rows} == {5}
    last = [row for row in rows if row["dose"] == 120]
    assert last[0]["p_value"] == last[1]["p_value"] and last[0]["p_corrected"] == last[1]["p_corrected"]
    once = [row for row in rows if row is not last[1]]
    theirs = multipletests([row["p_value"] for row in once], method="holm")[1]
    assert [row["p_corrected"] for row in once] == pytest.approx(theirs.tolist())


def test_what_is_missing_is_said() -> None:
    made = grid([0, 30, 60, 120, 240], control=True, seeds=1)
    made.runs = [r for r in made.runs if (r.trained_on, r.levels[FACTOR]) not in (("ca-fr", 240), ("high-only", 60))]
    made.values["s0/ca-fr/0/ca/{'training.ca-fr.queries': 60}"][:10] = np.nan
    rows = effects("dose-response", made.evidence(**TRUTH))
    gains = {row["dose"]: row for row in of(rows, "gain", trained_on="ca-fr")}
    assert gains[240]["why_not"] == "not run" and "estimate" not in gains[240]
    assert (gains[30]["n"], json.loads(gains[30]["detail"])["left_out"], gains[30]["models"]) == (50, 10, 1)
    assert one(rows, "plateau", trained_on="ca-fr")["why_not"] == "the largest dose, 240, is not there"
    assert json.loads(one(rows, "minimum effective dose", trained_on="ca-fr")["detail"])["missing_doses"] == [240]
    controls = {row["dose"]: row for row in of(rows, "control")}
    assert controls[60]["why_not"] == "no run of the control" and controls[240]["why_not"] == "not run"
    assert controls[30]["n"] == 60  # the queries that one run at another dose lacks cost it nothing
    assert one(rows, "k", trained_on="high-only")["why_not"]  # three doses are left, and flat ones
    without_base = grid([30, 60], seeds=1)
    without_base.runs = [run for run in without_base.runs if run.trained_on]
    [first, *_] = effects("dose-response", without_base.evidence())
    assert first["why_not"] == "no run before training in the same cell"
    nothing = grid([0, 30], seeds=0)
    assert effects("dose-response", nothing.evidence())[0]["why_not"] == "no cell with a training has been run"
    few = effects("dose-response", grid([0, 30, 60]).evidence())
    assert one(few, "G")["why_not"] == "a curve needs 3 doses above 0, and 2 are there"
    clear = effects("dose-response", grid([0, 30, 600], noise=0.02).evidence(), shape=1.0)
    assert "why_not" not in one(clear, "N0") and one(clear, "k")["why_not"] == "given: 1"


@pytest.mark.parametrize(
    ("there", "dose", "at_most"),
    [
        ([243], 243, "31, 62, 124 are not run"),
        ([62, 243], 62, "31 is not run"),
        ([31, 243], 31, None),
        ([62, 124, 243], 62, "31 is not run"),
        ([31, 62, 124, 243], 31, None),
    ],
)
def test_the_smallest_dose_is_an_upper_bound_where_smaller_ones_are_not_run(
    there: list[int], dose: int, at_most: str | None
) -> None:
    """.02, .04, .06, .08: any of them is worth having."""
    made = grid([0, 31, 62, 124, 243], lambda dose: 0.02 * float(np.log2(1 + dose / 31)), noise=0.02)
    made.runs = [run for run in made.runs if run.levels[FACTOR] in [0, *there]]
    found = one(effects("dose-response", made.evidence()), "minimum effective dose")
    assert (found["estimate"], found["ci_high"]) == (dose, dose)
    assert json.loads(found["detail"]).get("at_most") == at_most
    assert found["ci_low"] == (None if at_most else 0.0)  # it is greater: .01 is gained by less than 31


def test_a_plateau_is_an_upper_bound_where_smaller_doses_are_not_run() -> None:
    def plateaus(there: list[int]) -> Row:
        made = grid([0, 20, 60, 240, 480, 960], noise=0.01, between=0.0)
        made.runs = [run for run in made.runs if run.levels[FACTOR] in [0, *there]]
        return one(effects("dose-response", made.evidence(), smallest=0.02), "plateau")

    whole, early, bare = (plateaus(there) for there in ([20, 60, 240, 480, 960], [20, 480, 960], [20, 960]))
    assert (whole["estimate"], whole["ci_low"], whole["ci_high"]) == (240, 60, 240)
    assert (early["estimate"], early["ci_low"], early["ci_high"]) == (480, None, 480)
    assert json.loads(early["detail"])["at_most"] == "60, 240 are not run"
    assert "at_most" not in json.loads(whole["detail"])
    assert bare["why_not"].endswith("surely within 0.02 of it; 60, 240, 480 are not run")


def test_no_parameter_of_a_flat_curve_is_told() -> None:
    """What topics gain of themselves, as much at each dose: a curve that is level from the first dose on."""
    made, rng = Grid({FACTOR: [0, 31, 62, 124, 243]}, [str(i) for i in range(60)]), np.random.default_rng(2)
    base, own = rng.uniform(0.2, 0.5, 60), rng.normal(0, 0.1, 60)
    for dose in made.factors[FACTOR]:
        made.add(base, {FACTOR: dose}, name="base")
        if dose:
            made.add(base + own + rng.normal(0, 0.001, 60), {FACTOR: dose}, "ca-fr", 1)
    rows = effects("dose-response", made.evidence())
    assert one(rows, "gain", dose=243.0)["ci_low"] < 0 < one(rows, "gain", dose=243.0)["ci_high"]
    assert "includes 0" in one(rows, "G")["why_not"] and "estimate" not in one(rows, "G")
    assert "includes 0" in one(rows, "N0")["why_not"] and "includes 0" in one(rows, "k")["why_not"]


def test_a_single_topic_has_no_interval_and_a_factor_of_another_training_no_curve() -> None:
    made = grid([0, 30, 60, 120], topics=8)
    made.topics = ["t"] * 8
    rows = effects("dose-response", made.evidence())
    gain = one(rows, "gain", dose=30.0)
    assert (gain["ci_low"], gain["ci_high"], gain["p_value"], gain["n_groups"]) == (None, None, 1, 1)
    assert "single topic" in one(rows, "G")["why_not"] and "why_not" in one(rows, "minimum effective dose")
    same = Grid({FACTOR: [30, 60]}, list("abcd"))
    for dose in (30, 60):
        same.add(np.full(4, 0.5), {FACTOR: dose}, name="base")
        same.add(np.arange(4) / 4, {FACTOR: dose}, "high-only", 1, name="trained")
    [row] = effects("dose-response", same.evidence())
    assert row["why_not"].startswith("queries changes nothing here")


def test_all_is_the_largest_and_names_may_be_numbers() -> None:
    made = grid(["0", "40", "80", "160"], seeds=1)
    made.factors[FACTOR] = [0, "40", "80", "all"]
    for i, run in enumerate(made.runs):
        level = {"0": 0, "160": "all"}.get(str(run.levels[FACTOR]), run.levels[FACTOR])
        made.runs[i] = type(run)(**{**vars(run), "levels": {FACTOR: level}})
    made.runs = [run for run in made.runs if run.levels[FACTOR] != 0 or run.trained_on is None]
    rows = effects("dose-response", made.evidence(), all=248)
    assert [row["dose"] for row in of(rows, "gain")] == [0, 40, 80, 248]
    known = effects("dose-response", made.evidence(known={"ca-fr": 243}))
    assert [row["dose"] for row in of(known, "gain")] == [0, 40, 80, 243]
    with pytest.raises(LswError, match="How much is the level 'all'") as refused:
        effects("dose-response", made.evidence())
    assert "analysis.all = " in refused.value.cure
    with pytest.raises(LswError, match="is 80, and another level 80"):
        effects("dose-response", made.evidence(), all=80)


@pytest.mark.parametrize(
    ("levels", "settings", "says"),
    [
        ([30, "many"], {}, "\"many\" of 'training.ca-fr.queries' is no number"),
        ([30, True], {}, "true of 'training.ca-fr.queries' is no number"),
        ([30, -1], {}, "-1 of"),
        ([30, "30"], {}, "Two levels of 'training.ca-fr.queries' are the same dose"),
        ([0], {}, "has no level above 0"),
        ([30, 60], {"factor": "querys"}, "no factor 'querys'"),
        ([30, 60], {"by": ["regime"]}, "no factor 'regime'"),
        ([30, 60], {"by": ["queries"]}, "is analysed"),
    ],
)
def test_bad_input_is_refused(levels: list[Any], settings: dict[str, Any], says: str) -> None:
    made = Grid({FACTOR: levels}, ["a"])
    made.add(np.ones(1), {FACTOR: levels[0]}, "ca-fr", 1)
    with pytest.raises(LswError, match=says):
        effects("dose-response", made.evidence(), **settings)
