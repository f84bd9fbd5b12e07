"""A bi-encoder with another number of layers, before it is trained."""

from typing import ClassVar

from workbench.checkpoints.resolve import folder_in
from workbench.costs.base import Cost
from workbench.costs.estimator import MODEL, STAGE, Estimator
from workbench.graph import Job, Kind, Stage
from workbench.pretraining.layers import with_layers
from workbench.talk import Summary


class Layers(Kind):
    """Leaves `checkpoint/`: its vectors of tokens are those of the model read, its layers new. Reads `checkpoint`.

    Args:
        layers: how many.
        pooling: of a checkpoint that does not say it.
        seed: of their weights.
    """

    layers: int
    pooling: str | None = None
    seed: int = 42

    group: ClassVar[str] = "train"

    def run(self, job: Job) -> Summary:
        """Make it."""
        out = job.out / "checkpoint"
        with_layers(folder_in(job.inputs["checkpoint"]), self.pooling, self.layers, self.seed, out)
        return {"layers": self.layers}

    def cost(self, stage: Stage, estimator: Estimator) -> Cost:
        return Cost(seconds=STAGE + MODEL)
