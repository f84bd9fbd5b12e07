"""Queries that belong together: those of one topic are one unit, flipped, shuffled and resampled as one."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workbench.significance.resampling import Values


@dataclass(frozen=True)
class Units:
    """How n queries fall into units: `index` (n, int) numbers the unit of each query, `sizes` (units) counts them."""

    index: NDArray[np.int64]
    sizes: Values

    @classmethod
    def of(cls, topics: list[str]) -> "Units":
        """Units from the topic of each query, in order of appearance."""
        numbers = {topic: i for i, topic in enumerate(dict.fromkeys(topics))}
        index = np.array([numbers[t] for t in topics], dtype=np.int64)
        return cls(index, np.bincount(index, minlength=len(numbers)).astype(np.float64))

    def sums(self, values: Values) -> Values:
        """Sum of values (n x columns) within each unit (units x columns)."""
        out = np.zeros((len(self.sizes), values.shape[1]))
        np.add.at(out, self.index, values)
        return out


def spread(sums: Values, sizes: Values) -> Values:
    """Standard deviation of the units about the mean over queries; nan for a single unit.

    Of unit totals over the mean size, as for a ratio of sums (Cochran 1977, section 6.4); where all units are of one
    size, that of the units' means.

    Args:
        sums: of differences within each unit (units x comparisons).
        sizes: queries of each unit.
    """
    if len(sizes) < 2:
        return np.full(sums.shape[1], np.nan)
    about = (sums - sizes[:, None] * sums.sum(axis=0) / sizes.sum()) / sizes.mean()
    deviation: Values = about.std(axis=0, ddof=1)
    # What is left of equal units is rounding, not spread.
    return np.where(deviation > 1e-9 * np.abs(sums).max(axis=0, initial=0), deviation, 0.0)
