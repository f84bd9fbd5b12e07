"""What every source of words and their translations can do."""

from abc import abstractmethod
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa

from store import LswError
from workbench.registry import Part
from workbench.talk import Progress, Summary

Entry = tuple[str, str, float]
"""A word or more as it is looked up (`lookup.key_of`), its translation, and with what weight that is drawn."""
Column = tuple[str, int]
"""A file, and which of two varieties stands first in it: 0 the source, 1 the target."""


@dataclass(frozen=True)
class Material:
    """What a lexicon is made of.

    Args:
        source, target: varieties.
        files: where they are, by what they are called in `Lexicon.places`.
        bitext: texts in both varieties, of a lexicon that reads some.
        passages: texts in both varieties by docno, of a lexicon that reads some.
        progress: told what is done and to do.
        note: told what a user should know.
    """

    source: str
    target: str
    files: dict[str, Path] = field(default_factory=dict)
    bitext: list[tuple[str, str]] = field(default_factory=list)
    passages: tuple[dict[str, str], dict[str, str]] = field(default_factory=lambda: ({}, {}))
    progress: Progress = lambda done, total: None
    note: Callable[[str], Any] = lambda text: None


class Lexicon(Part):
    """Words of one variety with their translations in another. In a recipe: `lexicon = "bitext"`, or
    `lexicon = { lexicon = "file", files = { "ca-fr" = "words.tsv" } }`.

    `parallel_passages` says that it reads training passages of both varieties.
    """

    lexicon: str

    parallel_passages: ClassVar[bool] = False
    size: ClassVar[int] = 10_000_000
    """Bytes of a file of it that is not here yet, roughly."""

    def bitext_of(self, source: str, target: str) -> str:
        """The bitext that it reads: `training queries`, or where a file is; empty if it reads none."""
        return ""

    def places(self, source: str, target: str) -> dict[str, str]:
        """The files that it reads, by what they are: their content tells its entries from others.

        Raises:
            LswError: none is named for these varieties.
        """
        return {}

    def part_of(self, bitext: pa.Table) -> tuple[pa.Table, Summary]:
        """The part of its bitext that it reads, and the counts of that part.

        Args:
            bitext: columns id, source, target (strings).
        """
        return bitext, {}

    @abstractmethod
    def entries(self, of: Material) -> tuple[list[Entry], Summary]:
        """Its entries, each source and target once; and what to record.

        Raises:
            LswError: what it is made of cannot be read.
        """

    def seconds(self, texts: int) -> float:
        """How long it takes, of a bitext of so many texts (0: nobody knows how many)."""
        return 1.0


def added_up(entries: Iterable[Entry]) -> list[Entry]:
    """Each source and target once, scores added, in the order of their names."""
    scores: dict[tuple[str, str], float] = defaultdict(float)
    for source, target, score in entries:
        scores[source, target] += score
    return sorted((source, target, score) for (source, target), score in scores.items())


def column_of(files: dict[str, str], source: str, target: str, setting: str) -> Column:
    """The file that a table like `{ "ca-fr" = "words.tsv" }` names for two varieties, in either direction.

    Raises:
        LswError: it names none.
    """
    for name, first in ((f"{source}-{target}", 0), (f"{target}-{source}", 1)):
        if name in files:
            return files[name], first
    raise LswError(
        f"No file of {source} words in {target} is named.",
        f"Named are: {', '.join(files) or 'none'}.",
        f'Add "{source}-{target}" = "FILE" to {setting}: {source} in its first column.',
    )
