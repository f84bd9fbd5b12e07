"""Comparisons of runs paired by query: from their values to rows of the view `comparisons`."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from store.rows import ComparisonRow
from workbench.evaluation.measures import threshold
from workbench.significance.outcomes import Method, compare
from workbench.significance.paired_tests import TESTS
from workbench.significance.resampling import Progress, Values


@dataclass(frozen=True)
class Paired:
    """Values of runs on the queries that all of them were evaluated on.

    Args:
        values: (queries x runs x measures).
        qids, run_ids, measures: what the three axes are.
        left_out: queries that some runs were evaluated on, and others not.
        no_result: whether a run found nothing for a query (queries x runs).
        no_relevant: queries without a passage that is relevant to each measure; they count 0 in every run.
    """

    values: Values
    qids: list[str]
    run_ids: list[str]
    measures: list[str]
    left_out: int
    no_result: "np.typing.NDArray[np.bool_]"
    no_relevant: list[int]

    @classmethod
    def of(cls, values: pa.Table, queries: pa.Table, run_ids: list[str], measures: list[str]) -> "Paired":
        """Pair by qid.

        Args:
            values: columns run_id, measure, qid, value.
            queries: columns run_id, qid, retrieved, highest (label).
            run_ids, measures: which, and in which order.
        """
        qids = pc.unique(queries["qid"]).sort()
        runs, names = pa.array(run_ids), pa.array(measures)

        def at(table: pa.Table, column: str, among: pa.Array) -> Any:
            return pc.index_in(table[column], value_set=among).to_numpy()

        cube = np.full((len(qids), len(runs), len(names)), np.nan)
        values = values.filter(
            pc.and_(
                pc.is_in(values["run_id"], value_set=runs),
                pc.and_(pc.is_in(values["measure"], value_set=names), pc.is_in(values["qid"], value_set=qids)),
            )
        )
        where = at(values, "qid", qids), at(values, "run_id", runs), at(values, "measure", names)
        cube[where] = values["value"].to_numpy()
        queries = queries.filter(pc.is_in(queries["run_id"], value_set=runs))
        retrieved, highest = np.zeros(cube.shape[:2], np.int64), np.zeros(len(qids), np.int64)
        retrieved[at(queries, "qid", qids), at(queries, "run_id", runs)] = queries["retrieved"].to_numpy()
        highest[at(queries, "qid", qids)] = queries["highest"].to_numpy()
        kept = ~np.isnan(cube).any(axis=(1, 2))
        return cls(
            cube[kept],
            [q for q, k in zip(qids.to_pylist(), kept, strict=True) if k],
            run_ids,
            measures,
            int((~kept).sum()),
            retrieved[kept] == 0,
            [int((highest[kept] < threshold(name)).sum()) for name in measures],
        )


@dataclass(frozen=True)
class Combination:
    """One comparison to make: runs whose values are added and subtracted, two or four in all.

    `run_id` and `baseline_run_id` are the runs that it is filed under; the rest are columns of its row.
    """

    plus: tuple[str, ...]
    minus: tuple[str, ...]
    run_id: str
    baseline_run_id: str
    system: str
    contrast: str = "difference"
    trained_on: str | None = None
    variety: str | None = None
    pair: str | None = None


def compared(
    paired: Paired,
    combinations: list[Combination],
    topics: dict[str, str],
    method: Method,
    progress: Progress | None = None,
) -> list[ComparisonRow]:
    """Make comparisons; those of one measure are one family.

    Args:
        paired: the runs' values.
        combinations: what to compare.
        topics: the topic of each qid; a query without one is its own.
        method: test, correction and the rest.
        progress: told how many resamples are done.

    Returns:
        rows of the view `comparisons`, measure by measure.
    """
    if not combinations or not paired.qids:
        return []
    _, n_runs, n_measures = paired.values.shape
    position = {run_id: i for i, run_id in enumerate(paired.run_ids)}
    signs = np.zeros((n_runs, len(combinations)))
    for column, c in enumerate(combinations):
        for run_id in c.plus:
            signs[position[run_id], column] += 1
        for run_id in c.minus:
            signs[position[run_id], column] -= 1
    # Measure by measure, on both axes: all share the flips and the bootstrap samples.
    flat = paired.values.transpose(0, 2, 1).reshape(len(paired.qids), -1)
    weights: Values = np.kron(np.eye(n_measures), signs).astype(np.float64)
    families = np.repeat(np.arange(n_measures), len(combinations))
    groups = [topics.get(q, q) for q in paired.qids]
    outcomes = compare(flat, groups, weights, families, method, progress)
    # A family-wise test is its own correction.
    correction = method.test if TESTS.part(method.test).family_wise else method.correction
    means = paired.values.mean(axis=0)
    rows = []
    for m, measure in enumerate(paired.measures):
        for i, c in enumerate(combinations):
            at = m * len(combinations) + i
            involved = [position[run_id] for run_id in c.plus + c.minus]
            delta = float(outcomes.delta[at])
            # Of four runs the two means are differences: the gain on high and the gain on low.
            mean = means[position[c.plus[0]], m] - (means[position[c.minus[0]], m] if len(c.plus) > 1 else 0)
            rows.append(
                ComparisonRow(
                    contrast=c.contrast, system=c.system, trained_on=c.trained_on, variety=c.variety, pair=c.pair,
                    baseline_run_id=c.baseline_run_id, run_id=c.run_id, measure=measure,
                    n=outcomes.n, n_groups=outcomes.n_units,
                    no_result=int(paired.no_result[:, involved].any(axis=1).sum()), no_relevant=paired.no_relevant[m],
                    mean_baseline=float(mean - delta), mean=float(mean), delta=delta,
                    ci_low=float(outcomes.low[at]), ci_high=float(outcomes.high[at]),
                    confidence=method.confidence, interval=method.interval,
                    effect_size=_defined(outcomes.effect_size[at]), detectable=_defined(outcomes.detectable[at]),
                    test=method.test, resamples=outcomes.resamples, p_value=float(outcomes.p[at]),
                    correction=correction, family_size=len(combinations),
                    p_corrected=float(outcomes.p_corrected[at]), wins=int(outcomes.wins[at]),
                    ties=int(outcomes.ties[at]), losses=int(outcomes.losses[at]), seed=method.seed,
                )
            )  # fmt: skip
    return rows


def _defined(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
