"""The paired randomisation test (Fisher 1935; Smucker, Allan and Carterette, CIKM 2007)."""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from workbench.significance.resampling import Progress, Values, flips
from workbench.significance.tests.base import Test


class Randomisation(Test):
    """Signs of the units' differences are flipped; exact where all flips are few enough."""

    title: ClassVar[str] = "paired randomisation"

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
        return flips(sums, weights, resamples, seed, progress)
