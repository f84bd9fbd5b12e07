"""Fewer training queries, nested: a larger sample holds the smaller ones."""

import hashlib
from typing import Annotated, ClassVar

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from store import LswError
from workbench.training.needs import Given
from workbench.training.steps.base import Step


class Sample(Step):
    """The triples of so many queries, those with the smallest seeded hashes."""

    queries: Annotated[int, Field(gt=0)]
    seed: int = 42

    chooses: ClassVar[bool] = True

    def left(self, triples: int, a_pair: float, beside: dict[str, int]) -> int:
        return min(triples, round(self.queries * a_pair))

    def done(self, triples: pa.Table, given: Given) -> pa.Table:
        """Raises:
        LswError: there are not so many.
        """
        distinct = pc.unique(triples["query"]).to_pylist()
        if len(distinct) < self.queries:
            raise LswError(
                f"{self.queries:,} training queries are asked for, and {len(distinct):,} have triples.",
                cure=f"Ask for {len(distinct):,} at most, or for 'all'.",
            )
        given.counts |= {"queries": self.queries, "queries_known": len(distinct)}
        kept = sorted(distinct, key=lambda query: hashlib.sha256(f"{self.seed}:{query}".encode()).digest())
        return triples.filter(pc.is_in(triples["query"], pa.array(kept[: self.queries], pa.string())))
