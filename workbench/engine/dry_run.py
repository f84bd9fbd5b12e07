"""What would become of a plan: what is cached, what would run, and why."""

from dataclasses import dataclass
from typing import Any

from store import Store
from store.artifacts import canonical
from workbench.graph import Plan, Stage


@dataclass(frozen=True)
class Fate:
    """What would become of a stage: `cached`, or `to run` and why."""

    stage: Stage
    outcome: str
    reason: str = ""


def foresee(plan: Plan, store: Store, force: str | None = None) -> list[Fate]:
    """For each stage whether it is cached, and where a near twin is, in which parameter that differs."""
    kept: dict[str, list[dict[str, Any]]] = {}
    for key in store.artifacts.complete():
        if store.artifacts.check(key).state != "complete":
            continue
        meta = store.artifacts.meta(key)
        kept.setdefault(meta["kind"], []).append(meta)
    fates, fresh = [], set()
    for stage in plan.stages:
        verdict = store.artifacts.fresh(stage.key, stage.input_keys)
        forced = is_forced(stage, force)
        waits = [s.label for s in stage.inputs.values() if s.key in fresh]
        if verdict.state == "complete" and not forced and not waits:
            fates.append(Fate(stage, "cached"))
            continue
        fresh.add(stage.key)
        if forced:
            reason = "forced"
        elif verdict.state in ("corrupt", "stale"):
            reason = f"{verdict.state}: {verdict.reason}"
        elif waits:
            reason = f"after: {waits[0]}"
        else:
            reason = _difference(stage, kept.get(stage.kind, []))
        fates.append(Fate(stage, "to run", reason))
    return fates


def _difference(stage: Stage, kept: list[dict[str, Any]]) -> str:
    """In which parameter the nearest kept stage of the same kind differs."""
    best: list[str] | None = None
    for meta in kept:
        theirs, ours = _flat(meta["parameters"]), _flat(stage.parameters)
        differ = [
            f"{k} was {theirs.get(k, 'absent')}, is {ours.get(k, 'absent')}"
            for k in sorted(theirs.keys() | ours.keys())
            if theirs.get(k) != ours.get(k)
        ]
        if not differ and meta["version"] != stage.work.version:
            differ = [f"the stage's version was {meta['version']}, is {stage.work.version}"]
        if not differ:
            names = {v: k for k, v in meta["inputs"].items()}
            differ = [f"input {role} is another" for role, s in stage.inputs.items() if s.key not in names]
        if differ and (best is None or len(differ) < len(best)):
            best = differ
    return "; ".join(best) if best and len(best) <= 3 else "new"


def _flat(value: dict[str, Any], prefix: str = "") -> dict[str, str]:
    out: dict[str, str] = {}
    for key, item in value.items():
        if isinstance(item, dict):
            out |= _flat(item, f"{prefix}{key}.")
        else:
            out[prefix + key] = canonical(item)[:60]
    return out


def is_forced(stage: Stage, force: str | None) -> bool:
    """Whether a stage is to be made again, whatever there is: by its kind, its key's beginning, or with `all`."""
    return force is not None and (force == "all" or stage.kind == force or stage.key.startswith(force))
