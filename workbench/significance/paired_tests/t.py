"""The paired t-test (Student 1908)."""

from typing import ClassVar

import numpy as np

from workbench.significance.paired_tests.base import SMALLEST, TestOfMeans
from workbench.significance.resampling import Values


class T(TestOfMeans):
    """Student's t of the units' mean differences, by scipy; p is never 0 where all of them are equal."""

    title: ClassVar[str] = "paired t"

    def p_of(self, means: Values) -> Values:
        from scipy import stats

        with np.errstate(divide="ignore", invalid="ignore"):
            p = stats.ttest_1samp(means, 0, axis=0).pvalue
        varies: Values = np.where(np.ptp(means, axis=0) > 0, p, SMALLEST)
        return varies
