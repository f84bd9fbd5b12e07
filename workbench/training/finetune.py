"""Fine-tuning by each library's own trainer: sentence-transformers for the encoders, transformers for mT5.

All objectives take the same triples and settings, resume from their last checkpoint, and are refused if they moved no
weight (the published learning rate of 5e-12 moves none).
"""

import shutil
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from store import LswError
from workbench.systems.base import System
from workbench.training.objectives import OBJECTIVES
from workbench.training.objectives.base import Objective, Training
from workbench.training.trainer import processes, sharing
from workbench.training.tuning import Tuning

MOVED = 1e-7
"""Smallest relative change of the weights, |after - before| / |before|, that counts as training."""


@dataclass(frozen=True)
class Outcome:
    """What training did: steps taken, relative change of the weights, and the loss curve.

    `curve` has columns step (int32), epoch, loss, learning_rate (double).
    """

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
    trainer, parts, save = objective_of(training.system, training.tuning).prepare(training)
    before = [p.detach().to("cpu", copy=True) for p in parts.parameters()]
    last = _last_checkpoint(training.work)
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


def objective_of(system: System, tuning: Tuning) -> Objective:
    """What a system's training minimises: what the recipe says, else what its architecture is trained by.

    Raises:
        LswError: the architecture cannot be trained, or not by that.
    """
    name = tuning.objective or system.objective
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
    return objective()
