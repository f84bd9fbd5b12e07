"""LDND: how far words of one meaning are apart, by how far words of different meanings are (Wichmann et al. 2010).

Wichmann, Holman, Bakker and Brown 2010, "Evaluating linguistic distance measures", Physica A 389(17): the mean
Levenshtein distance of words of one meaning, each divided by the length of the longer word, divided by the same mean
over all words of different meanings. The second mean takes out what chance and the two alphabets have in common.

Theirs is over 40 words in a phonetic alphabet, given by experts. There are no such lists here, so the words are those
of the parallel queries, as they are written, and what means the same is learnt from where they stand: a low-resource
word and a high-resource one are a pair if each is the single most probable translation of the other by IBM model 1,
which sees no letters. So it is a distance of spelling, and of the words of these queries.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from workbench.lexicons.bitext import Model, model
from workbench.similarity.base import Feature, Measured, Wordings
from workbench.terms.grams import folded
from workbench.text import runs

ITERATIONS = 6
"""Of IBM model 1."""
LEAST = 10
"""Pairs of words below which there is no distance."""
MOST = 1_000
"""Pairs of words at most, the most frequent ones: the second mean is over their square."""
SOURCE = "words of the queries"

Numbers = NDArray[np.int64]


class Ldnd(Feature):
    """`ldnd` of the pair: 0 where the words are the same, about 1 where they are no more alike than chance.

    Case and accents are folded; a Han character is a word, so that it is the share of different characters there. `n`
    is the number of pairs of words. Of a query: the mean over its low-resource words whose counterpart stands in the
    other wording, divided by the same second mean.
    """

    def measure(self, of: Wordings) -> list[Measured]:
        low, high = ([words(text, code) for text in texts] for code, texts in of.sides)
        pairs = word_pairs(low, high)
        by_query: list[float | None] = [None] * len(low)
        if len(pairs) < LEAST:
            why_not = f"{len(pairs)} words find their counterpart, fewer than {LEAST}"
            return [Measured("ldnd", None, len(pairs), SOURCE, None, by_query, why_not)]
        same, different = normalised([a for a, _ in pairs], [b for _, b in pairs])
        if not different:
            why_not = "words of different meanings are the same"
            return [Measured("ldnd", None, len(pairs), SOURCE, None, by_query, why_not)]
        near = {pair: float(distance / different) for pair, distance in zip(pairs, same, strict=True)}
        other = dict(pairs)
        for i, (some, there) in enumerate(zip(low, high, strict=True)):
            said = [near[word, other[word]] for word in some if word in other and other[word] in there]
            by_query[i] = sum(said) / len(said) if said else None
        return [Measured("ldnd", float(same.mean() / different), len(pairs), SOURCE, None, by_query)]

    def seconds(self, queries: int) -> float:
        return 0.2 + queries * 1.2e-3


def words(text: str, code: str) -> list[str]:
    """The words of a text, folded; Han characters singly in varieties that are written so."""
    return [word for run, han in runs(folded(text), code) for word in (run if han else (run,))]


def word_pairs(low: Sequence[list[str]], high: Sequence[list[str]]) -> list[tuple[str, str]]:
    """Words that are each other's single most probable translation, the most frequent low-resource ones first.

    Args:
        low, high: words of parallel texts.
    """
    there = _best(model(zip(low, high, strict=True), ITERATIONS))
    back = _best(model(zip(high, low, strict=True), ITERATIONS))
    often = Counter(word for text in low for word in text)
    pairs = [(a, b) for a, b in there.items() if back.get(b) == a]
    return sorted(pairs, key=lambda pair: (-often[pair[0]], pair))[:MOST]


def _best(of: Model) -> dict[str, str]:
    """The most probable translation of each source word; of a word with two equally probable ones none."""
    order = np.lexsort((-of.t, of.rows))
    rows, t = of.rows[order], of.t[order]
    first = np.flatnonzero(np.r_[True, rows[1:] != rows[:-1]]) if len(rows) else rows
    out = {}
    for at in first.tolist():
        tied = at + 1 < len(rows) and rows[at + 1] == rows[at] and t[at + 1] >= t[at] * (1 - 1e-9)
        if rows[at] and not tied:  # row 0 is the empty word
            out[of.sources[rows[at]]] = of.targets[of.columns[order[at]]]
    return out


def normalised(low: Sequence[str], high: Sequence[str]) -> tuple[NDArray[np.float64], float]:
    """Levenshtein distances, each divided by the length of the longer word.

    Args:
        low, high: words, those at one place of one meaning; two or more.

    Returns:
        that of each pair of one meaning (float64), and the mean over all pairs of different meanings.
    """
    lengths = np.array([len(word) for word in high])
    table = np.full((len(high), int(lengths.max())), -1, np.int64)
    for i, word in enumerate(high):
        table[i, : len(word)] = [ord(letter) for letter in word]
    same, different = np.zeros(len(low)), 0.0
    for i, word in enumerate(low):
        apart = levenshtein(word, table, lengths) / np.maximum(lengths, len(word))
        same[i] = apart[i]
        different += float(apart.sum() - apart[i])
    return same, different / (len(low) * (len(low) - 1))


def levenshtein(word: str, table: Numbers, lengths: Numbers) -> Numbers:
    """Levenshtein distance of a word to each word of a table (int64).

    Args:
        word: its letters count as Unicode has them.
        table: code points, words x letters, -1 after the end of a word.
        lengths: of the words.
    """
    width = table.shape[1]
    steps = np.arange(width + 1)
    row = np.tile(steps, (len(table), 1))
    for i, letter in enumerate(word, 1):
        new = np.empty_like(row)
        new[:, 0] = i
        new[:, 1:] = np.minimum(row[:, 1:] + 1, row[:, :-1] + (table != ord(letter)))
        row = np.minimum.accumulate(new - steps, axis=1) + steps  # a letter put in costs 1 for each step to the right
    distances: Numbers = row[np.arange(len(table)), lengths]
    return distances
