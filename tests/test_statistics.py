"""Tests, intervals and corrections against scipy, statsmodels and simulation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from workbench.statistics import Units, bootstrap, compare, corrected, effect_size, randomisation

differences = st.lists(st.floats(-1, 1, allow_subnormal=False).map(lambda x: round(x, 3)), min_size=2, max_size=10)


@given(d=differences)
@settings(max_examples=40, deadline=None)
def test_exact_randomisation_is_scipys(d: list[float]) -> None:
    x = np.array(d)
    ours, made = randomisation(x[:, None], 100_000, seed=1)
    theirs = stats.permutation_test(
        (x, np.zeros_like(x)), lambda a, b, axis: np.mean(a - b, axis=axis), permutation_type="samples",
        n_resamples=100_000, vectorized=True,
    ).pvalue  # fmt: skip
    assert made == 2 ** len(d)
    assert ours[0] == pytest.approx(theirs, abs=1e-12)


def test_random_flips_approach_the_exact_p() -> None:
    x = np.random.default_rng(3).normal(0.2, 0.6, (16, 1))
    exact, _ = randomisation(x, 2**16, seed=1)
    drawn, made = randomisation(x, 50_000, seed=1)
    assert made == 50_000
    assert abs(drawn[0] - exact[0]) < 4 * np.sqrt(exact[0] * (1 - exact[0]) / 50_000)


def test_p_is_never_zero_and_the_same_for_the_same_seed() -> None:
    x = np.full((60, 1), 0.5)
    first, _ = randomisation(x, 1_000, seed=9)
    again, _ = randomisation(x, 1_000, seed=9)
    assert first[0] == again[0] == 1 / 1001
    for test in ("t", "wilcoxon"):
        assert compare(x + np.arange(60)[:, None] / 1e6, [str(i) for i in range(60)], test=test).p[0] > 0


def test_topics_are_flipped_whole() -> None:
    """Two queries of a topic that always agree are one observation, so p is that of the topics alone."""
    x = np.random.default_rng(0).normal(0.3, 1, 12)
    doubled = np.repeat(x, 2)[:, None]
    topics = [str(i // 2) for i in range(24)]
    together = compare(doubled, topics, resamples=5_000)
    assert together.n == 24
    assert together.n_units == 12
    assert together.p[0] == randomisation(x[:, None], 5_000, 42)[0][0]
    apart = compare(doubled, [str(i) for i in range(24)], resamples=2**24)
    assert apart.p[0] < together.p[0]


def test_t_and_wilcoxon_are_scipys() -> None:
    x = np.random.default_rng(1).normal(0.1, 0.5, (30, 1))
    names = [str(i) for i in range(30)]
    assert compare(x, names, test="t").p[0] == pytest.approx(stats.ttest_1samp(x[:, 0], 0).pvalue)
    assert compare(x, names, test="wilcoxon").p[0] == pytest.approx(stats.wilcoxon(x[:, 0]).pvalue)


@given(p=st.lists(st.floats(1e-9, 1), min_size=1, max_size=30))
def test_corrections_are_statsmodels(p: list[float]) -> None:
    values = np.array(p)
    for ours, theirs in (("holm", "holm"), ("bonferroni", "bonferroni"), ("bh", "fdr_bh")):
        assert corrected(values, ours) == pytest.approx(multipletests(values, method=theirs)[1], rel=1e-9)
    assert (corrected(values, "none") == values).all()


def test_effect_size_and_interval() -> None:
    x = np.random.default_rng(5).normal(0.4, 1, (200, 1))
    assert effect_size(x)[0] == pytest.approx(x.mean() / x.std(ddof=1))
    assert np.isnan(effect_size(np.zeros((5, 1)))[0])
    low, high = bootstrap(x, np.ones(200), 0.95, seed=1)
    theirs = stats.bootstrap((x[:, 0],), np.mean, method="percentile", rng=np.random.default_rng(2)).confidence_interval
    assert low[0] == pytest.approx(theirs.low, abs=0.02)
    assert high[0] == pytest.approx(theirs.high, abs=0.02)


def test_on_null_data_one_in_twenty_is_significant() -> None:
    rng = np.random.default_rng(11)
    trials = 2_000
    x = rng.normal(0, 1, (40, trials)) + np.repeat(rng.normal(0, 1, (20, trials)), 2, axis=0)
    topics = [str(i // 2) for i in range(40)]
    p = compare(x, topics, resamples=2_000, correction="none").p
    interval = stats.binomtest(int((p < 0.05).sum()), trials).proportion_ci(0.999)
    assert interval.low <= 0.05 <= interval.high


def test_units_sum_in_any_order() -> None:
    units = Units.of(["b", "a", "b"])
    assert units.sums(np.array([[1.0], [2.0], [3.0]])).tolist() == [[4.0], [2.0]]
