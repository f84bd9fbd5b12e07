"""The smallest dose that helps, and the smallest after which more does not: rules over a row of doses.

Doses are in ascending order everywhere. Both rules go down from the largest and stop at the first that fails: a fixed
sequence of hypotheses needs no correction (Maurer, Hothorn and Lehmacher 1995; Dmitrienko and Tamhane 2007).
"""

import numpy as np
from numpy.typing import NDArray

from workbench.comparison.paired import Mask
from workbench.significance.resampling import Values

SEQUENCE = "fixed sequence"
"""What stands for a correction where doses are tested from the largest down to the first that fails."""
Positions = NDArray[np.int64]
"""Of doses in their row; -1 is none."""


def unbroken(passed: Mask) -> Mask:
    """Whether a dose and all larger ones passed (... x doses)."""
    out: Mask = np.logical_and.accumulate(passed[..., ::-1], axis=-1)[..., ::-1]
    return out


def first(passed: Mask) -> Positions:
    """Position of the first that passed along the last axis; -1 where none did."""
    at: Positions = np.where(passed.any(axis=-1), passed.argmax(axis=-1), -1)
    return at


def in_sequence(p: Values) -> Values:
    """p-values adjusted for their sequence, largest dose first: the largest of a dose and all above it (doses)."""
    adjusted: Values = np.maximum.accumulate(p[::-1])[::-1]
    return adjusted


def effective(significant: Mask, gains: Values, smallest: float) -> Positions:
    """The minimum effective dose: the smallest in the sequence of significant gains that is worth having; -1: none.

    Args:
        significant: whether each gain is above 0 and significant by itself (... x doses).
        gains: (... x doses).
        smallest: that is worth having.
    """
    return first(unbroken(significant) & (gains >= smallest))


def effective_bounds(low: Values, high: Values, smallest: float) -> tuple[int, int]:
    """Between which doses the smallest lies whose true gain is worth having, if gains do not fall with the dose.

    By inversion: doses are left out below whose gain, by its interval, is smaller, and above the smallest in sequence
    whose gain is larger. Each side errs only if the one interval of the true dose (or of the one below it) does.

    Args:
        low, high: bounds of the gain at each dose (doses).
        smallest: that is worth having.

    Returns:
        their positions; the first is the number of doses if all are left out, the second -1 if none surely does.
    """
    from_below = int(first(high >= smallest))
    return (from_below if from_below >= 0 else len(low)), int(first(unbroken(low >= smallest)))


def plateau(upper: Values, start: Positions, smallest: float) -> Positions:
    """The smallest dose, from the minimum effective one on, from which on none falls short of the largest by what is
    worth having; -1: none below the largest, or no effective dose to begin with.

    Args:
        upper: bound of what the largest dose gains beyond each smaller one (... x doses but the largest).
        start: position of the minimum effective dose; -1: there is none (...).
        smallest: that is worth having.
    """
    from_start = np.arange(upper.shape[-1]) >= np.asarray(start)[..., None]
    found = first(unbroken(upper < smallest) & from_start)
    return np.where(np.asarray(start) >= 0, found, -1)


def shares(positions: Positions, doses: list[float]) -> dict[str, float]:
    """How large a share of resamples gave each dose, those that gave one; and "not reached"."""
    named = [f"{dose:g}" for dose in doses]
    found = {name: float((positions == i).mean()) for i, name in enumerate(named) if (positions == i).any()}
    missed = float((positions < 0).mean())
    return found | ({"not reached": missed} if missed else {})
