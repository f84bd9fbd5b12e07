"""Whether a text and its other wording lie near each other, and nearer than any two texts do."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from store import LswError
from workbench.inspection.cka import Values, Vectors, same_texts

AT_ONCE = 1_024
"""Texts compared with all others at once: bounds memory, not the result."""


@dataclass(frozen=True)
class Aligned:
    """Of each text (texts): `margin`, its cosine with its other wording minus the mean of those with the wordings of
    other topics; `there` and `back`, 1 where its other wording is the nearest of all (Acc@1), from either side."""

    margin: Values
    there: Values
    back: Values


def aligned(x: Vectors, y: Vectors, topics: list[str], topics_of_y: list[str] | None = None) -> Aligned:
    """How parallel texts lie to each other.

    The mean over texts of other topics is that over all of them, not over a draw. Of two that are equally near none is
    the nearest.

    Args:
        x, y: (texts x dimensions), a row of each for the two wordings of a text.
        topics: of the texts of x, and of those of y if these are not told.
        topics_of_y: of the texts of y.

    Raises:
        LswError: other numbers of texts, other topics, fewer than two of them, or a vector of zeros.
    """
    same_texts(x, y)
    if topics_of_y is not None and topics_of_y != topics:
        at = next(i for i, pair in enumerate(zip(topics, topics_of_y, strict=True)) if pair[0] != pair[1])
        raise LswError(
            f"Text {at + 1} is of the topic '{topics[at]}' on one side and of '{topics_of_y[at]}' on the other.",
            cure="Give the same texts to both, in one order.",
        )
    numbers = np.unique(topics, return_inverse=True)[1]
    if len(set(topics)) < 2:
        raise LswError("Parallel texts of one topic have no others to be held against.", cure="Give two topics.")
    first, second = _unit(x), _unit(y)
    margin, there, back = (np.empty(len(first)) for _ in range(3))
    for start in range(0, len(first), AT_ONCE):
        rows = slice(start, start + AT_ONCE)
        cosines, other = first[rows] @ second.T, second[rows] @ first.T
        apart = numbers[rows, None] != numbers[None, :]
        own = np.arange(len(cosines)), np.arange(start, start + len(cosines))
        parallel = cosines[own]
        margin[rows] = parallel - (cosines * apart).sum(axis=1) / apart.sum(axis=1)
        there[rows], back[rows] = _nearest(cosines, own), _nearest(other, own)
    return Aligned(margin, there, back)


def _nearest(cosines: Values, own: tuple[NDArray[np.int64], NDArray[np.int64]]) -> NDArray[np.bool_]:
    """Where the own wording is nearer than every other."""
    mine = cosines[own].copy()
    others = cosines.copy()
    others[own] = -np.inf
    nearer: NDArray[np.bool_] = mine > others.max(axis=1)
    return nearer


def _unit(vectors: Vectors) -> Values:
    values = np.asarray(vectors, np.float64)
    norms = np.linalg.norm(values, axis=1, keepdims=True)
    if not norms.all():
        raise LswError(f"The vector of text {int(np.flatnonzero(norms == 0)[0]) + 1} is 0.", cure="Is the text empty?")
    unit: Values = values / norms
    return unit
