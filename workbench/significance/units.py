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
