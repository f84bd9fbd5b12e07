"""What the trainers of all objectives share: arguments, processes, what is frozen, what is told."""

import os
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from store import LswError
from workbench.talk import Progress
from workbench.training.objectives.base import Training
from workbench.training.tuning import Tuning

SCHEDULES = {"linear": "linear", "constant": "constant_with_warmup"}
"""What transformers calls them."""


def sharing() -> int:
    """How many processes share this training."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def processes(asked: int, tuning: Tuning) -> int:
    """How many processes are to share a training: as many as asked for, or (0) one for each GPU that can have a share.

    Raises:
        LswError: the batch cannot be divided among them and into its parts.
    """
    import torch

    size, parts = tuning.batch_size, tuning.accumulation
    if not asked:
        most = max(1, torch.cuda.device_count())
        asked = next((n for n in range(most, 0, -1) if size % (n * parts) == 0), 1)
    if size % (asked * parts):
        raise LswError(
            f"A batch of {size} cannot be divided by {asked} processes and {parts} parts.",
            cure=f"Set batch_size to a multiple of {asked * parts}, or change accumulation or computing.processes.",
        )
    return asked


def arguments(training: Training, in_parts: bool, examples: int | None = None) -> dict[str, Any]:
    """The trainers' arguments.

    Args:
        training: what is trained on what, and how.
        in_parts: whether the trainer is to add up the gradients of `accumulation` parts of a batch. The losses that
            contrast a query with its whole batch do that themselves.
        examples: that an epoch has; as many as triples if None.
    """
    import torch

    tuning = training.tuning
    shares = sharing() * tuning.accumulation
    count = len(training.triples) if examples is None else examples
    per_epoch = max(1, -(-count // tuning.batch_size))
    total = tuning.steps or max(1, int(per_epoch * tuning.epochs))
    gpu = torch.cuda.is_available()
    precision: str = tuning.precision
    if precision == "auto":
        half = "bfloat16" if not gpu or torch.cuda.is_bf16_supported() else "float16"
        precision = half if gpu else "float32"
    return {
        "output_dir": str(training.work),
        "num_train_epochs": tuning.epochs,
        "max_steps": tuning.steps or -1,
        "learning_rate": tuning.learning_rate,
        "per_device_train_batch_size": tuning.batch_size // (shares if in_parts else sharing()),
        "gradient_accumulation_steps": tuning.accumulation if in_parts else 1,
        "activation_checkpointing": tuning.gradient_checkpointing,
        "bf16": precision == "bfloat16",
        "fp16": precision == "float16",
        "warmup_steps": int(tuning.warmup * total),
        "seed": tuning.seed,
        "data_seed": tuning.seed,
        "save_strategy": "steps",
        "save_steps": tuning.checkpoint_steps,
        "save_total_limit": 2,
        "logging_steps": max(1, total // 50),
        "report_to": list(training.report_to) or "none",
        "disable_tqdm": True,
        "use_cpu": not gpu,
        "dataloader_pin_memory": gpu,
        "lr_scheduler_type": SCHEDULES[tuning.schedule],
        "max_grad_norm": tuning.clip,
        "weight_decay": tuning.weight_decay,
        "adam_epsilon": tuning.epsilon,
        "ddp_find_unused_parameters": True if sharing() > 1 else None,
    }


def contrast(plain: Any, cached: Any, model: Any, tuning: Tuning) -> Any:
    """A loss that contrasts each query with the passages of its batch, over all processes.

    In parts, the gradient of the whole batch by caching its vectors (Gao et al. 2021, arXiv 2101.06983): the same
    negatives, less memory.
    """
    options: dict[str, Any] = {"scale": 1 / tuning.temperature, "gather_across_devices": sharing() > 1}
    if tuning.accumulation == 1:
        return plain(model, **options)
    part = max(1, tuning.batch_size // sharing() // tuning.accumulation)
    return cached(model, mini_batch_size=part, **options)


def on_one(args: Any) -> Any:
    """The trainer's arguments, for one GPU a process.

    Else a process that sees several spreads each batch over all of them, and the batch is so many times larger.
    """
    if args.n_gpu > 1:
        args._n_gpu = 1
    return args


def no_docno_twice(trainer: Any, triples: pa.Table) -> Any:
    """A trainer of sentence-transformers whose batches hold no docno twice, where the triples say docnos.

    A text counts as wrong for every other query of its batch: a passage must not meet its own translation there.
    """
    if "docno_positive" not in triples.column_names:
        return trainer
    from datasets import Dataset

    docnos, usual = Dataset(triples.select(["docno_positive", "docno_negative"])), trainer.get_batch_sampler

    def sampler(dataset: Any, *args: Any, **options: Any) -> Any:
        return usual(docnos, *args, **options)

    trainer.get_batch_sampler = sampler
    return trainer


def follow(progress: Progress) -> Any:
    from transformers import TrainerCallback

    class Follow(TrainerCallback):  # type: ignore[misc, unused-ignore]
        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            progress(state.global_step, state.max_steps)

        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
            """Say nothing: the trainers' default callback prints every log."""

    return Follow()


def quiet(trainer: Any) -> Any:
    from transformers import PrinterCallback

    trainer.remove_callback(PrinterCallback)
    return trainer


TRIPLES = {"query": "query", "positive": "document", "negative": "document"}
"""Which columns are encoded as queries, and which as passages."""


def roles(model: Any, columns: dict[str, str] = TRIPLES) -> dict[str, Any]:
    """Queries and passages are cut and marked in training as they are in search."""
    prompts = {column: model.prompts[role] for column, role in columns.items() if model.prompts.get(role)}
    return {"router_mapping": columns, "prompts": prompts or None}


def freeze(backbone: Any, parts: Sequence[str]) -> None:
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
