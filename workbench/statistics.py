"""Paired comparison of per-query values: tests, intervals, effect sizes, corrections.

Queries of one topic are one unit: signs are flipped, and units resampled, topic by topic. With one query a topic a
unit is a query.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
BOOTSTRAPS = 10_000
"""Resamples behind a confidence interval."""

_CHUNK = 20_000  # resamples at once: bounds memory, not the result
_EPSILON = 1e-9  # two sums of the same numbers in another order may differ by this share


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

    def sums(self, differences: Values) -> Values:
        """Sum of differences (n x comparisons) within each unit (units x comparisons)."""
        out = np.zeros((len(self.sizes), differences.shape[1]))
        np.add.at(out, self.index, differences)
        return out


def randomisation(sums: Values, resamples: int, seed: int) -> tuple[Values, int]:
    """Two-sided paired randomisation test of a zero mean, for many comparisons under the same sign flips.

    Under the null hypothesis the sign of a unit's difference is a coin flip (Fisher 1935; Smucker, Allan and
    Carterette, CIKM 2007). All 2^u flips are made when they are no more than `resamples`, and p is their share that
    is at least as far from zero; otherwise `resamples` random ones, and p = (count + 1) / (resamples + 1).

    Args:
        sums: sum of differences within each unit (units x comparisons).
        resamples: random flips.
        seed: of the flips; the same seed gives the same p, on any number of threads.

    Returns:
        p of each comparison, and the number of flips made.
    """
    units = len(sums)
    observed = np.abs(sums.sum(axis=0))
    bound = observed - _EPSILON * (np.abs(sums).sum(axis=0) + _EPSILON)
    exact = units < 63 and 2**units <= resamples
    total = 2**units if exact else resamples
    rng = np.random.default_rng(seed)
    count = np.zeros(sums.shape[1], dtype=np.int64)
    for start in range(0, total, _CHUNK):
        size = min(_CHUNK, total - start)
        if exact:
            numbers = np.arange(start, start + size, dtype=np.int64)[:, None]
            bits = (numbers >> np.arange(units)) & 1
        else:
            bits = rng.integers(0, 2, size=(size, units), dtype=np.int8)
        signs = bits.astype(np.float64) * 2 - 1
        count += (np.abs(signs @ sums) >= bound).sum(axis=0)
    return (count / total if exact else (count + 1) / (total + 1)), total


def bootstrap(sums: Values, sizes: Values, confidence: float, seed: int) -> tuple[Values, Values]:
    """Percentile interval of the mean difference, resampling whole units (Efron 1979; Sakai, SIGIR 2006).

    Args:
        sums: sum of differences within each unit (units x comparisons).
        sizes: queries of each unit.
        confidence: such as 0.95.
        seed: of the resampling.

    Returns:
        lower and upper bound of each comparison.
    """
    rng = np.random.default_rng(seed)
    units = len(sums)
    weights = rng.multinomial(units, np.full(units, 1 / units), size=BOOTSTRAPS).astype(np.float64)
    means = (weights @ sums) / (weights @ sizes)[:, None]
    tail = (1 - confidence) / 2
    low, high = np.quantile(means, [tail, 1 - tail], axis=0)
    return low, high


def effect_size(unit_means: Values) -> Values:
    """d_z, the mean of the units' differences over their standard deviation (Cohen 1988); nan if they do not vary."""
    deviation = unit_means.std(axis=0, ddof=1) if len(unit_means) > 1 else np.zeros(unit_means.shape[1])
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(deviation > 0, unit_means.mean(axis=0) / deviation, np.nan)


def p_values(test: str, sums: Values, sizes: Values, resamples: int, seed: int) -> tuple[Values, int]:
    """p of each comparison by `randomisation`, paired `t` or `wilcoxon`, and the resamples made (0 if none).

    `t` and `wilcoxon` (scipy's, zeros dropped) take the mean difference of each unit.
    """
    if test == "randomisation":
        return randomisation(sums, resamples, seed)
    from scipy import stats

    means = sums / sizes[:, None]
    out = np.ones(sums.shape[1])
    for column in range(sums.shape[1]):
        d = means[:, column]
        if not d.any() or len(d) < 2:
            continue  # nothing differs: p = 1
        if test == "t":
            out[column] = stats.ttest_1samp(d, 0).pvalue if d.std() > 0 else 0.0
        else:
            out[column] = stats.wilcoxon(d).pvalue
    # Underflow is not certainty: a p-value is never 0.
    return np.maximum(out, np.finfo(np.float64).tiny), 0


def corrected(p: Values, method: str) -> Values:
    """p-values adjusted over their family.

    Args:
        p: of every comparison in the family.
        method: `holm` (Holm 1979), `bonferroni`, `bh` (Benjamini and Hochberg 1995) or `none`.
    """
    n = len(p)
    if method == "none" or n == 0:
        return p
    if method == "bonferroni":
        return np.minimum(p * n, 1)
    order = np.argsort(p)
    out = np.empty(n)
    if method == "holm":
        out[order] = np.minimum(np.maximum.accumulate(p[order] * (n - np.arange(n))), 1)
    else:
        scaled = p[order] * n / np.arange(1, n + 1)
        out[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1)
    return out


@dataclass(frozen=True)
class Comparisons:
    """Results for each of the given comparisons, in their order; arrays of one length."""

    delta: Values
    low: Values
    high: Values
    effect_size: Values
    p: Values
    p_corrected: Values
    wins: NDArray[np.int64]
    ties: NDArray[np.int64]
    losses: NDArray[np.int64]
    n: int
    n_units: int
    resamples: int


def compare(
    differences: Values,
    topics: list[str],
    test: str = "randomisation",
    correction: str = "holm",
    resamples: int = 100_000,
    confidence: float = 0.95,
    seed: int = 42,
) -> Comparisons:
    """Everything about a family of paired comparisons.

    Args:
        differences: per query (queries x comparisons); the columns are one family for the correction.
        topics: the topic of each query.
        test, correction, resamples, confidence, seed: as in a recipe's [comparison].
    """
    units = Units.of(topics)
    sums = units.sums(differences)
    p, made = p_values(test, sums, units.sizes, resamples, seed)
    low, high = bootstrap(sums, units.sizes, confidence, seed)
    return Comparisons(
        delta=differences.mean(axis=0),
        low=low,
        high=high,
        effect_size=effect_size(sums / units.sizes[:, None]),
        p=p,
        p_corrected=corrected(p, correction),
        wins=(differences > 0).sum(axis=0),
        ties=(differences == 0).sum(axis=0),
        losses=(differences < 0).sum(axis=0),
        n=len(differences),
        n_units=len(units.sizes),
        resamples=made,
    )
