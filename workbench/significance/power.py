"""How large a difference is, and how small a one could have been found."""

from functools import cache
from itertools import permutations

import numpy as np

from workbench.significance.resampling import Values
from workbench.significance.units import spread

ALPHA, POWER = 0.05, 0.8
"""Of what is called significant, and of the smallest difference that could have been detected."""


def effect_size(sums: Values, sizes: Values) -> Values:
    """d_z, the mean difference over queries by the units' standard deviation about it (Cohen 1988).

    Of the same mean as is printed, so their signs agree whatever the sizes of units; nan where units do not vary.

    Args:
        sums: of differences within each unit (units x comparisons).
        sizes: queries of each unit.
    """
    deviation = spread(sums, sizes)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(deviation > 0, sums.sum(axis=0) / sizes.sum() / deviation, np.nan)


def detectable(sums: Values, sizes: Values, alpha: Values) -> Values:
    """The smallest true mean difference that a paired t-test finds with a power of 80%; nan of a single unit and of
    units that do not vary.

    The spread is the units' own (`spread`), the power that of the noncentral t distribution
    (Cohen 1988; Sakai, Laboratory Experiments in IR 2018, section 6).

    Args:
        sums: sum of differences within each unit (units x comparisons).
        sizes: queries of each unit.
        alpha: two-sided level of each comparison.
    """
    from scipy import optimize, stats

    units = len(sizes)
    if units < 2:
        return np.full(sums.shape[1], np.nan)

    def standardised(level: float) -> float:
        bound = stats.t.ppf(1 - level / 2, units - 1)

        def lacking(d: float) -> float:
            shift = d * np.sqrt(units)
            power = stats.nct.sf(bound, units - 1, shift) + stats.nct.cdf(-bound, units - 1, shift)
            return float(power - POWER)

        # The normal distribution's answer is too small, the more so the fewer the units; the search begins there.
        low = float(stats.norm.ppf(1 - level / 2) + stats.norm.ppf(POWER)) / np.sqrt(units) * 0.9
        high = low * 1.3
        while lacking(high) < 0:
            high *= 1.3
        return float(optimize.brentq(lacking, low, high)) if lacking(high) >= 0 else np.nan

    levels, which = np.unique(alpha, return_inverse=True)
    deviation = spread(sums, sizes)
    smallest: Values = np.array([standardised(level) for level in levels])[which] * deviation
    return np.where(deviation > 0, smallest, np.nan)


@cache
def significant_rho(n: int) -> float | None:
    """The smallest |rho| (Spearman 1904) of n values without ties that has a two-sided p of `ALPHA` at most.

    By all orders of up to 8 values, of more by Student's t. None: not even 1 has.

    Args:
        n: how many values.
    """
    from scipy import stats

    if n > 8:
        t = float(stats.t.ppf(1 - ALPHA / 2, n - 2))
        return t / float(np.sqrt(n - 2 + t * t))
    distances = ((np.array(list(permutations(range(n)))) - np.arange(n)) ** 2).sum(axis=1)
    rho = np.abs(1 - 6 * distances / (n * (n * n - 1))) if n > 1 else np.ones(1)
    values, counts = np.unique(np.round(rho, 12), return_counts=True)
    at_least = counts[::-1].cumsum()[::-1] / len(rho)
    enough = values[at_least <= ALPHA]
    return float(enough[0]) if len(enough) else None
