"""How long the stages of a plan took where this store has made such ones before: measured, never guessed."""

import json
from dataclasses import dataclass
from typing import Any

import duckdb

from store import Store
from store.artifacts import canonical
from workbench.engine.dry_run import is_forced
from workbench.graph import Plan

APART = frozenset(
    {"variety", "query_variety", "document_variety", "source_variety", "target_variety", "system", "trained_on", "base",
     "seed"}
)  # fmt: skip
"""Settings that change what comes out of a stage, not how long it takes."""


@dataclass(frozen=True)
class Expected:
    """For each stage of a plan, in order.

    Args:
        seconds: 0 if its artifact is there, else the mean of such stages; None if none was ever made.
        alike: a number that stages have in common which should take about as long.
    """

    seconds: list[float | None]
    alike: list[int]


def expected(con: duckdb.DuckDBPyConnection, store: Store, plan: Plan, force: str | None) -> Expected:
    """What stages of the same kind and settings took, whichever variety or seed they were of, at the same scale and
    collection.

    Args:
        con: a connection.
        store: whose.
        plan: that is about to be run.
        force: as of `execute`.
    """
    found = con.execute(
        "SELECT DISTINCT s.key, s.kind, s.parameters, s.seconds FROM stage s JOIN recipe_stage t USING (key)"
        " JOIN recipe_run r USING (recipe_run_id) WHERE s.status = 'done' AND s.seconds IS NOT NULL AND r.scale = ?"
        " AND r.resolved->>'$.collection.name' = ?",
        [plan.scale, plan.resolved.get("collection", {}).get("name")],
    ).fetchall()
    took: dict[str, list[float]] = {}
    for _, kind, parameters, seconds in found:
        took.setdefault(_digest(kind, json.loads(parameters or "{}")), []).append(seconds)
    numbers: dict[str, int] = {}
    out = Expected([], [])
    for stage in plan.stages:
        digest = _digest(stage.kind, stage.parameters)
        out.alike.append(numbers.setdefault(digest, len(numbers)))
        if store.artifacts.path(stage.key).exists() and not is_forced(stage, force):
            out.seconds.append(0.0)
        else:
            earlier = took.get(digest)
            out.seconds.append(round(sum(earlier) / len(earlier), 3) if earlier else None)
    return out


def _digest(kind: str, parameters: dict[str, Any]) -> str:
    return canonical([kind, {name: value for name, value in parameters.items() if name not in APART}])
