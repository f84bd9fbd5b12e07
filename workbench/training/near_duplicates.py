"""Texts that are nearly the same: MinHash (Broder 1997) and banding, then the true Jaccard similarity of shingles.

Signatures of 128 minima stand for the sets of shingles; bands of them say which pairs may be alike (Leskovec, Rajaraman
and Ullman 2020, Mining of Massive Datasets, chapter 3), and the sets themselves whether they are. A band has as many
minima as miss a pair at the threshold less often than once in a million.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.text import plain
from workbench.varieties import variety

PERMUTATIONS = 128
LETTERS, HAN_LETTERS = 5, 3
"""Characters of a shingle; the second of varieties written in Han characters."""
MISSED = 1e-6
"""Probability at most that a pair at the threshold is not looked at."""

Text = tuple[str, str]
"""A text and its variety."""
Numbers = NDArray[np.uint64]


def shingles(text: str, code: str) -> set[str]:
    """Every run of so many characters of a text's words, case folded, one space between words; a shorter text is one.
    In varieties written in Han characters shorter runs, without spaces. A text without words has none.
    """
    if variety(code).words == "han":
        said, n = plain(text).replace(" ", ""), HAN_LETTERS
    else:
        said, n = plain(text), LETTERS
    return {said[i : i + n] for i in range(max(1, len(said) - n + 1))} if said else set()


def rows_of_a_band(threshold: float) -> int:
    """Minima of a band, as many as still find pairs of that similarity: of a band of r minima all agree with
    probability s^r, so that none of 128/r bands does with (1 - s^r)^(128/r)."""
    fitting = [r for r in (1, 2, 4, 8, 16, 32) if (1 - threshold**r) ** (PERMUTATIONS // r) <= MISSED]
    return max(fitting, default=1)


def nearest_alike(texts: Sequence[Text], others: Sequence[Text], threshold: float, seed: int = 42) -> dict[int, int]:
    """For each text that is nearly one of the others: which (the most alike, of equal ones the first).

    Args:
        texts, others: to be compared, each with its variety.
        threshold: Jaccard similarity of shingles, from which on two are nearly the same.
        seed: of the hash functions.

    Returns:
        places in `others` by places in `texts`; of texts that are none of them nothing.
    """
    minima, rows = _Minima(seed), rows_of_a_band(threshold)
    sets = [minima.numbers(shingles(*other)) for other in others]
    buckets: dict[tuple[int, bytes], list[int]] = {}
    for place, numbers in enumerate(sets):
        for key in minima.bands(numbers, rows):
            buckets.setdefault(key, []).append(place)
    found: dict[int, int] = {}
    seen: dict[Text, int | None] = {}
    for place, text in enumerate(texts):
        if text not in seen:
            numbers = minima.numbers(shingles(*text))
            candidates = sorted({other for key in minima.bands(numbers, rows) for other in buckets.get(key, ())})
            likeness = [(_jaccard(numbers, sets[other]), -other) for other in candidates]
            best = max(likeness, default=(0.0, 0))
            seen[text] = -best[1] if candidates and best[0] >= threshold else None
        if (other := seen[text]) is not None:
            found[place] = other
    return found


def _jaccard(a: Numbers, b: Numbers) -> float:
    """Of two sorted sets."""
    shared = len(np.intersect1d(a, b, assume_unique=True))
    return shared / (len(a) + len(b) - shared)


class _Minima:
    """Hash functions of shingles, and the bands of their minima.

    Args:
        seed: of the functions.
    """

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng(seed)

        def numbers(*shape: int) -> Any:
            return rng.integers(0, 1 << 64, size=shape, dtype=np.uint64)

        self._letters, self._factors, self._shifts = (
            numbers(LETTERS) | np.uint64(1), numbers(PERMUTATIONS, 1) | np.uint64(1), numbers(PERMUTATIONS, 1)
        )  # fmt: skip

    def numbers(self, some: set[str]) -> Numbers:
        """Shingles as sorted 64-bit numbers (shingles), another for each."""
        out = np.zeros(len(some), np.uint64)
        if not some:
            return out
        points = np.zeros((len(some), LETTERS), np.uint64)
        for row, shingle in enumerate(sorted(some)):
            points[row, : len(shingle)] = [ord(letter) + 1 for letter in shingle]
        out = (points * self._letters).sum(axis=1, dtype=np.uint64)
        out ^= out >> np.uint64(31)  # mixed (Steele, Lea and Flood 2014), so that minima are drawn from all alike
        out *= np.uint64(0x7FB5D329728EA185)
        out ^= out >> np.uint64(27)
        out *= np.uint64(0x81DADEF4BC2DD44D)
        out ^= out >> np.uint64(33)
        return np.unique(out)

    def bands(self, numbers: Numbers, rows: int) -> list[tuple[int, bytes]]:
        """A band's number and its minima, of a set; of an empty one nothing."""
        if not len(numbers):
            return []
        minima = ((self._factors * numbers + self._shifts) >> np.uint64(32)).min(axis=1).astype(np.uint32)
        return [(i, minima[i : i + rows].tobytes()) for i in range(0, PERMUTATIONS, rows)]
