"""The analyzer that Lucene (and so Anserini) has for a language, as near as Python comes, from `analyzers.toml`.

Words as in UAX #29, elided articles cut off, lower case, stop words left out, stems. It differs in this: French and
Italian stems are Snowball's, where Lucene's analyzers have lighter ones (Savoy's); Indonesian ones are Snowball's too,
with its shorter list of stop words, and Dutch has no dictionary of exceptions; only Han characters make bigrams in zh.
"""

import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

from store import LswError
from workbench.text import HAN
from workbench.varieties import variety

_TOKEN = re.compile(
    rf"(?P<han>[{HAN}]+)"
    r"|\d+(?:[.,;'’]\d+)+"
    rf"|[^\W_{HAN}]+(?:(?<=[^\W\d_])[.:·'’](?=[^\W\d_])[^\W_{HAN}]+)*"
)
_STEMS = 1 << 18
"""Stems kept in memory, of each language."""


@dataclass(frozen=True)
class Analyzer:
    """One row of the table.

    Args:
        stop: words that are left out, before stemming.
        elided: what is cut off before an apostrophe.
        possessive: what is cut off at the end, if anything.
        stem: what makes a stem of a word.
        bigrams: whether Han characters give bigrams, a single one itself; else each gives itself.
    """

    stop: frozenset[str]
    elided: frozenset[str]
    possessive: str
    stem: Callable[[str], str]
    bigrams: bool

    def terms(self, text: str) -> list[str]:
        """The terms of a text."""
        return [term for term, _, _ in self.placed(text.lower())]

    def placed(self, lowered: str) -> Iterator[tuple[str, int, int]]:
        """The terms of a text in lower case, with the first character of each and the one after its last."""
        for found in _TOKEN.finditer(lowered):
            token, start = found[0], found.start()
            if found["han"]:
                wide = 2 if self.bigrams and len(token) > 1 else 1
                yield from ((token[i : i + wide], start + i, start + i + wide) for i in range(len(token) - wide + 1))
                continue
            token = token.replace("’", "'")
            if self.possessive:
                token = token.removesuffix(self.possessive)
            before, quote, after = token.partition("'")
            if quote and before in self.elided:
                token, start = after, start + len(before) + 1
            if token not in self.stop:
                yield self.stem(token), start, start + len(token)


@cache
def _table() -> dict[str, dict[str, str]]:
    with (Path(__file__).parent / "analyzers.toml").open("rb") as file:
        return tomllib.load(file)


@cache
def analyzer(code: str) -> Analyzer:
    """The analyzer of a variety.

    Raises:
        LswError: there is none.
    """
    language = code.partition("-")[0]
    row = _table().get(language)
    if row is None:
        raise LswError(
            f"There is no analyzer for {variety(code).name} ({code}).",
            cure=f"Known: {', '.join(sorted(_table()))}. Use bm25 or bm25-4grams.",
        )
    stem: Callable[[str], str] = str
    if "stemmer" in row:
        import snowballstemmer

        stem = lru_cache(_STEMS)(snowballstemmer.stemmer(row["stemmer"]).stemWord)
    stop, elided = (frozenset(row.get(what, "").split()) for what in ("stop", "elided"))
    return Analyzer(stop, elided, row.get("possessive", ""), stem, variety(code).words == "han")


def stop_words(code: str) -> frozenset[str]:
    """The words that the analyzer of a variety leaves out; none of a variety that has no analyzer."""
    return analyzer(code).stop if code.partition("-")[0] in _table() else frozenset()


def analyzed(text: str, code: str) -> list[str]:
    """The terms of a text by the analyzer of a variety: that of the passages, for queries too.

    Raises:
        LswError: the variety has no analyzer.
    """
    return analyzer(code).terms(text)
