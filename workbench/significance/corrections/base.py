"""What every correction can do."""

from abc import abstractmethod
from typing import ClassVar

from workbench.registry import Part
from workbench.significance.resampling import Values


class Correction(Part):
    """`title` is what captions call it; `corrects` is false for the one that does nothing."""

    title: ClassVar[str]
    corrects: ClassVar[bool] = True

    @abstractmethod
    def adjusted(self, p: Values) -> Values:
        """p-values adjusted over their family.

        Args:
            p: of every comparison in the family, one at least.
        """
