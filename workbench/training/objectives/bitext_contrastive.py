"""Each low-resource text against its other wording and those of its batch (Guo et al. 2018, arXiv 1807.11906)."""

from typing import Any, ClassVar, Literal

from workbench.training import encoders
from workbench.training.held_out import Scorer
from workbench.training.objectives._bitext import OfBitext
from workbench.training.objectives.base import Prepared, Training
from workbench.training.trainer import contrast


class BitextContrastive(OfBitext):
    """Translation ranking: cross-entropy of the translation over the batch's, as `in-batch` has it of passages.

    Scores are inner products, or MaxSim over token vectors. There are no hard negatives.

    Args:
        passages: who encodes them: the student, or what training starts from, so that only queries change.
    """

    passages: Literal["student", "teacher"] = "student"

    architectures: ClassVar[tuple[str, ...]] = encoders.ARCHITECTURES

    @property
    def keeps_passages(self) -> bool:
        return self.passages == "teacher"

    def scorer(self, training: Training, model: Any) -> Scorer:
        return encoders.scorer(training, model, encoders.teacher(training) if self.keeps_passages else None)

    def prepare(self, training: Training) -> Prepared:
        from sentence_transformers.multi_vector_encoder import losses as of_tokens
        from sentence_transformers.sentence_transformer import losses

        model = encoders.student(training)
        pairs = self.parallel(training, model.tokenizer)
        kinds = (
            (
                of_tokens.MultiVectorMultipleNegativesRankingLoss,
                of_tokens.CachedMultiVectorMultipleNegativesRankingLoss,
            )
            if training.system.architecture == "multi-vector"
            else (losses.MultipleNegativesRankingLoss, losses.CachedMultipleNegativesRankingLoss)
        )
        loss = contrast(*kinds, model, training.tuning)
        return encoders.trainer(training, model, self.columns(training, pairs), loss, in_parts=False)
