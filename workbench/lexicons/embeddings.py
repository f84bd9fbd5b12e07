"""Nearest neighbours between aligned word vectors (MUSE's `wiki.multi.*.vec`, fastText's aligned `.vec` files)."""

from pathlib import Path
from typing import Annotated, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from store import LswError
from workbench.collections.formats import fault, raw_lines
from workbench.lexicons._lookup import key_of
from workbench.lexicons.base import Entry, Lexicon, Material
from workbench.registry import LOCAL
from workbench.talk import Progress, Summary

BLOCK = 2_048
"""Words compared at once."""

Floats = NDArray[np.float32]


class Embeddings(Lexicon):
    """`vectors` are files by variety, in one space, as in `{ fr = "wiki.multi.fr.vec", ca = "wiki.multi.ca.vec" }`; of
    each the first `most` words are read, which are the most frequent.

    `csls` corrects for words that are near to all (Conneau et al. 2018, arXiv 1710.04087, eq. 3), over `neighbours`;
    without it the nearest is that of the largest dot product, as Litschko et al. (2023) published it.
    """

    vectors: Annotated[dict[str, str], Field(min_length=2), LOCAL]
    most: Annotated[int, Field(gt=0)] = 200_000
    csls: bool = True
    neighbours: Annotated[int, Field(gt=0)] = 10

    size: ClassVar[int] = 620_000_000

    def places(self, source: str, target: str) -> dict[str, str]:
        for code in (source, target):
            if code not in self.vectors:
                raise LswError(
                    f"No word vectors of '{code}' are named.",
                    f"Named are: {', '.join(self.vectors)}.",
                    f'Add {code} = "FILE" to the lexicon\'s vectors.',
                )
        return {"source": self.vectors[source], "target": self.vectors[target]}

    def entries(self, of: Material) -> tuple[list[Entry], Summary]:
        here, ours = read_vectors(of.files["source"], self.most)
        there, theirs = read_vectors(of.files["target"], self.most)
        if ours.shape[1] != theirs.shape[1]:
            raise LswError(
                f"The word vectors have {ours.shape[1]} and {theirs.shape[1]} dimensions.",
                f"{of.files['source']}, {of.files['target']}",
                "Take vectors that were aligned to one another.",
            )
        near, scores = nearest_words(ours, theirs, self.neighbours if self.csls else 0, of.progress)
        keys: dict[str, Entry] = {}
        for word, other, score in zip(here, near, scores, strict=True):
            key = key_of(word)
            if key and " " not in key:  # the first is the most frequent
                keys.setdefault(key, (key, there[other], float(score)))
        return sorted(keys.values()), {"words": len(here), "target_words": len(there)}

    def seconds(self, texts: int) -> float:
        # 300 dimensions, three products of all words with all, 50 billion multiplications a second
        return 20 + (3 if self.csls else 1) * self.most**2 * 300 / 5e10


def read_vectors(path: Path, most: int) -> tuple[list[str], Floats]:
    """Words and their vectors (words x dimensions, float32) of a text file: a line `words dimensions`, then each word
    and its numbers.

    Raises:
        LswError: another first line, a line of another length, no numbers; no words.
    """
    lines = raw_lines(path)
    _, head = next(lines, (0, b""))
    try:
        count, dimensions = map(int, head.split())
    except ValueError:
        cure = "The first line of a .vec file is `words dimensions`."
        raise fault(path, 1, "This is no file of word vectors.", cure) from None
    words: list[str] = []
    rows = np.empty((max(0, min(count, most)), max(1, dimensions)), np.float32)
    for number, line in lines:
        if len(words) == len(rows):
            break
        word, *numbers = line.decode("utf-8", "replace").rstrip().rsplit(" ", dimensions)
        if len(numbers) != dimensions:
            raise fault(path, number, f"{len(numbers)} numbers; {dimensions} expected.", "Download the file again.")
        try:
            rows[len(words)] = np.array(numbers, np.float32)
        except ValueError:
            raise fault(path, number, "Not all of these are numbers.", "Download the file again.") from None
        words.append(word)
    if not words or not np.isfinite(rows[: len(words)]).all():
        raise LswError(
            "The file of word vectors has " + ("numbers that are not finite." if words else "no words."), str(path)
        )
    return words, rows[: len(words)]


def nearest_words(
    ours: Floats, theirs: Floats, neighbours: int, progress: Progress = lambda done, total: None
) -> tuple[NDArray[np.int64], Floats]:
    """The nearest of `theirs` to each of `ours` (float32, words x dimensions).

    With `neighbours` k > 0 by CSLS(x, y) = 2 cos(x, y) - r(x) - r(y), where r is the mean cosine of a word to its k
    nearest words on the other side (Conneau et al. 2018, eq. 3); with 0 by the dot product of the vectors as they are.

    Returns:
        row of the nearest (int64; of equal ones the first), and its score (float32).
    """
    to_do = len(ours) * (2 if neighbours else 1) + (len(theirs) if neighbours else 0)
    done = 0
    crowded: Any = 0.0
    sparse: Any = np.zeros(len(ours), np.float32)
    if neighbours:
        ours, theirs = _unit(ours), _unit(theirs)
        crowded = np.empty(len(theirs), np.float32)
        for a, b, means in ((theirs, ours, crowded), (ours, theirs, sparse)):
            k = min(neighbours, len(b))
            for start in range(0, len(a), BLOCK):
                like = a[start : start + BLOCK] @ b.T
                means[start : start + BLOCK] = np.partition(like, len(b) - k, axis=1)[:, len(b) - k :].mean(axis=1)
                progress(done := done + len(like), to_do)
    near, scores = np.empty(len(ours), np.int64), np.empty(len(ours), np.float32)
    for start in range(0, len(ours), BLOCK):
        like = ours[start : start + BLOCK] @ theirs.T
        if neighbours:
            like = 2 * like - crowded
        best = like.argmax(axis=1)
        near[start : start + BLOCK] = best
        scores[start : start + BLOCK] = like[np.arange(len(like)), best] - sparse[start : start + BLOCK]
        progress(done := done + len(like), to_do)
    return near, scores


def _unit(vectors: Floats) -> Floats:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.where(lengths > 0, lengths, 1)).astype(np.float32)
