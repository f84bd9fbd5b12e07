"""Runs of one system after one training: what an analysis looks at by itself."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from store.rows import EffectRow
from workbench.significance.clusters import Spread
from workbench.significance.corrections import CORRECTIONS
from workbench.studies.evidence import Evidence, Level, Observed

SEEDS = "seeds"
"""A factor whose last part is this says which models there are: no level of anything else."""


@dataclass(frozen=True)
class Group:
    """Runs of one system after one training, at one level of every factor that the analysis does not read."""

    system: str
    trained_on: str | None
    levels: dict[str, Level]
    runs: list[Observed]

    @property
    def named(self) -> str:
        """For a family's name."""
        at = [f"{name} {level}" for name, level in self.levels.items()]
        return ", ".join([self.system, *([self.trained_on] if self.trained_on else []), *at])


def groups(evidence: Evidence, read: Iterable[str]) -> list[Group]:
    """Runs by system, training and the levels of the factors that are not read, in the order that they come.

    Args:
        evidence: all runs.
        read: full names of the factors that the analysis reads.
    """
    read = set(read)
    others = [name for name in evidence.factors if name not in read and name.rpartition(".")[2] != SEEDS]
    found: dict[tuple[str, str | None, str], Group] = {}
    for run in evidence.runs:
        levels = {name: run.levels[name] for name in others if name in run.levels}
        key = run.system, run.trained_on, json.dumps(levels, sort_keys=True)
        found.setdefault(key, Group(run.system, run.trained_on, levels, [])).runs.append(run)
    return list(found.values())


def effect(
    group: Group, effect: str, measure: str, unit: str, levels: Mapping[str, Level] | None = None, **values: Any
) -> EffectRow:
    """A row of an effect of a group.

    Args:
        group: whose it is.
        effect, measure, unit: as in `EffectRow`.
        levels: what it is at, beside the group's own levels.
        values: the others; `detail` is written as JSON, and a number that is not one is left out.
    """
    row: EffectRow = {
        "effect": effect, "measure": measure, "system": group.system, "trained_on": group.trained_on, "unit": unit,
        "levels": json.dumps(group.levels | dict(levels or {}), ensure_ascii=False),
        "detail": json.dumps(finite(values.pop("detail", {})), ensure_ascii=False),
    }  # fmt: skip
    row.update(finite(values))
    return row


def finite(value: Any) -> Any:
    """The value as JSON has it: None for what is no number."""
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not np.isfinite(value) else value


def estimated(spread: Spread, at: int, confidence: float) -> dict[str, Any]:
    """Estimate and interval, as values of a row.

    Args:
        spread: estimates with their intervals.
        at: which of them.
        confidence: of the interval.
    """
    values = {"estimate": spread.estimate[at], "ci_low": spread.low[at], "ci_high": spread.high[at]}
    return finite(values) | {"confidence": confidence if np.isfinite(spread.low[at]) else None}  # type: ignore[no-any-return]


def correct(rows: list[EffectRow], family: str) -> None:
    """Write into rows with a p-value that they are one family, and what Holm's method makes of it."""
    tested = [row for row in rows if row.get("p_value") is not None]
    if not tested:
        return
    adjusted = CORRECTIONS.part("holm")().adjusted(np.array([row["p_value"] for row in tested], np.float64))
    for row, p in zip(tested, adjusted, strict=True):
        row["correction"], row["family"] = "holm", family
        row["family_size"], row["p_corrected"] = len(tested), float(p)
