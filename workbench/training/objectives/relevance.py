"""Whether a passage is relevant, as one logit of query and passage read together (Nogueira and Cho 2019, arXiv
1901.04085; the cross-encoders of Litschko et al. 2023, arXiv 2305.05295)."""

from pathlib import Path
from typing import Any, ClassVar

from workbench.checkpoints.soundness import POOLER, examine, loading, settings
from workbench.training import lora
from workbench.training.held_out import Scorer
from workbench.training.objectives.base import Objective, Prepared, Training
from workbench.training.trainer import arguments, follow, freeze, on_one, quiet


class Relevance(Objective):
    """Binary cross-entropy of the relevant passage and of the other, by sentence-transformers' own trainer."""

    architectures: ClassVar[tuple[str, ...]] = ("cross-encoder",)

    def scorer(self, training: Training, model: Any) -> Scorer:
        from torch.nn import Identity

        def scored(queries: list[str], passages: list[list[str]]) -> list[list[float]]:
            pairs = [(query, text) for query, texts in zip(queries, passages, strict=True) for text in texts]
            flat = model.predict(pairs, activation_fn=Identity(), show_progress_bar=False).tolist()
            values = iter(flat)
            return [[next(values) for _ in texts] for texts in passages]

        return scored

    def prepare(self, training: Training) -> Prepared:
        tuning = training.tuning
        import torch
        from datasets import Dataset
        from sentence_transformers import CrossEncoder
        from sentence_transformers.cross_encoder import CrossEncoderTrainer, CrossEncoderTrainingArguments

        # A model that scores nothing yet (mMiniLM, XLM-R) is begun with a head drawn at random by the training's seed.
        named = settings(training.checkpoint).get("architectures") or []
        plain = bool(named) and all(str(name).endswith(("Model", "MaskedLM")) for name in named)
        with loading(training.checkpoint):
            model = CrossEncoder(
                str(training.checkpoint), local_files_only=True, max_length=training.document_length,
                model_kwargs={"dtype": torch.float32}, **({"num_labels": 1} if plain else {}),
            )  # fmt: skip
        examine(model[0].model, model.tokenizer, training.checkpoint, (*POOLER, "classifier.") if plain else ())
        freeze(model[0].model, tuning.frozen)
        if tuning.lora:
            lora.narrow(model[0].model, tuning.lora)

        class RelevantOrNot(torch.nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.model = model

            def forward(self, inputs: list[list[str]], labels: Any = None, **_: Any) -> Any:
                queries, positives, negatives = inputs
                pairs = list(zip([*queries, *queries], [*positives, *negatives], strict=True))
                features = {k: v.to(model.device) for k, v in model.preprocess(pairs).items() if hasattr(v, "to")}
                logits = model(features)["scores"].view(-1) / tuning.temperature
                truth = torch.cat([torch.ones(len(positives)), torch.zeros(len(negatives))]).to(logits)
                return torch.nn.functional.binary_cross_entropy_with_logits(logits, truth)

        trainer = CrossEncoderTrainer(
            model=model,
            args=on_one(CrossEncoderTrainingArguments(**arguments(training, in_parts=True))),
            train_dataset=Dataset(training.triples.select(["query", "positive", "negative"])),
            loss=RelevantOrNot(),
            callbacks=[follow(training.progress)],
        )
        trainer.model_accepts_loss_kwargs = False  # the loss above is a mean: the trainer divides it by the parts
        if tuning.lora:
            lora.keep_little(trainer, model)

        def save(out: Path) -> None:
            if tuning.lora:
                lora.fold(model[0].model)
            model.save_pretrained(str(out), create_model_card=False)

        return quiet(trainer), model, save
