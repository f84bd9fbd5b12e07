"""What every training step can do."""

from abc import abstractmethod

import pyarrow as pa

from workbench.registry import Part


class Step(Part):
    """Changes training triples. In a recipe: `steps = [{ step = "sample", queries = 62 }]`."""

    step: str

    @abstractmethod
    def done(self, triples: pa.Table) -> pa.Table:
        """The triples after it.

        Args:
            triples: columns query, positive, negative, query_variety, document_variety (strings), and qid where the
                triples have one.
        """
