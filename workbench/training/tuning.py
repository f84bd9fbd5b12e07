"""How one system is trained: the settings that a recipe gives."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from workbench.registry import LOCAL, Section
from workbench.systems._encoding import Positive, Precision

Share = Annotated[float, Field(ge=0, le=1)]
Rate = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Lora(Section):
    """Updates of low rank beside frozen weights: `rank`, `alpha` (an update counts alpha / rank times), `dropout`."""

    rank: Positive
    alpha: Rate = 16.0
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0


class Tuning(Section):
    """How one system is trained. Warm-up is a share of all steps; rates are peaks of the schedule, and AdamW moves.

    `frozen` stays as it is: the embeddings, X-MOD's adapters, or the body, which is all the rest.

    `start` is another checkpoint to train from than the system's own, so that a gain compares two starts; a
    multi-vector system may start from an encoder without a head for tokens, and is given one. `clip` bounds the norm of
    the gradient; 0 does not. `rounds` are passes over the training queries with fresh negatives, of a source that draws
    them.

    `batch_size` counts triples and is what a step sees, whatever the parts it is computed in (`accumulation`) and the
    processes that share it. `steps` ends training before or after `epochs` would; 0 does not. Lengths, in tokens, and
    `objective` are the system's own unless training has others; `negatives` names where its triples come from, if
    elsewhere than those of the recipe. `lora` freezes all but a few updates of low rank, which are folded into the
    weights in the end; a head beside the transformer is trained whole.
    """

    epochs: Rate
    learning_rate: Rate
    batch_size: Positive
    temperature: Rate = 1.0
    warmup: Share = 0.0
    frozen: list[Literal["embeddings", "adapters", "body"]] = []
    checkpoint_steps: Annotated[Positive, LOCAL] = 50
    seed: int = 42
    steps: Annotated[Annotated[int, Field(ge=0)] | None, AfterValidator(lambda steps: steps or None)] = None
    accumulation: Positive = 1
    precision: Precision = "float32"
    gradient_checkpointing: bool = False
    objective: str | None = None
    negatives: Annotated[str | None, LOCAL] = None
    rounds: Annotated[Positive | None, LOCAL] = None
    start: Annotated[str, LOCAL] = ""
    schedule: Literal["linear", "constant"] = "linear"
    clip: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 1.0
    weight_decay: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    epsilon: Rate = 1e-8
    query_length: Positive | None = None
    document_length: Positive | None = None
    lora: Lora | None = None
