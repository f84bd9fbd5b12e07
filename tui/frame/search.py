"""What is typed after `/`: words that a row must have, `field:word`, and `!word` for what it may not have."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from store import LswError, nearest
from tui.frame.folding import folded


class Term(NamedTuple):
    """One word: in a field or (empty) anywhere; wanted, or not."""

    field: str
    word: str
    wanted: bool


@dataclass(frozen=True)
class Search:
    """All terms; what is searched must satisfy each."""

    terms: tuple[Term, ...] = ()
    text: str = field(default="", compare=False)

    def __bool__(self) -> bool:
        return bool(self.terms)

    def fits(self, fields: Mapping[str, str], anywhere: str) -> bool:
        """Whether a row is wanted.

        Args:
            fields: folded, by name.
            anywhere: folded; what a word without a field is looked for in.
        """
        return all(
            (term.word in (fields[term.field] if term.field else anywhere)) is term.wanted for term in self.terms
        )


def parsed(text: str, fields: tuple[str, ...]) -> Search:
    """A search as typed; what is between quotes is one word, and a field without a word asks for nothing.

    Args:
        text: as typed.
        fields: that there are; a name may be shortened to what begins one of them only.

    Raises:
        LswError: there is no such field.
    """
    try:
        words = shlex.split(text, posix=True)
    except ValueError:  # a quotation that has not ended yet
        words = text.replace('"', " ").replace("'", " ").split()
    terms = []
    for typed in words:
        wanted = not typed.startswith("!")
        word = typed.removeprefix("!")
        name, colon, rest = word.partition(":")
        if colon and name.isalpha():
            terms.append(Term(_field(name.casefold(), fields), folded(rest), wanted))
        else:
            terms.append(Term("", folded(word), wanted))
    return Search(tuple(term for term in terms if term.word), text)


def _field(name: str, fields: tuple[str, ...]) -> str:
    beginning = [f for f in fields if f.startswith(name)]
    if name in fields or len(beginning) == 1:
        return name if name in fields else beginning[0]
    raise LswError(f"No field '{name}' here.", cure=f"{nearest(name, fields)} Fields: {', '.join(fields)}.".strip())
