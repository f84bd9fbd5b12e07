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
from workbench.systems import Progress
from workbench.systems import bi_encoder as biencoder
from workbench.systems import mt5 as reranker
from workbench.systems import multi_vector as multivector
from workbench.systems._encoding import Computing
from workbench.varieties import variety as variety_of

ARCHITECTURES = ("bi-encoder", "multi-vector", "reranker")
MOVED = 1e-7
"""Smallest relative change of the weights, |after - before| / |before|, that counts as training."""

_MARK = "\x1f"  # between a text and its variety, inside a data set whose columns must stay texts


@dataclass(frozen=True)
class Settings:
    """How to train; `Tuning` of a recipe, checked there. Lengths in tokens, warm-up as a share of all steps.

    `batch_size` triples are one step, over all processes and parts; `report_to` are trackers that transformers knows.
    """

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
    steps: int | None = None
    accumulation: int = 1
    precision: str = "float32"
    gradient_checkpointing: bool = False
    pooling: str | None = None
    report_to: tuple[str, ...] = ()


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
        LswError: the batch cannot be divided as it is to be; or the weights did not change.
    """
    import torch
    from transformers import set_seed

    processes(_processes(), settings)
    set_seed(settings.seed)
    train = {"bi-encoder": _biencoder, "multi-vector": _multivector, "reranker": _reranker}[architecture]
    trainer, parts, save = train(checkpoint, triples, settings, work, progress)
    before = [p.detach().to("cpu", copy=True) for p in parts.parameters()]
    last = _last_checkpoint(work)
    result = trainer.train(resume_from_checkpoint=str(last) if last else None)
    with torch.no_grad():
        moved = sum(((p.cpu() - b).double() ** 2).sum() for p, b in zip(parts.parameters(), before, strict=True))
        size = sum((b.double() ** 2).sum() for b in before)
    change = float((moved / size).sqrt())
    if not change > MOVED:
        raise LswError(
            f"Fine-tuning changed no weight (relative change {change:.1e}).",
            f"{result.global_step} steps at a learning rate of {settings.learning_rate:g}.",
            "Raise learning_rate: the published 5e-12 of mT5 moves nothing in float32.",
            exit_code=1,
        )
    if trainer.is_world_process_zero():
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


def processes(asked: int, settings: Settings) -> int:
    """How many processes are to share a training: as many as asked for, or (0) one for each GPU that can have a share.

    Raises:
        LswError: the batch cannot be divided among them and into its parts.
    """
    import torch

    size, parts = settings.batch_size, settings.accumulation
    if not asked:
        most = max(1, torch.cuda.device_count())
        asked = next((n for n in range(most, 0, -1) if size % (n * parts) == 0), 1)
    if size % (asked * parts):
        raise LswError(
            f"A batch of {size} cannot be divided by {asked} processes and {parts} parts.",
            cure=f"Set batch_size to a multiple of {asked * parts}, or change accumulation or computing.processes.",
        )
    return asked


def _processes() -> int:
    """How many processes share this training."""
    import os

    return int(os.environ.get("WORLD_SIZE", "1"))


def _arguments(settings: Settings, work: Path, examples: int, in_parts: bool) -> dict[str, Any]:
    """The trainers' arguments.

    Args:
        settings: how to train.
        work: for the trainer's checkpoints.
        examples: triples there are.
        in_parts: whether the trainer is to add up the gradients of `accumulation` parts of a batch. The losses that
            contrast a query with its whole batch do that themselves.
    """
    import torch

    shares = _processes() * settings.accumulation
    per_epoch = max(1, -(-examples // settings.batch_size))
    total = settings.steps or max(1, int(per_epoch * settings.epochs))
    gpu = torch.cuda.is_available()
    precision = settings.precision
    if precision == "auto":
        half = "bfloat16" if not gpu or torch.cuda.is_bf16_supported() else "float16"
        precision = half if gpu else "float32"
    return {
        "output_dir": str(work),
        "num_train_epochs": settings.epochs,
        "max_steps": settings.steps or -1,
        "learning_rate": settings.learning_rate,
        "per_device_train_batch_size": settings.batch_size // (shares if in_parts else _processes()),
        "gradient_accumulation_steps": settings.accumulation if in_parts else 1,
        "activation_checkpointing": settings.gradient_checkpointing,
        "bf16": precision == "bfloat16",
        "fp16": precision == "float16",
        "warmup_steps": int(settings.warmup * total),
        "seed": settings.seed,
        "data_seed": settings.seed,
        "save_strategy": "steps",
        "save_steps": settings.checkpoint_steps,
        "save_total_limit": 2,
        "logging_steps": max(1, total // 50),
        "report_to": list(settings.report_to) or "none",
        "disable_tqdm": True,
        "use_cpu": not gpu,
        "dataloader_pin_memory": gpu,
        "max_grad_norm": 1.0,
        "ddp_find_unused_parameters": True if _processes() > 1 else None,
    }


def _contrast(plain: Any, cached: Any, model: Any, settings: Settings) -> Any:
    """A loss that contrasts each query with the passages of its batch, over all processes.

    In parts, the gradient of the whole batch by caching its vectors (Gao et al. 2021, arXiv 2101.06983): the same
    negatives, less memory.
    """
    said: dict[str, Any] = {"scale": 1 / settings.temperature, "gather_across_devices": _processes() > 1}
    if settings.accumulation == 1:
        return plain(model, **said)
    part = max(1, settings.batch_size // _processes() // settings.accumulation)
    return cached(model, mini_batch_size=part, **said)


def _on_one(args: Any) -> Any:
    """The trainer's arguments, for one GPU a process.

    Else a process that sees several spreads each batch over all of them, and the batch is so many times larger.
    """
    if args.n_gpu > 1:
        args._n_gpu = 1
    return args


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


def _roles(model: Any) -> dict[str, Any]:
    """Queries and passages are cut and marked in training as they are in search."""
    roles = {"query": "query", "positive": "document", "negative": "document"}
    prompts = {column: model.prompts[role] for column, role in roles.items() if model.prompts.get(role)}
    return {"router_mapping": roles, "prompts": prompts or None}


def _biencoder(checkpoint: Path, triples: pa.Table, settings: Settings, work: Path, progress: Progress) -> Prepared:
    from datasets import Dataset
    from sentence_transformers import (
        SentenceTransformerTrainer,
        SentenceTransformerTrainingArguments,
    )
    from sentence_transformers.sentence_transformer.losses import (
        CachedMultipleNegativesRankingLoss,
        MultipleNegativesRankingLoss,
    )

    model = biencoder.load(checkpoint, Computing(), settings.pooling)
    model[0].query_length, model[0].document_length = settings.query_length, settings.document_length
    _freeze(model[0].model, settings.frozen)
    trainer = SentenceTransformerTrainer(
        model=model,
        args=_on_one(
            SentenceTransformerTrainingArguments(
                **_arguments(settings, work, len(triples), False), **_roles(model), batch_sampler="no_duplicates"
            )
        ),
        train_dataset=Dataset(triples.select(["query", "positive", "negative"])),
        loss=_contrast(MultipleNegativesRankingLoss, CachedMultipleNegativesRankingLoss, model, settings),
        callbacks=[_follow(progress)],
    )
    return _quiet(trainer), model, lambda out: model.save_pretrained(str(out), create_model_card=False)


def _multivector(checkpoint: Path, triples: pa.Table, settings: Settings, work: Path, progress: Progress) -> Prepared:
    import torch
    from datasets import Dataset
    from sentence_transformers import (
        MultiVectorEncoderTrainer,
        MultiVectorEncoderTrainingArguments,
    )
    from sentence_transformers.multi_vector_encoder.data_collator import MultiVectorEncoderDataCollator
    from sentence_transformers.multi_vector_encoder.losses import (
        CachedMultiVectorMultipleNegativesRankingLoss,
        MultiVectorMultipleNegativesRankingLoss,
    )

    model = multivector.load(checkpoint, settings.query_length, settings.document_length)
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

    def marked(texts: str, varieties: str) -> pa.ChunkedArray:
        return pa.compute.binary_join_element_wise(triples[varieties], triples[texts], _MARK)

    data = {
        "query": marked("query", "query_variety"),
        "positive": marked("positive", "document_variety"),
        "negative": marked("negative", "document_variety"),
    }
    trainer = MultiVectorEncoderTrainer(
        model=model,
        args=_on_one(
            MultiVectorEncoderTrainingArguments(
                **_arguments(settings, work, len(triples), False), **_roles(model), batch_sampler="no_duplicates"
            )
        ),
        train_dataset=Dataset(pa.table(data)),
        loss=_contrast(
            MultiVectorMultipleNegativesRankingLoss, CachedMultiVectorMultipleNegativesRankingLoss, model, settings
        ),
        data_collator=MultiVectorEncoderDataCollator(preprocess_fn=preprocess),
        callbacks=[_follow(progress)],
    )
    return _quiet(trainer), model, lambda out: model.save_pretrained(str(out), create_model_card=False)


def _reranker(checkpoint: Path, triples: pa.Table, settings: Settings, work: Path, progress: Progress) -> Prepared:
    import torch
    from datasets import Dataset
    from transformers import AutoTokenizer, MT5ForConditionalGeneration, Trainer, TrainingArguments

    tokenizer = reranker.spelling(AutoTokenizer.from_pretrained(str(checkpoint), local_files_only=True))
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
        args=_on_one(
            TrainingArguments(**_arguments(settings, work, len(triples), in_parts=True), remove_unused_columns=False)
        ),
        train_dataset=Dataset(triples.select(["query", "positive", "negative"])),
        data_collator=collate,
        callbacks=[_follow(progress)],
    )

    trainer.model_accepts_loss_kwargs = False  # the loss above is a mean: the trainer divides it by the parts

    def save(out: Path) -> None:
        model.save_pretrained(str(out))
        tokenizer.save_pretrained(str(out))

    return _quiet(trainer), model, save


def _freeze(backbone: Any, parts: tuple[str, ...]) -> None:
    """Keep `embeddings` (words, positions and their norm) and X-MOD's language `adapters` as they are.

    As Pfeiffer et al. 2022 (arXiv 2205.06266) do, and transformers' `freeze_embeddings_and_language_adapters`.
    """
    if "embeddings" in parts:
        body = getattr(backbone, "embeddings", None) or backbone.get_input_embeddings()
        for parameter in body.parameters():
            parameter.requires_grad = False
    if "adapters" in parts:
        for name, parameter in backbone.named_parameters():
            if "adapter" in name:
                parameter.requires_grad = False
