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
    """Results for each of the given comparisons, in their order; arrays of one length.

    `models` counts the trained models that a comparison is the mean of; `deviation` is the standard deviation between
    their differences (nan of a single one).
    """

    delta: Values
    low: Values
    high: Values
    effect_size: Values
    detectable: Values
    p: Values
    wins: NDArray[np.int64]
    ties: NDArray[np.int64]
    losses: NDArray[np.int64]
    models: NDArray[np.int64]
    deviation: Values
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
    sizes: NDArray[np.int64] | None = None,
    comparison: NDArray[np.int64] | None = None,
) -> Outcomes:
    """Everything about paired comparisons that share their queries, sign flips and bootstrap samples.

    What is tested, and what differences, wins and losses are counted of, is the mean over a comparison's models; its
    interval resamples models and topics (two-way: Davison and Hinkley 1997, section 3.8).

    Args:
        values: per query and run (queries x runs), or per query and difference.
        topics: the topic of each query.
        weights: differences as sums of runs, 1 for what is compared and -1 for what with (runs x differences); None
            if the columns of `values` are differences already.
        families: number of the family of each comparison; one family if None. Only a family-wise test heeds it.
        method: the test, the correction and the rest; the usual one if None.
        progress: told how many resamples are done.
        sizes: comparisons in the family of each; None: as `families` has them.
        comparison: the number of the comparison that each difference belongs to, one for each of its models, ascending
            from 0; None: each is one by itself.
    """
    how = method or Method()
    test, correction = TESTS.part(how.test)(), CORRECTIONS.part(how.correction)()
    by_model = np.round(values if weights is None else values @ weights, DIGITS)
    if comparison is None:
        comparison = np.arange(by_model.shape[1])
    models = np.bincount(comparison)
    means = np.zeros((len(comparison), len(models)))
    means[np.arange(len(comparison)), comparison] = 1 / models[comparison]
    single = len(models) == len(comparison)
    differences = by_model if single else np.round(by_model @ means, DIGITS)
    if families is None:
        families = np.zeros(len(models), dtype=np.int64)
    if sizes is None:
        sizes = np.bincount(families, minlength=1)[families]
    corrects = correction.corrects or test.family_wise
    level: Values = ALPHA / (sizes if corrects else np.ones(len(models)))
    units = Units.of(topics)
    sums = units.sums(differences)
    # Runs as they are where sums of them are exact; a mean over models is not.
    of_runs = single and weights is not None
    tested = Paired(
        units.sums(values) if of_runs else sums, units.sizes, weights if of_runs else None, families,
        how.resamples, how.seed, progress,
    )  # fmt: skip
    p, resamples = test.p_values(tested)
    of_models = sums if single else units.sums(by_model)
    bounds = interval(INTERVALS.part(how.interval)(), of_models, units.sizes, how.confidence, how.seed, comparison)
    if len(units.sizes) < 2:  # samples of a single unit are all the same: nothing is known of its spread
        bounds = np.full(len(models), np.nan), np.full(len(models), np.nan)
    per_model = by_model.mean(axis=0)
    return Outcomes(
        delta=differences.mean(axis=0),
        low=bounds[0],
        high=bounds[1],
        effect_size=effect_size(sums, units.sizes),
        detectable=detectable(sums, units.sizes, level),
        p=p,
        wins=(differences > 0).sum(axis=0),
        ties=(differences == 0).sum(axis=0),
        losses=(differences < 0).sum(axis=0),
        models=models,
        deviation=np.array(
            [per_model[comparison == c].std(ddof=1) if count > 1 else np.nan for c, count in enumerate(models)]
        ),
        n=len(differences),
        n_units=len(units.sizes),
        resamples=resamples,
    )


def corrected(p: Values, families: NDArray[np.int64], method: Method) -> Values:
    """p-values corrected, each family by itself; those of a family-wise test as they are.

    Args:
        p: of every comparison.
        families: number of the family of each.
        method: its test and correction.
    """
    if TESTS.part(method.test).family_wise:
        return p
    adjusted, correction = p.copy(), CORRECTIONS.part(method.correction)()
    for family in np.unique(families):
        adjusted[families == family] = correction.adjusted(p[families == family])
    return adjusted
