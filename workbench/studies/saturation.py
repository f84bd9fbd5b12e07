"""The curve g(N) = G (1 - exp(-(N / N0)^k)): what is gained levels off at G, and N0 says how soon."""

from dataclasses import dataclass

import numpy as np

from workbench.significance.resampling import Values

SHAPES = 0.25, 4.0
"""Bounds of k."""
BEYOND = 10.0
"""N0 is sought from the smallest dose / 10 to the largest x 10: further out the curve is a step or a straight line."""
GRID, STEPS = (48, 17), 20
"""Places where the search begins (N0 x k), and the steps that follow from the best of them."""
CELLS = 4_000_000
"""Numbers in a block of the search: bounds memory."""
_TINY = 1e-140  # its square is a number too


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
    these two are sought, in their logarithms: from the best place of a grid by damped Gauss-Newton steps (Levenberg
    1944; the Jacobian as Kaufman 1975 simplifies it), none of which is taken that fits worse.

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
        """The best heights of curves, and what of their loss depends on N0 and k (curves, or curves x places).

        Args:
            risen: of each curve (curves x doses), or of the same places for all (places x 1 x doses).
        """
        along = ((some * weights) * risen).sum(axis=-1).T if risen.ndim == 2 else (some * weights) @ risen[:, 0].T
        square = (risen**2 * weights).sum(axis=-1).T
        best = np.clip(along / np.maximum(square, _TINY), -largest, largest)
        return best, best * (best * square - 2 * along)

    def of(some: Values) -> tuple[Values, Values]:
        """Height, and the logarithms of N0 and k (curves x 2)."""
        axes = [np.linspace(low[i], high[i], GRID[i] if high[i] > low[i] else 1) for i in range(2)]
        places = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 2)
        on_grid = _risen(doses, places[:, None, :1], np.exp(places[:, None, 1:]))
        best = places[height(on_grid, some)[1].argmin(axis=1)]
        heights, loss = height(_risen(doses, best[:, :1], np.exp(best[:, 1:])), some)
        damping = np.full(len(some), 0.01)
        for _ in range(STEPS):
            step = _step(doses, some, weights, heights, best, damping, (low, high))
            tried = np.clip(best + step, low, high)
            new, new_loss = height(_risen(doses, tried[:, :1], np.exp(tried[:, 1:])), some)
            better = new_loss < loss
            best[better], heights[better], loss[better] = tried[better], new[better], new_loss[better]
            damping *= np.where(better, 0.2, 5.0)
        return heights, best

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


def _step(
    doses: Values,
    some: Values,
    weights: Values,
    heights: Values,
    at: Values,
    damping: Values,
    bounds: tuple[Values, Values],
) -> Values:
    """A damped Gauss-Newton step of log N0 and log k (curves x 2); none across a bound."""
    shape = np.exp(at[:, 1:])
    exponent = shape * (np.log(doses) - at[:, :1])
    risen, slope = -np.expm1(-np.exp(exponent)), np.exp(exponent - np.exp(exponent))
    jacobian = (heights[:, None] * slope)[:, :, None] * np.stack(
        [np.broadcast_to(-shape, slope.shape), exponent], axis=-1
    )
    # What a change of height would do instead is not the step's to do.
    square = np.maximum((risen**2 * weights).sum(axis=1), _TINY)
    along = np.einsum("cd,d,cdp->cp", risen, weights, jacobian) / square[:, None]
    jacobian = jacobian - risen[:, :, None] * along[:, None]
    gradient = np.einsum("cdp,d,cd->cp", jacobian, weights, some - heights[:, None] * risen)
    low, high = bounds
    held = ((at <= low) & (gradient <= 0)) | ((at >= high) & (gradient >= 0))
    jacobian, gradient = np.where(held[:, None], 0.0, jacobian), np.where(held, 0.0, gradient)
    normal = np.einsum("cdp,d,cdq->cpq", jacobian, weights, jacobian)
    scale = np.einsum("cpp->cp", normal) * (1 + damping[:, None]) + _TINY
    determinant = scale[:, 0] * scale[:, 1] - normal[:, 0, 1] ** 2
    crossed = gradient * scale[:, ::-1] - gradient[:, ::-1] * normal[:, 0, 1:]
    step: Values = crossed / np.maximum(determinant, _TINY**2)[:, None]
    return step
