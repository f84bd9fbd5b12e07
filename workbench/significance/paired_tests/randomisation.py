"""The paired randomisation test (Fisher 1935; Smucker, Allan and Carterette, CIKM 2007)."""

from typing import ClassVar

from workbench.significance.paired_tests.base import Paired, Test
from workbench.significance.resampling import Values, flips


class Randomisation(Test):
    """Signs of the units' differences are flipped; exact where all flips are few enough."""

    title: ClassVar[str] = "paired randomisation"

    def p_values(self, paired: Paired) -> tuple[Values, int]:
        return flips(paired.sums, paired.weights, paired.resamples, paired.seed, paired.progress)
