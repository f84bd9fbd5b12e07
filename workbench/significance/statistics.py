"""Paired comparison of per-query values: tests, intervals, effect sizes, corrections, power.

Queries of one topic are one unit: signs are flipped, and units resampled, topic by topic. With one query a topic a
unit is a query.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.significance.resampling import Progress, Values, draws, flips, orders

TESTS = ("randomisation", "t", "wilcoxon")
CORRECTIONS = ("holm", "bonferroni", "bh", "none")
INTERVALS = ("percentile", "bca")
BOOTSTRAPS = 10_000
"""Resamples behind a confidence interval."""
ALPHA, POWER = 0.05, 0.8
"""Of what is called significant, and of the smallest difference that could have been detected."""

_CELLS = 8_000_000  # bootstrap means at once: bounds memory, not the result
_DIGITS = 12  # differences closer than this are equal: 0.1 + 0.2 is 0.3


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


def intervals(
    sums: Values, sizes: Values, confidence: float, method: str, seed: int, resamples: int = BOOTSTRAPS
) -> tuple[Values, Values]:
    """Bootstrap interval of the mean difference, resampling whole units.

    Args:
        sums: sum of differences within each unit (units x comparisons).
        sizes: queries of each unit.
        confidence: such as 0.95.
        method: `percentile` (Efron 1979), or `bca`, bias-corrected and accelerated (Efron 1987, equation 2.3).
        seed: of the resampling.
        resamples: bootstrap samples.

    Returns:
        lower and upper bound of each comparison.
    """
    at_once = max(1, _CELLS // resamples)
    if sums.shape[1] > at_once:  # to bound memory; the samples are the same for all
        parts = (sums[:, i : i + at_once] for i in range(0, sums.shape[1], at_once))
        ends = [intervals(part, sizes, confidence, method, seed, resamples) for part in parts]
        return np.concatenate([low for low, _ in ends]), np.concatenate([high for _, high in ends])
    means = draws(sums, sizes, resamples, seed)
    tail = (1 - confidence) / 2
    if method == "percentile":
        low, high = np.quantile(means, [tail, 1 - tail], axis=0)
        return low, high
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
            bounds.append([np.quantile(means[:, i], q) if np.isfinite(q) else observed[i] for i, q in enumerate(at)])
    return np.array(bounds[0]), np.array(bounds[1])


def effect_size(unit_means: Values) -> Values:
    """d_z, the mean of the units' differences over their standard deviation (Cohen 1988); nan if they do not vary."""
    deviation = unit_means.std(axis=0, ddof=1) if len(unit_means) > 1 else np.zeros(unit_means.shape[1])
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(deviation > 0, unit_means.mean(axis=0) / deviation, np.nan)


def detectable(sums: Values, sizes: Values, alpha: Values) -> Values:
    """The smallest true mean difference that a paired t-test finds with a power of 80%; nan for a single unit.

    The spread is the units' own (of unit totals about the mean, as for a ratio of sums), the power that of the
    noncentral t distribution (Cohen 1988; Sakai, Laboratory Experiments in IR 2018, section 6).

    Args:
        sums: sum of differences within each unit (units x comparisons).
        sizes: queries of each unit.
        alpha: two-sided level of each comparison.
    """
    from scipy import optimize, stats

    units = len(sizes)
    if units < 2:
        return np.full(sums.shape[1], np.nan)
    spread = ((sums - sizes[:, None] * sums.sum(axis=0) / sizes.sum()) / sizes.mean()).std(axis=0, ddof=1)

    def standardised(level: float) -> float:
        bound = stats.t.ppf(1 - level / 2, units - 1)

        def short(d: float) -> float:
            shift = d * np.sqrt(units)
            found = stats.nct.sf(bound, units - 1, shift) + stats.nct.cdf(-bound, units - 1, shift)
            return float(found - POWER)

        # The normal distribution's answer is too small, the more so the fewer the units; the search begins there.
        low = float(stats.norm.ppf(1 - level / 2) + stats.norm.ppf(POWER)) / np.sqrt(units) * 0.9
        high = low * 1.3
        while short(high) < 0:
            high *= 1.3
        return float(optimize.brentq(short, low, high)) if short(high) >= 0 else np.nan

    levels, which = np.unique(alpha, return_inverse=True)
    found: Values = np.array([standardised(level) for level in levels])[which] * spread
    return found


def p_values(
    test: str,
    sums: Values,
    sizes: Values,
    weights: Values | None,
    resamples: int,
    seed: int,
    progress: Progress | None = None,
) -> tuple[Values, int]:
    """p of each comparison by `randomisation`, paired `t` or `wilcoxon`, and the resamples made (0 if none).

    `t` and `wilcoxon` (scipy's, zeros dropped) take the mean difference of each unit.

    Args:
        test: one of `TESTS`.
        sums: within each unit (units x runs).
        sizes: queries of each unit.
        weights: comparisons as sums of runs (runs x comparisons); each column of `sums` if None.
        resamples, seed, progress: of the randomisation.
    """
    if test == "randomisation":
        return flips(sums, weights, resamples, seed, progress)
    from scipy import stats

    compared = sums if weights is None else sums @ weights
    means = np.round(compared / sizes[:, None], _DIGITS)
    p = np.ones(means.shape[1])
    some = means.any(axis=0) & (len(means) > 1)  # where nothing differs p = 1
    if some.any():
        with np.errstate(divide="ignore", invalid="ignore"):
            if test == "t":
                found = stats.ttest_1samp(means[:, some], 0, axis=0).pvalue
                p[some] = np.where(np.ptp(means[:, some], axis=0) > 0, found, 0)
            else:
                p[some] = stats.wilcoxon(means[:, some], axis=0).pvalue
    # Underflow is not certainty: a p-value is never 0.
    return np.maximum(p, np.finfo(np.float64).tiny), 0


def tukey(values: Values, topics: list[str], resamples: int, seed: int, progress: Progress | None = None) -> Values:
    """Randomised Tukey HSD test of every pair of systems; the family-wise error of all pairs is in the p-values.

    Under the null hypothesis a unit's values could belong to any of the systems. Each pair's difference is held
    against the largest difference of any pair in each shuffle (Carterette, TOIS 2012, algorithm 1).

    Args:
        values: per query and system (queries x systems).
        topics: the topic of each query; the systems of one topic are shuffled together.
        resamples, seed, progress: of the shuffles.

    Returns:
        p of each pair (systems x systems), (count + 1) / (resamples + 1).
    """
    sums = Units.of(topics).sums(values)
    if sums.shape[1] == 2:  # to swap two systems is to flip the sign of their difference
        [p], _ = flips(sums[:, :1] - sums[:, 1:], None, resamples, seed, progress)
        return np.array([[1.0, p], [p, 1.0]])
    ranges = np.sort(orders(sums, resamples, seed, progress))
    total = sums.sum(axis=0)
    distance = np.abs(total[:, None] - total)
    near = 1e-9 * max(1.0, float(np.abs(sums).sum()))
    found: Values = (resamples - np.searchsorted(ranges, distance - near) + 1) / (resamples + 1)
    return found


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
    order = np.argsort(p, kind="stable")
    out = np.empty(n)
    if method == "holm":
        out[order] = np.minimum(np.maximum.accumulate(p[order] * (n - np.arange(n))), 1)
    else:
        scaled = p[order] * n / np.arange(1, n + 1)
        out[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1)
    return out


@dataclass(frozen=True)
class Compared:
    """Results for each of the given comparisons, in their order; arrays of one length."""

    delta: Values
    low: Values
    high: Values
    effect_size: Values
    detectable: Values
    p: Values
    p_corrected: Values
    wins: NDArray[np.int64]
    ties: NDArray[np.int64]
    losses: NDArray[np.int64]
    n: int
    n_units: int
    resamples: int

    def row(self, i: int) -> dict[str, Any]:
        """One comparison as plain values; what is not defined is None."""
        floats = ("delta", "effect_size", "detectable", "p", "p_corrected")
        row: dict[str, Any] = {name: float(getattr(self, name)[i]) for name in floats}
        row |= {"ci_low": float(self.low[i]), "ci_high": float(self.high[i]), "p_value": row.pop("p")}
        row = {name: None if np.isnan(value) else value for name, value in row.items()}
        row |= {name: int(getattr(self, name)[i]) for name in ("wins", "ties", "losses")}
        return row | {"n": self.n, "n_groups": self.n_units, "resamples": self.resamples}


def compare(
    values: Values,
    topics: list[str],
    weights: Values | None = None,
    families: NDArray[np.int64] | None = None,
    test: str = "randomisation",
    correction: str = "holm",
    interval: str = "percentile",
    resamples: int = 100_000,
    confidence: float = 0.95,
    seed: int = 42,
    progress: Progress | None = None,
) -> Compared:
    """Everything about paired comparisons that share their queries, sign flips and bootstrap samples.

    Args:
        values: per query and run (queries x runs), or per query and comparison.
        topics: the topic of each query.
        weights: comparisons as sums of runs, 1 for what is compared and -1 for what with (runs x comparisons); None
            if the columns of `values` are differences already.
        families: number of the family of each comparison, for the correction; one family if None.
        test, correction, interval, resamples, confidence, seed: as in a recipe's [comparison].
        progress: told how many resamples are done.
    """
    differences = np.round(values if weights is None else values @ weights, _DIGITS)
    if families is None:
        families = np.zeros(differences.shape[1], dtype=np.int64)
    units = Units.of(topics)
    sums = units.sums(differences)
    flipped = sums if weights is None else units.sums(values)
    p, made = p_values(test, flipped, units.sizes, weights, resamples, seed, progress)
    low, high = intervals(sums, units.sizes, confidence, interval, seed)
    p_corrected = p.copy()
    for family in np.unique(families):
        p_corrected[families == family] = corrected(p[families == family], correction)
    sizes = np.bincount(families, minlength=1)[families] if len(families) else families
    alpha = ALPHA / np.where(correction == "none", 1, sizes)
    return Compared(
        delta=differences.mean(axis=0),
        low=low,
        high=high,
        effect_size=effect_size(sums / units.sizes[:, None]),
        detectable=detectable(sums, units.sizes, alpha),
        p=p,
        p_corrected=p_corrected,
        wins=(differences > 0).sum(axis=0),
        ties=(differences == 0).sum(axis=0),
        losses=(differences < 0).sum(axis=0),
        n=len(differences),
        n_units=len(units.sizes),
        resamples=made,
    )
