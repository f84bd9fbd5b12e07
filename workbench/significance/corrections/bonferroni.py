"""Bonferroni: each times their number, family-wise."""

from typing import ClassVar

import numpy as np

from workbench.significance.corrections.base import Correction
from workbench.significance.resampling import Values


class Bonferroni(Correction):
    """Bonferroni: each times their number, family-wise."""

    title: ClassVar[str] = "Bonferroni"

    def adjusted(self, p: Values) -> Values:
        adjusted: Values = np.minimum(p * len(p), 1)
        return adjusted
