"""As `in-batch`, of MaxSim over token vectors (ColBERT; Khattab and Zaharia 2020, arXiv 2004.12832)."""

from typing import Any, ClassVar

from workbench.training import encoders
from workbench.training.held_out import Scorer
from workbench.training.objectives.base import Objective, Prepared, Training
from workbench.training.trainer import contrast
from workbench.training.tuning import Tuning


class InBatchMaxsim(Objective):
    """Each text goes through an adapter, if the model has adapters: which, the system's `adapter` says."""

    architectures: ClassVar[tuple[str, ...]] = ("multi-vector",)

    def loss(self, model: Any, tuning: Tuning) -> Any:
        """What is minimised: a module of sentence-transformers' kind."""
        from sentence_transformers.multi_vector_encoder.losses import (
            CachedMultiVectorMultipleNegativesRankingLoss,
            MultiVectorMultipleNegativesRankingLoss,
        )

        return contrast(
            MultiVectorMultipleNegativesRankingLoss, CachedMultiVectorMultipleNegativesRankingLoss, model, tuning
        )

    def scorer(self, training: Training, model: Any) -> Scorer:
        return encoders.scorer(training, model)

    def prepare(self, training: Training) -> Prepared:
        model = encoders.student(training)
        loss = self.loss(model, training.tuning)
        return encoders.trainer(training, model, encoders.triples(training), loss, in_parts=False)
