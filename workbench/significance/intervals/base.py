"""What every interval can do: bounds from bootstrap samples of whole units."""

from abc import abstractmethod
from typing import ClassVar

import numpy as np

from workbench.registry import Part
from workbench.significance.resampling import Values, draws

BOOTSTRAPS = 10_000
"""Resamples behind a confidence interval."""
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
    method: Interval, sums: Values, sizes: Values, confidence: float, seed: int, resamples: int = BOOTSTRAPS
) -> tuple[Values, Values]:
    """Bootstrap interval of the mean difference, resampling whole units.

    Args:
        method: how bounds are made of the samples.
        sums: sum of differences within each unit (units x comparisons).
        sizes: queries of each unit.
        confidence: such as 0.95.
        seed: of the resampling.
        resamples: bootstrap samples.

    Returns:
        lower and upper bound of each comparison.
    """
    at_once = max(1, CELLS // resamples)
    lows, highs = [], []
    for first in range(0, max(1, sums.shape[1]), at_once):  # the samples are the same for all
        part = sums[:, first : first + at_once]
        low, high = method.bounds(draws(part, sizes, resamples, seed), part, sizes, (1 - confidence) / 2)
        lows.append(low)
        highs.append(high)
    return np.concatenate(lows), np.concatenate(highs)
