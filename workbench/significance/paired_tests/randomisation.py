"""The paired randomisation test (Fisher 1935; Smucker, Allan and Carterette, CIKM 2007)."""

from typing import ClassVar

from workbench.significance.paired_tests.base import Paired, Test
from workbench.significance.resampling import Values, flips

FEW = 50
"""Units below which the skew of their differences is allowed for."""


class Randomisation(Test):
    """Signs of the units' differences are flipped; exact where all flips are few enough.

    Below `FEW` units what is held against its flips is not the mean but a t that is freed from skew: where the null
    hypothesis is symmetric both are exact, where it is skewed the mean rejects too often. (The ordinary t would change
    nothing: flips leave the sum of squares as it is, so it orders them as the mean does.)
    """

    title: ClassVar[str] = "paired randomisation"

    def p_values(self, paired: Paired) -> tuple[Values, int]:
        skewed = len(paired.sums) < FEW
        return flips(paired.sums, paired.weights, paired.resamples, paired.seed, paired.progress, skewed)
