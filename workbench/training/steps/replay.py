"""Training queries put back into their high-resource wording, over the same passages."""

import random
from typing import Annotated

import pyarrow as pa
from pydantic import Field

from store import LswError
from workbench.training.needs import BitextOf, Given, Need
from workbench.training.steps.base import Step
from workbench.varieties import Pair

LEFT_OUT = 0.01
"""Share of the triples to be replayed that may have no such wording; they keep their own."""


class Replay(Step):
    """A seeded `share` of the triples is asked in the high-resource wording of its query; the passages stay.

    With a share of 1 it is the control that tells what the low-resource wordings were good for: the same triples, and
    so as many steps. The draw is of triples, so that one query may be seen in both wordings.
    """

    share: Annotated[float, Field(gt=0, le=1)] = 0.5
    seed: int = 42

    def needs(self, on: Pair) -> dict[str, Need]:
        return {"wordings": BitextOf(on.low, on.high)}

    def done(self, triples: pa.Table, given: Given) -> pa.Table:
        """Raises:
        LswError: the high-resource wording of too many queries is not known.
        """
        wordings = given.tables["wordings"]
        high = dict(zip(wordings["source"].to_pylist(), wordings["target"].to_pylist(), strict=True))
        rng = random.Random(self.seed)
        drawn = [rng.random() < self.share for _ in range(len(triples))]
        queries, codes = triples["query"].to_pylist(), triples["query_variety"].to_pylist()
        documents = triples["document_variety"].to_pylist()
        unknown = [query for query, chosen in zip(queries, drawn, strict=True) if chosen and query not in high]
        if len(unknown) > LEFT_OUT * sum(drawn):
            raise LswError(
                f"{len(unknown):,} of {sum(drawn):,} triples to replay have no high-resource wording.",
                f"The first: '{unknown[0]}'.",
                "Its training queries must be those of the collection ([translation], negatives.published); or leave "
                "the controls out: fine-tuning.controls=[].",
                exit_code=1,
            )
        swaps = [chosen and query in high for query, chosen in zip(queries, drawn, strict=True)]
        given.counts |= {"replayed": sum(swaps), "replay_unknown": len(unknown)}
        if unknown:
            given.note(f"{len(unknown):,} of {sum(drawn):,} triples keep their wording: no other is known")
        asked = [high[query] if swap else query for query, swap in zip(queries, swaps, strict=True)]
        spoken = [document if swap else code for code, document, swap in zip(codes, documents, swaps, strict=True)]
        for column, values in (("query", asked), ("query_variety", spoken)):
            triples = triples.set_column(triples.schema.get_field_index(column), column, pa.array(values, pa.string()))
        return triples
