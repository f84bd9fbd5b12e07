"""Words by their translations in parallel texts: IBM model 1 (Brown et al. 1993, Computational Linguistics 19(2))."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import Field

from store import LswError
from workbench.collections.bitexts import turned
from workbench.collections.budgets import Noise, part
from workbench.lexicons._lookup import units
from workbench.lexicons.base import Entry, Lexicon, Material, added_up, column_of
from workbench.registry import LOCAL
from workbench.talk import Progress, Summary
from workbench.varieties import variety

CELLS = 100_000_000
"""Pairs of a source and a target word of one text, over all texts, at most: some 9 GB of memory."""

Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]


class BitextLexicon(Lexicon):
    """`bitext` is `training queries`, the collection's own; a file with the source's text, tab, the target's
    (`texts.tsv#2,4` are its columns 2 and 4); two parallel files (`{source}.txt|{target}.txt`); or files by pair, as in
    `{ "ca-fr" = "texts.tsv" }`, read in either direction.

    A word's translations are those of probability `least` or more after so many `iterations`. Han text is read twice
    where both varieties are written so: characters with characters, and pairs of characters that stand side by side
    with such pairs. As one text they would share the probability of a word between its characters and its pairs, and
    few would come to `least`; and whichever is longer is looked up first.

    With a budget it is learnt from so many `pairs` of texts, or `words` of both sides, those with the smallest hashes
    by `seed`, so that more hold the fewer; `noise` is the share of these whose target is another's
    (`workbench.collections.budgets`).
    """

    bitext: Annotated[str | dict[str, str], LOCAL] = "training queries"
    iterations: Annotated[int, Field(gt=0, le=1_000)] = 6
    least: Annotated[float, Field(gt=0, le=1)] = 0.25
    pairs: Annotated[int, Field(gt=0)] | None = None
    words: Annotated[int, Field(gt=0)] | None = None
    noise: Noise = 0.0
    seed: int = 42

    def part_of(self, bitext: pa.Table) -> tuple[pa.Table, Summary]:
        if self.pairs is None and self.words is None and not self.noise:
            return bitext, {}
        table, counts = part(bitext, self.pairs, self.words, self.noise, self.seed)
        return table, dict(counts)

    def bitext_of(self, source: str, target: str) -> str:
        if isinstance(self.bitext, str):
            return self.bitext
        at, first = column_of(self.bitext, source, target, "the lexicon's bitext")
        return turned(at) if first else at

    def entries(self, of: Material) -> tuple[list[Entry], Summary]:
        found: list[Entry] = []
        summary: Summary = {"texts": len(of.bitext)}
        han = all(variety(code).words == "han" for code in (of.source, of.target))
        for cut in ("characters", "pairs") if han else ("words",):
            texts = [(units(source, cut), units(target, cut)) for source, target in of.bitext]
            some = model(texts, self.iterations, of.progress)
            found += some.entries(self.least)
            if some.log_likelihoods:
                summary[f"log_likelihood_of_{cut}"] = round(some.log_likelihoods[-1], 2)
        return added_up(found), summary

    def seconds(self, texts: int) -> float:
        return 0.2 + texts * 80 * self.iterations * 8e-8


@dataclass(frozen=True)
class Model:
    """Translation probabilities.

    Args:
        sources, targets: words, as numbers stand for them; the first source is the empty word.
        rows, columns: numbers of the source and the target of each probability (int64).
        t: probability of the target given the source (float64).
        log_likelihoods: of all texts before each iteration and after the last, natural logarithm.
    """

    sources: list[str]
    targets: list[str]
    rows: Numbers
    columns: Numbers
    t: Floats
    log_likelihoods: list[float]

    def entries(self, least: float) -> list[Entry]:
        """Those of a probability that is high enough; of the empty word none."""
        kept = np.flatnonzero((self.t >= least) & (self.rows > 0))
        return [
            (self.sources[row], self.targets[column], float(t))
            for row, column, t in zip(self.rows[kept], self.columns[kept], self.t[kept], strict=True)
        ]


def model(
    texts: Iterable[tuple[list[str], list[str]]],
    iterations: int,
    progress: Progress = lambda done, total: None,
) -> Model:
    """IBM model 1 by expectation maximisation (Brown et al. 1993, section 4.1), from equal probabilities.

    Each target word comes from one source word, or from the empty word, which stands in every text; all places are
    as likely. The likelihood of a text is the product over its target words of the mean of t over its source words.

    Args:
        texts: source and target words of each.
        iterations: of the EM algorithm.
        progress: told iterations done and to do.

    Raises:
        LswError: the texts are too many to be held.
    """
    source_of, target_of = {"": 0}, dict[str, int]()
    rows, columns, groups, sizes = list[Numbers](), list[Numbers](), list[Numbers](), list[Numbers]()
    cells = positions = 0
    for source, target in texts:
        heard = np.array([0, *(source_of.setdefault(word, len(source_of)) for word in source)], np.int64)
        said = np.array([target_of.setdefault(word, len(target_of)) for word in target], np.int64)
        rows.append(np.tile(heard, len(said)))
        columns.append(np.repeat(said, len(heard)))
        groups.append(np.repeat(np.arange(positions, positions + len(said)), len(heard)))
        sizes.append(np.full(len(said), len(heard)))
        positions += len(said)
        cells += len(heard) * len(said)
        if cells > CELLS:
            raise LswError(
                "The bitext is too large for IBM model 1.",
                f"More than {CELLS:,} pairs of words stand side by side.",
                "Take fewer or shorter texts, or align them elsewhere and name the words in a lexicon of files.",
            )
    if not positions:
        return Model(list(source_of), list(target_of), *(np.zeros(0, np.int64),) * 2, np.zeros(0), [])
    width = len(target_of)
    pairs, pair = np.unique(np.concatenate(rows) * width + np.concatenate(columns), return_inverse=True)
    del rows, columns
    group, size = np.concatenate(groups), np.concatenate(sizes)
    del groups
    row = pairs // width
    t = np.full(len(pairs), 1 / width)
    log_likelihoods = list[float]()
    for done in range(iterations + 1):
        among = np.bincount(group, t[pair], positions)
        log_likelihoods.append(float(np.log(among / size).sum()))
        if done == iterations:
            break
        counts = np.bincount(pair, t[pair] / among[group], len(pairs))
        t = counts / np.bincount(row, counts, len(source_of))[row]
        progress(done + 1, iterations)
    return Model(list(source_of), list(target_of), row, pairs % width, t, log_likelihoods)
