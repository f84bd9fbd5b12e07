"""Pseudo-queries and their passages, for self-supervised training."""

from typing import ClassVar

from workbench.checkpoints.resolve import folder_in
from workbench.costs.base import Cost, NotEstimatedError
from workbench.costs.estimator import Estimator
from workbench.graph import Job, Kind, Stage
from workbench.pretraining import crops
from workbench.stages._crops import by_variety, passages
from workbench.talk import Summary


class MakeCrops(Kind):
    """Leaves `rows/crops.parquet`: the columns of `workbench.pretraining.crops.COLUMNS` (strings).

    Reads `passages.VARIETY`, `queries.VARIETY`, `qrels` and, to mine negatives, `encoder`. The settings are those of
    `workbench.pretraining.crops.crops`; `mined_top` is how many passages a negative is drawn from.
    """

    examples: int
    noise: float
    query_share: float
    across_share: float
    seed: int
    mined_top: int

    version: ClassVar[int] = 2
    files: ClassVar[tuple[str, ...]] = ("crops",)
    group: ClassVar[str] = "train"

    def run(self, job: Job) -> Summary:
        """Draw."""
        texts = passages(job)
        mined = None
        if "encoder" in job.inputs:
            mined = crops.alike(folder_in(job.inputs["encoder"]), texts, self.mined_top)
        queries, qrels = by_variety(job, "queries", "query"), job.read("qrels", "qrel")
        shares = self.noise, self.query_share, self.across_share
        table = crops.crops(texts, queries, qrels, self.examples, *shares, self.seed, mined)
        job.write("crops", table)
        return {"examples": len(table)}

    def cost(self, stage: Stage, estimator: Estimator) -> Cost:
        raise NotEstimatedError("How long crops take to be drawn is not timed.")
