"""Training queries in whole translations, over the same passages: what code-switching is held against."""

import random
from collections import Counter
from typing import Annotated

import pyarrow as pa
from pydantic import AfterValidator, Field

from store import LswError
from workbench.registry import told
from workbench.training.needs import BitextOf, Given, Need
from workbench.training.steps.base import Step
from workbench.training.steps.replay import LEFT_OUT
from workbench.varieties import Pair, variety


class Translated(Step):
    """A seeded `share` of the queries is asked in one of the varieties `query_to`, drawn for each; the passages stay.

    The translations are the collection's own training queries, or what [translation] makes of them. A query's variety
    becomes that of its translation.
    """

    query_to: Annotated[
        list[Annotated[str, AfterValidator(told(lambda code: variety(code).code))]], Field(min_length=1)
    ]
    share: Annotated[float, Field(gt=0, le=1)] = 1.0
    seed: int = 42

    def needs(self, on: Pair) -> dict[str, Need]:
        return {code: BitextOf(on.low, code) for code in self.query_to if code != on.low}

    def pairs_beside(self, on: Pair) -> list[str]:
        return [str(Pair(code, on.high)) for code in self.query_to if code != on.high]

    def done(self, triples: pa.Table, given: Given) -> pa.Table:
        """Raises:
        LswError: the translation of too many queries is not known.
        """
        known = {
            code: dict(zip(table["source"].to_pylist(), table["target"].to_pylist(), strict=True))
            for code, table in given.tables.items()
        }
        queries, codes = triples["query"].to_pylist(), triples["query_variety"].to_pylist()
        asked, spoken, unknown = list[str](), list[str](), list[str]()
        counts: Counter[str] = Counter()
        for query, own in zip(queries, codes, strict=True):
            rng = random.Random(f"{self.seed}:{query}")
            drawn, code = rng.random() < self.share, rng.choice(self.query_to)
            there = drawn and query in known.get(code, {})
            if drawn and not there and code != own:
                unknown.append(query)
            asked.append(known[code][query] if there else query)
            spoken.append(code if there else own)
            counts[code] += there
        if len(unknown) > LEFT_OUT * len(queries):
            raise LswError(
                f"{len(unknown):,} of {len(queries):,} queries have no translation.",
                f"The first: '{unknown[0]}'.",
                "Its training queries must be those of the collection: see [translation] and negatives.published.",
                exit_code=1,
            )
        if unknown:
            given.note(f"{len(unknown):,} of {len(queries):,} queries keep their wording: no translation is known")
        given.counts |= {"translated": counts.total(), "untranslated": len(unknown)}
        given.counts |= {f"translated_{code}": n for code, n in sorted(counts.items()) if len(self.query_to) > 1}
        for column, values in (("query", asked), ("query_variety", spoken)):
            triples = triples.set_column(triples.schema.get_field_index(column), column, pa.array(values, pa.string()))
        return triples
