"""Runs of a grid gathered for an analysis, and effects as rows."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

import numpy as np

from store import LswError
from store.rows import EffectRow
from workbench.comparison.paired import Mask
from workbench.significance.corrections import CORRECTIONS
from workbench.significance.means import Means
from workbench.significance.resampling import Values
from workbench.studies.evidence import Evidence, Level, Observed
from workbench.varieties import pair

SEEDS = "seed", "seeds"
"""A factor whose name ends so makes models of one training, not other trainings."""
NOT_RUN = "not run"
NO_BASE = "no run before training in the same cell"
NO_QUERY = "no query in common"
NOTHING = "nothing is compared: the runs are the same"
_COMPARED = "compared"
"""Of a row until it is corrected: the runs that it compares, and how they are weighted."""


class Who(NamedTuple):
    """Runs that differ by their seeds, and by factors that are averaged over, alone.

    `trained_on` is None for a base; `levels` are those of the factors asked for, in their order.
    """

    system: str
    trained_on: str | None
    query_variety: str
    document_variety: str
    levels: tuple[Level, ...]


def others(evidence: Evidence, by: list[str] | None, used: Sequence[str]) -> list[str]:
    """The factors that results are told apart by: those named, or all but those used and seeds.

    Raises:
        LswError: there is no such factor, or it is used already.
    """
    if by is None:
        return [name for name in evidence.factors if name not in used and name.rpartition(".")[2] not in SEEDS]
    named = [evidence.factor(name) for name in by]
    twice = [name for name in named if name in used]
    if twice:
        raise LswError(f"The factor '{twice[0]}' is analysed, so that results are not told apart by it.", "analysis.by")
    return list(dict.fromkeys(named))


def number(level: Level) -> float | None:
    """A level as a number; None if it is none. The name of several values may be one ("50")."""
    if isinstance(level, bool):
        return None
    try:
        value = float(level)
    except ValueError:
        return None
    return value if np.isfinite(value) else None


def numbers(factor: str, levels: list[Level], least: float = 0.0) -> dict[Level, float]:
    """The levels of a factor as numbers, ascending.

    Raises:
        LswError: one is no number, or below the `least`.
    """
    out = {level: number(level) for level in levels}
    for level, value in out.items():
        if value is None or value < least:
            raise LswError(
                f"The level {json.dumps(level)} of '{factor}' is no number of {least:g} or more.",
                f"Its levels: {', '.join(json.dumps(each) for each in levels)}.",
                "Name another factor, or leave this level out.",
            )
    return dict(sorted(((level, value) for level, value in out.items() if value is not None), key=lambda item: item[1]))


def gathered(evidence: Evidence, factors: list[str]) -> dict[Who, list[Observed]]:
    """The runs, each once, in the order of their seeds."""
    out: dict[Who, dict[str, Observed]] = {}
    for run in evidence.runs:
        levels = tuple(run.levels[name] for name in factors)
        who = Who(run.system, run.trained_on, run.query_variety, run.document_variety, levels)
        out.setdefault(who, {}).setdefault(run.run_id, run)
    return {who: sorted(runs.values(), key=lambda run: (run.seed or 0, run.cell)) for who, runs in out.items()}


@dataclass(frozen=True)
class Columns:
    """Values of a group of models (queries x models), nan where one is missing; `run_ids` are all that were read."""

    values: Values
    run_ids: tuple[str, ...]


def bases(evidence: Evidence) -> dict[tuple[int, str, str, str], Observed]:
    """The runs before training, by cell, system and varieties."""
    return {
        (run.cell, run.system, run.query_variety, run.document_variety): run
        for run in evidence.runs
        if run.trained_on is None
    }


def gains(
    evidence: Evidence, runs: list[Observed], before: dict[tuple[int, str, str, str], Observed]
) -> Columns | None:
    """What each run gained over its base; None if one has no base in its cell."""
    of = [before.get((run.cell, run.system, run.query_variety, run.document_variety)) for run in runs]
    found = [base for base in of if base is not None]
    if len(found) < len(runs) or not runs:
        return None
    values = [evidence.gains(run.run_id, base.run_id) for run, base in zip(runs, found, strict=True)]
    return Columns(np.column_stack(values), tuple(run.run_id for run in [*runs, *found]))


def absolute(evidence: Evidence, runs: list[Observed]) -> Columns:
    """The values of runs as they are."""
    return Columns(np.column_stack([evidence.values(run.run_id) for run in runs]), tuple(run.run_id for run in runs))


def paired(evidence: Evidence, groups: list[Columns], resamples: int, seed: int) -> tuple[Means | None, int]:
    """Means of groups on the queries that all their runs share; and how many judged queries are left out.

    The means are None where no query is shared, or there is no group.
    """
    if not groups:
        return None, 0
    kept: Mask = np.all([~np.isnan(group.values).any(axis=1) for group in groups], axis=0)
    run_ids = tuple(dict.fromkeys(run_id for group in groups for run_id in group.run_ids))
    left_out = evidence.evaluations.left_out(run_ids, kept)
    if not kept.any():
        return None, left_out
    topics = [topic for topic, keep in zip(evidence.units, kept, strict=True) if keep]
    return Means.of([group.values[kept] for group in groups], topics, resamples, seed), left_out


def seen(evidence: Evidence, who: Who) -> str:
    """Words that end a family's name: whether the training saw the pair of these queries and passages.

    Of a training that has no pair of two varieties, and of a base, any training's pairs count. One that sees other
    pairs in other cells is by itself.
    """
    if who.trained_on in evidence.varied:
        return " of trainings that see other pairs in other cells"
    saw = {name: [pair(text) for text in pairs] for name, pairs in evidence.trainings.items()}
    if not saw:
        return ""
    own = [on for on in saw.get(who.trained_on or "", []) if on.low != on.high]
    among = own or [on for pairs in saw.values() for on in pairs if on.low != on.high]
    known = any(who.document_variety == on.high and who.query_variety in (on.low, on.high) for on in among)
    return " on seen pairs" if known else " on unseen pairs"


def about(evidence: Evidence, who: Who, levels: dict[str, Any], confidence: float) -> EffectRow:
    """What all rows of a group have in common.

    Args:
        levels: of the grid's factors; `against` is what a difference is held against.
    """
    return EffectRow(
        measure=evidence.measure,
        system=who.system,
        trained_on=who.trained_on,
        query_variety=who.query_variety,
        document_variety=who.document_variety,
        levels=json.dumps(levels),
        confidence=confidence,
    )


def row(same: EffectRow, effect: str, detail: dict[str, Any] | None = None, **columns: Any) -> EffectRow:
    """An effect; numbers that are not finite are None, and so they are in `detail`, which becomes JSON."""

    def known(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: known(each) for name, each in value.items()}
        if isinstance(value, list):
            return [known(each) for each in value]
        if isinstance(value, float | np.floating):
            return float(value) if np.isfinite(value) else None
        return value

    made: dict[str, Any] = {**same, **known(columns), "effect": effect, "detail": json.dumps(known(detail or {}))}
    return cast(EffectRow, made)


def estimated(
    same: EffectRow,
    effect: str,
    means: Means,
    groups: Sequence[Columns],
    weights: Values,
    names: list[dict[str, Any]],
    left_out: int,
    flips: int = 0,
    family: str | None = None,
) -> list[EffectRow]:
    """An effect for each contrast, with its interval and test; not corrected yet. Of the same runs there is none.

    Args:
        same: what the rows have in common, `confidence` among it.
        groups: that the means are of.
        weights: of the groups in each contrast (groups x contrasts).
        names: columns of each row; `detail` is a dictionary.
        left_out: queries.
        flips, family: of the test; without a family nothing is tested.
    """
    found = means.estimates(weights, float(same["confidence"] or 0))
    p = means.p_values(weights, flips) if family else None
    out = []
    for i, name in enumerate(names):
        compared = _compared(groups, weights[:, i])
        if not compared:
            out.append(row(same, effect, name.get("detail"), why_not=NOTHING, **_columns(name)))
            continue
        involved = weights[:, i] != 0
        detail: dict[str, Any] = {"left_out": left_out} if left_out else {}
        if involved.sum() == 1 and means.models[involved][0] > 1:
            detail["between_models"] = means.deviation(int(involved.argmax()))
        columns: dict[str, Any] = {"unit": same["measure"], "n": means.n, "n_groups": means.n_groups}
        columns["models"] = int(means.models[involved].max(initial=1))
        columns |= {"estimate": found.estimate[i], "ci_low": found.low[i], "ci_high": found.high[i]}
        if p is not None:
            columns |= {"test": "randomisation", "p_value": p[i], "family": family}
        columns |= _columns(name)
        out.append(row(same, effect, detail | name.get("detail", {}), **columns))
        cast(dict[str, Any], out[-1])[_COMPARED] = compared
    return out


def _columns(name: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in name.items() if key != "detail"}


def _compared(groups: Sequence[Columns], weights: Values) -> tuple[tuple[tuple[str, ...], float], ...]:
    """The runs of a contrast with their weights, those of the same runs together; empty if nothing is left."""
    of = dict[tuple[str, ...], float]()
    for group, weight in zip(groups, weights.tolist(), strict=True):
        of[group.run_ids] = of.get(group.run_ids, 0.0) + weight
    return tuple(sorted((run_ids, round(weight, 9)) for run_ids, weight in of.items() if abs(weight) > 1e-9))


def corrected(rows: Iterable[EffectRow], correction: str) -> list[EffectRow]:
    """The rows with p-values corrected over their families; those that have a correction already stay.

    Comparisons of the same runs, with the same weights and on the same queries, are one, and count once.
    """
    made, families = list(rows), dict[str, dict[object, list[EffectRow]]]()
    for each in made:
        compared = cast(dict[str, Any], each).pop(_COMPARED, None)
        if each.get("p_value") is not None and not each.get("correction"):
            which = (compared, each.get("n"), each["p_value"]) if compared else id(each)
            families.setdefault(str(each["family"]), {}).setdefault(which, []).append(each)
    for family in families.values():
        p_values = np.array([equal[0]["p_value"] for equal in family.values()])
        adjusted = CORRECTIONS.part(correction)().adjusted(p_values)
        for equal, p in zip(family.values(), adjusted.tolist(), strict=True):
            for each in equal:
                each["correction"], each["family_size"], each["p_corrected"] = correction, len(family), p
    return made
