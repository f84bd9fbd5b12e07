"""Training queries in whole translations, over the same passages: what code-switching is held against."""

import random
from collections import Counter
from typing import Annotated

import pyarrow as pa
from pydantic import AfterValidator, Field

from store import LswError
from workbench.collections.budgets import Noise, part
from workbench.registry import told
from workbench.systems._encoding import Positive
from workbench.training.needs import BitextOf, Given, Need
from workbench.training.steps.base import Step
from workbench.training.steps.replay import LEFT_OUT
from workbench.varieties import Pair, variety


class Translated(Step):
    """A seeded `share` of the queries is asked in one of the varieties `query_to`, drawn for each; the passages stay.

    The translations are the collection's own training queries, or what [translation] makes of them. A query's variety
    becomes that of its translation.

    With a budget, `pairs` or `words` of both sides (`workbench.collections.budgets`), only so many translations are
    there in each variety, the draw nested; queries without one keep their wording. Of those `noise` is the share that
    is the translation of another query.
    """

    query_to: Annotated[
        list[Annotated[str, AfterValidator(told(lambda code: variety(code).code))]], Field(min_length=1)
    ]
    share: Annotated[float, Field(gt=0, le=1)] = 1.0
    pairs: Positive | None = None
    words: Positive | None = None
    noise: Noise = 0.0
    seed: int = 42

    def needs(self, on: Pair) -> dict[str, Need]:
        return {code: BitextOf(on.low, code) for code in self.query_to if code != on.low}

    def pairs_beside(self, on: Pair) -> list[str]:
        return [str(Pair(code, on.high)) for code in self.query_to if code != on.high]

    def done(self, triples: pa.Table, given: Given) -> pa.Table:
        """Raises:
        LswError: the translation of too many queries is not known; there are fewer than the budget asks for.
        """
        whole = {code: set(table["source"].to_pylist()) for code, table in given.tables.items()}
        known = {code: self._known(code, table, given) for code, table in given.tables.items()}
        queries, codes = triples["query"].to_pylist(), triples["query_variety"].to_pylist()
        asked, spoken, unknown = list[str](), list[str](), list[str]()
        counts: Counter[str] = Counter()
        beyond = 0
        for query, own in zip(queries, codes, strict=True):
            rng = random.Random(f"{self.seed}:{query}")
            drawn, code = rng.random() < self.share, rng.choice(self.query_to)
            there = drawn and query in known.get(code, {})
            if drawn and not there and code != own:
                if query in whole.get(code, ()):
                    beyond += 1
                else:
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
        if self._budgeted and not counts.total():
            raise LswError(
                "None of the translations within the budget is of a query that is trained on.",
                cure="Set more `pairs` or `words` in the step translated.",
                exit_code=1,
            )
        given.counts |= {"translated": counts.total(), "untranslated": len(unknown)}
        if self._budgeted:
            given.counts["beyond_the_budget"] = beyond
        given.counts |= {f"translated_{code}": n for code, n in sorted(counts.items()) if len(self.query_to) > 1}
        for column, values in (("query", asked), ("query_variety", spoken)):
            triples = triples.set_column(triples.schema.get_field_index(column), column, pa.array(values, pa.string()))
        return triples

    @property
    def _budgeted(self) -> bool:
        return self.pairs is not None or self.words is not None

    def _known(self, code: str, table: pa.Table, given: Given) -> dict[str, str]:
        """Translations within the budget; counts them."""
        if self._budgeted or self.noise:
            table, counts = part(table, self.pairs, self.words, self.noise, self.seed)
            several = f"_{code}" if len(self.query_to) > 1 else ""
            given.counts |= {f"{name}{several}": value for name, value in counts.items()}
        return dict(zip(table["source"].to_pylist(), table["target"].to_pylist(), strict=True))
