"""What steps and objectives read beside the triples: named here, found by the plan, handed over by the stage."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from workbench.lexicons.base import Lexicon

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


Need = BitextOf | LexiconOf


@dataclass
class Given:
    """What is handed over.

    Args:
        tables: by role, what was needed.
        seed: of the training.
        note: told what a user should know.
        counts: to be filled with what was done, for the record.
    """

    tables: dict[str, pa.Table] = field(default_factory=dict)
    seed: int = 42
    note: Callable[[str], Any] = lambda text: None
    counts: dict[str, float] = field(default_factory=dict)
