"""The kinds of stage. Each is a function of a `Job` that fills a folder and returns a summary of what it did."""

from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from store.ingest import ROWS
from store.passages import FILE, Passages
from workbench.systems import Progress


@dataclass(frozen=True)
class Job:
    """What a stage is given.

    Args:
        key: its key; the first 12 digits name a run.
        parameters: what the key depends on.
        local: what it does not depend on (where a folder lies on this machine).
        inputs: artifact folders of the stages before it, by role.
        out: the folder to fill; kept if the stage ends well.
        work: a folder that outlives an interruption.
        progress: to be told units done and to do.
        note: to be told what a user should know while it runs.
    """

    key: str
    parameters: dict[str, Any]
    local: dict[str, Any]
    inputs: dict[str, Path]
    out: Path
    work: Path
    progress: Progress
    note: Callable[[str], Any]

    def read(self, role: str, name: str) -> pa.Table:
        """A table that an input left under `rows/`."""
        return pq.read_table(self.inputs[role] / ROWS / f"{name}.parquet")

    def passages(self, role: str) -> Passages:
        """The passages that an input read, memory-mapped."""
        return Passages(self.inputs[role] / FILE)

    def queries(self, role: str) -> pa.Table:
        """The queries that an input read from a collection, or made by translating."""
        made = (self.inputs[role] / ROWS / "wording.parquet").exists()
        return self.read(role, "wording" if made else "query")

    def write(self, name: str, table: pa.Table) -> None:
        """Leave a table under `rows/`; if the store has a table of that name, its rows will be added there."""
        folder = self.out / ROWS
        folder.mkdir(exist_ok=True)
        # DuckDB's own row groups: the file becomes a table without being cut anew.
        pq.write_table(table, folder / f"{name}.parquet", row_group_size=122_880)


@dataclass(eq=False)
class Stage:
    """One node of a recipe's graph.

    Args:
        kind: one of `KINDS`.
        label: what it does, for people: never part of the key.
        parameters: JSON values; part of the key.
        inputs: stages before it, by role; their keys are part of the key.
        local: not part of the key.
    """

    kind: str
    label: str
    parameters: dict[str, Any]
    inputs: dict[str, "Stage"] = field(default_factory=dict)
    local: dict[str, Any] = field(default_factory=dict)
    key: str = ""


Function = Callable[[Job], dict[str, Any]]

KINDS: dict[str, tuple[str, int]] = {
    "passages": ("sources:passages", 2),
    "queries": ("sources:queries", 1),
    "qrels": ("sources:qrels", 1),
    "checkpoint": ("sources:checkpoint", 1),
    "translate": ("translate:run", 1),
    "search": ("retrieve:search", 1),
    "negatives": ("negatives:run", 2),
    "hard_negatives": ("triples:hard_negatives", 1),
    "scores": ("triples:scores", 1),
    "docpairs": ("triples:docpairs", 1),
    "published_triples": ("triples:published", 1),
    "finetune": ("finetune:run", 2),
    "index": ("retrieve:index", 3),
    "retrieve": ("retrieve:retrieve", 1),
    "rerank": ("retrieve:rerank", 1),
    "reference": ("sources:reference", 1),
    "back": ("translate:back", 1),
    "audit": ("audit:run", 1),
    "measure": ("measure:run", 3),
    "compare": ("compare:run", 3),
    "import": ("imported:run", 2),
    "vocabulary": ("pretrain:vocabulary", 1),
    "initialise": ("pretrain:initialise", 1),
    "crops": ("pretrain:crops", 1),
    "release": ("pretrain:release", 1),
}
"""Function and version of each kind. Raise the version when the same inputs would give something else."""


def function(kind: str) -> Function:
    """The function behind a kind, imported only now."""
    module, _, name = KINDS[kind][0].partition(":")
    found: Function = getattr(import_module(f"workbench.stages.{module}"), name)
    return found
