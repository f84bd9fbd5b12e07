"""Runs a plan: what is cached is taken, what is not is made, and everything made goes into the store."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from filelock import FileLock, Timeout

from store import LswError, Store
from store.artifacts import canonical
from store.ingest import collection_label, forget, ingest
from store.schema import utc_now
from workbench.engine.environment import environment
from workbench.plans.recipe import Plan
from workbench.stages import KINDS, Job, Stage, function


class Observer(Protocol):
    """Told what happens, to show it."""

    def begin(self, stage: Stage, position: int, total: int) -> None: ...
    def progress(self, stage: Stage, done: int, total: int) -> None: ...
    def note(self, text: str) -> None: ...
    def end(self, stage: Stage, outcome: str, seconds: float, summary: dict[str, Any]) -> None: ...


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
        verdict = store.artifacts.fresh(stage.key, _inputs(stage))
        forced = _is_forced(stage, force)
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
        if not differ and meta["version"] != KINDS[stage.kind][1]:
            differ = [f"the stage's version was {meta['version']}, is {KINDS[stage.kind][1]}"]
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


def _inputs(stage: Stage) -> dict[str, str]:
    return {role: s.key for role, s in stage.inputs.items()}


def _is_forced(stage: Stage, force: str | None) -> bool:
    return force is not None and (force == "all" or stage.kind == force or stage.key.startswith(force))


def execute(plan: Plan, store: Store, observer: Observer, force: str | None = None) -> dict[str, int]:
    """Run what is not cached, in order, and record it all.

    Args:
        plan: a compiled recipe.
        store: where to keep artifacts and rows.
        observer: is told what happens.
        force: a kind of stage, a key's beginning or `all`: run these again.

    Returns:
        how many stages were cached and how many ran.

    Raises:
        LswError: a stage failed; what was made before it is kept.
        KeyboardInterrupt: passed on, with the recipe run marked interrupted.
    """
    if force and not any(_is_forced(s, force) for s in plan.stages):
        raise LswError(
            f"No stage of this recipe is of kind '{force}'.",
            cure="Kinds here: " + ", ".join(sorted({s.kind for s in plan.stages})) + "; or 'all'.",
        )
    store.create()
    started = time.monotonic()
    with store.writing() as con:
        labels = {c.name: collection_label(con, c.name, c.fingerprint) for c in (*plan.also, plan.collection)}
        _open(con, plan)
    context = {
        "collection": labels[plan.collection.name],
        "recipe": plan.name,
        "recipe_run_id": plan.recipe_run_id,
        "scale": plan.scale,
    }
    store.events.emit(plan.recipe_run_id, "started", recipe=plan.name, scale=plan.scale, stages=len(plan.stages))
    counts = {"cached": 0, "ran": 0}
    try:
        for position, stage in enumerate(plan.stages, 1):
            # What was read from the collection trained on is filed under its name, not under the one tested on.
            own = labels.get(stage.parameters.get("collection", ""), context["collection"])
            ran = _one(plan, store, stage, position, observer, {**context, "collection": own}, force)
            counts["ran" if ran else "cached"] += 1
    except BaseException as error:
        status = "interrupted" if isinstance(error, KeyboardInterrupt) else "failed"
        _close(store, plan, status, time.monotonic() - started, str(error) or type(error).__name__)
        store.events.emit(plan.recipe_run_id, status, error=str(error))
        raise
    _close(store, plan, "done", time.monotonic() - started if counts["ran"] else None)
    store.events.emit(plan.recipe_run_id, "done", **counts)
    return counts


def _one(
    plan: Plan,
    store: Store,
    stage: Stage,
    position: int,
    observer: Observer,
    context: dict[str, Any],
    force: str | None,
) -> bool:
    """Take one stage from the cache or make it. Returns whether it was made."""
    observer.begin(stage, position, len(plan.stages))
    emit = _emitter(store, plan, stage)
    with _alone(store, stage, observer):
        verdict = store.artifacts.fresh(stage.key, _inputs(stage))
        again = _is_forced(stage, force) or verdict.state in ("corrupt", "stale")
        if verdict.state == "corrupt":
            observer.note(f"{stage.label}: the kept artifact is damaged ({verdict.reason}); making it again")
        if again and verdict.state != "absent":
            with store.writing() as con:
                forget(con, stage.key)
            store.artifacts.discard(stage.key)
        seconds = 0.0
        made = again or verdict.state == "absent"
        if made:
            store.room()
            emit("stage", status="running")
            try:
                seconds = _make(plan, store, stage, observer, emit, context)
            except Exception as error:
                _fail(store, stage, error)
                raise
        with store.writing() as con:
            ingest(con, store, stage.key, context)
    summary = store.artifacts.meta(stage.key)["summary"]
    emit("stage", status="done" if made else "cached", seconds=round(seconds, 3))
    observer.end(stage, "made" if made else "cached", seconds, summary)
    return made


def _make(
    plan: Plan,
    store: Store,
    stage: Stage,
    observer: Observer,
    emit: Callable[..., None],
    context: dict[str, Any],
) -> float:
    started_at, started = utc_now(), time.monotonic()
    said = 0.0

    def progress(done: int, total: int) -> None:
        nonlocal said
        observer.progress(stage, done, total)
        now = time.monotonic()
        if now - said > 0.5 or done == total:
            said = now
            emit("progress", done=done, total=total)

    meta = {
        "kind": stage.kind,
        "version": KINDS[stage.kind][1],
        "label": stage.label,
        "parameters": stage.parameters,
        "inputs": _inputs(stage),
        "made_from": {role: store.artifacts.meta(key)["content"] for role, key in _inputs(stage).items()},
        "environment": environment(),
        "started_at": started_at.isoformat(),
        # For `lsw store upgrade`, which rebuilds the database from artifacts.
        "context": {
            **{k: v for k, v in context.items() if k != "collection"},
            **_named(plan, stage),
        },
    }
    with store.artifacts.making(stage.key, meta) as (out, meta):
        job = Job(
            stage.key,
            stage.parameters,
            stage.local,
            {role: store.artifacts.path(s.key) for role, s in stage.inputs.items()},
            out,
            store.artifacts.work(stage.key),
            progress,
            observer.note,
        )
        try:
            meta["summary"] = function(stage.kind)(job)
        except OSError as error:
            raise LswError(
                f"Could not write while running '{stage.label}': {error.strerror or error}.",
                cure="Make room or choose another store with --store DIR; what is done is kept.",
                exit_code=1 if error.errno != 13 else 2,
            ) from error
        seconds = round(time.monotonic() - started, 3)
        meta["seconds"] = seconds
    return seconds


def _named(plan: Plan, stage: Stage) -> dict[str, str]:
    """Name and fingerprint of the collection that a stage's rows are filed under."""
    wanted = stage.parameters.get("collection")
    found = next((c for c in (plan.collection, *plan.also) if c.name == wanted), plan.collection)
    return {"name": found.name, "fingerprint": found.fingerprint}


def _alone(store: Store, stage: Stage, observer: Observer) -> FileLock:
    """A lock on the stage's key; says so if another process is at the same stage."""
    lock = FileLock(store.artifacts.lock(stage.key))
    try:
        lock.acquire(timeout=0)
        lock.release()
    except Timeout:
        observer.note(f"{stage.label}: another process is at it; waiting")
    return lock


def _emitter(store: Store, plan: Plan, stage: Stage) -> Callable[..., None]:
    def emit(event: str, **fields: Any) -> None:
        store.events.emit(plan.recipe_run_id, event, stage=stage.key[:12], kind=stage.kind, label=stage.label, **fields)

    return emit


def _open(con: Any, plan: Plan) -> None:
    """Record that the recipe run began, and which stages are its."""
    known = con.execute("SELECT status FROM recipe_run WHERE recipe_run_id = ?", [plan.recipe_run_id]).fetchone()
    if known:
        con.execute(
            "UPDATE recipe_run SET status = 'running', error = NULL WHERE recipe_run_id = ? AND status <> 'done'",
            [plan.recipe_run_id],
        )
        return
    resolved = canonical(plan.recipe.model_dump(mode="json", by_alias=True))
    con.execute(
        "INSERT INTO recipe_run VALUES (?, ?, ?, ?, 'running', ?, ?, NULL, NULL)",
        [plan.recipe_run_id, plan.name, plan.recipe.title, plan.scale, resolved, utc_now()],
    )
    con.executemany(
        "INSERT INTO recipe_stage VALUES (?, ?, ?, ?)",
        [[plan.recipe_run_id, s.key, s.label, i] for i, s in enumerate(plan.stages)],
    )


def _close(store: Store, plan: Plan, status: str, seconds: float | None, error: str | None = None) -> None:
    with store.writing() as con:
        con.execute(
            "UPDATE recipe_run SET status = ?, seconds = coalesce(?, seconds), error = ? WHERE recipe_run_id = ?",
            [status, seconds, error, plan.recipe_run_id],
        )


def _fail(store: Store, stage: Stage, error: Exception) -> None:
    """Record the failure, so that the store says why a recipe stopped."""
    with store.writing() as con:
        con.execute("DELETE FROM stage WHERE key = ?", [stage.key])
        con.execute(
            "INSERT INTO stage VALUES (?, ?, ?, 'failed', ?, ?, ?, '{}', ?, NULL, ?)",
            [
                stage.key,
                stage.kind,
                KINDS[stage.kind][1],
                canonical(stage.parameters),
                canonical(_inputs(stage)),
                canonical(environment()),
                utc_now(),
                f"{type(error).__name__}: {error}",
            ],
        )
