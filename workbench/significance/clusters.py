"""Several kinds of clusters at once (languages, topics, models): a bootstrap that draws each kind by itself.

An observation's weight in a sample is the product of its clusters' (the pigeonhole bootstrap: Owen, Annals of Applied
Statistics 1, 2007). Of G clusters G - 1 are drawn, each then counting G / (G - 1) times (Rao and Wu, JASA 83, 1988):
with few clusters the ordinary draw of G sees only (G - 1) / G of their variance. Percentiles are too narrow then all
the same, so the interval is one of Student's t, with the degrees of freedom that Satterthwaite (1946) gives. What no
cluster explains is counted once for each kind: where nothing else varies, intervals are too wide.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from workbench.significance.paired_tests.base import SMALLEST
from workbench.significance.resampling import Values

_CLUSTERS = 4  # of the streams of random numbers in `workbench.significance.resampling` the next
_CELLS = 2_000_000  # weights in a block: bounds memory
_APART = 400  # samples for the variance that one kind of clusters makes

Estimator = Callable[[list[Values]], Values]
"""From weights, one array (samples x clusters) for each kind, to estimates (samples x estimates); nan: undefined."""


@dataclass(frozen=True)
class Spread:
    """Estimates with the interval and the p of a zero value; arrays of one length.

    `degrees` of freedom. `undefined` counts the samples in which an estimate could not be made. Bounds and p are nan
    where nothing varies, and where no kind has two clusters.
    """

    estimate: Values
    low: Values
    high: Values
    p: Values
    degrees: Values
    undefined: Values


def weights(counts: list[int], start: int, size: int, seed: int, only: int | None = None) -> list[Values]:
    """What each cluster counts in some samples: one array (size x clusters) for each kind, of mean 1.

    A kind with a single cluster is as it is: nothing is known of others.

    Args:
        counts: clusters of each kind.
        start, size: which samples.
        seed: of the draws.
        only: the kind that is drawn; None: all of them.
    """
    out = []
    for kind, count in enumerate(counts):
        if count < 2 or only not in (None, kind):
            out.append(np.ones((size, count)))
            continue
        rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(_CLUSTERS, kind, start)))
        drawn = rng.integers(0, count, size=(size, count - 1)) + count * np.arange(size)[:, None]
        times: Values = np.bincount(drawn.ravel(), minlength=size * count).reshape(size, count).astype(np.float64)
        out.append(times * count / (count - 1))
    return out


def samples(
    of: Estimator, counts: list[int], resamples: int, seed: int, only: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Values:  # fmt: skip
    """Estimates of bootstrap samples (resamples x estimates).

    Args:
        of: what is estimated.
        counts: clusters of each kind.
        resamples, seed: of the bootstrap.
        only: the kind that is drawn; None: all of them.
        progress: told how many samples are done.
    """
    rows = max(1, min(256, _CELLS // max(1, sum(counts))))
    out = []
    for start in range(0, resamples, rows):
        size = min(rows, resamples - start)
        out.append(of(weights(counts, start, size, seed, only)))
        if progress:
            progress(start + size, resamples)
    return np.concatenate(out)


def spread_of(
    of: Estimator, counts: list[int], confidence: float, resamples: int, seed: int,
    progress: Callable[[int, int], None] | None = None,
) -> Spread:  # fmt: skip
    """Estimates, each with its interval: estimate +- t times the bootstrap's standard error.

    The degrees of freedom are Satterthwaite's: (sum of V)^2 / sum of V^2 / (G - 1), where V is the variance that one
    kind of clusters makes when it alone is drawn, and G how many clusters it has.

    Args:
        of: what is estimated.
        counts: clusters of each kind (languages, topics, models).
        confidence: such as 0.95.
        resamples, seed: of the bootstrap.
        progress: told how many samples are done.
    """
    from scipy import stats

    estimate = of([np.ones((1, count)) for count in counts])[0]
    drawn = [kind for kind, count in enumerate(counts) if count > 1]
    nothing = np.full_like(estimate, np.nan)
    if not drawn:
        return Spread(estimate, nothing, nothing, nothing, nothing, np.zeros_like(estimate))
    sampled = samples(of, counts, resamples, seed, None, progress)
    error, undefined = _deviation(sampled), np.isnan(sampled).sum(axis=0).astype(np.float64)
    if len(drawn) == 1:
        degrees = np.full_like(estimate, counts[drawn[0]] - 1)
    else:
        apart = np.array([_deviation(samples(of, counts, min(resamples, _APART), seed, k)) ** 2 for k in drawn])
        fewer = np.array([counts[k] - 1 for k in drawn], np.float64)[:, None]
        with np.errstate(divide="ignore", invalid="ignore"):
            degrees = apart.sum(axis=0) ** 2 / (apart**2 / fewer).sum(axis=0)
    varies = error > 1e-9 * (1e-3 + np.abs(estimate))
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.where(varies, np.abs(estimate) / error, np.nan)
        wide = np.where(varies, stats.t.ppf((1 + confidence) / 2, degrees) * error, np.nan)
        p = np.clip(2 * stats.t.sf(t, degrees), SMALLEST, 1)
    return Spread(estimate, estimate - wide, estimate + wide, p, np.where(varies, degrees, np.nan), undefined)


def _deviation(sampled: Values) -> Values:
    """Standard deviation of the samples in which the estimate is defined; nan of fewer than two."""
    known = (~np.isnan(sampled)).sum(axis=0)
    deviation = np.full(sampled.shape[1], np.nan)
    enough = known > 1
    if enough.any():
        deviation[enough] = np.nanstd(sampled[:, enough], axis=0, ddof=1)
    return deviation
