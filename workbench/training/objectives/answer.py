"""The whole answer, `yes` or `no` and the end, over the whole vocabulary (Nogueira et al. 2020, arXiv 2003.06713)."""

from typing import Any, ClassVar

from workbench.systems import mt5
from workbench.training.held_out import Scorer
from workbench.training.objectives.base import Objective, Prepared, Training
from workbench.training.objectives.yes_no import YesNo


class Answer(Objective):
    """Cross-entropy of generating the answer; the texts are cut and masked as they are in scoring."""

    architectures: ClassVar[tuple[str, ...]] = ("mt5",)

    def prepare(self, training: Training) -> Prepared:
        trainer, model, save = YesNo(objective="yes-no").prepare(training)
        import torch

        tokenizer = trainer.processing_class
        ids = [torch.tensor(tokenizer(word)["input_ids"]) for word in (mt5.NO, mt5.YES)]
        answers = torch.nn.utils.rnn.pad_sequence(ids, batch_first=True, padding_value=-100)

        def loss(model: Any, inputs: Any, return_outputs: bool = False, **_: Any) -> Any:
            labels = inputs.pop("labels")
            outputs = model(**inputs, labels=answers.to(labels.device)[labels])
            return (outputs.loss, outputs) if return_outputs else outputs.loss

        trainer.compute_loss = loss
        return trainer, model, save

    def scorer(self, training: Training, model: Any) -> Scorer:
        return YesNo(objective="yes-no").scorer(training, model)
