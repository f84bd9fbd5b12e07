"""What every analysis of a study can do."""

from abc import abstractmethod
from typing import Annotated

from pydantic import AfterValidator, Field

from store.rows import EffectRow
from workbench.evaluation.measures import parsed
from workbench.registry import Part, told
from workbench.studies.evidence import Evidence
from workbench.talk import Progress


def _measure(name: str) -> str:
    parsed(name)
    return name


class Analysis(Part):
    """Estimates effects from the runs of a grid. In a recipe: `[study] analysis = "dose-response"`, or a section.

    `measure` is the recipe's first if it is empty. `resamples` are those of the bootstrap, `flips` those of tests.
    """

    analysis: str
    measure: Annotated[str, AfterValidator(told(lambda name: name and _measure(name)))] = ""
    confidence: Annotated[float, Field(gt=0, lt=1)] = 0.95
    resamples: Annotated[int, Field(ge=100, le=1_000_000)] = 2_000
    flips: Annotated[int, Field(ge=1_000, le=100_000_000)] = 100_000
    seed: int = 42

    def factors(self, known: list[str]) -> None:
        """Refuse a grid whose factors are not those that it reads.

        Args:
            known: the names of the grid's factors.

        Raises:
            LswError: one that it needs is not there.
        """
        return

    @abstractmethod
    def of(self, evidence: Evidence, progress: Progress) -> list[EffectRow]:
        """The effects, in the order of a table; one that cannot be estimated is a row that says why.

        Args:
            evidence: the runs of all cells that are there, in this analysis's measure.
            progress: told how much of the work is done.
        """
