"""Comparisons of runs: from their values to rows of the view `comparisons`."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from store.rows import ComparisonRow, NotCompared
from workbench.comparison.paired import Evaluations, Mask
from workbench.significance.intervals.base import ratio
from workbench.significance.outcomes import Method, Outcomes, compare, corrected
from workbench.significance.paired_tests import TESTS
from workbench.significance.resampling import Progress, Values
from workbench.significance.units import Units


@dataclass(frozen=True)
class Sides:
    """Runs whose values are added and subtracted, two or four in all."""

    plus: tuple[str, ...]
    minus: tuple[str, ...]


@dataclass(frozen=True)
class Combination:
    """One comparison to make.

    Args:
        models: the runs, for each trained model; the comparison is of their mean.
        run_id, baseline_run_id: the runs that it is filed under; what follows are columns of its row.
        family: those of one family and measure are corrected together.
        gap: of a closure, the runs before training: high-resource minus low-resource queries.
    """

    models: tuple[Sides, ...]
    run_id: str
    baseline_run_id: str
    system: str
    contrast: str = "difference"
    trained_on: str | None = None
    variety: str | None = None
    pair: str | None = None
    family: str = "differences"
    primary: bool = False
    gap: Sides | None = None

    @property
    def run_ids(self) -> tuple[str, ...]:
        """All its runs."""
        sides = [*self.models, *([self.gap] if self.gap else [])]
        return tuple(dict.fromkeys(run_id for side in sides for run_id in side.plus + side.minus))


@dataclass(frozen=True)
class Compared:
    """The comparisons that could be made, measure by measure, and those that could not."""

    rows: list[ComparisonRow]
    not_made: list[NotCompared]


@dataclass
class _Sheet:
    """Comparisons that rest on the same queries."""

    kept: Mask
    numbers: list[int] = field(default_factory=list)


def compared(
    evaluations: Evaluations,
    combinations: list[Combination],
    topics: dict[str, str],
    method: Method,
    progress: Progress | None = None,
) -> Compared:
    """Make comparisons, each over the queries that its own runs share.

    A family-wise test compares all runs of a family at once, so there they share the family's queries.

    Args:
        evaluations: the runs' values.
        combinations: what to compare.
        topics: the topic of each qid; a query without one is its own.
        method: test, correction and the rest.
        progress: told how many resamples are done.
    """
    together = TESTS.part(method.test).family_wise
    by_family: dict[str, list[int]] = {}
    for number, c in enumerate(combinations):
        by_family.setdefault(c.family, []).append(number)
    sheets: dict[bytes, _Sheet] = {}
    empty: list[int] = []
    for number, c in enumerate(combinations):
        others = [combinations[i] for i in by_family[c.family]] if together else [c]
        kept = evaluations.shared(tuple(dict.fromkeys(r for other in others for r in other.run_ids)))
        if kept.any():
            sheets.setdefault(kept.tobytes(), _Sheet(kept)).numbers.append(number)
        else:
            empty.append(number)
    numbers = {name: i for i, name in enumerate(by_family)}
    possible = [c for number, c in enumerate(combinations) if number not in set(empty)]
    count = {name: sum(c.family == name for c in possible) for name in by_family}
    rows: dict[tuple[int, int], ComparisonRow] = {}
    for sheet in sheets.values():
        some = [combinations[i] for i in sheet.numbers]
        families = np.array([numbers[c.family] for c in some])
        sizes = np.array([count[c.family] for c in some])
        for (m, i), row in _of_sheet(evaluations, sheet.kept, some, families, sizes, topics, method, progress).items():
            rows[m, sheet.numbers[i]] = row
    out = [rows[key] for key in sorted(rows)]
    of_family = np.array([len(numbers) * m + numbers[combinations[n].family] for m, n in sorted(rows)], np.int64)
    p = np.array([row["p_value"] for row in out], np.float64)
    for row, value in zip(out, corrected(p, of_family, method), strict=True):
        row["p_corrected"] = float(value)
    why_not = "the runs of its family" if together else "its runs"
    lacking = [
        _not_made(combinations[number], measure, evaluations, f"{why_not} have no judged query in common")
        for measure in evaluations.measures for number in empty
    ]  # fmt: skip
    return Compared(out, lacking)


def _of_sheet(
    evaluations: Evaluations,
    kept: Mask,
    combinations: list[Combination],
    families: NDArray[np.int64],
    sizes: NDArray[np.int64],
    topics: dict[str, str],
    method: Method,
    progress: Progress | None,
) -> dict[tuple[int, int], ComparisonRow]:
    """Rows by the number of the measure and of the combination, not corrected yet; all share flips and samples."""
    involved = sorted({evaluations.position[r] for c in combinations for r in c.run_ids})
    place = {evaluations.run_ids[column]: i for i, column in enumerate(involved)}
    values = evaluations.values[kept][:, involved]
    n_queries, n_runs, n_measures = values.shape
    sides = [(number, side) for number, c in enumerate(combinations) for side in c.models]
    signs = np.zeros((n_runs, len(sides)))
    for column, (_, side) in enumerate(sides):
        np.add.at(signs[:, column], [place[r] for r in side.plus], 1)
        np.add.at(signs[:, column], [place[r] for r in side.minus], -1)
    of = np.array([number for number, _ in sides])
    # Measure by measure, on both axes.
    flat = values.transpose(0, 2, 1).reshape(n_queries, -1)
    weights: Values = np.kron(np.eye(n_measures), signs).astype(np.float64)
    qids = [qid for qid, keep in zip(evaluations.qids, kept, strict=True) if keep]
    groups = [topics.get(qid, qid) for qid in qids]
    n = len(combinations)
    outcomes = compare(
        flat, groups, weights,
        np.concatenate([families + m * (families.max() + 1) for m in range(n_measures)]),
        method, progress, np.tile(sizes, n_measures),
        np.concatenate([of + m * n for m in range(n_measures)]),
    )  # fmt: skip
    means = values.mean(axis=0)
    units = Units.of(groups)
    rows = {}
    for m, measure in enumerate(evaluations.measures):
        for i, c in enumerate(combinations):
            # Of four runs the two means are differences: the gain on low and the gain on high.
            mean = float(np.mean([_first(side, place, means[:, m]) for side in c.models]))
            row = _row(c, outcomes, m * n + i, measure, mean, method, int(sizes[i]))
            row["left_out"] = evaluations.left_out(c.run_ids, kept)
            columns = evaluations.columns(c.run_ids)
            row["no_result"] = int(evaluations.no_result[kept][:, columns].any(axis=1).sum())
            row["no_relevant"] = evaluations.no_relevant(measure, kept)
            if c.gap:
                share = _share(c, values[:, :, m], place, units, method)
                row["share_closed"], row["share_low"], row["share_high"] = share or (None, None, None)
            rows[m, i] = row
    return rows


def _first(side: Sides, place: dict[str, int], means: Values) -> float:
    """The mean that a side's difference is of: of the run, or of four runs the first gain."""
    low = means[place[side.plus[0]]]
    return float(low - means[place[side.minus[0]]] if len(side.plus) > 1 else low)


def _share(
    c: Combination, values: Values, place: dict[str, int], units: Units, method: Method
) -> tuple[float, float, float] | None:
    """1 - gap after / gap before = closure / gap before, with its interval; None where the gap may be 0."""
    assert c.gap

    def difference(side: Sides) -> Values:
        added, subtracted = (values[:, [place[r] for r in some]].sum(axis=1) for some in (side.plus, side.minus))
        return np.asarray(added - subtracted)

    closures = units.sums(np.column_stack([difference(side) for side in c.models]))
    before = units.sums(difference(c.gap)[:, None])
    return ratio(closures, before, units.sizes, method.confidence, method.seed)


def _row(
    c: Combination, outcomes: Outcomes, at: int, measure: str, mean: float, method: Method, size: int
) -> ComparisonRow:
    delta = float(outcomes.delta[at])
    # A family-wise test is its own correction.
    correction = method.test if TESTS.part(method.test).family_wise else method.correction
    return ComparisonRow(
        contrast=c.contrast, system=c.system, trained_on=c.trained_on, variety=c.variety, pair=c.pair,
        baseline_run_id=c.baseline_run_id, run_id=c.run_id, measure=measure,
        n=outcomes.n, n_groups=outcomes.n_units, left_out=0, no_result=0, no_relevant=0,
        mean_baseline=mean - delta, mean=mean, delta=delta,
        ci_low=_defined(outcomes.low[at]), ci_high=_defined(outcomes.high[at]),
        confidence=method.confidence, interval=method.interval,
        effect_size=_defined(outcomes.effect_size[at]), detectable=_defined(outcomes.detectable[at]),
        test=method.test, resamples=outcomes.resamples, p_value=float(outcomes.p[at]),
        correction=correction, family=c.family, primary=c.primary, family_size=size,
        p_corrected=float(outcomes.p[at]), wins=int(outcomes.wins[at]),
        ties=int(outcomes.ties[at]), losses=int(outcomes.losses[at]), seed=method.seed,
        models=int(outcomes.models[at]), model_deviation=_defined(outcomes.deviation[at]),
        share_closed=None, share_low=None, share_high=None,
    )  # fmt: skip


def _not_made(c: Combination, measure: str, evaluations: Evaluations, why_not: str) -> NotCompared:
    nothing = np.zeros(len(evaluations.qids), np.bool_)
    return NotCompared(
        contrast=c.contrast, system=c.system, trained_on=c.trained_on, variety=c.variety, pair=c.pair,
        baseline_run_id=c.baseline_run_id, run_id=c.run_id, measure=measure, n=0,
        left_out=evaluations.left_out(c.run_ids, nothing), family=c.family, primary=c.primary,
        why_not=why_not,
    )  # fmt: skip


def _defined(value: Any) -> float | None:
    return None if np.isnan(value) else float(value)
