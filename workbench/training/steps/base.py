"""What every training step can do."""

from abc import abstractmethod

import pyarrow as pa

from workbench.registry import Part
from workbench.training.needs import Given, Need
from workbench.varieties import Pair


class Step(Part):
    """Changes training triples. In a recipe: `steps = [{ step = "sample", queries = 62 }]`."""

    step: str

    def needs(self, on: Pair) -> dict[str, Need]:
        """What it reads beside the triples of a pair, by role."""
        return {}

    def pairs_beside(self, on: Pair) -> list[str]:
        """Pairs of varieties whose queries a training on `on` sees by it."""
        return []

    @abstractmethod
    def done(self, triples: pa.Table, given: Given) -> pa.Table:
        """The triples after it.

        Args:
            triples: columns query, positive, negative, query_variety, document_variety (strings).
            given: what it needs, by role; and where it counts what it did.
        """
