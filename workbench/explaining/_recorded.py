"""What the store recorded of the stage that made a run: its kind, its system, its index and its model."""

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from store import LswError, Store
from store.artifacts import short
from store.query import lineage
from store.rows import RunRow, StageRow
from workbench.checkpoints.resolve import folder_in
from workbench.systems import SYSTEMS
from workbench.systems._encoding import Computing
from workbench.systems.base import System

AGAIN = "Run the recipe again: it makes what is missing, and only that."


@dataclass(frozen=True)
class Recorded:
    """A run's stage.

    Args:
        store: where it is.
        run: its row.
        kind: of the stage: retrieve, rerank, fuse, ...
        parameters: its settings, as JSON values.
        inputs: the key of each stage that it reads, by role.
        behind: the rows of these, by key.
    """

    store: Store
    run: RunRow
    kind: str
    parameters: dict[str, Any]
    inputs: dict[str, str]
    behind: dict[str, StageRow]

    @property
    def spoken(self) -> str:
        """The variety of the query's words: the passages' if it was rewritten in them."""
        queries = self.behind.get(self.inputs.get("queries", ""))
        rewritten = queries is not None and queries["kind"] == "rewrite"
        return str(self.parameters["document_variety" if rewritten else "query_variety"])

    @property
    def script(self) -> str:
        """In which queries and passages were read."""
        return str(self.parameters.get("script", "as written"))

    @property
    def computing(self) -> Computing:
        """How the system computed."""
        return Computing.model_validate(self.parameters.get("computing", {}))

    def system(self, checkpoint: Path | None) -> System:
        """The run's own system, with the settings that were recorded.

        Raises:
            LswError: this lsw does not have it, or has another version of it.
        """
        settings = dict(self.parameters["ranker"])
        own = {"version": settings.pop("version", 1), "plugin": settings.pop("plugin", "")}
        name = settings["architecture"]
        part = SYSTEMS.part(name)
        has = {"version": part.version, "plugin": part.distribution}
        if own != has:
            told = (", ".join(f"{k} {v}" for k, v in which.items() if v) for which in (own, has))
            raise LswError(
                f"The run {self.run['run_id']} was made by another {name} than this lsw has.",
                "{}; here is {}.".format(*told),
                "Run the recipe again.",
            )
        settings["checkpoint"] = str(checkpoint or "")
        try:
            return part.model_validate_json(json.dumps(settings))
        except ValueError as error:
            raise LswError(
                f"The settings of {name} that the run {self.run['run_id']} recorded are not understood.",
                str(error).splitlines()[0],
                "Run the recipe again.",
            ) from None

    def checkpoint(self) -> Path | None:
        """The folder of the model that the run used, trained or not; None of a system without weights.

        Raises:
            LswError: it is gone.
        """
        if "model" not in self.inputs:
            return None
        artifact = self._there("model", "model")
        try:
            folder = folder_in(artifact)
        except (OSError, ValueError, KeyError):
            raise LswError(f"{artifact} names no model.", cure=AGAIN, exit_code=1) from None
        if not folder.is_dir():
            raise LswError(
                f"The model of the run {self.run['run_id']} is gone.", f"It was in {folder}.", f"Put it back. {AGAIN}"
            )
        return folder

    def index(self) -> Path | None:
        """The index that the run searched; None if it searched none.

        Raises:
            LswError: it is gone.
        """
        return self._there("index", "index") / "index" if "index" in self.inputs else None

    def _there(self, role: str, what: str) -> Path:
        artifact = self.store.artifacts.path(self.inputs[role])
        if not artifact.is_dir():
            run_id = self.run["run_id"]
            raise LswError(f"The {what} of the run {run_id} is gone.", f"It was in {artifact}.", AGAIN, exit_code=1)
        return artifact

    @property
    def runs(self) -> list[str]:
        """The ids of the runs that this one was made of."""
        numbered = sorted((int(role[4:]), key) for role, key in self.inputs.items() if role.startswith("run."))
        return [short(key) for _, key in numbered]


def recorded(store: Store, run: RunRow) -> Recorded:
    """The stage of a run.

    Raises:
        LswError: the store does not have it.
    """
    stages = _stages(store.folder, run["key"])
    own = stages[run["key"]]
    inputs = json.loads(own["inputs"] or "{}")
    return Recorded(store, run, own["kind"], json.loads(own["parameters"] or "{}"), inputs, stages)


@lru_cache(256)
def _stages(folder: Path, key: str) -> dict[str, StageRow]:
    """All stages behind a key, by key. What a key stands for never changes, and one run is asked again and again."""
    stages = {stage["key"]: stage for stage in lineage(Store(folder), key)}
    if key not in stages:
        raise LswError(f"The store {folder} has no record of how the run {short(key)} was made.", cure=AGAIN)
    return stages
