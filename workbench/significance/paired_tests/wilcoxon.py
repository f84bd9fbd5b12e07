"""The signed-rank test (Wilcoxon 1945)."""

from typing import ClassVar

from workbench.significance.paired_tests.base import TestOfMeans
from workbench.significance.resampling import Values


class Wilcoxon(TestOfMeans):
    """Signed ranks of the units' mean differences, by scipy; zeros are dropped."""

    title: ClassVar[str] = "Wilcoxon signed-rank"

    def p_of(self, means: Values) -> Values:
        from scipy import stats

        p: Values = stats.wilcoxon(means, axis=0).pvalue
        return p
