"""The bias-corrected and accelerated bootstrap (Efron 1987, equation 2.3)."""

from typing import ClassVar

import numpy as np

from workbench.significance.intervals.base import Interval
from workbench.significance.resampling import Values


class BCa(Interval):
    """Quantiles of the bootstrap means, moved for bias and skew."""

    title: ClassVar[str] = "BCa bootstrap"

    def bounds(self, means: Values, sums: Values, sizes: Values, tail: float) -> tuple[Values, Values]:
        from scipy.special import ndtr, ndtri

        total, n = sums.sum(axis=0), sizes.sum()
        observed = total / n
        near = 1e-12
        below = ((means < observed - near).mean(axis=0) + (means <= observed + near).mean(axis=0)) / 2
        left_out = (total - sums) / (n - sizes)[:, None] if len(sizes) > 1 else np.broadcast_to(observed, sums.shape)
        off = left_out.mean(axis=0) - left_out
        with np.errstate(divide="ignore", invalid="ignore"):
            acceleration = np.nan_to_num((off**3).sum(axis=0) / (6 * (off**2).sum(axis=0) ** 1.5))
            bias = ndtri(below)
            bounds = []
            for z in (ndtri(tail), ndtri(1 - tail)):
                at = ndtr(bias + (bias + z) / (1 - acceleration * (bias + z)))
                bounds.append(
                    [np.quantile(means[:, i], q) if np.isfinite(q) else observed[i] for i, q in enumerate(at)]
                )
        return np.array(bounds[0]), np.array(bounds[1])
