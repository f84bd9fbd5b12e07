"""The paired t-test (Student 1908)."""

from typing import ClassVar

import numpy as np

from workbench.significance.paired_tests.base import SMALLEST, TestOfUnits
from workbench.significance.resampling import Values


class T(TestOfUnits):
    """Student's t of the units' sums, by scipy, so of the mean over queries; p is never 0 where all are equal."""

    title: ClassVar[str] = "paired t"

    def p_of(self, sums: Values, sizes: Values) -> Values:
        from scipy import stats

        with np.errstate(divide="ignore", invalid="ignore"):
            p = stats.ttest_1samp(sums, 0, axis=0).pvalue
        varies: Values = np.where(np.ptp(sums, axis=0) > 0, p, SMALLEST)
        return varies
