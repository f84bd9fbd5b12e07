"""What steps and objectives read beside the triples: named here, found by the plan, handed over by the stage."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from workbench.lexicons.base import Lexicon
from workbench.systems.base import System
from workbench.varieties import Pair

TRAINING_QUERIES = "training queries"
"""The bitext that a collection's training queries are, in two varieties."""


@dataclass(frozen=True)
class BitextOf:
    """Parallel texts: columns source, target (strings), in the script of the training.

    Args:
        source, target: varieties.
        origin: `TRAINING_QUERIES`, or the path of a file.
    """

    source: str
    target: str
    origin: str = TRAINING_QUERIES


@dataclass(frozen=True)
class LexiconOf:
    """Words with their translations: columns source, target (strings), score (float64).

    Args:
        source, target: varieties.
        lexicon: where they come from.
    """

    source: str
    target: str
    lexicon: Lexicon


@dataclass(frozen=True)
class TeacherOf:
    """The base model of a system of the recipe, to learn from.

    Args:
        system: its name in the recipe.
    """

    system: str


@dataclass(frozen=True)
class TriplesOf:
    """Training triples of another pair, as those of the training are made: columns query, positive, negative,
    query_variety, document_variety; unless they are whole texts also docno_positive, docno_negative (all strings).

    Args:
        pair: whose.
    """

    pair: Pair


@dataclass(frozen=True)
class EvaluatedQueries:
    """Queries that are tested or watched, in each variety of the training's queries and passages that has some:
    columns variety, qid, query, topic, split (strings), one table for each, under roles that begin with that of the
    need."""


Need = BitextOf | LexiconOf | TeacherOf | TriplesOf | EvaluatedQueries


@dataclass
class Given:
    """What is handed over.

    Args:
        tables: by role, what was needed.
        seed: of the training.
        note: told what a user should know.
        counts: to be filled with what was done, for the record.
        teachers: by role, a system that is learnt from, and the folder of its weights.
    """

    tables: dict[str, pa.Table] = field(default_factory=dict)
    seed: int = 42
    note: Callable[[str], Any] = lambda text: None
    counts: dict[str, float] = field(default_factory=dict)
    teachers: dict[str, tuple[System, Path]] = field(default_factory=dict)
