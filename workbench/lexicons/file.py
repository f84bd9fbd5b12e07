"""Words that somebody collected: a file of a word, tab, its translation (Apertium's dictionaries, CLDR's names)."""

from typing import Annotated

from pydantic import Field

from store import LswError
from workbench.lexicons._lookup import key_of
from workbench.lexicons._tables import pairs
from workbench.lexicons.base import Entry, Lexicon, Material, added_up, column_of
from workbench.registry import LOCAL
from workbench.talk import Summary


class WordFile(Lexicon):
    """`files` are by pair, as in `{ "ca-fr" = "words.tsv" }`: Catalan stands first, and it is read in either direction.

    A third column that is a number is the weight of a translation, where a word has several; a pair that stands there
    twice counts twice. Translations keep their capitals.
    """

    files: Annotated[dict[str, str], Field(min_length=1), LOCAL]

    def places(self, source: str, target: str) -> dict[str, str]:
        path, first = column_of(self.files, source, target, "the lexicon's files")
        return {"words turned" if first else "words": path}

    def entries(self, of: Material) -> tuple[list[Entry], Summary]:
        [(what, path)] = of.files.items()
        found: list[Entry] = []
        nothing = 0
        for source, target, others in pairs(path, what.endswith("turned")):
            key = key_of(source)
            if key:
                found.append((key, target.strip(), _weight(others)))
            nothing += not key
        if not found:
            raise LswError("The file of words has none.", str(path), "Columns: a word, tab, its translation.")
        if nothing:
            of.note(f"{nothing:,} lines of {path.name} left out: what they translate has no letter")
        return added_up(found), {"pairs": len(found), "without_letters": nothing}


def _weight(others: list[str]) -> float:
    """A number above 0, else 1: the third column may say where a pair is from."""
    try:
        weight = float(others[0]) if others else 1.0
    except ValueError:
        return 1.0
    return weight if 0 < weight < float("inf") else 1.0
