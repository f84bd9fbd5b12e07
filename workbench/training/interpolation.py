"""Models between two others: a share of every weight is one's, the rest the other's."""

from pathlib import Path
from typing import Any

from store import LswError
from workbench.checkpoints.soundness import loading
from workbench.systems._encoding import Computing
from workbench.systems.base import System
from workbench.systems.bi_encoder import BiEncoder
from workbench.systems.cross_encoder import CrossEncoder
from workbench.systems.mt5 import MT5
from workbench.systems.multi_vector import MultiVector
from workbench.systems.multi_vector import load as multi_vector


def interpolate(system: System, base: Path, tuned: Path, share: float, out: Path) -> float:
    """Save (1 - share) base + share tuned, of all weights (Wortsman et al. 2022, arXiv 2109.01903).

    Args:
        system: both are checkpoints of.
        base, tuned: their folders.
        share: of the tuned one, from 0 (the base's weights, bit for bit) to 1 (the tuned one's).
        out: folder for the new model, in the form in which the tuned one is.

    Returns:
        how far it is from the base: |mixed - base| / |base| over all weights.

    Raises:
        LswError: such a system cannot be mixed, or the two have other weights, or weights of another shape.
    """
    import torch

    (first, _), (second, save) = opened(system, base), opened(system, tuned)
    mixed = between(first.state_dict(), second.state_dict(), share)
    second.load_state_dict(mixed)
    save(out)
    with torch.no_grad():
        before = first.state_dict()
        moved = sum(float(((mixed[n] - w).double() ** 2).sum()) for n, w in before.items() if w.is_floating_point())
        size = sum(float((w.double() ** 2).sum()) for w in before.values() if w.is_floating_point())
    return float((moved / size) ** 0.5) if size else 0.0


def between(base: dict[str, Any], tuned: dict[str, Any], share: float) -> dict[str, Any]:
    """(1 - share) base + share tuned, tensor by tensor; at 0 and 1 the very tensors of one.

    Args:
        base, tuned: tensors by name.
        share: from 0 to 1.

    Raises:
        LswError: the two have other names, other shapes, or other whole numbers.
    """
    import torch

    for name in sorted(base.keys() ^ tuned.keys()):
        whose = "base" if name in base else "tuned model"
        raise _unlike(f"Only the {whose} has {name}.")
    mixed = {}
    for name, ours in tuned.items():
        theirs = base[name]
        if theirs.shape != ours.shape:
            raise _unlike(f"{name} has the shape {tuple(theirs.shape)} in the base, {tuple(ours.shape)} in the other.")
        if not ours.is_floating_point():
            if not torch.equal(theirs, ours):
                raise _unlike(f"{name} holds whole numbers, and other ones in each.")
            mixed[name] = ours
        elif share in (0, 1):
            mixed[name] = (ours if share else theirs).clone()
        else:
            mixed[name] = (1 - share) * theirs + share * ours
    return mixed


def _unlike(detail: str) -> LswError:
    return LswError(
        "The two models cannot be mixed: their weights are not of the same names and shapes.",
        detail,
        "Train from the system's own model (fine-tuning.SYSTEM.start), or leave `share` out.",
        exit_code=1,
    )


def opened(system: System, folder: Path) -> tuple[Any, Any]:
    """A model of a system with its weights in float32, and what saves it in a folder.

    Raises:
        LswError: nobody knows how.
    """
    import torch

    if isinstance(system, BiEncoder | MultiVector):
        model = (
            system.opened(folder, Computing())
            if isinstance(system, BiEncoder)
            else multi_vector(folder, system.query_length, system.document_length)
        )
        return model, lambda out: model.save_pretrained(str(out), create_model_card=False)
    if isinstance(system, CrossEncoder):
        from sentence_transformers import CrossEncoder as Library

        with loading(folder):
            pairs = Library(str(folder), local_files_only=True, model_kwargs={"dtype": torch.float32})
        return pairs, lambda out: pairs.save_pretrained(str(out), create_model_card=False)
    if isinstance(system, MT5):
        from transformers import AutoTokenizer, MT5ForConditionalGeneration

        with loading(folder):
            tokenizer = AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
            answers = MT5ForConditionalGeneration.from_pretrained(
                str(folder), local_files_only=True, dtype=torch.float32
            )

        def save(out: Path) -> None:
            answers.save_pretrained(str(out))
            tokenizer.save_pretrained(str(out))

        return answers, save
    raise LswError(f"Models of {system.architecture} systems cannot be mixed here.", cure="Leave `share` out.")
