"""What every report can do."""

from abc import abstractmethod
from typing import TYPE_CHECKING

from workbench.comparison.results import Results
from workbench.registry import Part

if TYPE_CHECKING:
    from rich.console import RenderableType


class Report(Part):
    """One form of `Results`."""

    @abstractmethod
    def of(self, results: Results) -> "str | RenderableType":
        """The report: text as it is to be written, or what rich can draw."""
