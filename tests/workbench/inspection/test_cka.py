"""Linear CKA, against sums written out and truths that are known."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ortho_group

from store import LswError
from workbench.inspection.cka import is_debiased, linear_cka, unbiased_hsic


def vectors(seed: int, n: int, d: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, d))


@given(st.integers(0, 10_000), st.sampled_from([(12, 5), (200, 6)]))
def test_rotated_moved_and_scaled_it_is_the_same(seed: int, shape: tuple[int, int]) -> None:
    x = vectors(seed, *shape)
    turned = 3.7 * x @ ortho_group.rvs(shape[1], random_state=seed) + 100
    for debiased in (True, False, None):
        assert linear_cka(x, turned, debiased) == pytest.approx(1, abs=1e-9)


@given(st.integers(0, 10_000))
def test_the_plain_estimate_is_the_formula(seed: int) -> None:
    x, y = vectors(seed, 30, 3), vectors(seed + 1, 30, 2)
    centre = np.eye(30) - 1 / 30
    k, l = centre @ x @ x.T @ centre, centre @ y @ y.T @ centre  # noqa: E741
    expected = np.trace(k @ l) / np.sqrt(np.trace(k @ k) * np.trace(l @ l))
    assert linear_cka(x, y, debiased=False) == pytest.approx(expected, rel=1e-9)
    assert linear_cka(y, x, debiased=False) == pytest.approx(expected, rel=1e-9)


@given(st.integers(0, 10_000))
def test_hsic_is_the_mean_over_all_fours_of_texts(seed: int) -> None:
    """Song et al. (2012), theorem 5: a U-statistic; here the mean of its kernel over all ordered fours."""
    x, y = vectors(seed, 6, 2), vectors(seed + 1, 6, 3)
    k, l = x @ x.T, y @ y.T  # noqa: E741
    each = [k[i, j] * (l[i, j] + l[q, r] - 2 * l[i, q]) for i, j, q, r in permutations(range(6), 4)]
    assert unbiased_hsic(k, l) == pytest.approx(np.mean(each), rel=1e-9, abs=1e-12)
    moved = (x + 5) @ (x + 5).T
    assert unbiased_hsic(moved, l) == pytest.approx(np.mean(each), rel=1e-6, abs=1e-9)


def test_independent_vectors_are_near_0_only_without_bias() -> None:
    plain, freed = [], []
    for seed in range(20):
        x, y = vectors(seed, 60, 100), vectors(1_000 + seed, 60, 100)
        plain.append(linear_cka(x, y, debiased=False))
        freed.append(linear_cka(x, y))
    assert np.mean(plain) > 0.5
    assert abs(np.mean(freed)) < 0.01


def test_few_texts_for_many_dimensions_are_freed_from_bias() -> None:
    assert is_debiased(vectors(1, 59, 2), vectors(2, 59, 6))
    assert not is_debiased(vectors(1, 60, 2), vectors(2, 60, 6))
    x, y = vectors(1, 59, 2), vectors(2, 59, 6)
    assert linear_cka(x, y) == linear_cka(x, y, debiased=True) != linear_cka(x, y, debiased=False)


@pytest.mark.parametrize(
    ("x", "y", "words"),
    [
        (vectors(1, 9, 2), vectors(1, 8, 2), "9 vectors cannot be held against 8"),
        (np.column_stack([vectors(1, 9, 1), np.ones(9)]), vectors(1, 9, 2), "Column 1 of the vectors is the same"),
        (vectors(1, 9, 2), np.zeros((9, 2)), "Column 0 of the vectors is the same for all 9 texts"),
        (vectors(1, 3, 2), vectors(2, 3, 2), "3 texts are too few"),
    ],
)
def test_what_cannot_be_compared_is_refused(x: np.ndarray, y: np.ndarray, words: str) -> None:
    with pytest.raises(LswError, match=words):
        linear_cka(x, y)
