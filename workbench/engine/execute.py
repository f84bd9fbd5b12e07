"""Runs a plan: what is cached is taken, what is not is made, and everything made goes into the store."""

import time
from dataclasses import dataclass
from typing import Any, Protocol

from filelock import FileLock, Timeout

from store import LswError, Store
from store.artifacts import canonical, short
from store.events import host
from store.ingest import Context, collection_label, forget, ingest, known, settled
from store.record import close_recipe_run, fail_stage, open_recipe_run
from store.schema import utc_now
from workbench.engine.dry_run import is_forced
from workbench.engine.environment import environment
from workbench.engine.expected import expected
from workbench.graph import Job, Named, Plan, Stage
from workbench.stages._sources import Reads
from workbench.talk import Progress, Summary

EVENT_EVERY = 0.5
"""Seconds between two events of progress."""


class Observer(Protocol):
    """Told what happens, to show it."""

    def begin(self, stage: Stage, position: int, total: int) -> None: ...
    def progress(self, stage: Stage, done: int, total: int) -> None: ...
    def note(self, text: str) -> None: ...
    def end(self, stage: Stage, outcome: str, seconds: float, summary: Summary) -> None: ...


def execute(
    plan: Plan, store: Store, observer: Observer, force: str | None = None, ensured: set[tuple[str, str]] | None = None
) -> dict[str, int]:
    """Run what is not cached, in order, and record it all.

    Args:
        plan: what is to be done.
        store: where to keep artifacts and rows.
        observer: is told what happens.
        force: a kind of stage, a key's beginning or `all`: run these again.
        ensured: stages that this process has made or looked at already, each with the collection that its rows are
            filed under; those of the plan are added.

    Returns:
        how many stages were `cached` and how many `ran`.

    Raises:
        LswError: a stage failed; what was made before it is kept.
        KeyboardInterrupt: passed on, with the recipe run marked interrupted.
    """
    if force:
        known_kind(plan, force)
    store.create()
    with store.events.held(plan.recipe_run_id) as locked:
        return _execute(plan, store, observer, force, ensured, locked)


def _execute(
    plan: Plan,
    store: Store,
    observer: Observer,
    force: str | None,
    ensured: set[tuple[str, str]] | None,
    locked: bool,
) -> dict[str, int]:
    """As `execute`, while the lock of the recipe run is held."""
    started = time.monotonic()
    with store.writing() as con:
        labels = {c.name: collection_label(con, c.name, c.fingerprint) for c in (*plan.also, plan.collection)}
        stages = [(stage.key, stage.label) for stage in plan.stages]
        resolved = canonical(plan.resolved)
        ahead = expected(con, store, plan, force)
        filed = [(stage.key, labels[collection_of(plan, stage).name]) for stage in plan.stages]
        there = settled(con, filed)
        open_recipe_run(con, store, plan.recipe_run_id, plan.name, plan.title, plan.scale, resolved, stages)
    about = {"recipe": plan.name, "scale": plan.scale, "stages": len(plan.stages), "host": host(), "locked": locked}
    store.events.emit(plan.recipe_run_id, "started", **about, expected=ahead.seconds, alike=ahead.alike)
    counts = {"cached": 0, "ran": 0}
    try:
        for position, stage in enumerate(plan.stages, 1):
            stage_run = StageRun(plan, store, stage, observer, labels, position)
            known = stage.key, str(stage_run.context.collection)
            if ensured is not None and known in ensured:
                counts["cached"] += 1
                continue
            observer.begin(stage, position, len(plan.stages))
            made = stage_run.done(is_forced(stage, force), there.get(stage.key))
            counts["ran" if made else "cached"] += 1
            if ensured is not None:
                ensured.add(known)
    except BaseException as error:
        status = "interrupted" if isinstance(error, KeyboardInterrupt) else "failed"
        reason = str(error) or type(error).__name__
        with store.writing() as con:
            close_recipe_run(con, store, plan.recipe_run_id, status, time.monotonic() - started, reason)
        store.events.emit(plan.recipe_run_id, status, error=str(error))
        raise
    with store.writing() as con:
        took = time.monotonic() - started if counts["ran"] else None
        close_recipe_run(con, store, plan.recipe_run_id, "done", took)
    store.events.emit(plan.recipe_run_id, "done", **counts)
    return counts


def known_kind(plan: Plan, force: str) -> None:
    """Make sure that a stage of a plan is one to run again.

    Raises:
        LswError: none is.
    """
    if not any(is_forced(stage, force) for stage in plan.stages):
        raise LswError(
            f"No stage of this recipe is of kind '{force}'.",
            cure="Kinds here: " + ", ".join(sorted({stage.kind for stage in plan.stages})) + "; or 'all'.",
        )


def collection_of(plan: Plan, stage: Stage) -> Named:
    """What a stage's rows are filed under: what it reads, else what is tested on.

    What was read from the collection trained on is filed under its name, not under the one tested on.
    """
    name = stage.work.collection if isinstance(stage.work, Reads) else plan.collection.name
    return next((c for c in (plan.collection, *plan.also) if c.name == name), plan.collection)


@dataclass
class StageRun:
    """One stage of a plan at work.

    Args:
        plan, store, stage, observer: what and where.
        labels: what the store calls each collection, by its name.
        position: which of the plan's it is, from 1.
    """

    plan: Plan
    store: Store
    stage: Stage
    observer: Observer
    labels: dict[str, str]
    position: int

    @property
    def context(self) -> Context:
        """Columns that an artifact cannot know."""
        plan = self.plan
        return Context(self.labels[collection_of(plan, self.stage).name], plan.name, plan.recipe_run_id, plan.scale)

    def emit(self, event: str, **fields: Any) -> None:
        """Append to the live events."""
        stage = self.stage
        about = {"stage": short(stage.key), "kind": stage.kind, "label": stage.label}
        self.store.events.emit(self.plan.recipe_run_id, event, **about, **fields)

    def done(self, forced: bool, summary: Summary | None) -> bool:
        """Take the stage from the cache or make it.

        Args:
            forced: make it anew.
            summary: as recorded, if the database had all rows of the stage when the recipe run began.

        Returns:
            whether it was made.
        """
        store, stage = self.store, self.stage
        if (
            not forced
            and summary is not None
            and store.artifacts.fresh(stage.key, stage.input_keys).state == "complete"
        ):
            self._end(False, 0.0, summary)  # nothing is to be written: no lock, no transaction
            return False
        with self._alone():
            verdict = store.artifacts.fresh(stage.key, stage.input_keys)
            again = forced or verdict.state in ("corrupt", "stale")
            if verdict.state == "corrupt":
                self.observer.note(f"{stage.label}: the kept artifact is damaged ({verdict.reason}); making it again")
            if again and verdict.state != "absent":
                with store.writing() as con:
                    forget(con, stage.key)
                store.artifacts.discard(stage.key)
            seconds = 0.0
            makes = again or verdict.state == "absent"
            if makes:
                store.room()
                self.emit("stage", status="running", position=self.position)
                try:
                    seconds = self._make()
                except Exception as error:
                    with store.writing() as con:
                        about = stage.kind, stage.work.version, stage.parameters, stage.input_keys, environment()
                        fail_stage(con, stage.key, *about, f"{type(error).__name__}: {error}")
                    raise
            with store.writing() as con:
                if makes and known(con, stage.key):  # its artifact was gone, its rows were not
                    forget(con, stage.key)
                ingest(con, store, stage.key, self.context)
        self._end(makes, seconds, store.artifacts.meta(stage.key)["summary"])
        return makes

    def _end(self, made: bool, seconds: float, summary: Summary) -> None:
        self.emit("stage", status="done" if made else "cached", position=self.position, seconds=round(seconds, 3))
        self.observer.end(self.stage, "made" if made else "cached", seconds, summary)

    def _alone(self) -> FileLock:
        """A lock on the stage's key; says so if another process is at the same stage."""
        lock = FileLock(self.store.artifacts.lock(self.stage.key))
        try:
            lock.acquire(timeout=0)
            lock.release()
        except Timeout:
            self.observer.note(f"{self.stage.label}: another process is at it; waiting")
        return lock

    def _make(self) -> float:
        """Make the artifact; returns the seconds that took."""
        store, stage = self.store, self.stage
        started_at, started = utc_now(), time.monotonic()
        collection = collection_of(self.plan, stage)
        meta: dict[str, Any] = {
            "kind": stage.kind,
            "version": stage.work.version,
            "tables": list(stage.work.tables),
            "label": stage.label,
            "parameters": stage.parameters,
            "inputs": stage.input_keys,
            "made_from": {role: store.artifacts.meta(key)["content"] for role, key in stage.input_keys.items()},
            "environment": environment(),
            "started_at": started_at.isoformat(),
            # For `lsw store upgrade`, which rebuilds the database from artifacts.
            "context": {
                "recipe": self.plan.name,
                "recipe_run_id": self.plan.recipe_run_id,
                "scale": self.plan.scale,
                "name": collection.name,
                "fingerprint": collection.fingerprint,
            },
        }
        with store.artifacts.making(stage.key, meta) as (out, meta):
            inputs = {role: store.artifacts.path(key) for role, key in stage.input_keys.items()}
            job = Job(stage.key, inputs, out, store.artifacts.work(stage.key), self._teller(), self.observer.note)
            try:
                meta["summary"] = stage.work.run(job)
            except OSError as error:
                raise LswError(
                    f"Could not write while running '{stage.label}': {error.strerror or error}.",
                    cure="Make room or choose another store with --store DIR; what is done is kept.",
                    exit_code=1 if error.errno != 13 else 2,
                ) from error
            seconds = round(time.monotonic() - started, 3)
            meta["seconds"] = seconds
        return seconds

    def _teller(self) -> Progress:
        """What a job tells its progress: shown at once, and now and then an event."""
        last = 0.0

        def progress(done: int, total: int) -> None:
            nonlocal last
            self.observer.progress(self.stage, done, total)
            now = time.monotonic()
            if now - last > EVENT_EVERY or done == total:
                last = now
                self.emit("progress", done=done, total=total)

        return progress
