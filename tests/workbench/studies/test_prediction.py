"""Predictions of pairs that were held out, on simulated queries whose truth is known."""

import json
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy import stats
from statsmodels.formula.api import ols

from store import LswError
from store.rows import EffectRow
from tests.workbench.studies.test_factorial import evidence_of, quiet
from workbench.significance.clusters import spread_of
from workbench.studies.analyses import ANALYSES
from workbench.studies.analyses.prediction import LEVELS, R_SQUARED, finding
from workbench.studies.evidence import Evidence, Observed
from workbench.studies.held_out import Queries

SLOPE = 0.12


def queries(seed: int, slopes: tuple[float, ...], pairs: int = 4, topics: int = 15, each: int = 1) -> Queries:
    """Queries in pairs that share topics, features that topics share in part, and pairs that differ in level."""
    rng = np.random.default_rng(seed)
    pair, topic = np.repeat(np.arange(pairs), topics * each), np.tile(np.repeat(np.arange(topics), each), pairs)
    k = len(slopes)
    x = rng.normal(0, 0.7, (topics, k))[topic] + rng.normal(0, 0.7, (len(pair), k)) + rng.normal(0, 1, (pairs, k))[pair]
    y = x @ np.array(slopes) + rng.normal(0, 0.1, topics)[topic] + rng.normal(0, 0.05, pairs)[pair]
    return Queries(y + rng.normal(0, 0.2, len(pair)), x, pair, topic)


def by_hand(data: Queries, keep: np.ndarray) -> tuple[float, float]:
    """R squared by regressions one at a time, over these queries (numbers, with repetition)."""
    y, x, pair, topic = data.outcome[keep], data.features[keep], data.pair[keep], data.topic[keep]
    fold = data.fold[topic]
    left, base = np.zeros(2), 0.0
    for held in np.unique(pair):
        for part in np.unique(fold):
            out, used = (pair == held) & (fold == part), (pair != held) & (fold != part)
            centred_x, centred_y = x.copy(), y.copy()
            for other in np.unique(pair):
                of_pair = used & (pair == other)
                if of_pair.any():
                    centred_x[of_pair] -= x[of_pair].mean(axis=0)
                    centred_y[of_pair] -= y[of_pair].mean()
            mean, middle = y[used].mean(), x[used].mean(axis=0)
            within = np.linalg.lstsq(centred_x[used], centred_y[used], rcond=None)[0]
            whole = np.linalg.lstsq(x[used] - middle, y[used] - mean, rcond=None)[0]
            left[0] += ((y[out] - mean - (x[out] - x[pair == held].mean(axis=0)) @ within) ** 2).sum()
            left[1] += ((y[out] - mean - (x[out] - middle) @ whole) ** 2).sum()
            base += ((y[out] - mean) ** 2).sum()
    return 1 - left[0] / base, 1 - left[1] / base


@given(
    seed=st.integers(0, 10_000), pairs=st.integers(2, 4), topics=st.integers(9, 16), k=st.integers(1, 3), weighted=st.booleans()
)  # fmt: skip
@settings(max_examples=15, deadline=None)
def test_r_squared_is_that_of_regressions_one_by_one(
    seed: int, pairs: int, topics: int, k: int, weighted: bool
) -> None:
    """A topic that a sample has twice is there twice, and none of its queries is predicted from the others."""
    data = queries(seed, (0.1,) * k, pairs, topics)
    times = np.random.default_rng(seed).integers(1, 3, topics) if weighted else np.ones(topics, np.int64)
    ours = data.r_squared(times[None].astype(float))[0]
    assert ours == pytest.approx(by_hand(data, np.repeat(np.arange(len(data.pair)), times[data.topic])), abs=1e-6)


def test_slopes_are_those_of_pairs_as_blocks() -> None:
    data = queries(1, (0.1, -0.05), each=2)
    frame = pd.DataFrame(data.features / data.scale, columns=["a", "b"]).assign(y=data.outcome, pair=data.pair)
    theirs = ols("y ~ a + b + C(pair)", frame).fit()
    assert data.slopes(np.ones((1, data.topics)))[0] == pytest.approx(theirs.params[["a", "b"]].to_numpy(), abs=1e-8)


@pytest.mark.slow
def test_intervals_hold_the_truth_and_shuffles_reject_as_often_as_they_say() -> None:
    times, slopes = 160, (0.1, 0.0)
    held, estimates, bounds, rejected = np.zeros(2), [], [], 0
    for seed in range(times):
        data, noise = queries(seed, slopes, 3), queries(seed, (0.0,), 3)
        spread = spread_of(
            lambda w, d=data: np.hstack([d.slopes(w[0]) / d.scale, d.r_squared(w[0])[:, :1]]), [data.topics], 0.95, 100, seed
        )  # fmt: skip
        held += (spread.low[:2] <= slopes) & (slopes <= spread.high[:2])
        estimates.append(spread.estimate[2])
        bounds.append((spread.low[2], spread.high[2]))
        observed = noise.r_squared(np.ones((1, noise.topics)))[0, 0]
        rejected += not (noise.shuffled(19, seed) >= observed).any()  # p = 1 / 20
    low, high = stats.binom.interval(0.999, times, 0.95)
    assert (held >= low).all() and (held <= high).all(), held / times
    mean = np.mean(estimates)  # what such an R squared is on average
    assert low <= sum(a <= mean <= b for a, b in bounds)
    assert rejected <= stats.binom.ppf(0.999, times, 0.05)


def test_shuffles_find_what_is_there_and_keep_topics_together() -> None:
    data = queries(3, (0.2,), each=2)
    observed = data.r_squared(np.ones((1, data.topics)))[0, 0]
    shuffled = data.shuffled(300, 1)
    assert shuffled.max() < observed
    assert (shuffled == data.shuffled(300, 1)).all()
    moved = data._moved(np.random.default_rng(1).random(data.topics))
    assert sorted(moved) == list(range(len(moved)))
    assert (data.pair[moved] == data.pair).all()
    places = {(t, u) for t, u in zip(data.topic, data.topic[moved], strict=True)}
    assert len(places) == data.topics  # whole topics change places, in every pair alike


def test_features_of_noise_predict_nothing_on_average() -> None:
    found = [queries(seed, (0.0, 0.0, 0.0)).r_squared(np.ones((1, 15)))[0, 0] for seed in range(40)]
    assert np.mean(found) < 0


LOW = ("ca", "oc", "scn", "gd")


def world(slope: float = SLOPE, seed: int = 1, topics: int = 24, systems: tuple[str, ...] = ("bm25", "bge-m3"), gain: float = 0.0) -> Evidence:  # fmt: skip
    """Low-resource queries lose less the more they overlap; of a trained system the loss is less by `gain` a unit."""
    rng = np.random.default_rng(seed)
    runs, values, features, of_pair = [], [], [], []
    overlaps = {low: np.clip(rng.normal(0.2 + 0.1 * i, 0.15, topics), 0, 1) for i, low in enumerate(LOW)}
    for low, overlap in overlaps.items():
        of_pair.append({"low": low, "high": "fr", "feature": "jaccard-4", "tokenizer": None, "value": overlap.mean()})
        of_pair.append({"low": low, "high": "fr", "feature": "script", "tokenizer": None, "value": 1.0})
        for i, x in enumerate(overlap):
            for name, under, value in (
                ("jaccard-4", None, x), ("chrf", None, 100 * x), ("noise", None, rng.normal()), ("constant", None, 3.0),
                ("fertility-difference", "bge-m3", rng.normal()),
            ):  # fmt: skip
                features.append(
                    {"low": low, "high": "fr", "qid": f"q{i}", "feature": name, "tokenizer": under, "value": value}
                )
    for system in systems:
        high = rng.normal(0.6, 0.15, topics)
        trained = (None, "ca-fr") if gain else (None,)
        for on in trained:
            runs.append(Observed(f"r{len(runs)}", 0, {}, system, on, 1 if on else None, "fr", "fr"))
            values.append(high)
        for low, overlap in overlaps.items():
            lost = 0.3 - 4 * slope * (overlap - 0.3) + rng.normal(0, 0.04, topics)
            for on in trained:
                runs.append(Observed(f"r{len(runs)}", 0, {}, system, on, 1 if on else None, low, "fr"))
                values.append(high - lost + (gain * overlap + rng.normal(0, 0.02, topics) if on else 0))
    tables = {"query_similarity": pa.Table.from_pylist(features), "similarity": pa.Table.from_pylist(of_pair)}
    return evidence_of(runs, values, {}, pairs=[f"{low}-fr" for low in LOW], tables=tables)


def analysed(evidence: Evidence, *features: str, **how: Any) -> list[EffectRow]:
    settings = {"analysis": "prediction", "features": list(features) or ["jaccard-4"], "flips": 1_000, "resamples": 300}
    return ANALYSES.part("prediction").model_validate(settings | how).of(evidence, quiet)


def rows_of(rows: list[EffectRow], effect: str, system: str = "bge-m3", feature: str = "") -> list[EffectRow]:
    return [
        row for row in rows
        if (row["effect"], row["system"]) == (effect, system) and json.loads(row["levels"]).get("feature", "") == feature
    ]  # fmt: skip


def test_a_planted_overlap_is_found_in_pairs_that_were_not_used() -> None:
    rows = analysed(world(), "jaccard-4", "noise")
    for system in ("bm25", "bge-m3"):
        [claim] = rows_of(rows, R_SQUARED, system)
        assert claim["ci_low"] > 0 and claim["ci_low"] < claim["estimate"] < claim["ci_high"] < 1
        assert (claim["correction"], claim["family_size"], claim["n"], claim["n_groups"]) == ("holm", 2, 96, 24)
        assert 1 / 1001 <= claim["p_value"] <= claim["p_corrected"] < 0.05
        detail = json.loads(claim["detail"])
        assert detail["finding"] == "the features predict it in pairs that were not used"
        assert detail["pairs"] == 4
        [row] = rows_of(rows, "coefficient", system, "jaccard-4")
        detail = json.loads(row["detail"])
        slope = -4 * SLOPE * detail["standard deviation"]
        assert row["ci_low"] <= slope <= row["ci_high"] < 0
        assert row["unit"] == "RR@10 per standard deviation within pairs"
        assert row["family_size"] == 4
        [beside] = rows_of(rows, "mixed model", system, "jaccard-4")
        assert beside["estimate"] == pytest.approx(slope, abs=0.02)
        [noise] = rows_of(rows, "coefficient", system, "noise")
        assert noise["ci_low"] < 0 < noise["ci_high"]
        [levels] = rows_of(rows, LEVELS, system)
        assert "p_value" not in levels and json.loads(levels["detail"])["finding"] == "no claim"


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_nothing_is_said_to_be_predicted_unless_the_interval_lies_above_0(seed: int) -> None:
    rows = analysed(world(slope=0.0, seed=seed), "jaccard-4", "noise")
    for row in rows:
        if row["effect"] == R_SQUARED:
            assert row["ci_low"] <= 0
            assert json.loads(row["detail"])["finding"] in (
                "nothing is shown",
                "the features do worse than the mean of other pairs",
            )
        assert "predict" not in row["detail"]


def test_words_hold_to_the_interval_and_the_corrected_p() -> None:
    sure: EffectRow = {"estimate": 0.1, "ci_low": 0.01, "ci_high": 0.2, "p_corrected": 0.01}
    assert "predict" in finding(sure)
    assert "predict" not in finding({**sure, "ci_low": 0.0})
    assert "predict" not in finding({**sure, "p_corrected": 0.05})
    assert finding({**sure, "ci_low": -0.2, "ci_high": -0.1}).endswith("worse than the mean of other pairs")
    assert finding({"why_not": "one pair"}) == "not known"


def test_features_that_are_not_there_say_so_and_nulls_are_counted() -> None:
    evidence = world()
    table = evidence.tables["query_similarity"].to_pylist()
    for row in table:
        if row["feature"] == "jaccard-4" and row["low"] == "ca" and row["qid"] in ("q1", "q2"):
            row["value"] = None
    evidence.tables["query_similarity"] = pa.Table.from_pylist(table)
    names = ("jaccard-4", "chrf", "constant", "fertility-difference", "gamma")
    rows = analysed(evidence, *names)
    why = {
        (system, name): row.get("why_not", "")
        for system in ("bm25", "bge-m3") for name in names for row in rows_of(rows, "coefficient", system, name)
    }  # fmt: skip
    assert why["bge-m3", "jaccard-4"] == why["bge-m3", "fertility-difference"] == ""
    assert why["bm25", "fertility-difference"] == "'fertility-difference' was not measured under a tokenizer of bm25"
    assert why["bm25", "gamma"].startswith("'gamma' was not measured: known are")
    assert why["bm25", "constant"] == "it does not vary within pairs"
    assert why["bm25", "chrf"] == "cannot be told apart from jaccard-4"
    [claim] = rows_of(rows, R_SQUARED, "bm25")
    detail = json.loads(claim["detail"])
    assert claim["n"] == 94
    assert detail["queries without a feature"] == 2 and detail["missing values"]["jaccard-4"] == 2
    assert detail["features"] == ["jaccard-4"]
    [row] = rows_of(rows, "coefficient", "bge-m3", "fertility-difference")
    assert json.loads(row["detail"])["tokenizer"] == "bge-m3"


def test_a_pipeline_has_the_tokenizer_of_its_first_system() -> None:
    rows = analysed(world(systems=("bge-m3 >> mt5",)), "fertility-difference")
    [row] = rows_of(rows, "coefficient", "bge-m3 >> mt5", "fertility-difference")
    assert json.loads(row["detail"])["tokenizer"] == "bge-m3"


def test_gains_are_of_the_trained_over_the_base() -> None:
    rows = analysed(world(gain=0.3), outcome="gain")
    assert {row["trained_on"] for row in rows} == {"ca-fr"}
    [row] = rows_of(rows, "coefficient", "bge-m3", "jaccard-4")
    assert row["ci_low"] <= 0.3 * json.loads(row["detail"])["standard deviation"] <= row["ci_high"]
    assert row["models"] == 1
    with pytest.raises(LswError, match="no run is of a trained system"):
        analysed(world(), outcome="gain")


def test_pairs_are_ranked_without_a_claim() -> None:
    evidence = world()
    rows = analysed(evidence)
    [row] = rows_of(rows, "rho", "bm25", "jaccard-4")
    lost = [
        np.mean(evidence.values("r0") - evidence.values(run.run_id))
        for run in evidence.runs if run.system == "bm25" and run.query_variety != "fr"
    ]  # fmt: skip
    overlap = [r["value"] for r in evidence.tables["similarity"].to_pylist() if r["feature"] == "jaccard-4"]
    assert row["estimate"] == pytest.approx(stats.spearmanr(overlap, lost).statistic)
    assert row["n"] == 4 and "p_value" not in row and "n_groups" not in row
    assert json.loads(row["detail"])["needed"] is None
    [row] = rows_of(rows, "rho", "bm25", "script")
    assert row["why_not"] == "it is the same in every pair"


def test_one_pair_cannot_be_held_out() -> None:
    evidence = world()
    one = Evidence(evidence.evaluations, evidence.runs, {}, {}, ["oc-fr", "xx-fr"], tables=evidence.tables)
    rows = analysed(one)
    [claim] = rows_of(rows, R_SQUARED)
    assert claim["why_not"] == "there is one pair: none can be held out"
    assert "estimate" not in claim
    assert json.loads(claim["detail"])["pairs without runs"] == ["xx-fr"]
    assert rows_of(rows, "coefficient", "bge-m3", "jaccard-4")[0]["ci_high"] < 0
    assert rows_of(rows, "rho", "bge-m3", "jaccard-4")[0]["why_not"] == "1 pairs have a value"


def test_what_cannot_be_read_is_refused() -> None:
    evidence = world()
    with pytest.raises(LswError, match="no features of queries") as error:
        analysed(Evidence(evidence.evaluations, evidence.runs, {}, {}, evidence.pairs))
    assert "[similarity]" in error.value.cure
    twice = evidence.tables["query_similarity"].to_pylist()
    twice.append(twice[0] | {"value": 0.123})
    evidence.tables["query_similarity"] = pa.Table.from_pylist(twice)
    with pytest.raises(LswError, match="'jaccard-4' has two values for ca fr q0"):
        analysed(evidence)
    for wrong in ({"outcome": "closure"}, {"features": []}, {"flips": 10}):
        with pytest.raises(ValidationError):
            ANALYSES.part("prediction").model_validate({"analysis": "prediction", **wrong})
