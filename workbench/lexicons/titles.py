"""Titles of the same Wikipedia article in two languages (Litschko, Artemova and Plank 2023, arXiv 2305.05295)."""

import re
from typing import Annotated

from pydantic import Field

from store import LswError
from workbench.lexicons._lookup import LONGEST_HAN, key_of, length
from workbench.lexicons._tables import pairs
from workbench.lexicons.base import Entry, Lexicon, Material, added_up, column_of
from workbench.registry import LOCAL
from workbench.talk import Summary
from workbench.text import is_han

WORDS = 3
"""Of an entry at most."""
_NAMESPACE = re.compile(r"^[^\W\d_]+( [^\W\d_]+)?:(?=\S)")
_BRACKETS = re.compile(r"\s*[(（][^)）]*[)）]\s*")


class Titles(Lexicon):
    """`files` are by pair, as in `{ "ca-fr" = "titles.tsv" }`: a title, tab, the title of the same article.

    In lower case, without namespace (`Categoria:`) and what stands in brackets; titles of 1 to 3 words are kept.
    """

    files: Annotated[dict[str, str], Field(min_length=1), LOCAL]

    def places(self, source: str, target: str) -> dict[str, str]:
        path, first = column_of(self.files, source, target, "the lexicon's files")
        return {"titles turned" if first else "titles": path}

    def entries(self, of: Material) -> tuple[list[Entry], Summary]:
        [(what, path)] = of.files.items()
        found: list[Entry] = []
        count = 0
        for source, target, _ in pairs(path, what.endswith("turned")):
            count += 1
            key, other = key_of(plain(source)), key_of(plain(target))
            if short(key) and short(other):
                found.append((key, plain(target), 1.0))
        if not found:
            raise LswError(f"The file of titles has none of 1 to {WORDS} words.", str(path))
        return added_up(found), {"titles": count, "left_out": count - len(found)}


def plain(title: str) -> str:
    """A title in lower case, without its namespace and what stands in brackets."""
    return _BRACKETS.sub(" ", _NAMESPACE.sub("", title.strip().replace("_", " "))).strip().lower()


def short(key: str) -> bool:
    """Whether an entry is short enough to be looked for, and not empty."""
    return 0 < length(key) <= WORDS and not (is_han(key) and len(key) > LONGEST_HAN)
