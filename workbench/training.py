"""Fine-tuning by each library's own trainer: sentence-transformers for the encoders, transformers for mT5.

All three take the same triples and settings, resume from their last checkpoint, and are refused if they moved no
weight (the published learning rate of 5e-12 moves none).
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from store import LswError
from workbench.systems import Progress, reranker
from workbench.varieties import variety as variety_of

ARCHITECTURES = ("bi-encoder", "multi-vector", "reranker")
MOVED = 1e-7
"""Smallest relative change of the weights, |after - before| / |before|, that counts as training."""

_MARK = "\x1f"  # between a text and its variety, inside a data set whose columns must stay texts


@dataclass(frozen=True)
class Settings:
    """How to train; `Settings` of a recipe, checked there. Lengths in tokens, warm-up as a share of all steps."""

    epochs: float
    learning_rate: float
    batch_size: int
    temperature: float
    query_length: int
    document_length: int
    warmup: float
    frozen: tuple[str, ...]
    checkpoint_steps: int
    seed: int


@dataclass(frozen=True)
class Outcome:
    """What training did: steps taken, relative change of the weights, and the loss curve.

    `curve` has columns step (int32), epoch, loss, learning_rate (double).
    """

    steps: int
    weight_change: float
    curve: pa.Table


def finetune(
    architecture: str,
    checkpoint: Path,
    triples: pa.Table,
    settings: Settings,
    out: Path,
    work: Path,
    progress: Progress,
) -> Outcome:
    """Train a copy of `checkpoint` on triples and save it.

    Args:
        architecture: one of `ARCHITECTURES`.
        checkpoint: folder with the model to start from.
        triples: columns query, positive, negative (texts), query_variety, document_variety.
        settings: epochs, rate and so on.
        out: folder for the trained model (safetensors).
        work: folder for the trainer's checkpoints; if it holds some, training goes on from the last.
        progress: told steps done and to do.

    Raises:
        LswError: the weights did not change.
    """
    import torch
    from transformers import set_seed

    set_seed(settings.seed)
    train = {"bi-encoder": _biencoder, "multi-vector": _multivector, "reranker": _reranker}[architecture]
    trainer, parts, save = train(checkpoint, triples, settings, work, progress)
    before = [p.detach().clone() for p in parts.parameters()]
    last = _last_checkpoint(work)
    result = trainer.train(resume_from_checkpoint=str(last) if last else None)
    with torch.no_grad():
        moved = sum(((p.cpu() - b.cpu()).double() ** 2).sum() for p, b in zip(parts.parameters(), before, strict=True))
        size = sum((b.double() ** 2).sum() for b in before)
    change = float((moved / size).sqrt())
    if not change > MOVED:
        raise LswError(
            f"Fine-tuning changed no weight (relative change {change:.1e}).",
            f"{result.global_step} steps at a learning rate of {settings.learning_rate:g}.",
            "Raise learning_rate: the published 5e-12 of mT5 moves nothing in float32.",
            exit_code=1,
        )
    save(out)
    logs = [h for h in trainer.state.log_history if "loss" in h]
    curve = pa.table(
        {
            "step": pa.array([h["step"] for h in logs], pa.int32()),
            "epoch": pa.array([float(h["epoch"]) for h in logs], pa.float64()),
            "loss": pa.array([float(h["loss"]) for h in logs], pa.float64()),
            "learning_rate": pa.array([float(h["learning_rate"]) for h in logs], pa.float64()),
        }
    )
    return Outcome(int(result.global_step), change, curve)


def _last_checkpoint(work: Path) -> Path | None:
    """The newest checkpoint that was written to its end; a torn one (killed while saving) is removed."""
    for folder in sorted(work.glob("checkpoint-*"), key=lambda p: int(p.name.split("-")[1]), reverse=True):
        if (folder / "trainer_state.json").exists():  # the trainer writes it last
            return folder
        shutil.rmtree(folder)
    return None


def _arguments(settings: Settings, work: Path, examples: int) -> dict[str, Any]:
    import torch

    steps = max(1, -(-examples // settings.batch_size))
    total = max(1, int(steps * settings.epochs))
    return {
        "output_dir": str(work),
        "num_train_epochs": settings.epochs,
        "learning_rate": settings.learning_rate,
        "per_device_train_batch_size": settings.batch_size,
        "warmup_steps": int(settings.warmup * total),
        "seed": settings.seed,
        "data_seed": settings.seed,
        "save_strategy": "steps",
        "save_steps": settings.checkpoint_steps,
        "save_total_limit": 2,
        "logging_steps": max(1, total // 50),
        "report_to": "none",
        "disable_tqdm": True,
        "use_cpu": not torch.cuda.is_available(),
        "dataloader_pin_memory": torch.cuda.is_available(),
        "max_grad_norm": 1.0,
    }


def _follow(progress: Progress) -> Any:
    from transformers import TrainerCallback

    class Follow(TrainerCallback):  # type: ignore[misc, unused-ignore]
        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            progress(state.global_step, state.max_steps)

        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
            """Say nothing: the trainers' default callback prints every log."""

    return Follow()


def _quiet(trainer: Any) -> Any:
    from transformers import PrinterCallback

    trainer.remove_callback(PrinterCallback)
    return trainer


Prepared = tuple[Any, Any, Callable[[Path], None]]
"""A trainer, the module whose weights it moves, and how to save the result."""


def _biencoder(checkpoint: Path, triples: pa.Table, settings: Settings, work: Path, progress: Progress) -> Prepared:
    from datasets import Dataset
    from sentence_transformers import (
        SentenceTransformer,
        SentenceTransformerTrainer,
        SentenceTransformerTrainingArguments,
    )
    from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss

    model = SentenceTransformer(str(checkpoint), local_files_only=True)
    model.max_seq_length = settings.document_length
    _freeze(model[0].model, settings.frozen)
    trainer = SentenceTransformerTrainer(
        model=model,
        args=SentenceTransformerTrainingArguments(
            **_arguments(settings, work, len(triples)), batch_sampler="no_duplicates"
        ),
        train_dataset=Dataset(triples.select(["query", "positive", "negative"])),
        loss=MultipleNegativesRankingLoss(model, scale=1 / settings.temperature),
        callbacks=[_follow(progress)],
    )
    return _quiet(trainer), model, lambda out: model.save_pretrained(str(out), create_model_card=False)


def _multivector(checkpoint: Path, triples: pa.Table, settings: Settings, work: Path, progress: Progress) -> Prepared:
    import torch
    from datasets import Dataset
    from sentence_transformers import (
        MultiVectorEncoder,
        MultiVectorEncoderTrainer,
        MultiVectorEncoderTrainingArguments,
    )
    from sentence_transformers.multi_vector_encoder.data_collator import MultiVectorEncoderDataCollator
    from sentence_transformers.multi_vector_encoder.losses import MultiVectorMultipleNegativesRankingLoss

    model = MultiVectorEncoder(str(checkpoint), local_files_only=True)
    model[0].query_length, model[0].document_length = settings.query_length, settings.document_length
    backbone = model[0].model
    _freeze(backbone, settings.frozen)
    languages = list(getattr(backbone.config, "languages", None) or ())

    def preprocess(marked: list[str], **options: Any) -> Any:
        codes, texts = zip(*(m.split(_MARK, 1) for m in marked), strict=True)
        features = model.preprocess(list(texts), **options)
        if languages:  # each text goes through the adapter of its own variety
            ids = [languages.index(variety_of(code).adapter(languages)) for code in codes]
            features["lang_ids"] = torch.tensor(ids)
        return features

    def marked(texts: str, varieties: str) -> list[str]:
        pairs = zip(triples[varieties].to_pylist(), triples[texts].to_pylist(), strict=True)
        return [f"{code}{_MARK}{text}" for code, text in pairs]

    data = {
        "query": marked("query", "query_variety"),
        "positive": marked("positive", "document_variety"),
        "negative": marked("negative", "document_variety"),
    }
    trainer = MultiVectorEncoderTrainer(
        model=model,
        args=MultiVectorEncoderTrainingArguments(
            **_arguments(settings, work, len(triples)), batch_sampler="no_duplicates"
        ),
        train_dataset=Dataset.from_dict(data),
        loss=MultiVectorMultipleNegativesRankingLoss(model, scale=1 / settings.temperature),
        data_collator=MultiVectorEncoderDataCollator(preprocess_fn=preprocess),
        callbacks=[_follow(progress)],
    )
    return _quiet(trainer), model, lambda out: model.save_pretrained(str(out), create_model_card=False)


def _reranker(checkpoint: Path, triples: pa.Table, settings: Settings, work: Path, progress: Progress) -> Prepared:
    import torch
    from datasets import Dataset
    from transformers import AutoTokenizer, MT5ForConditionalGeneration, Trainer, TrainingArguments

    tokenizer = AutoTokenizer.from_pretrained(str(checkpoint), local_files_only=True)
    model = MT5ForConditionalGeneration.from_pretrained(str(checkpoint), local_files_only=True, dtype=torch.float32)
    yes, no = reranker.answers(tokenizer)
    _freeze(model, settings.frozen)

    def collate(rows: list[dict[str, str]]) -> dict[str, Any]:
        queries = [r["query"] for r in rows] * 2
        texts = [r["positive"] for r in rows] + [r["negative"] for r in rows]
        ids, mask = reranker.padded(
            reranker.inputs(tokenizer, queries, texts, settings.document_length), tokenizer.pad_token_id
        )
        labels = torch.tensor([1] * len(rows) + [0] * len(rows))
        return {"input_ids": ids, "attention_mask": mask, "labels": labels}

    class YesNoTrainer(Trainer):  # type: ignore[misc, unused-ignore]
        """Cross-entropy over the two answer tokens, as they are scored (Nogueira et al. 2020, arXiv 2003.06713)."""

        def compute_loss(self, model: Any, inputs: Any, return_outputs: bool = False, **_: Any) -> Any:
            labels = inputs.pop("labels")
            first = torch.full((len(labels), 1), model.config.decoder_start_token_id, device=labels.device)
            logits = model(**inputs, decoder_input_ids=first).logits[:, 0, (no, yes)]
            loss = torch.nn.functional.cross_entropy(logits / settings.temperature, labels)
            return (loss, logits) if return_outputs else loss

    trainer = YesNoTrainer(
        model=model,
        args=TrainingArguments(**_arguments(settings, work, len(triples)), remove_unused_columns=False),
        train_dataset=Dataset(triples.select(["query", "positive", "negative"])),
        data_collator=collate,
        callbacks=[_follow(progress)],
    )

    def save(out: Path) -> None:
        model.save_pretrained(str(out))
        tokenizer.save_pretrained(str(out))

    return _quiet(trainer), model, save


def _freeze(backbone: Any, parts: tuple[str, ...]) -> None:
    """Keep `embeddings` and X-MOD's language `adapters` as they are (Pfeiffer et al. 2022, arXiv 2205.06266)."""
    if "embeddings" in parts:
        for parameter in backbone.get_input_embeddings().parameters():
            parameter.requires_grad = False
    if "adapters" in parts:
        for name, parameter in backbone.named_parameters():
            if "adapter" in name:
                parameter.requires_grad = False
