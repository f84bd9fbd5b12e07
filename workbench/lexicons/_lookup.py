"""Words looked up in running text: the longest entry at each place, word bounds respected."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from workbench.lexicons.base import Entry
from workbench.text import is_han, places

LONGEST_HAN = 8
"""Characters of an entry at most that is looked for in Han text."""
_GAP = re.compile(r"[\s'’·-]{1,3}")
"""What may stand between two words of one entry."""


@dataclass(frozen=True)
class Word:
    """One word of a text, or one Han character."""

    start: int
    end: int
    key: str


def words(text: str) -> list[Word]:
    """The words of a text in their order, each in lower case as it is looked up."""
    return [Word(start, end, text[start:end].lower()) for start, end in places(text)]


def key_of(text: str) -> str:
    """A text as entries have it: its words in lower case, with one space between them, none between Han characters."""
    out = ""
    for word in words(text):
        out += f" {word.key}" if out and not (is_han(word.key) and is_han(out[-1])) else word.key
    return out


def units(text: str, cut: Literal["words", "characters", "pairs"] = "words") -> list[str]:
    """What a lexicon is learnt from: words, with Han text as characters and pairs of them that stand side by side; or
    the same without the pairs; or the pairs alone."""
    some = words(text)
    out = [] if cut == "pairs" else [word.key for word in some]
    if cut != "characters":
        for a, b in pairwise(some):
            if a.end == b.start and is_han(a.key) and is_han(b.key):
                out.append(a.key + b.key)
    return out


def length(key: str) -> int:
    """Words of an entry; a run of Han characters is one."""
    return len(key.split())


class Lookup:
    """Translations by word.

    Args:
        entries: sources as `key_of` makes them.
        longest: words of an entry at most that are looked for; a run of Han characters is one.
    """

    def __init__(self, entries: Iterable[Entry], longest: int = 1) -> None:
        self.longest = longest
        self.targets: dict[str, list[tuple[str, float]]] = {}
        for source, target, score in sorted(entries):
            if source and target and length(source) <= longest:
                self.targets.setdefault(source, []).append((target, score))

    def __len__(self) -> int:
        return sum(map(len, self.targets.values()))

    def at(self, text: str, some: Sequence[Word], place: int, skipped: frozenset[str] = frozenset()) -> tuple[int, str]:
        """The longest entry that begins at a word.

        Args:
            text: whose words these are.
            some: its words.
            place: number of the word.
            skipped: words that are no entries by themselves.

        Returns:
            how many words it has (1 if there is none), and its key (empty if there is none).
        """
        key = some[place].key
        best = (1, key) if key in self.targets and key not in skipped else (1, "")
        most, inside = self.longest, 1
        for n in range(place + 1, min(len(some), place + max(most, LONGEST_HAN))):
            before, word = some[n - 1], some[n]
            together = is_han(before.key) and is_han(word.key)
            if not together:
                inside += 1
            gap = text[before.end : word.start]
            if inside > most or (gap if together else not _GAP.fullmatch(gap)):
                break
            key += word.key if together else f" {word.key}"
            if key in self.targets:
                best = n - place + 1, key
        return best

    def best(self, key: str) -> str:
        """The translation of most weight, of equal ones the first in the order of letters."""
        return min(self.targets[key], key=lambda option: (-option[1], option[0]))[0]


class Written:
    """A text as it is written anew, word by word; between letters that were side by side a space, unless both are Han.

    Args:
        text: the one that is rewritten.
    """

    def __init__(self, text: str) -> None:
        self.text, self.out, self.done = text, "", 0
        self.changed = False

    def put(self, start: int, end: int, replacement: str | None) -> None:
        """What stands before these places as it is, then the replacement, in capitals as what it replaces."""
        was = self.text[start:end]
        new = was if replacement is None else capitalised(replacement, was)
        between = self.text[self.done : start]
        touching = self.done and not between and (self.changed or replacement is not None)
        if touching and not (is_han(self.out[-1:]) and is_han(new)):
            between = " "
        self.out += between + new
        self.done, self.changed = end, replacement is not None

    def whole(self) -> str:
        """The whole text."""
        return self.out + self.text[self.done :]


def capitalised(word: str, like: str) -> str:
    """The word, its first letter a capital if that of `like` is one."""
    return word[:1].upper() + word[1:] if like[:1].isupper() else word


def coverage(lookup: Lookup, texts: Iterable[str]) -> float:
    """Share of the words of some texts that have an entry; a longer entry is one word."""
    said = covered = 0
    for text in texts:
        some, place = words(text), 0
        while place < len(some):
            n, key = lookup.at(text, some, place)
            place, said, covered = place + n, said + 1, covered + bool(key)
    return covered / said if said else 0.0


def turned(entries: Sequence[Entry], texts: Sequence[str], longest: int = 1) -> bool:
    """Whether a lexicon looks reversed: its translations cover these texts better than its own words do.

    Args:
        entries: of the lexicon.
        texts: in its source variety.
        longest: words of an entry at most that are looked for.
    """
    backwards = Lookup(((key_of(target), source, score) for source, target, score in entries), longest)
    return coverage(backwards, texts) > coverage(Lookup(entries, longest), texts)
