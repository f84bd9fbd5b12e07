"""Whether a passage is relevant, as the answer `yes` or `no` (Nogueira et al. 2020, arXiv 2003.06713)."""

from pathlib import Path
from typing import Any, ClassVar

from workbench.checkpoints.soundness import examine, loading
from workbench.systems import mt5
from workbench.training import lora
from workbench.training.held_out import Scorer
from workbench.training.objectives.base import Objective, Prepared, Training
from workbench.training.trainer import arguments, follow, freeze, on_one, quiet


class YesNo(Objective):
    """Cross-entropy over the two answer tokens, as they are scored, by transformers' own trainer."""

    architectures: ClassVar[tuple[str, ...]] = ("mt5",)

    def scorer(self, training: Training, model: Any) -> Scorer:
        import torch
        from transformers import AutoTokenizer

        tokenizer = mt5.spelling(AutoTokenizer.from_pretrained(training.checkpoint, local_files_only=True))
        yes, no = mt5.answers(tokenizer)

        def scored(queries: list[str], passages: list[list[str]]) -> list[list[float]]:
            out = []
            for query, texts in zip(queries, passages, strict=True):
                rows = mt5.inputs(tokenizer, [query] * len(texts), texts, training.document_length)
                ids, mask = (t.to(model.device) for t in mt5.padded(rows, tokenizer.pad_token_id))
                first = torch.full((len(texts), 1), model.config.decoder_start_token_id, device=model.device)
                logits = model(input_ids=ids, attention_mask=mask, decoder_input_ids=first).logits[:, 0, (yes, no)]
                out.append(torch.log_softmax(logits.float(), dim=1)[:, 0].tolist())
            return out

        return scored

    def prepare(self, training: Training) -> Prepared:
        tuning, folder = training.tuning, str(training.checkpoint)
        import torch
        from datasets import Dataset
        from transformers import AutoTokenizer, MT5ForConditionalGeneration, Trainer, TrainingArguments

        with loading(training.checkpoint):
            tokenizer = mt5.spelling(AutoTokenizer.from_pretrained(folder, local_files_only=True))
            model = MT5ForConditionalGeneration.from_pretrained(folder, local_files_only=True, dtype=torch.float32)
        examine(model, tokenizer, training.checkpoint)
        yes, no = mt5.answers(tokenizer)
        freeze(model, tuning.frozen)
        if tuning.lora:
            lora.narrow(model, tuning.lora)

        def collate(rows: list[dict[str, str]]) -> dict[str, Any]:
            queries = [r["query"] for r in rows] * 2
            texts = [r["positive"] for r in rows] + [r["negative"] for r in rows]
            ids, mask = mt5.padded(
                mt5.inputs(tokenizer, queries, texts, training.document_length), tokenizer.pad_token_id
            )
            labels = torch.tensor([1] * len(rows) + [0] * len(rows))
            return {"input_ids": ids, "attention_mask": mask, "labels": labels}

        class YesNoTrainer(Trainer):  # type: ignore[misc, unused-ignore]
            """Cross-entropy over the two answer tokens, as they are scored (Nogueira et al. 2020, arXiv 2003.06713)."""

            def compute_loss(self, model: Any, inputs: Any, return_outputs: bool = False, **_: Any) -> Any:
                labels = inputs.pop("labels")
                first = torch.full((len(labels), 1), model.config.decoder_start_token_id, device=labels.device)
                logits = model(**inputs, decoder_input_ids=first).logits[:, 0, (no, yes)]
                loss = torch.nn.functional.cross_entropy(logits / tuning.temperature, labels)
                return (loss, logits) if return_outputs else loss

        trainer = YesNoTrainer(
            model=model,
            args=on_one(TrainingArguments(**arguments(training, in_parts=True), remove_unused_columns=False)),
            train_dataset=Dataset(training.triples.select(["query", "positive", "negative"])),
            data_collator=collate,
            processing_class=tokenizer,
            callbacks=[follow(training.progress)],
        )

        trainer.model_accepts_loss_kwargs = False  # the loss above is a mean: the trainer divides it by the parts

        if tuning.lora:
            lora.keep_little(trainer, model)

        def save(out: Path) -> None:
            if tuning.lora:
                lora.fold(model)
            model.save_pretrained(str(out))
            tokenizer.save_pretrained(str(out))

        return quiet(trainer), model, save
