"""What every objective can do: prepare a trainer."""

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa

from workbench.registry import Part
from workbench.systems.base import Encoder, Reranker
from workbench.talk import Progress
from workbench.training.held_out import HeldOut, Scorer
from workbench.training.tuning import Tuning

Prepared = tuple[Any, Any, Callable[[Path], None]]
"""A trainer, the module whose weights it moves, and how to save the result."""


@dataclass(frozen=True)
class Training:
    """What is trained on what, and how.

    Args:
        system: whose weights.
        checkpoint: folder with the model to start from.
        triples: columns query, positive, negative (texts), query_variety, document_variety.
        tuning: epochs, rate and so on.
        work: folder for the trainer's checkpoints; if it holds some, training goes on from the last.
        progress: told steps done and to do.
        report_to: trackers that transformers knows.
        held_out: queries to log a figure of beside the loss, if there are some.
    """

    system: Encoder | Reranker
    checkpoint: Path
    triples: pa.Table
    tuning: Tuning
    work: Path
    progress: Progress
    report_to: tuple[str, ...] = ()
    held_out: HeldOut | None = None

    @property
    def query_length(self) -> int:
        """In tokens."""
        return self.tuning.query_length or self.system.query_length

    @property
    def document_length(self) -> int:
        """In tokens."""
        return self.tuning.document_length or self.system.document_length


class Objective(Part):
    """`architectures` are those that it can train."""

    architectures: ClassVar[tuple[str, ...]]

    @abstractmethod
    def prepare(self, training: Training) -> Prepared:
        """Load the model and a trainer for it."""

    def scorer(self, training: Training, model: Any) -> Scorer | None:
        """What ranks by the model as it is now; None if no held-out figure can be logged."""
        return None
