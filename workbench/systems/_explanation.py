"""What a system says of its scores: for one query and some passages, how much comes from where."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

Span = tuple[int, int]
"""First character, and the one after the last."""
Loaded = TypeVar("Loaded")


@dataclass(frozen=True)
class Portion:
    """A part of the score of one passage.

    Args:
        what: a term, a token, a component of the system.
        value: what it adds to the score.
        query, passage: where it stands in either text; empty where it stands nowhere.
        facts: what `value` is made of, by name: df, idf and tf of a term; the similarity and the text of the passage's
            token of a token.
    """

    what: str
    value: float
    query: tuple[Span, ...] = ()
    passage: tuple[Span, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Explanation:
    """The scores of some passages for one query, taken apart.

    Args:
        kind: of the parts, in words: "BM25 terms", "MaxSim", "similarity", "score".
        says: what these parts are, and what they are not, in a sentence or two.
        scores: of each docno.
        portions: of each docno, in the order of the query; they sum to its score. Empty where a score has no parts.
        why_not: why nothing could be said of the scores; else empty.
        recorded: the scores that the run has in the store, of those passages that it found.
        differs: the largest difference between a score and the recorded one.
    """

    kind: str
    says: str
    scores: dict[str, float] = field(default_factory=dict)
    portions: dict[str, list[Portion]] = field(default_factory=dict)
    why_not: str = ""
    recorded: dict[str, float] = field(default_factory=dict)
    differs: float = 0.0

    @classmethod
    def refused(cls, why_not: str) -> "Explanation":
        """Of scores of which nothing can be said but why not."""
        return cls("not taken apart", "", why_not=why_not)


@dataclass(frozen=True)
class Asked:
    """One query and some passages, whose scores are to be taken apart.

    Args:
        query: its text, in the declared script.
        variety: of its words: that of the passages if it was rewritten.
        passages: the text of each docno, in the declared script.
        index: what the system's `index` made; None of a system that has none.
        kept: gives what it is given makes (a loaded model), or what it made the last time for this very system.
    """

    query: str
    variety: str
    passages: dict[str, str]
    index: Path | None
    kept: Callable[[Callable[[], Loaded]], Loaded]

    @property
    def indexed(self) -> Path:
        """The index of a system that has one."""
        assert self.index
        return self.index
