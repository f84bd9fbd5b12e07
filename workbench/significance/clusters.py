"""Several kinds of clusters at once (languages, topics, models): a bootstrap that draws each kind by itself.

Of G clusters G - 1 are drawn, each then counting G / (G - 1) times (Rao and Wu, JASA 83, 1988): the ordinary draw of G
sees only (G - 1) / G of their variance. Each kind is drawn alone and the variances are added. Drawn all together
(the pigeonhole bootstrap: Owen, Annals of Applied Statistics 1, 2007), what no kind explains would count 2^3 - 1 = 7
times of three kinds; so it counts 3 times, and intervals are rather too wide than too narrow. Percentiles are too
narrow with few clusters; the interval is one of Student's t, with Satterthwaite's (1946) degrees of freedom.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from workbench.significance.paired_tests.base import SMALLEST
from workbench.significance.resampling import Values

_CLUSTERS = 4  # of the streams of random numbers in `workbench.significance.resampling` the next
_CELLS = 2_000_000  # weights in a block: bounds memory

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


def weights(counts: list[int], kind: int, start: int, size: int, seed: int) -> list[Values]:
    """What each cluster counts in some samples: one array (size x clusters) for each kind, of mean 1.

    Args:
        counts: clusters of each kind.
        kind: which is drawn; it has two clusters at least.
        start, size: which samples.
        seed: of the draws.
    """
    out: list[Values] = [np.ones((size, count)) for count in counts]
    count = counts[kind]
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(_CLUSTERS, kind, start)))
    drawn = rng.integers(0, count, size=(size, count - 1)) + count * np.arange(size)[:, None]
    times = np.bincount(drawn.ravel(), minlength=size * count).reshape(size, count).astype(np.float64)
    out[kind] = np.asarray(times * count / (count - 1), np.float64)
    return out


def spread_of(
    of: Estimator,
    counts: list[int],
    confidence: float,
    resamples: int,
    seed: int,
    progress: Callable[[int, int], None] | None = None,
) -> Spread:
    """Estimates, each with its interval: estimate +- t times the bootstrap's standard error.

    The degrees of freedom are Satterthwaite's: (sum of V)^2 / sum of V^2 / (G - 1), where V is the variance that one
    kind of clusters makes, and G how many clusters it has. A kind with a single one stays as it is: nothing is known of
    others, and the interval does not speak of them.

    Args:
        of: what is estimated.
        counts: clusters of each kind (languages, topics, models).
        confidence: such as 0.95.
        resamples, seed: of the bootstrap, for each kind.
        progress: told how many samples are done.
    """
    from scipy import stats

    estimate = of([np.ones((1, count)) for count in counts])[0]
    drawn = [kind for kind, count in enumerate(counts) if count > 1]
    undefined = np.zeros_like(estimate)
    if not drawn:
        nothing = np.full_like(estimate, np.nan)
        return Spread(estimate, nothing, nothing, nothing, nothing, undefined)
    rows = max(1, min(256, _CELLS // sum(counts)))
    variances = []
    for number, kind in enumerate(drawn):
        blocks = []
        for start in range(0, resamples, rows):
            size = min(rows, resamples - start)
            blocks.append(of(weights(counts, kind, start, size, seed)))
            if progress:
                progress(number * resamples + start + size, len(drawn) * resamples)
        sampled = np.concatenate(blocks)
        undefined += np.isnan(sampled).sum(axis=0)
        variances.append(_variance(sampled))
    apart, fewer = np.array(variances), np.array([counts[kind] - 1.0 for kind in drawn])[:, None]
    variance = apart.sum(axis=0)
    error = np.sqrt(variance)
    varies = error > 1e-9 * (1e-3 + np.abs(estimate))
    with np.errstate(divide="ignore", invalid="ignore"):
        degrees = np.where(varies, variance**2 / (apart**2 / fewer).sum(axis=0), np.nan)
        t = np.where(varies, np.abs(estimate) / error, np.nan)
        wide = np.where(varies, stats.t.ppf((1 + confidence) / 2, degrees) * error, np.nan)
        p = np.clip(2 * stats.t.sf(t, degrees), SMALLEST, 1)
    return Spread(estimate, estimate - wide, estimate + wide, p, degrees, undefined)


def _variance(sampled: Values) -> Values:
    """Of the samples in which the estimate is defined; nan of fewer than two."""
    variance = np.full(sampled.shape[1], np.nan)
    enough = (~np.isnan(sampled)).sum(axis=0) > 1
    if enough.any():
        variance[enough] = np.nanvar(sampled[:, enough], axis=0, ddof=1)
    return variance
