"""Holm 1979: step-down, family-wise."""

from typing import ClassVar

import numpy as np

from workbench.significance.corrections.base import Correction
from workbench.significance.resampling import Values


class Holm(Correction):
    """Holm 1979: step-down, family-wise."""

    title: ClassVar[str] = "Holm"
    stepwise: ClassVar[bool] = True

    def adjusted(self, p: Values) -> Values:
        order = np.argsort(p, kind="stable")
        steps = np.maximum.accumulate(p[order] * (len(p) - np.arange(len(p))))
        adjusted = np.empty(len(p))
        adjusted[order] = np.minimum(steps, 1)
        return adjusted
