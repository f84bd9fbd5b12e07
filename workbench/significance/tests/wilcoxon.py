"""The signed-rank test (Wilcoxon 1945)."""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from workbench.significance.resampling import Progress, Values
from workbench.significance.tests.base import SMALLEST, Test, unit_means


class Wilcoxon(Test):
    """Signed ranks of the units' mean differences, by scipy; zeros are dropped."""

    title: ClassVar[str] = "Wilcoxon signed-rank"

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
        if differ.any():
            p[differ] = stats.wilcoxon(means[:, differ], axis=0).pvalue
        return np.maximum(p, SMALLEST), 0
