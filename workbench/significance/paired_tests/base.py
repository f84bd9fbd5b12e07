"""What every test can do."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from workbench.registry import Part
from workbench.significance.resampling import Progress, Values

SMALLEST = float(np.finfo(np.float64).tiny)
"""Underflow is not certainty: a p-value is never 0."""


@dataclass(frozen=True)
class Paired:
    """What is tested.

    Args:
        sums: within each unit (units x runs).
        sizes: queries of each unit.
        weights: comparisons as sums of runs (runs x comparisons); each column of `sums` is one if None.
        families: number of the family of each comparison.
        resamples, seed, progress: of a resampling test.
    """

    sums: Values
    sizes: Values
    weights: Values | None
    families: NDArray[np.int64]
    resamples: int = 100_000
    seed: int = 42
    progress: Progress | None = None

    @property
    def differences(self) -> Values:
        """Their sum within each unit (units x comparisons); closer than 1e-12 is equal: 0.1 + 0.2 is 0.3."""
        sums: Values = np.round(self.sums if self.weights is None else self.sums @ self.weights, 12)
        return sums


class Test(Part):
    """A two-sided paired test.

    `title` is what captions call it. A `family_wise` one compares every pair of runs, and its p-values hold for all of
    them together: nothing corrects them further.
    """

    title: ClassVar[str]
    family_wise: ClassVar[bool] = False

    @abstractmethod
    def p_values(self, paired: Paired) -> tuple[Values, int]:
        """p of each comparison, and the resamples made (0 if none)."""


class TestOfUnits(Test):
    """A test of the units' differences, that makes no resamples."""

    @abstractmethod
    def p_of(self, sums: Values, sizes: Values) -> Values:
        """p of each comparison.

        Args:
            sums: differences within each unit (units x comparisons), in no comparison all 0; two units at least.
            sizes: queries of each unit.
        """

    def p_values(self, paired: Paired) -> tuple[Values, int]:
        sums = paired.differences
        p = np.ones(sums.shape[1])
        differ = sums.any(axis=0) & (len(sums) > 1)  # where nothing differs p = 1
        if differ.any():
            p[differ] = self.p_of(sums[:, differ], paired.sizes)
        return np.maximum(p, SMALLEST), 0
