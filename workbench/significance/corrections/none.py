"""No correction."""

from typing import ClassVar

from workbench.significance.corrections.base import Correction
from workbench.significance.resampling import Values


class Uncorrected(Correction):
    """No correction."""

    title: ClassVar[str] = "uncorrected"
    corrects: ClassVar[bool] = False

    def adjusted(self, p: Values) -> Values:
        return p
