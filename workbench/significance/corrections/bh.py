"""Benjamini and Hochberg 1995: the false discovery rate."""

from typing import ClassVar

import numpy as np

from workbench.significance.corrections.base import Correction
from workbench.significance.resampling import Values


class BH(Correction):
    """Benjamini and Hochberg 1995: the false discovery rate."""

    title: ClassVar[str] = "Benjamini-Hochberg"
    stepwise: ClassVar[bool] = True

    def adjusted(self, p: Values) -> Values:
        order = np.argsort(p, kind="stable")
        steps = (p[order] * len(p) / np.arange(1, len(p) + 1))[::-1]
        adjusted = np.empty(len(p))
        adjusted[order] = np.minimum(np.minimum.accumulate(steps)[::-1], 1)
        return adjusted
