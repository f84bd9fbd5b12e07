"""What every correction can do."""

from abc import abstractmethod
from typing import ClassVar

from workbench.registry import Part
from workbench.significance.resampling import Values


class Correction(Part):
    """`title` is what captions call it; `corrects` is false for the one that does nothing.

    A `stepwise` one is stricter to the first of a family than to the next: a level of its own for each comparison is
    then a bound.
    """

    title: ClassVar[str]
    corrects: ClassVar[bool] = True
    stepwise: ClassVar[bool] = False

    @abstractmethod
    def adjusted(self, p: Values) -> Values:
        """p-values adjusted over their family.

        Args:
            p: of every comparison in the family, one at least.
        """
