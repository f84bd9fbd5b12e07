"""What every training step can do."""

from abc import abstractmethod
from typing import ClassVar

import pyarrow as pa

from workbench.registry import Part
from workbench.training.needs import Given, Need
from workbench.varieties import Pair


class Step(Part):
    """Changes training triples. In a recipe: `steps = [{ step = "sample", queries = 62 }]`.

    `chooses` says that it takes some of the triples: it is given all of them, however few training will see.
    `several_languages` that passages of several come of it: then triples have docnos (unless they are whole texts), and
    no batch has one twice, since it may be a passage and its translation.
    """

    step: str

    chooses: ClassVar[bool] = False
    several_languages: ClassVar[bool] = False

    def needs(self, on: Pair) -> dict[str, Need]:
        """What it reads beside the triples of a pair, by role."""
        return {}

    def pairs_beside(self, on: Pair) -> list[str]:
        """Pairs of varieties whose queries a training on `on` sees by it."""
        return []

    def left(self, triples: int, a_pair: float, beside: dict[str, int]) -> int:
        """Triples there will be after it, for the forecast.

        Args:
            triples: before it.
            a_pair: that a query and its passage have.
            beside: of other pairs that it needs, by role.
        """
        return triples

    @abstractmethod
    def done(self, triples: pa.Table, given: Given) -> pa.Table:
        """The triples after it.

        Args:
            triples: columns query, positive, negative, query_variety, document_variety (strings).
            given: what it needs, by role; and where it counts what it did.
        """
