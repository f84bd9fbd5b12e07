"""Low-rank updates beside frozen weights (LoRA; Hu et al. 2021, arXiv 2106.09685), folded into them when saved."""

from pathlib import Path
from typing import Any

from store import LswError
from workbench.training.tuning import Lora

TRAINED = "trained.safetensors"
"""What a checkpoint of such a training holds: the weights that are trained, and no others."""
_TARGETS = {"xmod": ["query", "value"]}
"""The attention's query and value projections (section 4.2 there), of architectures that peft does not know."""

_HEADS = ("classifier", "score")
"""What transformers calls the head of a model that gives a text a number."""


def _peft() -> Any:
    try:
        import peft
    except ImportError:
        raise LswError(
            "`lora` needs the package peft.", cure='pip install "lsw-workbench[lora]", or take `lora` out.'
        ) from None
    return peft


def narrow(backbone: Any, lora: Lora) -> None:
    """Freeze a model of transformers, and put a trainable update of low rank beside each attention's query and value.

    X-MOD's language adapters are frozen with all the rest; a cross-encoder's head, which may be new, is trained whole.

    Raises:
        LswError: peft is not installed, or does not know the attention of this architecture.
    """
    import torch

    peft, kind = _peft(), backbone.config.model_type
    config = peft.LoraConfig(
        r=lora.rank, lora_alpha=lora.alpha, lora_dropout=lora.dropout, target_modules=_TARGETS.get(kind)
    )
    try:
        peft.inject_adapter_in_model(config, backbone)
    except ValueError as error:
        raise LswError(
            f"Nobody says which weights of {kind} have low-rank updates.",
            str(error).splitlines()[0],
            "Take `lora` out, or train another model.",
        ) from error
    for name in _HEADS:
        if isinstance(head := getattr(backbone, name, None), torch.nn.Module):
            head.requires_grad_(True)


def fold(backbone: Any) -> None:
    """Add the updates to the weights that they stand beside, and leave no trace of them."""
    from peft.tuners.lora import LoraLayer

    for name, layer in [(name, part) for name, part in backbone.named_modules() if isinstance(part, LoraLayer)]:
        layer.merge(safe_merge=True)
        where, _, last = name.rpartition(".")
        setattr(backbone.get_submodule(where), last, layer.get_base_layer())


def keep_little(trainer: Any, model: Any) -> None:
    """Make a trainer save and load only what it trains."""
    from safetensors.torch import load_file, save_file

    def save(output_dir: str | None = None, state_dict: Any = None) -> None:
        folder = Path(output_dir or trainer.args.output_dir)
        folder.mkdir(parents=True, exist_ok=True)
        save_file(
            {n: p.detach().cpu().contiguous() for n, p in model.named_parameters() if p.requires_grad}, folder / TRAINED
        )

    def load(folder: str, model_: Any = None) -> None:
        trained = load_file(Path(folder) / TRAINED)
        lacking = {n for n, p in model.named_parameters() if p.requires_grad} - set(trained)
        if lacking:
            raise LswError(f"{folder} lacks {sorted(lacking)[0]}.", cure="Remove the folder; training begins anew.")
        model.load_state_dict(trained, strict=False)

    trainer._save, trainer._load_from_checkpoint = save, load
