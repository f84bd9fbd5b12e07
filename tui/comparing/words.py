"""Which words of a passage are the query's: the same, or near enough to be a relative's."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from tui.frame.folding import folded, simplified
from workbench.text import places
from workbench.varieties import table

if TYPE_CHECKING:
    from workbench.explaining.weights import Word

_WORD = re.compile(r"[^\W_]+")
_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
SAME, NEAR = "bold reverse", "underline"
"""How a word of the query looks in a passage, and how one that begins like it."""
SHARES = ((2 / 3, SAME), (1 / 3, "bold underline"), (0.02, NEAR))
"""How a place looks, by what it weighs of what weighs most."""


def _han(variety: str | None) -> bool:
    known = table()
    return variety is not None and variety in known and known[variety].words == "han"


def near(one: str, other: str) -> bool:
    """Whether two words begin alike: four letters at least, and two thirds of the longer one."""
    shared = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        shared += 1
    return shared >= 4 and shared * 3 >= 2 * max(len(one), len(other))


def weighed(share: float) -> str:
    """How a place looks that weighs so much of what weighs most; empty if it hardly weighs anything."""
    return next((look for least, look in SHARES if share >= least), "")


def marked(text: str, query: str, variety: str | None, words: "Sequence[Word] | None" = None) -> Text:
    """A passage with the query's words marked, by what they weigh once that is known; stop words are not.

    Where words are written in Han characters, any two characters that follow each other in the query are a word, a
    single one is near it, and Traditional and Simplified count as the same. Elsewhere a word is a run of letters and
    digits, in any case.

    Args:
        text: the passage.
        query: the query.
        variety: of the query.
        words: of the query, with their weights.
    """
    out = Text(text)
    weights = {simplified(word.term): word.weight for word in words or ()}
    stop = {simplified(word.term) for word in words or () if word.stop}
    most = max(weights.values(), default=0.0) or 1.0

    def mark(word: str, start: int, end: int) -> None:
        style = SAME if words is None else weighed(weights.get(word, 0.0) / most)
        if style:
            out.stylize(style, start, end)

    if _han(variety):
        passage, asked = simplified(text), simplified(query)
        runs = re.findall(r"[\u3400-\u9fff\uf900-\ufaff]+", asked)
        single = {c for run in runs for c in run} - stop
        for i, character in enumerate(passage):
            if character in single:
                out.stylize(NEAR, i, i + 1)
        pieces = {run[i : i + 2] for run in runs for i in range(max(1, len(run) - 1))}
        for piece in sorted(pieces, key=lambda piece: weights.get(piece, 0.0)):
            for match in re.finditer(re.escape(piece), passage):
                mark(piece, *match.span())
    else:
        asked, passage = query, text
    asked_words = {w.casefold() for w in _WORD.findall(asked) if not _HAN.match(w)} - stop
    for match in _WORD.finditer(passage):
        word = match[0].casefold()
        if word in asked_words:
            mark(word, *match.span())
        elif any(near(word, w) for w in asked_words):
            out.stylize(NEAR, *match.span())
    return out


def beside(text: str, other: str) -> Text:
    """A wording with the words underlined that another one has not; Han characters singly.

    Args:
        text: the wording.
        other: the one it is held against.
    """
    out = Text(text)
    theirs = {folded(other[a:b]) for a, b in places(other)}
    if folded(text) != folded(other):
        for a, b in places(text):
            if folded(text[a:b]) not in theirs:
                out.stylize("underline", a, b)
    return out
