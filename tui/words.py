"""Which words of a passage are the query's: the same, or near enough to be a relative's."""

import re

from rich.text import Text

from tui.folding import folded, simplified
from workbench.text import places
from workbench.varieties import table

_WORD = re.compile(r"[^\W_]+")
_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
SAME, NEAR = "bold reverse", "underline"
"""How a word of the query looks in a passage, and how one that begins like it."""


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


def marked(text: str, query: str, variety: str | None) -> Text:
    """A passage with the query's words marked.

    Where words are written in Han characters, any two characters that follow each other in the query are a word, a
    single one is near it, and Traditional and Simplified count as the same. Elsewhere a word is a run of letters and
    digits, in any case.

    Args:
        text: the passage.
        query: the query.
        variety: of the query.
    """
    out = Text(text)
    if _han(variety):
        passage, asked = simplified(text), simplified(query)
        runs = re.findall(r"[\u3400-\u9fff\uf900-\ufaff]+", asked)
        pieces = {run[i : i + 2] for run in runs for i in range(max(1, len(run) - 1))}
        for piece in pieces:
            for match in re.finditer(re.escape(piece), passage):
                out.stylize(SAME, *match.span())
        single = {c for run in runs for c in run}
        for i, character in enumerate(passage):
            if character in single:
                out.stylize(NEAR, i, i + 1)
    else:
        asked, passage = query, text
    words = {w.casefold() for w in _WORD.findall(asked) if not _HAN.match(w)}
    for match in _WORD.finditer(passage):
        word = match[0].casefold()
        if word in words:
            out.stylize(SAME, *match.span())
        elif any(near(word, w) for w in words):
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
