"""Training queries that are nearly tested ones, left out."""

from collections.abc import Sequence
from typing import Annotated, ClassVar

import pyarrow as pa
from pydantic import Field

from store import LswError
from workbench.text import plain
from workbench.training.near_duplicates import Text, nearest_alike
from workbench.training.needs import EvaluatedQueries, Given, Need
from workbench.training.steps.base import Step
from workbench.varieties import Pair

TESTED = "tested"
Threshold = Annotated[float, Field(gt=0, le=1)]


class Apart(Step):
    """Triples whose query is one of those that are tested, or nearly one, are left out.

    Nearly the same are two texts whose sets of shingles (5 characters, 3 of Han text) have a Jaccard similarity of
    `threshold` or more; found by MinHash. Training queries are held against the test and dev queries in all of the
    training's varieties. It stands after the steps that add or change queries; `beside` has it as a setting, for
    queries to be left out before some are taken.
    """

    threshold: Threshold = 0.8

    chooses: ClassVar[bool] = True

    def needs(self, on: Pair) -> dict[str, Need]:
        return {TESTED: EvaluatedQueries()}

    def done(self, triples: pa.Table, given: Given) -> pa.Table:
        """Raises:
        LswError: nobody knows what is tested; all queries are like tested ones.
        """
        return apart(triples, self.threshold, given)


def apart(triples: pa.Table, threshold: float, given: Given) -> pa.Table:
    """The triples whose queries are not nearly tested ones; counts and tells those that are left out.

    Args:
        triples: columns query, query_variety (strings).
        threshold: Jaccard similarity from which on two queries are nearly the same.
        given: the tested queries, under roles that begin with `TESTED`.

    Raises:
        LswError: there are no tested queries; no triple is left.
    """
    tested = _texts([table for role, table in given.tables.items() if role.split(".")[0] == TESTED], "variety")
    if not tested:
        raise LswError(
            "Nobody knows which queries are tested in the varieties of this training.",
            cure="Take the step apart (or the setting `apart` of beside) out, or test on pairs of these varieties.",
            exit_code=1,
        )
    asked = _texts([triples], "query_variety")
    places = {text: place for place, text in enumerate(dict.fromkeys(asked))}
    alike = nearest_alike(list(places), tested, threshold)
    same = {plain(text) for text, _ in tested}
    exact = {place for text, place in places.items() if place in alike and plain(text[0]) in same}
    kept = [places[text] not in alike for text in asked]
    left_out = len(kept) - sum(kept)
    given.counts |= {
        "tested_queries": len(set(tested)), "exact_duplicates": len(exact),
        "near_duplicates": len(alike) - len(exact), "triples_left_out": left_out,
    }  # fmt: skip
    if not any(kept):
        raise LswError(
            f"All {len(places):,} training queries are like tested ones.",
            cure="Is the training collection the one that is tested? Raise `threshold`, or train on others.",
            exit_code=1,
        )
    if left_out:
        given.note(
            f"{len(alike):,} of {len(places):,} training queries left out: {len(exact):,} are tested queries, "
            f"{len(alike) - len(exact):,} nearly so"
        )
    return triples.filter(pa.array(kept)) if left_out else triples


def _texts(tables: Sequence[pa.Table], variety: str) -> list[Text]:
    """Queries with their varieties."""
    return [row for table in tables for row in zip(table["query"].to_pylist(), table[variety].to_pylist(), strict=True)]
