"""Weights of a checkpoint: safetensors as they are, torch's own format rewritten; what could run code is not loaded."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from store import LswError

_TORCH = ("*.bin", "*.pt")
_KEPT = (".json", ".txt", ".model", ".safetensors", ".metadata", ".jinja")
_NOT_WEIGHTS = ("training_args.bin", "optimizer.pt", "scheduler.pt", "rng_state.pth")


def _torch_files(folder: Path) -> list[Path]:
    """Weights in torch's format that have no safetensors beside them."""
    files = [p for pattern in _TORCH for p in sorted(folder.rglob(pattern)) if p.name not in _NOT_WEIGHTS]
    if _safe(folder):
        files = [p for p in files if not p.name.startswith("pytorch_model")]
    return [p for p in files if not p.with_suffix(".safetensors").exists()]


def _safe(folder: Path) -> bool:
    return (folder / "model.safetensors").exists() or (folder / "model.safetensors.index.json").exists()


def examine(folder: Path) -> str:
    """`safetensors`, or `torch` if some of the weights must be rewritten.

    Raises:
        LswError: there are no weights, or some that cannot be rewritten (sharded).
    """
    wanted = _torch_files(folder)
    if (folder / "pytorch_model.bin.index.json").exists() and not _safe(folder):
        raise LswError(
            f"The weights of {folder} are torch's, in several files.",
            cure="Save them again as safetensors: AutoModel.from_pretrained(...).save_pretrained(...).",
        )
    if not _safe(folder) and not (folder / "pytorch_model.bin").exists():
        raise LswError(
            f"{folder} has no model.safetensors.",
            cure="Save the model with save_pretrained(...), which writes safetensors.",
        )
    return "torch" if wanted else "safetensors"


def rewrite(folder: Path, out: Path, progress: Callable[[int, int], Any]) -> None:
    """Copy a checkpoint, its torch weights as safetensors; tensors that share memory are stored each by itself.

    Raises:
        LswError: a file holds more than tensors, which torch's weights-only reader refuses to load.
    """
    import pickle

    import torch
    from safetensors.torch import save_file

    wanted = _torch_files(folder)
    for path in sorted(p for p in folder.rglob("*") if p.is_file() and p.suffix in _KEPT):
        target = out / path.relative_to(folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    for done, path in enumerate(wanted, 1):
        try:
            tensors = torch.load(path, map_location="cpu", weights_only=True)
        except (pickle.UnpicklingError, RuntimeError) as error:
            raise LswError(
                f"{path} is not a file of plain tensors; it is not loaded.",
                str(error).splitlines()[0],
                "Save the model with save_pretrained(...), which writes safetensors.",
            ) from None
        name = "model.safetensors" if path.name == "pytorch_model.bin" else f"{path.stem}.safetensors"
        target = out / path.relative_to(folder).with_name(name)
        target.parent.mkdir(parents=True, exist_ok=True)
        save_file({k: v.contiguous().clone() for k, v in tensors.items()}, target, metadata={"format": "pt"})
        progress(done, len(wanted))
