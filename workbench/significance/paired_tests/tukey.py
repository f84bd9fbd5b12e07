"""The randomised Tukey HSD test (Carterette, TOIS 2012, algorithm 1)."""

from typing import ClassVar

import numpy as np

from store import LswError
from workbench.significance.paired_tests.base import Paired, Test
from workbench.significance.resampling import Progress, Values, flips, orders


class Tukey(Test):
    """Every pair of a family's runs at once; the family-wise error of all pairs is in the p-values."""

    title: ClassVar[str] = "randomised Tukey HSD"
    family_wise: ClassVar[bool] = True

    def p_values(self, paired: Paired) -> tuple[Values, int]:
        weights = paired.weights
        pairs = weights is not None and (np.sort(weights, axis=0)[[0, -1]].T == (-1, 1)).all()
        if weights is None or not pairs or (np.abs(weights).sum(axis=0) != 2).any():
            raise LswError(
                "Tukey's test compares pairs of runs; a closure is made of four.", cure="Choose another: --test t."
            )
        p = np.ones(weights.shape[1])
        for family in np.unique(paired.families):
            columns = np.flatnonzero(paired.families == family)
            runs = np.flatnonzero(weights[:, columns].any(axis=1))
            every = all_pairs(paired.sums[:, runs], paired.resamples, paired.seed, paired.progress)
            place = {int(run): i for i, run in enumerate(runs)}
            for column in columns:
                plus, minus = (place[int(np.flatnonzero(weights[:, column] == sign)[0])] for sign in (1, -1))
                p[column] = every[plus, minus]
        return p, paired.resamples


def all_pairs(sums: Values, resamples: int, seed: int, progress: Progress | None = None) -> Values:
    """Randomised Tukey HSD test of every pair of systems; the family-wise error of all pairs is in the p-values.

    Under the null hypothesis a unit's values could belong to any of the systems. Each pair's difference is held
    against the largest difference of any pair in each shuffle (Carterette, TOIS 2012, algorithm 1).

    Args:
        sums: within each unit and system (units x systems); the systems of one unit are shuffled together.
        resamples, seed, progress: of the shuffles.

    Returns:
        p of each pair (systems x systems), (count + 1) / (resamples + 1).
    """
    if sums.shape[1] == 2:  # to swap two systems is to flip the sign of their difference
        [swapped], _ = flips(sums[:, :1] - sums[:, 1:], None, resamples, seed, progress)
        return np.array([[1.0, swapped], [swapped, 1.0]])
    ranges = np.sort(orders(sums, resamples, seed, progress))
    total = sums.sum(axis=0)
    distance = np.abs(total[:, None] - total)
    near = 1e-9 * max(1.0, float(np.abs(sums).sum()))
    p: Values = (resamples - np.searchsorted(ranges, distance - near) + 1) / (resamples + 1)
    return p
