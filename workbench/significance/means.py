"""Means of many groups of models at once, and sums of them: with intervals over topics and models, and tests."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workbench.significance.intervals.base import MODELS
from workbench.significance.outcomes import DIGITS
from workbench.significance.paired_tests import TESTS
from workbench.significance.paired_tests.base import Paired
from workbench.significance.resampling import Values, draws
from workbench.significance.units import Units, spread


@dataclass(frozen=True)
class Estimates:
    """Of each contrast: arrays of one length, and `samples` of the bootstrap (resamples x contrasts).

    `low` and `high` are nan where there is a single topic: nothing is known of its spread.
    """

    estimate: Values
    low: Values
    high: Values
    samples: Values


@dataclass(frozen=True)
class Means:
    """Means over queries and models of groups that share their queries, and contrasts: weighted sums of them.

    A bootstrap sample of a contrast is its mean over models on topics drawn anew, and beside it the models' own
    deviations with random weights. Groups of as many models have theirs in the same order, so that a difference of two
    is paired by topic and by seed. Deviations are first freed of what different topics explain of them (`_shrunk`),
    else it would count twice. Few models say little of their spread: samples are widened from the normal to Student's t
    with the degrees of freedom of the whole, topics and models (Satterthwaite 1946). Of one model it is the interval of
    a recipe's comparison. That draws models with replacement, which sees (k - 1) / k of k models' variance, and
    some of the topics' more than once.

    Args:
        groups: each (queries x models), without a missing value; one query at least.
        by_query: mean over the models of each group (queries x groups).
        units: the topics.
        models: of each group.
        resamples, seed: of the bootstrap; tests have the same seed.
    """

    groups: list[Values]
    by_query: Values
    units: Units
    models: NDArray[np.int64]
    resamples: int
    seed: int

    @classmethod
    def of(cls, groups: list[Values], topics: list[str], resamples: int, seed: int) -> "Means":
        """Means of groups, given the topic of each query."""
        rounded = [np.round(group, DIGITS) for group in groups]
        by_query: Values = np.column_stack([np.round(group.mean(axis=1), DIGITS) for group in rounded])
        models = np.array([group.shape[1] for group in groups], dtype=np.int64)
        return cls(rounded, by_query, Units.of(topics), models, resamples, seed)

    @property
    def n(self) -> int:
        """Queries."""
        return len(self.by_query)

    @property
    def n_groups(self) -> int:
        """Topics."""
        return len(self.units.sizes)

    def sums(self, weights: Values) -> Values:
        """Contrasts summed within each topic (topics x contrasts).

        Args:
            weights: of the groups in each contrast (groups x contrasts).
        """
        values: Values = np.round(self.by_query @ weights, DIGITS)
        return self.units.sums(values)

    def estimates(self, weights: Values, confidence: float) -> Estimates:
        """Contrasts with their percentile intervals.

        Args:
            weights: of the groups in each contrast (groups x contrasts).
            confidence: such as 0.95; of each by itself.
        """
        from scipy import stats

        estimate = self.sums(weights).sum(axis=0) / self.n
        samples = draws(self.sums(weights), self.units.sizes, self.resamples, self.seed)
        variance, uncertain = samples.var(axis=0), np.zeros(weights.shape[1])
        for count in sorted(set(self.models.tolist()) - {1}):
            of_count = np.flatnonzero(self.models == count)
            by_model = np.einsum("gqm,gc->cqm", [self.groups[i] for i in of_count], weights[of_count], optimize=True)
            deviations = np.column_stack([_shrunk(each, self.units) for each in by_model])
            samples += _weights(self.resamples, count, self.seed) @ deviations
            of_models = deviations.var(axis=0, ddof=1) / count
            variance, uncertain = variance + of_models, uncertain + of_models**2 / (count - 1)
        with np.errstate(divide="ignore", invalid="ignore"):
            freedom = np.where(uncertain > 0, variance**2 / uncertain, np.inf)
        tail = (1 + confidence) / 2
        samples = estimate + (samples - estimate) * (stats.t.ppf(tail, freedom) / stats.norm.ppf(tail))
        low, high = np.quantile(samples, [(1 - confidence) / 2, (1 + confidence) / 2], axis=0)
        if self.n_groups < 2:
            low, high = np.full_like(low, np.nan), np.full_like(high, np.nan)
        return Estimates(estimate, low, high, samples)

    def deviation(self, group: int) -> float:
        """Standard deviation between the models of a group, over all queries; nan of a single one."""
        return float(self.groups[group].mean(axis=0).std(ddof=1)) if self.models[group] > 1 else np.nan

    def p_values(self, weights: Values, flips: int) -> Values:
        """p of each contrast by the paired randomisation test of topics, for these models; never 0.

        Args:
            weights: of the groups in each contrast (groups x contrasts).
            flips: how many at most.
        """
        one_family = np.zeros(weights.shape[1], dtype=np.int64)
        tested = Paired(self.sums(weights), self.units.sizes, None, one_family, flips, self.seed)
        return TESTS.part("randomisation")().p_values(tested)[0]

    def errors(self, weights: Values) -> Values:
        """Standard error of each contrast within each bootstrap sample of topics (resamples x contrasts).

        Of sums about their ratio, as those topics vary (Cochran 1977, section 6.4), for a cheap t-test inside a sample:
        models are not in it. nan of a single topic.

        Args:
            weights: of the groups in each contrast (groups x contrasts).
        """
        sums, sizes = self.sums(weights), self.units.sizes
        columns = np.column_stack([sums, sums**2, sums * sizes[:, None], sizes**2, np.ones(len(sizes))])
        drawn, count = draws(columns, sizes, self.resamples, self.seed), sums.shape[1]
        mean, square, product = drawn[:, :count], drawn[:, count : 2 * count], drawn[:, 2 * count : 3 * count]
        of_sizes, of_ones = drawn[:, -2:-1], drawn[:, -1:]
        about = np.maximum(square - 2 * mean * product + mean**2 * of_sizes, 0.0)  # below 0 is rounding
        if len(sizes) < 2:
            return np.full(about.shape, np.nan)
        errors: Values = np.sqrt(about * of_ones / (len(sizes) - 1))
        return errors


def _weights(resamples: int, models: int, seed: int) -> Values:
    """Of the models' deviations in each sample, so that their sum varies as a mean over models (resamples x models)."""
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(MODELS, models)))
    weights: Values = rng.normal(size=(resamples, models)) / np.sqrt(models * (models - 1))
    return weights


def _shrunk(group: Values, units: Units) -> Values:
    """Each model's deviation from their mean, with the spread that is left when that of a mean over topics is taken
    away (models).

    Args:
        group: (queries x models).
    """
    deviations: Values = group.mean(axis=0) - group.mean()
    models, between = group.shape[1], deviations.var(ddof=1)
    if between == 0 or len(units.sizes) < 2:
        return deviations
    interaction = group - group.mean(axis=1, keepdims=True) - deviations
    errors = spread(units.sums(interaction), units.sizes) ** 2 / len(units.sizes)
    left = between - errors.mean() * models / (models - 1)  # the mean over models took its share
    shrunk: Values = deviations * np.sqrt(max(left, 0.0) / between)
    return shrunk
