"""What every interval can do: bounds from bootstrap samples of whole units."""

from abc import abstractmethod
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from workbench.registry import Part
from workbench.significance.resampling import Values, draws

BOOTSTRAPS = 10_000
"""Resamples behind a confidence interval."""
MODELS = 3
"""Of the streams of random numbers in `workbench.significance.resampling` the next."""
CELLS = 8_000_000
"""Bootstrap means at once: bounds memory, not the result."""


class Interval(Part):
    """Of a mean difference. `title` is what captions call it."""

    title: ClassVar[str]

    @abstractmethod
    def bounds(self, means: Values, sums: Values, sizes: Values, tail: float) -> tuple[Values, Values]:
        """Lower and upper bound of each comparison.

        Args:
            means: of the bootstrap samples (resamples x comparisons).
            sums: of differences within each unit (units x comparisons).
            sizes: queries of each unit.
            tail: probability outside the interval on each side.
        """


def interval(
    method: Interval,
    sums: Values,
    sizes: Values,
    confidence: float,
    seed: int,
    comparison: NDArray[np.int64] | None = None,
    resamples: int = BOOTSTRAPS,
) -> tuple[Values, Values]:
    """Bootstrap interval of the mean difference, resampling whole units and, where there are several, models.

    Args:
        method: how bounds are made of the samples.
        sums: sum of differences within each unit (units x differences).
        sizes: queries of each unit.
        confidence: such as 0.95.
        seed: of the resampling.
        comparison: the number of the comparison that each difference is one model of, ascending from 0; None: each is
            one by itself.
        resamples: bootstrap samples.

    Returns:
        lower and upper bound of each comparison.
    """
    if comparison is None:
        comparison = np.arange(sums.shape[1])
    counts = np.bincount(comparison) if len(comparison) else np.zeros(0, np.int64)
    first = np.concatenate([[0], np.cumsum(counts)])
    at_once = max(1, CELLS // resamples)
    lows, highs = [np.empty(0)], [np.empty(0)]
    start = 0
    while start < len(counts):  # the samples are the same for all
        end = max(start + 1, int(np.searchsorted(first, first[start] + at_once, "right")) - 1)
        part = sums[:, first[start] : first[end]]
        means, observed = draws(part, sizes, resamples, seed), part
        if (counts[start:end] > 1).any():
            spans = [slice(first[c] - first[start], first[c + 1] - first[start]) for c in range(start, end)]
            means = np.column_stack([over_models(means[:, span], seed) for span in spans])
            observed = np.column_stack([part[:, span].mean(axis=1) for span in spans])
        low, high = method.bounds(means, observed, sizes, (1 - confidence) / 2)
        lows.append(low)
        highs.append(high)
        start = end
    return np.concatenate(lows), np.concatenate(highs)


def over_models(means: Values, seed: int) -> Values:
    """Mean over models that are drawn anew for each sample (resamples); the same ones for every comparison of as many.

    Args:
        means: of bootstrap samples of topics (resamples x models).
        seed: of the draws.
    """
    resamples, models = means.shape
    if models == 1:
        return means[:, 0]
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(MODELS, models)))
    drawn = rng.integers(0, models, size=(resamples, models))
    over: Values = np.take_along_axis(means, drawn, axis=1).mean(axis=1)
    return over


def ratio(
    upper: Values, lower: Values, sizes: Values, confidence: float, seed: int, resamples: int = BOOTSTRAPS
) -> tuple[float, float, float] | None:
    """A ratio of two mean differences with its percentile interval; None where the lower one may be 0 or less.

    A ratio whose denominator is near 0 means nothing, and its interval is unbounded (Fieller 1954): so the interval of
    the denominator itself must lie above 0.

    Args:
        upper: sum of differences within each unit, for each model (units x models).
        lower: the same of what it is divided by (units x 1, or x models).
        sizes: queries of each unit.
        confidence, seed, resamples: of the bootstrap.

    Returns:
        the ratio, the lower and the upper bound.
    """
    tails = [(1 - confidence) / 2, (1 + confidence) / 2]
    above = over_models(draws(upper, sizes, resamples, seed), seed)
    below = over_models(draws(lower, sizes, resamples, seed), seed)
    if np.quantile(below, tails[0]) <= 0:
        return None
    bounds = np.quantile(above / below, tails)
    return float(upper.mean(axis=1).sum() / lower.mean(axis=1).sum()), float(bounds[0]), float(bounds[1])
