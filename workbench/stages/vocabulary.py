"""The vocabulary of the mini models."""

from typing import ClassVar

from workbench.costs.base import Cost, NotEstimatedError
from workbench.costs.estimator import Estimator
from workbench.graph import Job, Kind, Stage
from workbench.pretraining.vocabulary import vocabulary
from workbench.stages._crops import by_variety, passages
from workbench.talk import Summary


class TrainVocabulary(Kind):
    """Leaves `vocabulary.model`. Reads `passages.VARIETY` and `queries.VARIETY`.

    Args:
        size: pieces.
        piece_length: letters of a piece at most.
        han_pairs: pairs of Han characters that are one piece, at most.
    """

    size: int
    piece_length: int
    han_pairs: int

    version: ClassVar[int] = 2
    group: ClassVar[str] = "train"

    def run(self, job: Job) -> Summary:
        """Count and choose."""
        texts = [text for table in passages(job).values() for text in table["text"].to_pylist()]
        texts += [text for table in by_variety(job, "queries", "query").values() for text in table["query"].to_pylist()]
        vocabulary(texts, self.size, self.piece_length, self.han_pairs, job.out)
        return {"texts": len(texts)}

    def cost(self, stage: Stage, estimator: Estimator) -> Cost:
        raise NotEstimatedError("How long a vocabulary takes is not timed.")
