"""Queries translated term by term into the passages' language, before anything is searched: Translate-Test.

As Litschko, Artemova and Plank 2023 (arXiv 2305.05295) tested it, by the lexicons that code-switching is made with.
"""

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar

from pydantic import Field

from store import LswError
from workbench.lexicons._lookup import Lookup, Written, turned, words
from workbench.lexicons.base import Entry
from workbench.systems.base import Rewriter
from workbench.talk import Summary


class WordByWord(Rewriter):
    """Each word is replaced by its translation of most weight; what the lexicon does not have stays.

    Entries of up to `longest` words are looked up, the longest first.
    """

    longest: Annotated[int, Field(ge=1, le=8)] = 1

    presets: ClassVar[dict[str, dict[str, Any]]] = {"translate-test": {}}

    def rewritten(self, texts: Sequence[str], entries: Sequence[Entry]) -> tuple[list[str], Summary]:
        lookup, out = Lookup(entries, self.longest), []
        said = translated = 0
        for text in texts:
            some, place, written = words(text), 0, Written(text)
            while place < len(some):
                n, key = lookup.at(text, some, place)
                new = lookup.best(key) if key else None
                written.put(some[place].start, some[place + n - 1].end, new)
                place, said, translated = place + n, said + 1, translated + bool(key)
            out.append(written.whole())
        if not translated:
            raise LswError(
                "Not one word of these queries is in the lexicon.",
                f"It has {len(entries):,} entries; the first query is '{texts[0] if texts else ''}'.",
                "It is of other varieties, or the wrong way round.",
                exit_code=1,
            )
        share = round(translated / said, 4)
        return out, {"words": said, "translated": translated, "coverage": share, "lexicon": len(entries)}

    def reversed(self, texts: Sequence[str], entries: Sequence[Entry]) -> bool:
        return turned(entries, texts, self.longest)
