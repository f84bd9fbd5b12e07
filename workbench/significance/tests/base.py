"""What every test can do."""

from abc import abstractmethod
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from workbench.registry import Part
from workbench.significance.resampling import Progress, Values

SMALLEST = float(np.finfo(np.float64).tiny)
"""Underflow is not certainty: a p-value is never 0."""


class Test(Part):
    """A two-sided paired test.

    `title` is what captions call it. A `family_wise` one compares every pair of runs, and its p-values hold for all of
    them together: nothing corrects them further.
    """

    title: ClassVar[str]
    family_wise: ClassVar[bool] = False

    @abstractmethod
    def p_values(
        self,
        sums: Values,
        sizes: Values,
        weights: Values | None,
        families: NDArray[np.int64],
        resamples: int,
        seed: int,
        progress: Progress | None,
    ) -> tuple[Values, int]:
        """p of each comparison, and the resamples made (0 if none).

        Args:
            sums: within each unit (units x runs).
            sizes: queries of each unit.
            weights: comparisons as sums of runs (runs x comparisons); each column of `sums` is one if None.
            families: number of the family of each comparison.
            resamples, seed, progress: of a resampling test.
        """


def unit_means(sums: Values, sizes: Values, weights: Values | None) -> Values:
    """The mean difference of each unit (units x comparisons); those closer than 1e-12 are equal: 0.1 + 0.2 is 0.3."""
    compared = sums if weights is None else sums @ weights
    means: Values = np.round(compared / sizes[:, None], 12)
    return means
