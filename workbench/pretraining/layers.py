"""An encoder with another number of layers: its vectors of tokens stay, its layers are new and do nearly nothing yet.

So models that differ in the number of their layers alone begin alike, and what they become is the training's. The last
norm stays too: by it vectors are what pooling and the temperature of a training were chosen for.
"""

from pathlib import Path
from typing import Any

from store import LswError
from workbench.systems._encoding import Computing
from workbench.systems.bi_encoder import load

NEARLY_NOTHING = 0.1
"""What the weights are multiplied by that a new layer adds to its input by."""


def with_layers(checkpoint: Path, pooling: str | None, layers: int, seed: int, out: Path) -> None:
    """A copy of a bi-encoder with so many new layers (0: the vectors of tokens alone are pooled).

    Args:
        checkpoint: folder of the encoder.
        pooling: of one that does not say it (`workbench.systems.bi_encoder.load`).
        layers: new ones.
        seed: of their weights, drawn as its architecture draws them.
        out: folder for the copy.

    Raises:
        LswError: the encoder's layers do not stand in a row, or it has none to be like.
    """
    import copy

    import torch
    from torch.nn import ModuleList
    from transformers import set_seed

    model = load(checkpoint, Computing(), pooling)
    body: Any = model[0].model
    known: Any = getattr(getattr(body, "encoder", None), "layer", None)
    if not isinstance(known, ModuleList) or not hasattr(body.config, "num_hidden_layers"):
        kind = body.config.model_type
        raise LswError(f"The layers of a '{kind}' model cannot be exchanged.", cure="Take `layers` out of the system.")
    if layers and not len(known):
        raise LswError("This encoder has no layer that a new one could be like.", cure="Take `layers` out.")
    set_seed(seed)
    rows: list[Any] = [copy.deepcopy(known[0]) for _ in range(layers)]
    for row in rows:
        row.apply(body._init_weights)
        with torch.no_grad():
            for name, weight in row.named_parameters():
                if name.endswith("output.dense.weight"):
                    weight.mul_(NEARLY_NOTHING)
    if len(known):  # what vectors come out as, at the end of however many
        was: Any = known[-1]
        last: Any = rows[-1].output if rows else body.embeddings
        last.LayerNorm.load_state_dict(was.output.LayerNorm.state_dict())
    body.encoder.layer = ModuleList(rows)
    body.config.num_hidden_layers = layers
    model.save_pretrained(str(out), create_model_card=False)
