"""A model between a base and what it was trained to."""

from typing import ClassVar

from pydantic import SerializeAsAny

from workbench.checkpoints.resolve import folder_in
from workbench.costs.base import Cost
from workbench.costs.estimator import MODEL, STAGE, Estimator
from workbench.graph import Job, Kind, Stage
from workbench.systems.base import System
from workbench.talk import Summary
from workbench.training.interpolation import interpolate
from workbench.training.tuning import Share


class Interpolate(Kind):
    """Leaves `checkpoint/`. Reads `base` and `tuned`, two models of one system.

    Args:
        ranker: the system.
        share: of the tuned one in every weight.
    """

    ranker: SerializeAsAny[System]
    share: Share

    group: ClassVar[str] = "train"

    def run(self, job: Job) -> Summary:
        """Mix them.

        Raises:
            LswError: their weights are not of the same names and shapes.
        """
        base, tuned = (folder_in(job.inputs[role]) for role in ("base", "tuned"))
        out = job.out / "checkpoint"
        return {"weight_change": interpolate(self.ranker, base, tuned, self.share, out)}

    def cost(self, stage: Stage, estimator: Estimator) -> Cost:
        size = estimator.weights(self.ranker)
        return Cost(seconds=STAGE + 3 * MODEL + size / 3e8, disk=size)
