"""The signed-rank test (Wilcoxon 1945)."""

from typing import ClassVar

import numpy as np

from workbench.significance.paired_tests.base import TestOfUnits
from workbench.significance.resampling import Values


class Wilcoxon(TestOfUnits):
    """Signed ranks of the units' own mean differences, by scipy; zeros are dropped."""

    title: ClassVar[str] = "Wilcoxon signed-rank"

    def p_of(self, sums: Values, sizes: Values) -> Values:
        from scipy import stats

        p: Values = stats.wilcoxon(np.round(sums / sizes[:, None], 12), axis=0).pvalue
        return p
