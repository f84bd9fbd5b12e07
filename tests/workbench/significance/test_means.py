"""Means of groups of models against the comparison of recipes, scipy's t and explicit samples."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from workbench.significance.means import Means
from workbench.significance.outcomes import compare
from workbench.significance.resampling import draws


def within(rate: float, n: int, expected: float) -> bool:
    """Whether a rate is one that `expected` gives in n trials, but once in a hundred times."""
    low, high = stats.binom.interval(0.99, n, expected)
    return bool(low <= rate * n <= high)


def test_of_one_model_each_it_is_the_comparison_of_a_recipe() -> None:
    rng = np.random.default_rng(1)
    runs = [rng.uniform(0, 1, (70, 1)) for _ in range(4)]
    topics = [str(i // 2) for i in range(70)]
    weights = np.array([[1.0, 1], [-1, -1], [0, -1], [0, 1]])
    means = Means.of(runs, topics, 10_000, 42)
    found, p = means.estimates(weights, 0.95), means.p_values(weights, 100_000)
    theirs = compare(np.column_stack(runs), topics, weights)
    assert found.estimate == pytest.approx(theirs.delta)
    assert (found.low, found.high) == (pytest.approx(theirs.low), pytest.approx(theirs.high))
    assert p.tolist() == theirs.p.tolist()
    assert (means.n, means.n_groups) == (70, 35)


def test_where_topics_agree_the_interval_is_that_of_t_over_models() -> None:
    models = np.array([0.1, 0.16, 0.13, 0.3])
    means = Means.of([np.tile(models, (30, 1))], [str(i) for i in range(30)], 40_000, 1)
    found = means.estimates(np.ones((1, 1)), 0.95)
    low, high = stats.t.interval(0.95, 3, models.mean(), stats.sem(models))
    assert (found.low[0], found.high[0]) == (pytest.approx(low, abs=0.01), pytest.approx(high, abs=0.01))
    assert means.deviation(0) == pytest.approx(models.std(ddof=1))


def test_models_of_two_groups_are_paired() -> None:
    """A seed that is better in both groups is no part of their difference."""
    rng = np.random.default_rng(2)
    seeds, topics = rng.normal(0, 0.3, (1, 4)), rng.normal(0, 0.1, (40, 1))
    groups = [0.4 + seeds + topics, 0.3 + seeds + topics]
    means = Means.of(groups, [str(i) for i in range(40)], 2_000, 3)
    apart = means.estimates(np.eye(2), 0.95)
    together = means.estimates(np.array([[1.0], [-1.0]]), 0.95)
    assert (apart.high - apart.low > 0.3).all()
    assert together.high[0] - together.low[0] < 1e-9


@given(st.integers(0, 2**32), st.integers(2, 30), st.booleans())
@settings(max_examples=20, deadline=None)
def test_errors_are_those_of_the_topics_drawn(seed: int, topics: int, doubled: bool) -> None:
    """Of topics of one size: the standard error of their means, in each sample that draws two different ones."""
    values = np.random.default_rng(seed).normal(0, 1, (topics, 1)).round(3)
    each = 2 if doubled else 1
    means = Means.of([np.repeat(values, each, axis=0)], [str(i // each) for i in range(topics * each)], 50, seed)
    drawn = np.rint(draws(np.eye(topics) * topics, np.ones(topics), 50, seed)).astype(int)  # how often each
    expected = [np.repeat(values[:, 0], counts).std(ddof=1) / np.sqrt(topics) for counts in drawn]
    assert means.errors(np.ones((1, 1)))[:, 0] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(("models", "between"), [(1, 0.0), (2, 0.01), (3, 0.03), (5, 0.01)])
def test_an_interval_holds_the_truth_as_often_as_it_says(models: int, between: float) -> None:
    """Whatever the models' spread is beside that of topics, 0.2, and of both together, 0.15; simulated side by side."""
    rng, simulations = np.random.default_rng(models), 600
    groups = [
        0.1 + rng.normal(0, 0.2, (60, 1)) + rng.normal(0, between, (1, models)) + rng.normal(0, 0.15, (60, models))
        for _ in range(simulations)
    ]
    found = Means.of(groups, [str(i) for i in range(60)], 2_000, 7).estimates(np.eye(simulations), 0.95)
    assert within(float(np.mean((found.low <= 0.1) & (found.high >= 0.1))), simulations, 0.95)


def test_a_test_rejects_a_true_hypothesis_as_often_as_it_says() -> None:
    """For these models: they do not differ but by chance."""
    rng, simulations = np.random.default_rng(1), 600
    means = Means.of([rng.normal(0, 0.2, (60, 3)) for _ in range(simulations)], [str(i) for i in range(60)], 100, 7)
    p = means.p_values(np.eye(simulations), 4_000)
    assert within(float(np.mean(p <= 0.05)), simulations, 0.05)


def test_of_a_single_topic_nothing_is_known() -> None:
    means = Means.of([np.array([[0.2, 0.4], [0.3, 0.1]])], ["t", "t"], 100, 1)
    found = means.estimates(np.ones((1, 1)), 0.95)
    assert found.estimate[0] == pytest.approx(0.25)
    assert np.isnan([found.low[0], found.high[0]]).all()
    assert np.isnan(means.errors(np.ones((1, 1)))).all()
    assert means.p_values(np.ones((1, 1)), 1_000)[0] == 1
