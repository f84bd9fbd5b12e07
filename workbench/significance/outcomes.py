"""Everything about paired comparisons that share their queries: p-values, intervals, effect sizes, wins and losses."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from workbench.registry import Section
from workbench.significance.corrections import CORRECTIONS
from workbench.significance.intervals import INTERVALS
from workbench.significance.intervals.base import interval
from workbench.significance.paired_tests import TESTS
from workbench.significance.paired_tests.base import Paired
from workbench.significance.power import ALPHA, detectable, effect_size
from workbench.significance.resampling import Progress, Values
from workbench.significance.units import Units

DIGITS = 12
"""Differences closer than this are equal: 0.1 + 0.2 is 0.3."""


class Method(Section):
    """How to compare, as in a recipe's [comparison].

    `resamples` are the flips or shuffles of a test. A family-wise test needs no correction: none is applied then.
    """

    test: Annotated[str, TESTS.one] = "randomisation"
    correction: Annotated[str, CORRECTIONS.one] = "holm"
    interval: Annotated[str, INTERVALS.one] = "percentile"
    resamples: Annotated[int, Field(gt=0)] = 100_000
    confidence: Annotated[float, Field(gt=0, lt=1)] = 0.95
    seed: int = 42


@dataclass(frozen=True)
class Outcomes:
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


def compare(
    values: Values,
    topics: list[str],
    weights: Values | None = None,
    families: NDArray[np.int64] | None = None,
    method: Method | None = None,
    progress: Progress | None = None,
) -> Outcomes:
    """Everything about paired comparisons that share their queries, sign flips and bootstrap samples.

    Args:
        values: per query and run (queries x runs), or per query and comparison.
        topics: the topic of each query.
        weights: comparisons as sums of runs, 1 for what is compared and -1 for what with (runs x comparisons); None
            if the columns of `values` are differences already.
        families: number of the family of each comparison, for the correction; one family if None.
        method: the test, the correction and the rest; the usual one if None.
        progress: told how many resamples are done.
    """
    how = method or Method()
    test, correction = TESTS.part(how.test)(), CORRECTIONS.part(how.correction)()
    differences = np.round(values if weights is None else values @ weights, DIGITS)
    if families is None:
        families = np.zeros(differences.shape[1], dtype=np.int64)
    units = Units.of(topics)
    sums = units.sums(differences)
    flipped = sums if weights is None else units.sums(values)
    p, resamples = test.p_values(Paired(flipped, units.sizes, weights, families, how.resamples, how.seed, progress))
    low, high = interval(INTERVALS.part(how.interval)(), sums, units.sizes, how.confidence, how.seed)
    p_corrected = p.copy()
    for family in () if test.family_wise else np.unique(families):
        p_corrected[families == family] = correction.adjusted(p[families == family])
    sizes = np.bincount(families, minlength=1)[families] if len(families) else families
    alpha = ALPHA / (sizes if correction.corrects or test.family_wise else np.ones(len(sizes)))
    return Outcomes(
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
        resamples=resamples,
    )
