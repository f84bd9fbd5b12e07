"""Where the terms of a text stand in it, as it was written: before case, accents or script were folded."""

from collections.abc import Callable
from dataclasses import dataclass

from workbench.terms import known_terms
from workbench.terms.analyzer import analyzer
from workbench.terms.grams import MARK, N, folded
from workbench.text import spans

Span = tuple[int, int]
"""First character, and the one after the last."""


@dataclass(frozen=True)
class Term:
    """A term, and where it stands: characters `start` to `end`, without the last."""

    text: str
    start: int
    end: int

    @property
    def span(self) -> Span:
        return self.start, self.end


class _Folded:
    """A text and what it was folded to, character by character.

    Args:
        text: as written.
        fold: what one character, or the whole, becomes; never longer or shorter for its neighbours.
    """

    def __init__(self, text: str, fold: Callable[[str], str]) -> None:
        self.whole = fold(text)
        self.at = [i for i, character in enumerate(text) for _ in fold(character)]
        assert len(self.at) == len(self.whole)

    def term(self, text: str, start: int, end: int) -> Term:
        """A term that stands between two characters of the folded text."""
        return Term(text, self.at[start], self.at[end - 1] + 1)


def _words(text: str, code: str) -> list[Term]:
    folding = _Folded(text, str.casefold)
    out = []
    for start, end, han in spans(folding.whole, code):
        run = folding.whole[start:end]
        if not han:
            out.append(folding.term(run, start, end))
            continue
        out += [folding.term(run[i], start + i, start + i + 1) for i in range(len(run))]
        out += [folding.term(run[i : i + 2], start + i, start + i + 2) for i in range(len(run) - 1)]
    return out


def _four_grams(text: str, code: str) -> list[Term]:
    folding = _Folded(text, folded)
    out = []
    for start, end, han in spans(folding.whole, code):
        run = folding.whole[start:end]
        if han:
            out += [folding.term(run[i], start + i, start + i + 1) for i in range(len(run))]
            out += [folding.term(run[i : i + 2], start + i, start + i + 2) for i in range(len(run) - 1)]
            continue
        word = f"{MARK}{run}{MARK}"
        for i in range(max(len(word) - N, 0) + 1):
            first, last = max(start + i - 1, start), min(start + i - 1 + N, end)  # the marks stand nowhere
            out.append(folding.term(word[i : i + N], first, last))
    return out


def _analyzed(text: str, code: str) -> list[Term]:
    folding = _Folded(text, str.lower)
    return [folding.term(*term) for term in analyzer(code).placed(folding.whole)]


PLACES: dict[str, Callable[[str, str], list[Term]]] = {
    "words": _words, "4-grams": _four_grams, "analyzer": _analyzed,
}  # fmt: skip
"""For each of `workbench.terms.TERMS` the same terms in the same order, with their places."""


def places_of(text: str, code: str, name: str = "words") -> list[Term]:
    """The terms of a text with their places; several may stand in one place.

    Args:
        text: a query or passage.
        code: by which variety's rules.
        name: one of `workbench.terms.TERMS`.

    Raises:
        LswError: unknown terms; the variety has no analyzer.
    """
    return PLACES[known_terms(name)](text, code)
