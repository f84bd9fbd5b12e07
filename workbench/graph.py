"""Stages, their keys, and plans of them: what is to be done, before anything is.

A stage is a kind of work with its settings, and the stages that it reads. Its key is a hash of what it depends on:
never of code, paths, times or devices.
"""

import hashlib
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from store.artifacts import canonical, short
from store.ingest import ROWS
from store.passages import FILE, Passages
from workbench.costs.base import Cost
from workbench.costs.estimator import Estimator
from workbench.registry import Part
from workbench.talk import Progress, Summary

GROUPS = ("download", "translate", "train", "encode", "rank", "evaluate")
"""What `lsw plan` adds up."""


@dataclass(frozen=True)
class Job:
    """What a stage is given when it is run.

    Args:
        key: its key; `run_id` is how a run is called after it.
        inputs: artifact folders of the stages that it reads, by role.
        out: the folder to fill; kept if the stage ends well.
        work: a folder that outlives an interruption.
        progress: to be told units done and to do.
        note: to be told what a user should know while it runs.
    """

    key: str
    inputs: dict[str, Path]
    out: Path
    work: Path
    progress: Progress
    note: Callable[[str], Any]

    @property
    def run_id(self) -> str:
        """The run's, if the stage makes one."""
        return short(self.key)

    def read(self, role: str, name: str) -> pa.Table:
        """A table that an input left under `rows/`."""
        return pq.read_table(self.rows(role, name))

    def rows(self, role: str, name: str) -> Path:
        """The file of such a table, which may not be there."""
        return self.inputs[role] / ROWS / f"{name}.parquet"

    def passages(self, role: str) -> Passages:
        """The passages that an input read, memory-mapped."""
        return Passages(self.inputs[role] / FILE)

    def queries(self, role: str) -> pa.Table:
        """The queries that an input read from a collection, or made: variety, qid, query, topic, split (strings)."""
        return self.read(role, "wording" if self.rows(role, "wording").exists() else "query")

    def target(self, name: str) -> Path:
        """The file under `rows/` for a table of this name."""
        folder = self.out / ROWS
        folder.mkdir(exist_ok=True)
        return folder / f"{name}.parquet"

    def write(self, name: str, table: pa.Table) -> None:
        """Leave a table under `rows/`; if the kind of stage declares it, its rows go into the store's table."""
        # DuckDB's own row groups: the file becomes a table without being cut anew.
        pq.write_table(table, self.target(name), row_group_size=122_880)


class Kind(Part):
    """A kind of stage: its settings are its fields, and it does its work and says what that costs.

    `version` is raised when the same settings and inputs would give something else. `tables` are those of the store
    that it fills (one that the store does not know goes to `extra`); `files` are tables for later stages only.
    """

    version: ClassVar[int] = 1
    tables: ClassVar[tuple[str, ...]] = ()
    files: ClassVar[tuple[str, ...]] = ()
    group: ClassVar[str] = "evaluate"

    @abstractmethod
    def run(self, job: Job) -> Summary:
        """Fill `job.out`; returns a summary, as JSON values."""

    @abstractmethod
    def cost(self, stage: "Stage", estimator: Estimator) -> Cost:
        """What this stage will cost.

        Raises:
            NotEstimatedError: nobody knows.
        """


@dataclass(eq=False)
class Stage:
    """One node of a graph.

    Args:
        work: what is done.
        label: that, for people; never part of the key.
        inputs: the stages it reads, by role; their keys are part of the key.
        key: of a stage that the store has done already; else it is made here.
    """

    work: Kind
    label: str
    inputs: dict[str, "Stage"] = field(default_factory=dict)
    key: str = ""

    def __post_init__(self) -> None:
        self.key = self.key or stage_key(self.kind, self.work.version, self.work.key(), self.input_keys)

    @property
    def kind(self) -> str:
        """The name of its kind."""
        return self.work.name

    @property
    def parameters(self) -> dict[str, Any]:
        """All settings that are not local, as JSON values: what is recorded."""
        return self.work.recorded()

    @property
    def input_keys(self) -> dict[str, str]:
        """The key of each input, by role."""
        return {role: stage.key for role, stage in self.inputs.items()}

    @property
    def run_id(self) -> str:
        """The id of the run that it makes, if it makes one."""
        return short(self.key)


def stage_key(kind: str, version: int, parameters: dict[str, Any], inputs: dict[str, str]) -> str:
    """sha256, in hexadecimal, over canonical JSON of what a stage depends on."""
    depends_on = {"kind": kind, "version": version, "parameters": parameters, "inputs": inputs}
    return hashlib.sha256(canonical(depends_on).encode()).hexdigest()


class Named(Protocol):
    """What the store must know of a collection: its name and the hash of its content."""

    @property
    def name(self) -> str: ...
    @property
    def fingerprint(self) -> str: ...


@dataclass(frozen=True)
class Label:
    """A collection of which only that is known."""

    name: str
    fingerprint: str


@dataclass(frozen=True)
class Plan:
    """Stages in an order that respects their inputs, and who they are for the store.

    Args:
        name: of the recipe or the command.
        scale: of the recipe; `-` if there is none.
        title: for people.
        resolved: the recipe with everything its scale filled in, as JSON values.
        collection: that is tested on.
        stages: each after its inputs.
        also: other collections that stages read.
        runs: the stages that make runs.
        measures: the main one first.
    """

    name: str
    scale: str
    title: str
    resolved: dict[str, Any]
    collection: Named
    stages: list[Stage]
    also: tuple[Named, ...] = ()
    runs: tuple[Stage, ...] = ()
    measures: tuple[str, ...] = ()

    @property
    def recipe_run_id(self) -> str:
        """The same for the same stages under the same name."""
        about = [self.name, self.scale, sorted(stage.key for stage in self.stages)]
        return short(hashlib.sha256(canonical(about).encode()).hexdigest())


class Graph:
    """Stages as they are added; equal ones become one."""

    def __init__(self) -> None:
        self._by_key: dict[str, Stage] = {}

    def add(self, work: Kind, label: str, inputs: dict[str, Stage] | None = None) -> Stage:
        """A stage, or the equal one that is there already."""
        stage = Stage(work, label, inputs or {})
        return self._by_key.setdefault(stage.key, stage)

    @property
    def stages(self) -> list[Stage]:
        """In the order in which they were added: each after its inputs."""
        return list(self._by_key.values())
