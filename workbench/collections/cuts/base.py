"""What every way to show a page can do."""

from abc import abstractmethod
from typing import Annotated, ClassVar

from pydantic import Field

from workbench.registry import Part

Least1 = Annotated[int, Field(gt=0)]
Span = tuple[int, int]
"""Where a window begins and ends in its page: characters, the end not its own."""


class Cut(Part):
    """How a page is shown to a ranker. In a recipe: `cut = "first"`, or `cut = { words = 150, stride = 75 }`.

    A `whole` one leaves pages as they are.

    Args:
        tokens: of a page, or of a window of it, that a ranker reads at most; as usual its own `document_length`. A
            training keeps its own. Systems without such a length (BM25) read all.
    """

    cut: str
    tokens: Least1 | None = None

    whole: ClassVar[bool] = False

    @abstractmethod
    def spans(self, text: str, variety: str) -> tuple[list[Span], int]:
        """The windows of a page in their order, and how many more there would be without a limit.

        Args:
            text: of the page.
            variety: its code.
        """
