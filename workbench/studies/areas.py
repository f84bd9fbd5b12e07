"""Weights that make an area under a curve, a slope, or a value between two points of the values at some points."""

import numpy as np

from workbench.significance.resampling import Values


def area(at: Values) -> Values:
    """Weights of the trapezoid rule over ascending places, normalised: an area of equal values is that value.

    Args:
        at: two places at least (places).
    """
    widths = np.diff(at)
    weights = np.zeros(len(at))
    weights[:-1] += widths / 2
    weights[1:] += widths / 2
    normalised: Values = weights / (at[-1] - at[0])
    return normalised


def slope(at: Values) -> Values:
    """Weights of the least-squares slope of a line over places, two different ones at least (places)."""
    about = at - at.mean()
    weights: Values = about / (about**2).sum()
    return weights


def between(at: Values, wanted: Values) -> Values:
    """Weights of straight lines between places (wanted x places).

    Args:
        at: ascending places.
        wanted: places within them.
    """
    return np.column_stack([np.interp(wanted, at, unit) for unit in np.eye(len(at))])
