"""The percentile bootstrap (Efron 1979)."""

from typing import ClassVar

import numpy as np

from workbench.significance.intervals.base import Interval
from workbench.significance.resampling import Values


class Percentile(Interval):
    """Quantiles of the bootstrap means."""

    title: ClassVar[str] = "bootstrap"

    def bounds(self, means: Values, sums: Values, sizes: Values, tail: float) -> tuple[Values, Values]:
        low, high = np.quantile(means, [tail, 1 - tail], axis=0)
        return low, high
