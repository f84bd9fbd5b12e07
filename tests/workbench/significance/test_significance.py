"""Tests, intervals, corrections and power against scipy, statsmodels, enumeration and simulation."""

import itertools
import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestPower

from workbench.significance import resampling
from workbench.significance.corrections import CORRECTIONS
from workbench.significance.intervals import INTERVALS
from workbench.significance.intervals.base import interval, over_models, ratio
from workbench.significance.outcomes import Method, compare, corrected
from workbench.significance.paired_tests import TESTS
from workbench.significance.paired_tests.base import Paired
from workbench.significance.paired_tests.tukey import all_pairs
from workbench.significance.power import detectable, effect_size
from workbench.significance.resampling import flips
from workbench.significance.units import Units

# Multiples of 1/1024: scipy's sums of them are exact too, or it would take equal sums for different ones. For the same
# reason there are 2, 4 or 8: it divides by their number.
differences = st.sampled_from([2, 4, 8]).flatmap(
    lambda n: st.lists(st.integers(-1024, 1024).map(lambda i: i / 1024), min_size=n, max_size=n)
)


def names(n: int, each: int = 1) -> list[str]:
    """Topics of n queries, `each` to a topic."""
    return [str(i // each) for i in range(n)]


def tukey(values: np.ndarray, topics: list[str], resamples: int, seed: int) -> np.ndarray:
    """p of every pair of systems (queries x systems), the systems of one topic shuffled together."""
    return all_pairs(Units.of(topics).sums(values), resamples, seed)


@given(d=differences)
@settings(max_examples=40)
def test_exact_randomisation_is_scipys(d: list[float]) -> None:
    x = np.array(d)
    ours, resamples = flips(x[:, None], None, 100_000, seed=1)
    theirs = stats.permutation_test(
        (x, np.zeros_like(x)), lambda a, b, axis: np.mean(a - b, axis=axis), permutation_type="samples",
        n_resamples=100_000, vectorized=True,
    ).pvalue  # fmt: skip
    assert resamples == 2 ** len(d)
    assert ours[0] == pytest.approx(theirs, abs=1e-12)


def test_random_flips_approach_the_exact_p() -> None:
    x = np.random.default_rng(3).normal(0.2, 0.6, (16, 1))
    exact, _ = flips(x, None, 2**16, seed=1)
    drawn, resamples = flips(x, None, 50_000, seed=1)
    assert resamples == 50_000
    assert abs(drawn[0] - exact[0]) < 4 * np.sqrt(exact[0] * (1 - exact[0]) / 50_000)


@given(
    st.integers(2, 70), st.integers(2, 5), st.integers(0, 2**32), st.sampled_from([100, 1000, 9000]),
)  # fmt: skip
@settings(max_examples=25)
def test_runs_flipped_together_are_their_differences_flipped(n: int, runs: int, seed: int, resamples: int) -> None:
    rng = np.random.default_rng(seed)
    values = 1 / rng.integers(1, 8, (n, runs))
    pairs = list(itertools.combinations(range(runs), 2))
    weights = np.zeros((runs, len(pairs)))
    for column, (a, b) in enumerate(pairs):
        weights[[a, b], column] = -1, 1
    together, flipped = flips(values, weights, resamples, seed)
    apart, _ = flips(values @ weights, None, resamples, seed)
    assert together.tolist() == apart.tolist()
    assert flipped == min(2**n, resamples) if n < 63 else resamples


def test_p_is_never_zero_and_the_same_for_the_same_seed() -> None:
    x = np.full((60, 1), 0.5)
    first, _ = flips(x, None, 1_000, seed=9)
    again, _ = flips(x, None, 1_000, seed=9)
    assert first[0] == again[0] == 1 / 1001
    for test in ("t", "wilcoxon"):
        assert compare(x + np.arange(60)[:, None] / 1e6, names(60), method=Method(test=test)).p[0] > 0
    assert compare(np.full((900, 1), 0.5), names(900), method=Method(test="t")).p[0] > 0
    assert tukey(np.arange(60)[:, None] + np.array([0.0, 10, 20]), names(60), 99, seed=1).min() == 1 / 100


def everything(threads: int) -> list[list[float]]:
    rng = np.random.default_rng(1)
    values = rng.normal(0, 1, (300, 4)).cumsum(axis=1) / 7
    weights = np.array([[1.0, 1, 1], [-1, 0, 0], [0, -1, 0], [0, 0, -1]])
    outcomes = compare(values, names(300, 2), weights, method=Method(interval="bca", resamples=20_000))
    return [
        outcomes.p.tolist(), outcomes.low.tolist(), outcomes.high.tolist(), tukey(values, names(300), 500, seed=3).tolist(),
        [float(threads)],
    ]  # fmt: skip


@pytest.mark.slow
def test_threads_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    results = []
    for threads in (1, 2, 7):
        monkeypatch.setattr(resampling.os, "sched_getaffinity", lambda _, n=threads: set(range(n)), raising=False)
        results.append(everything(threads)[:-1])
    assert results[0] == results[1] == results[2]
    # Nor do the threads of the linear algebra below.
    script = "from tests.workbench.significance.test_significance import everything; print(everything(0)[:-1])"
    alone = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert alone.stdout.strip() == str(results[0])


def test_equal_is_equal_whatever_the_arithmetic() -> None:
    """0.1 + 0.2 is not 0.3 in floating point; as measures they are a tie."""
    values = np.tile([[0.1, 0.2, 0.3, 0.0]], (20, 1))
    weights = np.array([[1.0], [1], [-1], [-1]])
    outcomes = compare(values, names(20), weights)
    assert (outcomes.ties[0], outcomes.p[0], outcomes.delta[0]) == (20, 1, 0)
    assert np.isnan(outcomes.effect_size[0])


def test_topics_are_flipped_whole() -> None:
    """Two queries of a topic that always agree are one observation, so p is that of the topics alone."""
    x = np.random.default_rng(0).normal(0.3, 1, 12)
    doubled = np.repeat(x, 2)[:, None]
    together = compare(doubled, names(24, 2), method=Method(resamples=5_000))
    assert together.n == 24
    assert together.n_units == 12
    assert together.p[0] == flips(x[:, None], None, 5_000, 42, skewed=True)[0][0]
    assert together.low[0] == pytest.approx(compare(x[:, None], names(12)).low[0])
    assert together.detectable[0] == pytest.approx(compare(x[:, None], names(12)).detectable[0])
    apart = compare(doubled, names(24), method=Method(resamples=2**24))
    assert apart.p[0] < together.p[0]


def test_t_and_wilcoxon_are_scipys() -> None:
    rng = np.random.default_rng(1)
    x = np.where(rng.random((30, 5)) < 0.4, 0, rng.normal(0.1, 0.5, (30, 5)).round(1))
    x[:, 4] = 0
    for test, theirs in (("t", lambda d: stats.ttest_1samp(d, 0)), ("wilcoxon", stats.wilcoxon)):
        ours = compare(x, names(30), method=Method(test=test, correction="none")).p
        assert ours[:4] == pytest.approx([theirs(x[:, i]).pvalue for i in range(4)])
        assert ours[4] == 1


@given(p=st.lists(st.floats(1e-9, 1), min_size=1, max_size=30))
@settings(max_examples=40)
def test_corrections_are_statsmodels(p: list[float]) -> None:
    values = np.array(p)
    for ours, theirs in (("holm", "holm"), ("bonferroni", "bonferroni"), ("bh", "fdr_bh")):
        assert CORRECTIONS.part(ours)().adjusted(values) == pytest.approx(
            multipletests(values, method=theirs)[1], rel=1e-9
        )
    assert (CORRECTIONS.part("none")().adjusted(values) == values).all()


def test_families_are_corrected_apart() -> None:
    x = np.random.default_rng(4).normal(0.2, 1, (40, 6))
    p = compare(x, names(40), method=Method(test="t")).p
    both = corrected(p, np.repeat([0, 1], 3), Method(test="t"))
    for half in (slice(0, 3), slice(3, 6)):
        assert both[half] == pytest.approx(multipletests(p[half], method="holm")[1])
    assert (corrected(p, np.zeros(6, int), Method(test="tukey")) == p).all()


@pytest.mark.parametrize("skewed", [False, True])
def test_intervals_are_scipys(skewed: bool) -> None:
    rng = np.random.default_rng(5)
    x = (rng.gamma(0.4, 1, (80, 1)) if skewed else rng.normal(0.4, 1, (200, 1))) - 0.2
    assert effect_size(x, np.ones(len(x)))[0] == pytest.approx(x.mean() / x.std(ddof=1))
    lows = {}
    for ours, theirs in (("percentile", "percentile"), ("bca", "BCa")):
        low, high = interval(INTERVALS.part(ours)(), x, np.ones(len(x)), 0.95, seed=1)
        bounds = stats.bootstrap(
            (x[:, 0],), np.mean, method=theirs, n_resamples=20_000, rng=np.random.default_rng(2)
        ).confidence_interval
        assert (low[0], high[0]) == pytest.approx((bounds.low, bounds.high), abs=0.02)
        lows[ours] = low[0]
    # The correction is what tells them apart, and a skewed sample is where it shows.
    assert (lows["bca"] - lows["percentile"] > 0.005) == skewed
    for name in lows:
        low, high = interval(INTERVALS.part(name)(), np.full((9, 1), 0.25), np.ones(9), 0.95, seed=1)
        assert (low[0], high[0]) == pytest.approx((0.25, 0.25))


def test_intervals_over_topics_of_many_sizes_are_scipys() -> None:
    """A mean is a ratio then: of the sums of topics that are drawn and of their sizes."""
    rng = np.random.default_rng(6)
    sizes = rng.integers(1, 12, 60).astype(float)
    sums = sizes * (rng.gamma(0.5, 1, 60) - 0.3) + sizes**2 / 20

    def ratio(sums: np.ndarray, sizes: np.ndarray, axis: int = -1) -> np.ndarray:
        return sums.sum(axis=axis) / sizes.sum(axis=axis)  # type: ignore[no-any-return]

    for ours, theirs in (("percentile", "percentile"), ("bca", "BCa")):
        low, high = interval(INTERVALS.part(ours)(), sums[:, None], sizes, 0.95, seed=1)
        bounds = stats.bootstrap(
            (sums, sizes), ratio, paired=True, method=theirs, n_resamples=20_000, rng=np.random.default_rng(2)
        ).confidence_interval
        assert (low[0], high[0]) == pytest.approx((bounds.low, bounds.high), abs=0.012)


@pytest.mark.parametrize(("n", "alpha"), [(4, 0.05), (10, 0.05), (60, 0.05 / 32), (7000, 0.05)])
def test_what_could_be_detected_is_statsmodels(n: int, alpha: float) -> None:
    x = np.random.default_rng(n).normal(0, 2, (n, 1))
    theirs = TTestPower().solve_power(nobs=n, alpha=alpha, power=0.8) * x.std(ddof=1)
    assert detectable(x, np.ones(n), np.array([alpha]))[0] == pytest.approx(theirs, rel=1e-3)
    assert np.isnan(detectable(x[:1], np.ones(1), np.array([alpha]))[0])


def test_what_could_be_detected_is_detected_four_times_in_five() -> None:
    rng = np.random.default_rng(8)
    noise = rng.normal(0, 1, (30, 1_000))
    size = TTestPower().solve_power(nobs=30, alpha=0.05, power=0.8)
    assert detectable(noise, np.ones(30), np.full(1_000, 0.05)).mean() == pytest.approx(size, rel=0.02)
    detected = compare(noise + size, names(30), method=Method(test="t", correction="none")).p < 0.05
    assert within(int(detected.sum()), 1_000, 0.8)


def within(count: int, trials: int, rate: float) -> bool:
    """Whether a count is what a rate gives, by a binomial interval of 99.9%."""
    bounds = stats.binomtest(count, trials).proportion_ci(0.999)
    return bool(bounds.low <= rate <= bounds.high)


def null(rng: np.random.Generator, trials: int, each: int) -> np.ndarray:
    """Differences of 60 queries with a true mean of zero; queries of one topic go together."""
    topics = rng.laplace(0, 1, (60 // each, trials))
    return np.repeat(topics, each, axis=0) + rng.normal(0, 1, (60, trials)) * (each > 1)


def exchangeable(rng: np.random.Generator, n: int, trials: int) -> np.ndarray:
    """Differences in RR@10 of two systems that are equally good: their values are skewed, and may be swapped."""
    ranks = rng.geometric(0.25, (2, n, trials))
    first, second = np.where(ranks <= 10, 1 / ranks, 0.0)
    return np.asarray(first - second)


def skewed(rng: np.random.Generator, n: int, trials: int) -> np.ndarray:
    """Differences with a true mean of zero and a long tail to one side."""
    return rng.exponential(1, (n, trials)) - 1


def rejected(values: np.ndarray, topics: list[str], test: str) -> float:
    """How often a true null hypothesis is rejected at .05."""
    units = Units.of(topics)
    sums = units.sums(values)
    families = np.zeros(values.shape[1], np.int64)
    p, _ = TESTS.part(test)().p_values(Paired(sums, units.sizes, None, families, 2_000))
    return float((p < 0.05).mean())


@pytest.mark.slow
@pytest.mark.parametrize("n", [10, 20, 50, 98])
@pytest.mark.parametrize("test", ["randomisation", "t", "wilcoxon"])
def test_no_test_rejects_equal_systems_more_often_than_it_says(test: str, n: int) -> None:
    """Alone and in topics of 1 to 4 queries that go together; by Monte Carlo, so a binomial error is allowed."""
    rng, trials = np.random.default_rng(n), 4_000
    sizes = rng.integers(1, 5, n)
    topics = np.repeat(np.arange(n), sizes).astype(str).tolist()
    # Where few values are tied scipy makes Wilcoxon's p of all permutations: seven in a second.
    untied = test == "wilcoxon" and n == 10
    alone, together = (
        rng.laplace(0, 1, (count, trials)) if untied else exchangeable(rng, count, trials) for count in (n, len(topics))
    )
    grouped = np.abs(together) * rng.choice([-1, 1], (n, trials)).repeat(sizes, axis=0)
    for values, names_of in ((alone, names(n)), (grouped, topics)):
        false = rejected(values, names_of, test)
        assert 0.025 < false <= 0.05 + 3.3 * np.sqrt(0.05 * 0.95 / trials)  # nor is it idle


@pytest.mark.slow
@pytest.mark.parametrize(("n", "most"), [(10, 0.105), (20, 0.07), (50, 0.075), (98, 0.065)])
def test_skewed_differences_are_not_taken_for_effects(n: int, most: float) -> None:
    """A mean of zero with a long tail, which no test of ten values can tell from an effect: there a bound is all."""
    rng, trials = np.random.default_rng(n), 4_000
    values = skewed(rng, n, trials)
    false = rejected(values, names(n), "randomisation")
    assert false < most
    if n < 50:
        plain, _ = flips(values, None, 2_000, 42)
        assert false < float((plain < 0.05).mean())
    sizes = rng.integers(1, 4, n)
    topics = np.repeat(np.arange(n), sizes).astype(str).tolist()
    assert rejected(values.repeat(sizes, axis=0) * 1.0, topics, "randomisation") < most + 0.03


@given(st.integers(3, 12), st.integers(0, 2**32))
@settings(max_examples=30)
def test_skew_is_taken_from_flips_as_from_each_flip_by_itself(n: int, seed: int) -> None:
    """Against every flip's own mean, standard deviation and skewness, by scipy; exact."""
    x = np.random.default_rng(seed).exponential(1, n).round(3) - 0.7
    flipped = x * np.array(list(itertools.product((1, -1), repeat=n)))
    t, g = flipped.mean(axis=1) / flipped.std(axis=1), stats.skew(flipped, axis=1)
    hall = np.abs(t + g * t**2 / 3 + g**2 * t**3 / 27 + g / (6 * n))
    [ours], resamples = flips(x[:, None], None, 2**n, 1, skewed=True)
    assert resamples == 2**n
    assert ours == pytest.approx((hall >= hall[0] * (1 - 1e-9)).mean(), abs=1e-12)


def test_t_alone_orders_flips_as_their_mean_does() -> None:
    """Why to studentise is not enough: a flip leaves the sum of squares as it is."""
    x = np.random.default_rng(7).exponential(1, 10) - 0.4
    flipped = x * np.array(list(itertools.product((1, -1), repeat=10)))
    means, t = np.abs(flipped.mean(axis=1)), np.abs(stats.ttest_1samp(flipped, 0, axis=1).statistic)
    assert ((means >= means[0] - 1e-12) == (t >= t[0] - 1e-9)).all()


@pytest.mark.slow
@pytest.mark.parametrize("each", [1, 2])
@pytest.mark.parametrize("test", ["randomisation", "t", "wilcoxon"])
def test_on_null_data_one_in_twenty_is_significant(test: str, each: int) -> None:
    trials = 3_000
    x = null(np.random.default_rng(11), trials, each)
    method = Method(test=test, resamples=2_000, correction="none")
    p = compare(x, names(60, each), method=method).p
    assert within(int((p < 0.05).sum()), trials, 0.05)
    if each == 2:  # and were topics not kept together, it would be far more
        apart = compare(x, names(60), method=method).p
        assert not within(int((apart < 0.05).sum()), trials, 0.05)


def test_two_units_have_a_spread_and_one_has_none() -> None:
    x = np.array([[0.1], [0.5]])
    assert effect_size(x, np.ones(2))[0] == pytest.approx(0.3 / np.std([0.1, 0.5], ddof=1))
    assert np.isnan(effect_size(x[:1], np.ones(1))[0])
    assert np.isnan(compare(x[:1], ["a"]).low[0]) and not np.isnan(compare(x, ["a", "b"]).low[0])


def test_delta_effect_size_and_t_are_over_the_same_unit() -> None:
    """A topic of many queries weighs as many in delta: by topics' own means the sign would be another."""
    values = np.concatenate([np.full(10, 0.5), [-0.4, -0.3, -0.35]])[:, None]
    topics = ["many"] * 10 + ["a", "b", "c"]
    outcomes = compare(values, topics, method=Method(test="t"))
    by_topic = [0.5, -0.4, -0.3, -0.35]
    assert np.mean(by_topic) < 0 < outcomes.delta[0]
    assert outcomes.effect_size[0] > 0
    # As a ratio of sums: residuals of topic totals about the mean over queries (Cochran 1977).
    totals, sizes = np.array([5, -0.4, -0.3, -0.35]), np.array([10, 1, 1, 1])
    mean = totals.sum() / sizes.sum()
    deviation = ((totals - sizes * mean) / sizes.mean()).std(ddof=1)
    assert outcomes.effect_size[0] == pytest.approx(mean / deviation)
    assert outcomes.p[0] == pytest.approx(stats.ttest_1samp(totals, 0).pvalue)


def models(rng: np.random.Generator, n: int, count: int, between: float) -> np.ndarray:
    """Differences of `count` trained models on n queries: a part of the query's, one of the model's, and the rest."""
    return rng.normal(0.1, 1, (n, 1)) + rng.normal(0, between, (1, count)) + rng.normal(0, 0.3, (n, count))


def test_several_models_are_compared_by_their_mean() -> None:
    x = models(np.random.default_rng(3), 60, 4, 0.5)
    together = compare(x, names(60), comparison=np.zeros(4, int))
    alone = compare(x.mean(axis=1, keepdims=True), names(60))
    assert (together.p[0], together.delta[0], together.effect_size[0]) == (
        pytest.approx(alone.p[0]), pytest.approx(alone.delta[0]), pytest.approx(alone.effect_size[0])
    )  # fmt: skip
    assert (together.models.tolist(), alone.models.tolist()) == ([4], [1])
    assert together.deviation[0] == pytest.approx(x.mean(axis=0).std(ddof=1))
    assert np.isnan(alone.deviation[0])
    # The interval is over models too, so it is wider where they differ.
    assert together.high[0] - together.low[0] > 1.1 * (alone.high[0] - alone.low[0])
    mixed = compare(np.column_stack([x, x[:, 0]]), names(60), comparison=np.array([0, 0, 0, 0, 1]))
    assert (mixed.low[0], mixed.high[0]) == (together.low[0], together.high[0])
    single = compare(x[:, :1], names(60))
    assert (mixed.low[1], mixed.p[1]) == (pytest.approx(single.low[0]), single.p[0])


def test_the_spread_of_a_two_way_bootstrap_is_that_of_models_and_topics() -> None:
    """Against the variance of a mean over crossed factors, each of which the bootstrap shrinks by (k - 1) / k."""
    x = models(np.random.default_rng(5), 80, 6, 0.4)
    draws = resampling.draws(x, np.ones(80), 10_000, 1)
    by_model, by_topic = x.mean(axis=0), x.mean(axis=1)
    rest = x - by_model - by_topic[:, None] + x.mean()
    expected = by_model.var() / 6 + by_topic.var() / 80 + rest.var() / (6 * 80)
    assert over_models(draws, 1).var() == pytest.approx(expected, rel=0.06)
    assert over_models(draws, 1).mean() == pytest.approx(x.mean(), abs=0.01)


def test_a_share_has_an_interval_and_is_not_given_of_a_gap_near_0() -> None:
    rng = np.random.default_rng(6)
    gap = rng.normal(0.4, 0.4, (100, 1))
    closure = gap * 0.25 + rng.normal(0, 0.1, (100, 1))
    share = ratio(closure, gap, np.ones(100), 0.95, 1)
    assert share
    bounds = stats.bootstrap(
        (closure[:, 0], gap[:, 0]), lambda a, b, axis: a.mean(axis=axis) / b.mean(axis=axis), paired=True,
        method="percentile", n_resamples=10_000, rng=np.random.default_rng(2),
    ).confidence_interval  # fmt: skip
    assert share[0] == pytest.approx(closure.mean() / gap.mean())
    assert share[1:] == (pytest.approx(bounds.low, abs=0.01), pytest.approx(bounds.high, abs=0.01))
    assert ratio(closure, gap - 0.38, np.ones(100), 0.95, 1) is None
    assert ratio(closure, -gap, np.ones(100), 0.95, 1) is None  # low queries were better: no gap to close


@pytest.mark.parametrize("each", [1, 2])
@pytest.mark.parametrize("method", ["percentile", "bca"])
def test_intervals_cover_the_truth(method: str, each: int) -> None:
    trials = 1_500
    x = null(np.random.default_rng(12), trials, each)
    units = Units.of(names(60, each))
    # Bootstrap intervals of a mean are too short by about sqrt((u - 1) / u) and t's tail: u is 60 or 30 here.
    low, high = interval(INTERVALS.part(method)(), units.sums(x), units.sizes, 0.95, seed=1, resamples=2_000)
    covered = int(((low <= 0) & (high >= 0)).sum())
    u = len(units.sizes)
    expected = 2 * stats.t.cdf(stats.norm.ppf(0.975) * np.sqrt((u - 1) / u), u - 1) - 1
    assert within(covered, trials, expected)


@pytest.mark.slow
def test_holm_and_tukey_keep_the_family_wise_error() -> None:
    """With nothing to find in 6 pairs of 4 systems, no more than one family in twenty has a significant pair."""
    rng = np.random.default_rng(13)
    pairs = list(itertools.combinations(range(4), 2))
    weights = np.zeros((4, 6))
    for column, (a, b) in enumerate(pairs):
        weights[[a, b], column] = -1, 1
    trials, holm, hsd = 400, 0, 0
    for seed in range(trials):
        values = rng.normal(0, 1, (20, 1)) + rng.normal(0, 1, (20, 4))
        p = compare(values, names(20), weights, method=Method(test="t")).p
        holm += corrected(p, np.zeros(6, int), Method(test="t")).min() < 0.05
        hsd += tukey(values, names(20), 199, seed).min() < 0.05
    assert within(hsd, trials, 0.05)
    assert stats.binomtest(holm, trials, 0.05, alternative="greater").pvalue > 0.001


def test_tukey_is_its_enumeration() -> None:
    values = np.array([[0.1, 0.9, 0.4], [0.2, 0.8, 0.8], [0.0, 0.7, 0.1], [0.5, 0.6, 0.4]])
    ranges = np.array([
        np.ptp(np.sum([row[list(order)] for row, order in zip(values, orders, strict=True)], axis=0))
        for orders in itertools.product(itertools.permutations(range(3)), repeat=4)
    ])  # fmt: skip
    ours = tukey(values, names(4), 20_000, seed=1)
    for a, b in itertools.combinations(range(3), 2):
        exact = float((ranges >= abs(values[:, a].sum() - values[:, b].sum()) - 1e-9).mean())
        assert abs(ours[a, b] - exact) < 4 * np.sqrt(exact * (1 - exact) / 20_000) + 1e-4


def test_tukey_of_two_is_its_enumeration() -> None:
    values = np.random.default_rng(2).random((10, 2))
    swapped = (values[:, 0] - values[:, 1]) * np.array(list(itertools.product((1, -1), repeat=10)))
    distance = np.abs(swapped.sum(axis=1))
    assert tukey(values, names(10), 20_000, 1)[0, 1] == (distance >= distance[0] - 1e-12).mean()


def test_odd_methods_are_refused_and_the_smallest_taken() -> None:
    assert Method(resamples=1).resamples == 1
    for name, value in (("resamples", 0), ("confidence", 0.0), ("confidence", 1.0)):
        with pytest.raises(ValidationError):
            Method(**{name: value})


def test_units_sum_in_any_order() -> None:
    units = Units.of(["b", "a", "b"])
    assert units.sums(np.array([[1.0], [2.0], [3.0]])).tolist() == [[4.0], [2.0]]


def test_draws_that_were_kept_are_those_drawn_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    sums, sizes = rng.normal(size=(300, 4)), rng.integers(1, 4, 300).astype(float)
    kept = resampling.draws(sums, sizes, 5_000, 9)
    assert (resampling.draws(sums, sizes, 5_000, 9) == kept).all()
    monkeypatch.setattr(resampling, "_KEPT", 0)
    assert (resampling.draws(sums, sizes, 5_000, 9) == kept).all()


def test_runs_that_differ_nowhere_have_p_1() -> None:
    same = np.repeat(np.random.default_rng(0).random((50, 1)), 2, axis=1)
    [p], _ = flips(same, np.array([[1.0], [-1.0]]), 1_000, 1)
    assert p == 1
