"""What every objective can do: prepare a trainer."""

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa

from workbench.registry import Part
from workbench.systems.base import Encoder, Reranker
from workbench.talk import Progress
from workbench.training.held_out import HeldOut, Scorer
from workbench.training.needs import Given, Need
from workbench.training.tuning import Tuning
from workbench.varieties import Pair

ALIGNMENT = "alignment.parquet"
"""What an objective that aligns tokens leaves in the folder of the training's work: columns of the view `alignments`,
without the model."""
Prepared = tuple[Any, Any, Callable[[Path], None]]
"""A trainer, the module whose weights it moves, and how to save the result."""


@dataclass(frozen=True)
class Training:
    """What is trained on what, and how.

    Args:
        system: whose weights.
        checkpoint: folder with the model to start from.
        triples: columns query, positive, negative (texts), query_variety, document_variety; empty where the objective
            reads none.
        tuning: epochs, rate and so on.
        work: folder for the trainer's checkpoints; if it holds some, training goes on from the last.
        progress: told steps done and to do.
        report_to: trackers that transformers knows.
        held_out: queries to log a figure of beside the loss, if there are some.
        objective: what is minimised, if not what `tuning` or the system says.
        given: what the objective needs beside the triples, and where it counts what it did.
    """

    system: Encoder | Reranker
    checkpoint: Path
    triples: pa.Table
    tuning: Tuning
    work: Path
    progress: Progress
    report_to: tuple[str, ...] = ()
    held_out: HeldOut | None = None
    objective: "Objective | None" = None
    given: Given = field(default_factory=Given)

    @property
    def varieties(self) -> tuple[str, str]:
        """Of queries and passages: those of the first triple, or of the parallel texts that stand for triples."""
        if len(self.triples):
            first = self.triples.slice(0, 1).to_pylist()[0]
            return first["query_variety"], first["document_variety"]
        codes = self.given.tables["bitext"].schema.metadata
        return codes[b"source"].decode(), codes[b"target"].decode()

    @property
    def query_length(self) -> int:
        """In tokens."""
        return self.tuning.query_length or self.system.query_length

    @property
    def document_length(self) -> int:
        """In tokens."""
        return self.tuning.document_length or self.system.document_length


class Objective(Part):
    """What training minimises. In a recipe: `objective = "in-batch"`, or `objective = { objective = "optical", ... }`.

    `architectures` are those that it can train. One that reads no triples is given none, and no step is done to any.
    """

    objective: str

    architectures: ClassVar[tuple[str, ...]]
    reads_triples: ClassVar[bool] = True

    @property
    def keeps_passages(self) -> bool:
        """Whether only queries are encoded by what is trained: passages stay with the model that it starts from."""
        return False

    @property
    def pairs_beside(self) -> list[str]:
        """Pairs of varieties that it learns from beside that of the training."""
        return []

    def needs(self, on: Pair) -> dict[str, Need]:
        """What it reads beside the triples of a pair, by role."""
        return {}

    @abstractmethod
    def prepare(self, training: Training) -> Prepared:
        """Load the model and a trainer for it."""

    def scorer(self, training: Training, model: Any) -> Scorer | None:
        """What ranks by the model as it is now; None if no held-out figure can be logged."""
        return None
