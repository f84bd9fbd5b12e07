"""Each query against its passage, its negative and those of its batch (Henderson et al. 2017, arXiv 1705.00652)."""

from typing import Any, ClassVar

from workbench.training import encoders
from workbench.training.held_out import Scorer
from workbench.training.objectives.base import Objective, Prepared, Training
from workbench.training.trainer import contrast


class InBatch(Objective):
    """Cross-entropy of inner products over a temperature, by sentence-transformers' own trainer."""

    architectures: ClassVar[tuple[str, ...]] = ("bi-encoder",)

    def scorer(self, training: Training, model: Any) -> Scorer:
        return encoders.scorer(training, model)

    def prepare(self, training: Training) -> Prepared:
        from sentence_transformers.sentence_transformer.losses import (
            CachedMultipleNegativesRankingLoss,
            MultipleNegativesRankingLoss,
        )

        model = encoders.student(training)
        loss = contrast(MultipleNegativesRankingLoss, CachedMultipleNegativesRankingLoss, model, training.tuning)
        return encoders.trainer(training, model, encoders.triples(training), loss, in_parts=False)
