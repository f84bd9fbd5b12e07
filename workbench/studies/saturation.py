"""The curve g(N) = G (1 - exp(-(N / N0)^k)): what is gained levels off at G, and N0 says how soon."""

from dataclasses import dataclass

import numpy as np

from workbench.significance.resampling import Values

SHAPES = 0.25, 4.0
"""Bounds of k."""
BEYOND = 10.0
"""N0 is sought from the smallest dose / 10 to the largest x 10: further out the curve is a step or a straight line."""
GRID, STEPS, FINE = (48, 17), 16, 5
"""Places of the first search (N0 x k), how many narrower ones follow, and the places of each on an axis."""
CELLS = 4_000_000
"""Numbers in a block of the search: bounds memory."""


@dataclass(frozen=True)
class Saturation:
    """Fitted curves, an array each of one length. `shape_given`: k was not sought.

    `least` and `most` are the bounds of N0, `largest` is that of the height, up or down.
    """

    height: Values
    scale: Values
    shape: Values
    least: float
    most: float
    largest: float
    shape_given: bool

    def at(self, doses: Values) -> Values:
        """The curves at doses (curves x doses)."""
        return self.height[:, None] * _risen(doses, np.log(self.scale)[:, None], self.shape[:, None])

    @property
    def bound(self) -> dict[str, Values]:
        """Of each curve -1, 0, 1: whether a parameter lies at its lower bound, at none, at its upper one."""

        def side(values: Values, low: float, high: float) -> Values:
            near = 1e-3 * np.log(high / low)
            out: Values = np.where(np.log(values / low) < near, -1.0, np.where(np.log(high / values) < near, 1.0, 0.0))
            return out

        shape = np.zeros(len(self.shape)) if self.shape_given else side(self.shape, *SHAPES)
        height = np.where(np.abs(self.height) >= self.largest, np.sign(self.height), 0.0)
        return {"G": height, "N0": side(self.scale, self.least, self.most), "k": shape}


def _risen(doses: Values, log_scale: Values, shape: Values) -> Values:
    """The share of the height that is reached: 1 - exp(-(N / N0)^k), 0 at 0."""
    with np.errstate(divide="ignore"):
        log_dose = np.log(doses)
    return -np.expm1(-np.exp(shape * (log_dose - log_scale)))


def fitted(
    doses: Values, gains: Values, weights: Values, shape: float | None = None, largest: float = 1.0
) -> Saturation:
    """Curves by weighted least squares within bounds; many at once.

    The height that fits best is known once N0 and k are (variable projection: Golub and Pereyra 1973), so that only
    these two are sought: on a grid in their logarithms, then on narrower ones about each curve's best place.

    Args:
        doses: above 0, three at least, or two if `shape` is given (doses).
        gains: (curves x doses).
        weights: of the doses, in proportion to 1 / variance (doses).
        shape: k, if it is not to be sought.
        largest: height, up or down.

    Raises:
        ValueError: too few doses.
    """
    if len(doses) < (3 if shape is None else 2) or (doses <= 0).any():
        raise ValueError("Too few doses above 0 for so many parameters.")
    least, most = float(doses.min()) / BEYOND, float(doses.max()) * BEYOND
    low = np.log([least, SHAPES[0] if shape is None else shape])
    high = np.log([most, SHAPES[1] if shape is None else shape])

    def height(risen: Values, some: Values) -> tuple[Values, Values]:
        """The best height for each curve and place (curves x places), and what of the loss depends on the place."""
        along = (some * weights) @ risen.T if risen.ndim == 2 else np.einsum("cd,cpd->cp", some * weights, risen)
        square = (risen**2 * weights).sum(axis=-1)  # of each place, for all curves or for each
        with np.errstate(divide="ignore", invalid="ignore"):
            best = np.clip(np.nan_to_num(along / square), -largest, largest)
        return best, best * (best * square - 2 * along)

    def of(some: Values) -> tuple[Values, Values]:
        """Height, and the logarithms of N0 and k (curves x 2)."""
        axes = [np.linspace(low[i], high[i], GRID[i] if high[i] > low[i] else 1) for i in range(2)]
        places = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 2)
        risen = _risen(doses, places[:, :1], np.exp(places[:, 1:]))
        best = places[height(risen, some)[1].argmin(axis=1)]
        step = np.tile([(high[i] - low[i]) / (GRID[i] - 1) for i in range(2)], (len(some), 1, 1))
        offsets = np.linspace(-1, 1, FINE)
        around = np.stack(np.meshgrid(offsets, offsets if shape is None else [0.0], indexing="ij"), axis=-1)
        around = around.reshape(-1, 2)
        for _ in range(STEPS):
            near = np.clip(best[:, None] + around * step, low, high)
            risen = _risen(doses, near[..., :1], np.exp(near[..., 1:]))
            heights, loss = height(risen, some)
            chosen = loss.argmin(axis=1)
            best = near[np.arange(len(some)), chosen]
            # Narrower where the best lies within; where it lies at the rim a valley goes on.
            within = (np.abs(around[chosen]) < 1).all(axis=1) if shape is None else np.abs(around[chosen, 0]) < 1
            step[within] /= 3
        return heights[np.arange(len(some)), chosen], best

    at_once = max(1, CELLS // (GRID[0] * GRID[1] * len(doses)))
    parts = [of(gains[start : start + at_once]) for start in range(0, len(gains), at_once)]
    found = np.concatenate([best for _, best in parts])
    return Saturation(
        np.concatenate([heights for heights, _ in parts]),
        np.exp(found[:, 0]),
        np.exp(found[:, 1]),
        least,
        most,
        largest,
        shape is not None,
    )
