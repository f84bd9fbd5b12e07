"""The index of some passages."""

from typing import ClassVar

from workbench.costs.base import Cost, NotEstimatedError
from workbench.costs.estimator import MODEL, STAGE, TYPICAL, Estimator
from workbench.graph import Job, Stage
from workbench.stages._behind import passages_of
from workbench.stages._ranking import Ranks
from workbench.systems.base import Retriever
from workbench.talk import Summary


class Index(Ranks):
    """Leaves `index/`, in the form of its system. Reads `passages`, and `model` if the system has weights."""

    version: ClassVar[int] = 3
    group: ClassVar[str] = "encode"

    def run(self, job: Job) -> Summary:
        """Encode the passages; goes on where an interrupted attempt stopped."""
        assert isinstance(self.ranker, Retriever)
        return self.ranker.index(self.passages(job), job.out / "index", self.workplace(job))

    def cost(self, stage: Stage, estimator: Estimator) -> Cost:
        assert isinstance(self.ranker, Retriever)
        extent = passages_of(stage.inputs["passages"], estimator)
        count = extent.texts or 0
        size = count * (extent.mean_bytes or TYPICAL)
        texts = estimator.texts(self.document_variety, extent)
        rate = estimator.seconds_to_encode(self.ranker, self.document_variety, texts, self.computing)
        disk = self.ranker.disk(count, size, estimator.width(self.ranker), self.computing)
        if disk is None:
            raise NotEstimatedError(f"Nobody knows how large an index of {self.ranker.architecture} is.")
        weights = bool(self.ranker.checkpoint)
        seconds = STAGE + size * rate + (MODEL if weights else 0.0)
        return Cost(tokens=round(size / 4) if weights else 0, seconds=seconds, disk=disk)
