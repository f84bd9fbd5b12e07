"""Words that occur in the same parallel passages: cross-language latent semantic indexing (Dumais et al. 1997)."""

from collections import Counter
from typing import Annotated, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from store import LswError
from workbench.lexicons._lookup import units
from workbench.lexicons.base import Entry, Lexicon, Material
from workbench.talk import Summary

BLOCK = 4_096
"""Words compared at once."""

Floats = NDArray[np.float64]


class Documents(Lexicon):
    """Words x passages of both varieties, weighted tf-idf, reduced to so many `dimensions` (singular value
    decomposition); entries are mutual nearest neighbours by cosine, their score. Words of fewer than `least` passages
    are left out: one passage says nothing of which of its words belong together.
    """

    dimensions: Annotated[int, Field(gt=0, le=2_000)] = 200
    least: Annotated[int, Field(gt=0)] = 2

    parallel_passages: ClassVar[bool] = True

    def entries(self, of: Material) -> tuple[list[Entry], Summary]:
        ours, theirs = of.passages
        shared = sorted(ours.keys() & theirs.keys())
        if len(shared) < 2:
            raise LswError(
                f"{len(shared)} training passages are there in both {of.source} and {of.target}.",
                cure="A lexicon of documents needs a collection whose passages are parallel: name another lexicon.",
            )
        here, left = weighted([units(ours[docno]) for docno in shared], self.least)
        there, right = weighted([units(theirs[docno]) for docno in shared], self.least)
        found = [
            (here[i], there[j], score) for i, j, score in mutual(*reduced(left, right, self.dimensions)) if score > 0
        ]
        return sorted(found), {"passages": len(shared), "words": len(here), "target_words": len(there)}


def weighted(texts: list[list[str]], least: int) -> tuple[list[str], Any]:
    """Words, and their weights in each text: (1 + ln tf) ln(n / df), each text of length 1.

    Returns:
        words of `least` texts or more in the order of letters; a scipy sparse array (words x texts, float64).
    """
    from scipy.sparse import csr_array

    counts = [Counter(text) for text in texts]
    frequency = Counter(word for count in counts for word in count)
    words = sorted(word for word, n in frequency.items() if n >= least)
    number = {word: i for i, word in enumerate(words)}
    rows, columns, values = list[int](), list[int](), list[float]()
    for column, count in enumerate(counts):
        some = [(number[word], n) for word, n in sorted(count.items()) if word in number]
        weights = [(1 + np.log(n)) * np.log(len(texts) / frequency[words[row]]) for row, n in some]
        length = float(np.linalg.norm(weights)) or 1.0
        rows += [row for row, _ in some]
        columns += [column] * len(some)
        values += [float(weight) / length for weight in weights]
    return words, csr_array((values, (rows, columns)), shape=(len(words), len(texts)))


def reduced(left: Any, right: Any, dimensions: int) -> tuple[Floats, Floats]:
    """Words of both sides in the space of the passages' largest singular vectors (words x dimensions, float64).

    The singular vectors U S of the left matrix over the right one (Dumais et al. 1997: each passage is one with its
    translation). A sparse solver needs fewer dimensions than the smaller side has; else the whole is decomposed.
    """
    from scipy.sparse import vstack
    from scipy.sparse.linalg import svds

    whole = vstack([left, right]).tocsr()
    if dimensions < min(whole.shape) - 1:
        u, s, _ = svds(whole, k=dimensions, v0=np.ones(min(whole.shape)), solver="arpack")
    else:
        u, s, _ = np.linalg.svd(whole.toarray(), full_matrices=False)
    vectors = u * s
    return vectors[: left.shape[0]], vectors[left.shape[0] :]


def mutual(left: Floats, right: Floats) -> list[tuple[int, int, float]]:
    """Rows of both sides that are each other's nearest by cosine, and that cosine; of equal ones the first."""
    left, right = (side / np.maximum(np.linalg.norm(side, axis=1, keepdims=True), 1e-12) for side in (left, right))
    there, scores = _nearest(left, right)
    back, _ = _nearest(right, left)
    return [(i, int(j), float(scores[i])) for i, j in enumerate(there) if back[j] == i]


def _nearest(some: Floats, others: Floats) -> tuple[NDArray[np.int64], Floats]:
    near, scores = np.zeros(len(some), np.int64), np.zeros(len(some))
    if not len(others):
        return near, scores
    for start in range(0, len(some), BLOCK):
        like = some[start : start + BLOCK] @ others.T
        near[start : start + BLOCK] = like.argmax(axis=1)
        scores[start : start + BLOCK] = like.max(axis=1)
    return near, scores
