"""One teacher's vectors for both wordings of a text (Reimers and Gurevych 2020, arXiv 2004.09813)."""

from typing import Any, ClassVar, Literal

from workbench.training import encoders
from workbench.training.held_out import Scorer
from workbench.training.objectives._bitext import OfBitext
from workbench.training.objectives.base import Prepared, Training


class Mse(OfBitext):
    """Mean squared error of the student's vectors of the high- and the low-resource text to the teacher's of the first.

    Equation 1 there, over a mini-batch. The teacher is what training starts from, frozen.

    Args:
        passages: who encodes them: the student, as published, or the teacher, so that only queries change.
    """

    passages: Literal["student", "teacher"] = "student"

    architectures: ClassVar[tuple[str, ...]] = ("bi-encoder",)

    @property
    def keeps_passages(self) -> bool:
        return self.passages == "teacher"

    def scorer(self, training: Training, model: Any) -> Scorer:
        return encoders.scorer(training, model, encoders.teacher(training) if self.keeps_passages else None)

    def prepare(self, training: Training) -> Prepared:
        import torch
        from torch.nn.functional import mse_loss

        model, teacher = encoders.student(training), encoders.teacher(training)
        pairs = self.parallel(training, model.tokenizer)
        frozen = [teacher]

        class Distance(torch.nn.Module):
            """The teacher is no part of it."""

            def __init__(self) -> None:
                super().__init__()
                self.model = model

            def forward(self, sentence_features: Any, labels: Any = None) -> Any:
                low, high = sentence_features
                student = [self.model(dict(side))["sentence_embedding"].float() for side in (low, high)]
                with torch.no_grad():
                    target = frozen[0].to(student[0].device)(dict(high))["sentence_embedding"].float()
                return mse_loss(student[0], target) + mse_loss(student[1], target)

        columns = self.columns(training, pairs)
        return encoders.trainer(training, model, columns, Distance(), in_parts=True, apart=False)
