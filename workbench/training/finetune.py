"""Fine-tuning by each library's own trainer: sentence-transformers for the encoders, transformers for mT5.

All objectives take the same triples and settings, resume from their last checkpoint, and are refused if they moved no
weight (the published learning rate of 5e-12 moves none).
"""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from pydantic import ValidationError

from store import LswError
from workbench.systems.base import System
from workbench.training.held_out import TIMES, HeldOut, Scorer
from workbench.training.objectives import OBJECTIVES
from workbench.training.objectives.base import Objective, Training
from workbench.training.trainer import processes, sharing
from workbench.training.tuning import Tuning

CURVE = pa.schema(
    [("step", pa.int32()), *((name, pa.float64()) for name in ("epoch", "loss", "learning_rate", "held_out"))]
)
FIGURES = "held_out.json"
MOVED = 1e-7
"""Smallest relative change of the weights, |after - before| / |before|, that counts as training."""


@dataclass(frozen=True)
class Outcome:
    """What training did: examples of an epoch, steps taken, relative change of the weights, and the loss curve.

    `curve` is a table of schema `CURVE`; a row has a loss, or a figure of held-out queries.
    """

    examples: int
    steps: int
    weight_change: float
    curve: pa.Table


def finetune(training: Training, out: Path) -> Outcome:
    """Train a copy of a checkpoint on triples and save it.

    Args:
        training: what is trained on what, and how.
        out: folder for the trained model (safetensors).

    Raises:
        LswError: the system cannot be trained so; the batch cannot be divided as it is to be; or the weights did not
            change.
    """
    import torch
    from transformers import set_seed

    processes(sharing(), training.tuning)
    set_seed(training.tuning.seed)
    objective = objective_of(training.system, training.tuning, training.objective)
    trainer, parts, save = objective.prepare(training)
    kept = training.work / FIGURES
    last = _last_checkpoint(training.work)
    figures: dict[int, float] = _figures(kept) if last else {}
    scorer = objective.scorer(training, parts)
    if training.held_out and training.held_out.queries and scorer and sharing() == 1:
        trainer.add_callback(_watching(training.held_out, scorer, parts, figures, kept))
    before = [p.detach().to("cpu", copy=True) for p in parts.parameters()]
    result = trainer.train(resume_from_checkpoint=str(last) if last else None)
    with torch.no_grad():
        moved = sum(((p.cpu() - b).double() ** 2).sum() for p, b in zip(parts.parameters(), before, strict=True))
        size = sum((b.double() ** 2).sum() for b in before)
    change = float((moved / size).sqrt())
    if not change > MOVED:
        raise LswError(
            f"Fine-tuning changed no weight (relative change {change:.1e}).",
            f"{result.global_step} steps at a learning rate of {training.tuning.learning_rate:g}.",
            "Raise learning_rate: the published 5e-12 of mT5 moves nothing in float32.",
            exit_code=1,
        )
    if trainer.is_world_process_zero():
        save(out)
    logs = [h for h in trainer.state.log_history if "loss" in h]
    rows = [{name: h[name] for name in ("step", "epoch", "loss", "learning_rate")} for h in logs]
    per_epoch = result.global_step / trainer.state.epoch if trainer.state.epoch else 1.0
    rows += [{"step": step, "epoch": step / per_epoch, "held_out": figure} for step, figure in figures.items()]
    curve = pa.Table.from_pylist(sorted(rows, key=lambda row: row["step"]), schema=CURVE)
    return Outcome(len(trainer.train_dataset), int(result.global_step), change, curve)


def _figures(kept: Path) -> dict[int, float]:
    """Held-out figures by step, of an attempt that was interrupted."""
    return {int(step): figure for step, figure in json.loads(kept.read_text("utf-8"))} if kept.exists() else {}


def _watching(held_out: HeldOut, scorer: Scorer, model: Any, figures: dict[int, float], kept: Path) -> Any:
    """A callback that keeps RR@10 of held-out queries by step: at the beginning, `TIMES` on the way, at the end."""
    import torch
    from transformers import TrainerCallback

    class Watching(TrainerCallback):  # type: ignore[misc, unused-ignore]
        def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            if state.global_step not in figures:
                self.measure(state.global_step)

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            if state.global_step % max(1, -(-state.max_steps // TIMES)) == 0 or state.global_step == state.max_steps:
                self.measure(state.global_step)

        def measure(self, step: int) -> None:
            was = model.training
            model.eval()
            with torch.inference_mode():
                figures[step] = held_out.reciprocal_rank(scorer)
            model.train(was)
            kept.write_text(json.dumps(list(figures.items())), "utf-8")

    return Watching()


def _last_checkpoint(work: Path) -> Path | None:
    """The newest checkpoint that was written to its end; a torn one (killed while saving) is removed."""
    for folder in sorted(work.glob("checkpoint-*"), key=lambda p: int(p.name.split("-")[1]), reverse=True):
        if (folder / "trainer_state.json").exists():  # the trainer writes it last
            return folder
        shutil.rmtree(folder)
    return None


def objective_of(system: System, tuning: Tuning, declared: Objective | None = None) -> Objective:
    """What a system's training minimises: what the training declares, else what the system's settings say, else what
    its architecture is trained by.

    Raises:
        LswError: the architecture cannot be trained, or not by that.
    """
    name = declared.name if declared else tuning.objective or system.objective
    if not name:
        trained = dict.fromkeys(one for part in OBJECTIVES.names() for one in OBJECTIVES.part(part).architectures)
        cure = f"Take it out of fine-tuning; trained here are: {', '.join(trained)}."
        raise LswError(f"A {system.architecture} system cannot be fine-tuned here.", cure=cure)
    objective = OBJECTIVES.part(name)
    if system.architecture not in objective.architectures:
        raise LswError(
            f"The objective '{name}' cannot train a {system.architecture} system.",
            cure=f"It trains: {', '.join(objective.architectures)}.",
        )
    try:
        return declared or objective(objective=name)
    except ValidationError as error:
        lacking = ", ".join(f"{fault['loc'][0]} = ..." for fault in error.errors())
        raise LswError(
            f"The objective '{name}' needs settings.",
            cure=f'Write objective = {{ objective = "{name}", {lacking} }} in a section [training.NAME].',
        ) from None
