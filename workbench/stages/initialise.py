"""A new model of a true architecture, before it is trained."""

import shutil
from typing import ClassVar

from store import LswError, nearest
from workbench.checkpoints.resolve import folder_in
from workbench.costs.base import Cost, NotEstimatedError
from workbench.costs.estimator import Estimator
from workbench.graph import Job, Kind, Stage
from workbench.pretraining import initialise
from workbench.pretraining.mt5_wiring import mt5
from workbench.stages._crops import passages
from workbench.talk import Summary

ARCHITECTURES = ("bi-encoder", "multi-vector", "mt5")


class Initialise(Kind):
    """Leaves `checkpoint/`. Reads `vocabulary` and an encoder's `crops`, or mT5's `encoder` (a bi-encoder), passages.

    Args:
        architecture: one of `ARCHITECTURES`.
        size: width, inner, layers, heads, length and the like.
        seed: of the weights.
    """

    architecture: str
    size: dict[str, int]
    seed: int

    version: ClassVar[int] = 2
    group: ClassVar[str] = "train"

    def run(self, job: Job) -> Summary:
        """Make it.

        Raises:
            LswError: nobody knows how to make such a model.
        """
        from transformers import set_seed

        set_seed(self.seed)
        pieces = job.inputs["vocabulary"] / "vocabulary.model"
        match self.architecture:
            case "bi-encoder":
                initialise.biencoder(pieces, self.size, job.read("crops", "crops"), self.seed, job.out)
            case "multi-vector":
                initialise.multivector(pieces, self.size, job.read("crops", "crops"), self.seed, job.out)
            case "mt5":
                texts = [text for table in passages(job).values() for text in table["text"].to_pylist()]
                mt5(pieces, self.size, folder_in(job.inputs["encoder"]), texts, job.out)
            case other:
                raise LswError(f"No new '{other}' can be made here.", cure=nearest(other, ARCHITECTURES))
        shutil.rmtree(job.out / "backbone", ignore_errors=True)
        return {}

    def cost(self, stage: Stage, estimator: Estimator) -> Cost:
        raise NotEstimatedError("How long a new model takes to be made is not timed.")
