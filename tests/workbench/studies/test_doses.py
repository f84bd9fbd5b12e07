"""The rules over doses against loops that say them again; the curve against scipy; weights against numpy's own."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.optimize import least_squares

from workbench.studies import areas, doses
from workbench.studies.saturation import fitted

rows = st.integers(1, 6).flatmap(
    lambda n: st.tuples(*[st.lists(st.floats(-0.05, 0.05), min_size=n, max_size=n) for _ in range(2)])
)


@given(rows)
def test_the_minimum_effective_dose_is_sought_from_the_largest_down(row: tuple[list[float], list[float]]) -> None:
    gains, significant = np.array(row[0]), np.array(row[1]) > 0
    answer = -1
    for i in range(len(gains) - 1, -1, -1):
        if not significant[i]:
            break
        if gains[i] >= 0.01:
            answer = i
    assert doses.effective(significant, gains, 0.01) == answer
    assert doses.effective(np.stack([significant] * 2), np.stack([gains] * 2), 0.01).tolist() == [answer] * 2


@given(rows, st.integers(-1, 5))
def test_the_plateau_begins_where_nothing_larger_gains_more(row: tuple[list[float], list[float]], start: int) -> None:
    upper = np.array(row[0])
    answer = -1
    for i in range(len(upper) - 1, -1, -1):
        if upper[i] >= 0.01 or start < 0 or i < start:
            break
        answer = i
    assert doses.plateau(upper, np.array(start), 0.01) == answer


@given(rows)
def test_bounds_of_the_effective_dose_hold_it_where_all_intervals_hold(row: tuple[list[float], list[float]]) -> None:
    truth, widths = np.sort(row[0]), np.abs(row[1])
    effective = int((truth < 0.01).sum())  # of gains that do not fall; the number of doses if there is none
    low, high = doses.effective_bounds(truth - widths, truth + widths, 0.01)
    assert low <= effective
    assert high == -1 or high >= effective


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_p_in_sequence_is_the_largest_of_those_tested_before(p: list[float]) -> None:
    assert doses.in_sequence(np.array(p)).tolist() == [max(p[i:]) for i in range(len(p))]


def test_shares_are_of_all_resamples() -> None:
    assert doses.shares(np.array([1, 1, -1, 0]), [31.0, 62.0]) == {"31": 0.25, "62": 0.5, "not reached": 0.25}


DOSES = np.array([30.0, 60, 120, 240, 480])


@given(st.floats(-0.3, 0.3), st.floats(40, 300), st.floats(0.5, 2))
@settings(max_examples=30, deadline=None)
def test_a_curve_without_noise_is_found(height: float, scale: float, shape: float) -> None:
    assume(abs(height) > 0.01)
    gains = height * (1 - np.exp(-((DOSES / scale) ** shape)))
    found = fitted(DOSES, gains[None], np.ones(5))
    assert found.at(DOSES)[0] == pytest.approx(gains, abs=1e-4 * abs(height))
    assert found.at(np.array([0.0]))[0, 0] == 0
    given_shape = fitted(DOSES, gains[None], np.ones(5), shape=shape)
    assert given_shape.scale[0] == pytest.approx(scale, rel=1e-3)
    assert given_shape.height[0] == pytest.approx(height, rel=1e-3)


def test_no_curve_of_scipys_is_nearer() -> None:
    rng = np.random.default_rng(1)
    gains = 0.08 * (1 - np.exp(-DOSES / 90)) + rng.normal(0, 0.006, (40, 5))
    weights = rng.uniform(0.5, 2, 5) / 0.006**2
    found = fitted(DOSES, gains, weights)
    ours = ((found.at(DOSES) - gains) ** 2 * weights).sum(axis=1)
    for i, row in enumerate(gains):

        def residuals(x: np.ndarray, row: np.ndarray = row) -> np.ndarray:
            return np.sqrt(weights) * (x[0] * (1 - np.exp(-((DOSES / np.exp(x[1])) ** x[2]))) - row)

        bounds = ([-1, np.log(3), 0.25], [1, np.log(4800), 4])
        theirs = min(
            2 * least_squares(residuals, [0.08, np.log(start), 1], bounds=bounds).cost for start in (20, 90, 400)
        )
        assert ours[i] < theirs + 0.1  # of a sum of five squares of about 1


def test_a_straight_line_and_a_step_lie_at_the_bounds() -> None:
    line = fitted(DOSES, DOSES[None] / 10_000, np.ones(5), shape=1.0)
    step = fitted(DOSES, np.full((1, 5), 0.1), np.ones(5))
    assert line.bound["N0"][0] == 1
    assert step.bound["N0"][0] == -1 or step.shape[0] > 1
    assert step.height[0] == pytest.approx(0.1, rel=0.01)
    with pytest.raises(ValueError, match="Too few doses"):
        fitted(DOSES[:2], np.ones((1, 2)), np.ones(2))


places = st.lists(st.integers(0, 1000), min_size=2, max_size=7, unique=True).map(sorted)


@given(places, st.integers(0, 2**32))
def test_weights_are_numpys_trapezoid_line_and_interpolation(at: list[int], seed: int) -> None:
    x, values = np.array(at, dtype=float), np.random.default_rng(seed).normal(0, 1, len(at))
    wanted = np.random.default_rng(seed).uniform(x[0], x[-1], 5)
    assert areas.area(x) @ values == pytest.approx(np.trapezoid(values, x) / (x[-1] - x[0]), abs=1e-9)
    assert areas.slope(x) @ values == pytest.approx(np.polyfit(x, values, 1)[0], abs=1e-6)
    assert areas.between(x, wanted) @ values == pytest.approx(np.interp(wanted, x, values), abs=1e-9)
