"""Bootstraps of several kinds of clusters against scipy and the truth; mixed models against statsmodels."""

import warnings

import numpy as np
import pytest
from scipy import stats
from statsmodels.regression.mixed_linear_model import MixedLM, VCSpec

from workbench.significance.clusters import spread_of, weights
from workbench.significance.mixed import MOST, Random, mixed
from workbench.significance.power import significant_rho


def mean_of(values: np.ndarray):
    """The mean of an array (clusters of one kind x of another), as weights have it."""

    def of(drawn: list[np.ndarray]) -> np.ndarray:
        rows, columns = drawn
        return (
            np.einsum("sr,sc,rc->s", rows, columns, values)[:, None] / (rows.sum(axis=1) * columns.sum(axis=1))[:, None]
        )

    return of


def test_weights_are_of_whole_clusters_of_one_kind() -> None:
    languages, one, models = weights([5, 1, 3], 2, 0, 400, seed=1)
    assert (one == 1).all() and (languages == 1).all()
    assert models.shape == (400, 3)
    assert models.mean(axis=1) == pytest.approx(1)
    assert models.var(axis=0) == pytest.approx(1, abs=0.2)  # of G - 1 drawn and scaled: without bias, so 1 and not 2/3
    assert (weights([5, 1, 3], 2, 0, 400, seed=1)[2] == models).all()
    assert not (weights([5, 1, 3], 2, 400, 400, seed=1)[2] == models).all()


def test_variances_of_several_kinds_are_added() -> None:
    """Held against the mean squares of a crossed array of random effects."""
    rng = np.random.default_rng(4)
    x = rng.normal(0, 1, (8, 1)) + rng.normal(0, 1, (1, 30)) + rng.normal(0, 0.01, (8, 30))
    spread = spread_of(mean_of(x), [8, 30], 0.95, 20_000, seed=1)
    apart = np.array([x.mean(axis=1).var(ddof=1) / 8, x.mean(axis=0).var(ddof=1) / 30])
    degrees = apart.sum() ** 2 / (apart**2 / [7, 29]).sum()
    assert spread.degrees[0] == pytest.approx(degrees, rel=0.03)
    wide = stats.t.ppf(0.975, degrees) * np.sqrt(apart.sum())
    assert spread.high[0] - spread.estimate[0] == pytest.approx(wide, rel=0.03)


def test_of_one_kind_it_is_students_t() -> None:
    x = np.random.default_rng(3).normal(0.2, 1, (25, 1))
    spread = spread_of(mean_of(x), [25, 1], 0.9, 20_000, seed=1)
    theirs = stats.ttest_1samp(x[:, 0], 0)
    bounds = theirs.confidence_interval(0.9)
    assert spread.degrees[0] == 24
    assert (spread.low[0], spread.high[0]) == pytest.approx((bounds.low, bounds.high), abs=0.01)
    assert spread.p[0] == pytest.approx(theirs.pvalue, abs=0.01)


def test_what_does_not_vary_has_no_interval_and_no_p_is_0() -> None:
    same = spread_of(mean_of(np.full((6, 4), 0.25)), [6, 4], 0.95, 200, seed=1)
    assert same.estimate[0] == 0.25
    assert np.isnan([same.low[0], same.high[0], same.p[0]]).all()
    far = spread_of(mean_of(1 + np.random.default_rng(1).normal(0, 1e-4, (80, 60))), [80, 60], 0.95, 200, seed=1)
    assert 0 < far.p[0] < 1e-100
    alone = spread_of(mean_of(np.ones((1, 1))), [1, 1], 0.95, 200, seed=1)
    assert np.isnan(alone.low[0])


def test_samples_that_leave_an_estimate_undefined_are_counted() -> None:
    def of(drawn: list[np.ndarray]) -> np.ndarray:
        return np.where(drawn[0][:, :1] > 0, drawn[0][:, :1], np.nan)

    spread = spread_of(of, [4], 0.95, 1_000, seed=1)
    assert 380 < spread.undefined[0] < 470  # (3/4)^3 of the samples lack it


def crossed(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """An outcome, fixed columns, and the levels of three crossed effects."""
    c, s, pair, t = (a.ravel() for a in np.meshgrid(range(4), range(3), range(4), range(12), indexing="ij"))
    kept = rng.random(c.size) < 0.9
    c, s, pair, t = c[kept], s[kept], pair[kept], t[kept]
    x = np.column_stack([np.ones(c.size), c // 2 - 0.5, c % 2 - 0.5])
    y = x @ [0.3, 0.1, -0.05] + rng.normal(0, 0.1, 3)[s] + rng.normal(0, 0.2, 12)[t] + rng.normal(0, 0.3, c.size)
    return y + rng.normal(0, 0.2, 4)[pair] + rng.normal(0, 0.3, 4)[pair] * x[:, 1], x, [t, pair, s]


def test_mixed_models_are_statsmodels() -> None:
    y, x, (topic, pair, model) = crossed(np.random.default_rng(5))
    ours = mixed(y, x, [Random(topic), Random(pair), Random(pair, x[:, 1]), Random(model)])
    assert not isinstance(ours, str)
    designs = [np.eye(index.max() + 1)[index] for index in (topic, pair, pair, model)]
    designs[2] = designs[2] * x[:, 1:2]
    names = [[[str(i) for i in range(d.shape[1])]] for d in designs]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = MixedLM(
            y, x, groups=np.ones(len(y)), exog_vc=VCSpec(["t", "p", "o", "m"], names, [[d] for d in designs])
        ).fit()
    assert ours.coefficients == pytest.approx(theirs.fe_params, abs=1e-4)
    assert np.sqrt(np.diag(ours.covariance)) == pytest.approx(theirs.bse_fe, rel=1e-2)
    assert ours.deviations**2 == pytest.approx(theirs.vcomp, abs=1e-3)
    assert ours.residual**2 == pytest.approx(theirs.scale, rel=1e-3)


def test_a_mixed_model_that_cannot_be_fitted_says_why() -> None:
    y, x, (topic, _, _) = crossed(np.random.default_rng(5))
    assert "does not vary" in str(mixed(np.ones(len(y)), x, [Random(topic)]))
    assert "too few" in str(mixed(y[:3], x[:3], [Random(topic[:3])]))
    many = np.arange(MOST + 2)
    assert f"more than {MOST:,}" in str(mixed(many * 1.0, np.ones((len(many), 1)), [Random(many)]))


@pytest.mark.parametrize(("n", "least"), [(5, 1.0), (6, 0.886), (7, 0.786), (8, 0.738)])
def test_the_least_rho_is_that_of_tables(n: int, least: float) -> None:
    assert significant_rho(n) == pytest.approx(least, abs=5e-4)


def test_of_four_pairs_no_rho_is_enough() -> None:
    assert significant_rho(4) is None
    assert significant_rho(20) == pytest.approx(0.444, abs=1e-3)
