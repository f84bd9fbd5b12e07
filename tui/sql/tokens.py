"""SQL in its words, as DuckDB itself tells them apart: for colours and for completion."""

from bisect import bisect_left
from itertools import accumulate
from typing import NamedTuple

import duckdb

KINDS = {
    "keyword": "keyword",
    "identifier": "name",
    "string_const": "string",
    "numeric_const": "number",
    "operator": "operator",
    "comment": "comment",
}
MOST = 50_000
"""Characters of a statement that is still coloured and completed; one longer was pasted."""


class Token(NamedTuple):
    """A word of SQL: `text[start:end]`, in characters. Words that are keywords only at times are of that kind too."""

    kind: str
    start: int
    end: int
    text: str

    @property
    def word(self) -> str:
        """As it is compared: without capitals and quotes."""
        return self.text.strip('"').casefold()


def tokens(text: str) -> list[Token]:
    """The tokens of a text, also of half a statement; none of one that is longer than `MOST`."""
    if len(text) > MOST:
        return []
    sound = text.encode("utf-8", "replace").decode("utf-8")  # a lone surrogate is no text for DuckDB
    begins = list(duckdb.tokenize(sound))
    # DuckDB counts bytes.
    if sound.isascii():
        starts = [at for at, _ in begins]
    else:
        bytes_before = [0, *accumulate(len(char.encode()) for char in sound)]
        starts = [bisect_left(bytes_before, at) for at, _ in begins]
    ends = [*starts[1:], len(text)][: len(starts)]
    out = []
    for (_, kind), start, end in zip(begins, starts, ends, strict=True):
        word = text[start:end].rstrip()
        out.append(Token(KINDS[kind.name], start, start + len(word), word))
    return out


def statement_at(words: list[Token], cursor: int) -> list[Token]:
    """The tokens of the statement that the cursor is in; a semicolon is of none."""
    first, last = 0, len(words)
    for i, word in enumerate(words):
        if word.text == ";":
            if word.end <= cursor:
                first = i + 1
            else:
                last = i
                break
    return words[first:last]
