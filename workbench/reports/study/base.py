"""What every report of a study can do."""

from abc import abstractmethod
from typing import TYPE_CHECKING

from workbench.registry import Part
from workbench.studies.results import StudyResults

if TYPE_CHECKING:
    from rich.console import RenderableType


class StudyReport(Part):
    """One form of `StudyResults`."""

    @abstractmethod
    def of(self, results: StudyResults) -> "str | RenderableType":
        """The report: text as it is to be written, or what rich can draw."""
