"""The paired t-test (Student 1908)."""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from workbench.significance.resampling import Progress, Values
from workbench.significance.tests.base import SMALLEST, Test, unit_means


class T(Test):
    """Student's t of the units' mean differences, by scipy; p is never 0 where all of them are equal."""

    title: ClassVar[str] = "paired t"

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
        from scipy import stats

        means = unit_means(sums, sizes, weights)
        p = np.ones(means.shape[1])
        differ = means.any(axis=0) & (len(means) > 1)  # where nothing differs p = 1
        with np.errstate(divide="ignore", invalid="ignore"):
            some = stats.ttest_1samp(means[:, differ], 0, axis=0).pvalue
        p[differ] = np.where(np.ptp(means[:, differ], axis=0) > 0, some, SMALLEST)
        return np.maximum(p, SMALLEST), 0
