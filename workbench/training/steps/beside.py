"""Triples of several pairs in one training: languages beside languages, of a total that is fixed or so many of each."""

import hashlib
from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import AfterValidator, Field, model_validator

from store import LswError
from workbench.registry import told
from workbench.systems._encoding import Positive
from workbench.training.needs import EvaluatedQueries, Given, Need, TriplesOf
from workbench.training.steps.apart import TESTED, Threshold, apart
from workbench.training.steps.base import Step
from workbench.varieties import Pair, pair

Count = Annotated[int, Field(ge=0)]
Pairs = list[Annotated[str, AfterValidator(told(lambda text: str(pair(text))))]]


class Beside(Step):
    """The triples of further `pairs` (of varieties) are put beside those of the training's.

    With `languages` these are the first of them, so that more languages hold the fewer: 1 is the training's own alone.

    They are made as those are: the same negatives, the same number to a query, each query over the passages of its own
    pair. What is counted are queries with a relevant passage, whatever their negatives: `total` of them over all pairs,
    the training's first, each with its equal share (what is left over goes to the first, one each), or, with share =
    "proportional", each with about its share of all that there are; or `each` of every pair. Taken are those with the
    smallest seeded hashes, so that a larger total holds the smaller ones. None is used twice: a pair that has too few
    is refused.

    With `apart` queries nearly like tested ones are left out first, as by the step of that name: so the totals hold.
    Steps before it are done to the training's own pair alone, steps after it to all.
    """

    pairs: Pairs = []
    languages: Positive | None = None
    total: Count = 0
    each: Count = 0
    share: Literal["equal", "proportional"] = "equal"
    apart: Threshold | None = None
    seed: int = 42

    chooses: ClassVar[bool] = True
    several_languages: ClassVar[bool] = True

    @model_validator(mode="after")
    def _says_which(self) -> "Beside":
        if len(set(self.pairs)) < len(self.pairs):
            raise ValueError("a pair is named twice")
        if self.total and self.each:
            raise ValueError("name total, or each, not both")
        if self.share == "proportional" and not self.total:
            raise ValueError('share = "proportional" is of a total: name one')
        if not (self.pairs or self.total or self.each):
            raise ValueError("neither pairs nor total nor each is named")
        if self.languages and self.languages > 1 + len(self.pairs):
            raise ValueError(f"{self.languages} languages are asked for, and {1 + len(self.pairs)} are named")
        if self.total and self.total < 1 + len(self.others):
            raise ValueError(f"a total of {self.total} leaves nothing to one of {1 + len(self.others)} pairs")
        return self

    @property
    def others(self) -> list[str]:
        """The pairs that are put beside the training's."""
        return self.pairs if self.languages is None else self.pairs[: self.languages - 1]

    def needs(self, on: Pair) -> dict[str, Need]:
        """Raises:
        LswError: the training's own pair is named.
        """
        if str(on) in self.pairs:
            raise LswError(
                f"'{on}' is the pair of the training itself.", cure="Take it out of the pairs of the step beside."
            )
        others: dict[str, Need] = {name: TriplesOf(pair(name)) for name in self.others}
        return others | ({TESTED: EvaluatedQueries()} if self.apart else {})

    def pairs_beside(self, on: Pair) -> list[str]:
        return list(self.others)

    def left(self, triples: int, a_pair: float, beside: dict[str, int]) -> int:
        wanted = self.total or self.each * (1 + len(self.others))
        there = triples + sum(beside.values())
        return min(there, round(wanted * a_pair)) if wanted else there

    def done(self, triples: pa.Table, given: Given) -> pa.Table:
        """Raises:
        LswError: there are too few queries in a pair; nobody knows what is tested.
        """
        own = [f"{low}-{high}" for low, high in dict.fromkeys(_columns(triples, "query_variety", "document_variety"))]
        if again := [name for name in own if name in self.others]:
            raise LswError(
                f"The training's own triples are of {again[0]} already, after the steps before this one.",
                cure=f"Take {again[0]} out of the pairs of the step beside.",
                exit_code=1,
            )
        parts = [triples, *(given.tables[name] for name in self.others)]
        kept = [name for name in triples.column_names if all(name in part.column_names for part in parts)]
        whose = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
        whole = pa.concat_tables(part.select(kept) for part in parts).append_column(_WHOSE, pa.array(whose))
        if self.apart:
            whole = apart(whole, self.apart, given)
        names = [" and ".join(own) or "the training's", *self.others]
        found, number = _pairs(whole)
        chosen = self._chosen(found, names)
        for part, name in enumerate(names):
            given.counts[f"pairs_{name}"] = sum(one.whose == part for one in chosen)
        taken = np.isin(number, [one.number for one in chosen])
        whole = whole.filter(pa.array(taken)).drop_columns([_WHOSE])
        given.counts |= {"pairs": len(chosen), "triples": len(whole), "languages": len(names)}
        given.counts["passages"] = len(whole[_passage(whole)].unique())
        return whole

    def _chosen(self, found: "list[_Found]", names: list[str]) -> "list[_Found]":
        """Those that are taken."""
        drawn = sorted(found, key=lambda one: hashlib.sha256(f"{self.seed}:{one.name}".encode()).digest())
        if self.total and self.share == "proportional":
            self._enough([self.total], [len(drawn)], ["all together"])
            return drawn[: self.total]
        if not (self.total or self.each):
            return found
        by_part: list[list[_Found]] = [[] for _ in names]
        for one in drawn:
            by_part[one.whose].append(one)
        wanted = [self.each] * len(names) if self.each else shares(self.total, len(names))
        self._enough(wanted, [len(some) for some in by_part], names)
        return [one for some, most in zip(by_part, wanted, strict=True) for one in some[:most]]

    def _enough(self, wanted: list[int], there: list[int], names: list[str]) -> None:
        lacking = [(name, n, most) for name, n, most in zip(names, there, wanted, strict=True) if n < most]
        if lacking:
            raise LswError(
                f"There are too few queries with a relevant passage to train on: "
                f"{', '.join(f'{name} has {n:,} of {most:,}' for name, n, most in lacking)}.",
                f"There are: {', '.join(f'{name} {n:,}' for name, n in zip(names, there, strict=True))}.",
                "Set a smaller `total` or `each` in the step beside: none is used twice.",
                exit_code=1,
            )


_WHOSE = "whose"


class _Found(NamedTuple):
    """A query with a relevant passage: whose (place among the pairs of varieties), by which name it is drawn, and its
    number."""

    whose: int
    name: str
    number: int


def shares(total: int, parts: int) -> list[int]:
    """A total in equal parts; what is left over goes to the first, one each. No part shrinks as the total grows."""
    return [total // parts + (part < total % parts) for part in range(parts)]


def _columns(table: pa.Table, *names: str) -> Iterator[tuple[Any, ...]]:
    return zip(*(table[name].to_pylist() for name in names), strict=True)


def _passage(triples: pa.Table) -> str:
    """The column that tells one relevant passage from another."""
    return "docno_positive" if "docno_positive" in triples.column_names else "positive"


def _pairs(triples: pa.Table) -> tuple[list[_Found], NDArray[np.int64]]:
    """The distinct queries with a relevant passage, and the number of that of each triple."""
    numbers: dict[tuple[Any, ...], int] = {}
    number = [numbers.setdefault(key, len(numbers)) for key in _columns(triples, _WHOSE, "query", _passage(triples))]
    return [_Found(part, f"{query}\t{passage}", i) for (part, query, passage), i in numbers.items()], np.array(number)
