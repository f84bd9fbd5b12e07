"""What every feature of similarity is given, and what it gives."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field

from workbench.registry import Part
from workbench.similarity.tokenizers import Cut
from workbench.varieties import Pair

QUERIES = "queries"
"""The source of what was measured on the two wordings."""


@dataclass(frozen=True)
class Wordings:
    """What there is of a pair.

    Args:
        on: the pair.
        low, high: the same queries in both varieties, as systems see them (script converted); of the same length.
        tokenizers: by the name of the system whose it is.
    """

    on: Pair
    low: Sequence[str]
    high: Sequence[str]
    tokenizers: dict[str, Cut] = field(default_factory=dict)

    @property
    def sides(self) -> tuple[tuple[str, Sequence[str]], tuple[str, Sequence[str]]]:
        """Each variety with its texts, the low-resource one first."""
        return (self.on.low, self.low), (self.on.high, self.high)


@dataclass(frozen=True)
class Measured:
    """One feature as it was measured.

    Args:
        feature: what is measured.
        value: of the pair; None if there is none.
        n: of how many it was measured: queries, or what `source` counts.
        source: where it is from: `queries`, or what was published.
        tokenizer: under which, of a feature of pieces.
        by_query: of each query in the order of the wordings, None where there is none; empty of a feature that only a
            pair has.
        why_not: why the pair has no value.
    """

    feature: str
    value: float | None
    n: int
    source: str = QUERIES
    tokenizer: str | None = None
    by_query: Sequence[float | None] = ()
    why_not: str | None = None

    def __post_init__(self) -> None:
        if (self.value is None) != bool(self.why_not):
            raise ValueError(f"{self.feature}: a value, or why there is none")


class Feature(Part):
    """A feature, or several of one sort. In a recipe: `features = ["grams", "chrf"]`."""

    feature: str

    @abstractmethod
    def measure(self, of: Wordings) -> list[Measured]:
        """Measure it. What cannot be measured is None, with the reason, and never 0."""

    def seconds(self, queries: int) -> float:
        """How long so many queries take."""
        return 0.0


def averaged(feature: str, by_query: Sequence[float | None], why_not: str, tokenizer: str | None = None) -> Measured:
    """A feature whose value of the pair is the mean over the queries that have one.

    Args:
        feature: its name.
        by_query: of each query.
        why_not: what to say if no query has a value.
        tokenizer: under which.
    """
    known = [value for value in by_query if value is not None]
    mean = sum(known) / len(known) if known else None
    return Measured(feature, mean, len(known), QUERIES, tokenizer, by_query, None if known else why_not)


def pooled(
    feature: str,
    shares: Sequence[tuple[float, float]],
    why_not: str,
    tokenizer: str | None = None,
) -> Measured:
    """A ratio whose value of the pair is of the sums over all queries, as of one long text.

    Args:
        feature: its name.
        shares: numerator and denominator of each query; without a denominator it has no value.
        why_not: what to say if no query has one.
        tokenizer: under which.
    """
    by_query = [a / b if b else None for a, b in shares]
    above, below = (sum(pair[side] for pair in shares if pair[1]) for side in (0, 1))
    n = sum(value is not None for value in by_query)
    return Measured(
        feature, above / below if below else None, n, QUERIES, tokenizer, by_query, None if below else why_not
    )
