"""mT5 asked for a single token: the logits that its own forward pass gives, with less work.

The decoder sees one position, so its cross-attention needs no key and no value of each token of the text: by
associativity, q (W_k h) = (q W_k) h and sum(p W_v h) = W_v sum(p h). Of the vocabulary only the tokens asked for are
scored, and the gate's GELU is torch's fused kernel of the same tanh formula.
"""

from typing import Any

import torch
from torch import Tensor, nn


class _OneQuery(nn.Module):
    """The cross-attention of `MT5Attention` for one decoder position, without a cache."""

    def __init__(self, whole: Any) -> None:
        super().__init__()
        self.whole = whole

    def forward(self, hidden_states: Tensor, mask: Tensor | None, key_value_states: Tensor, **_: Any) -> Any:
        """`hidden_states` (batch x 1 x width) attend to `key_value_states` (batch x tokens x width)."""
        w, heads = self.whole, self.whole.n_heads
        batch, tokens, width = key_value_states.shape
        asked = w.q(hidden_states).view(batch, heads, -1).transpose(0, 1)
        asked = (asked @ w.k.weight.view(heads, -1, width)).transpose(0, 1)
        scores = (asked @ key_value_states.transpose(1, 2)).float() * w.scaling
        if mask is not None:  # batch x 1 x 1 x tokens: true where there is text, or what is added to its scores
            seen = mask.view(batch, 1, tokens)
            scores = scores.masked_fill(~seen, float("-inf")) if seen.dtype == torch.bool else scores + seen
        read = scores.softmax(-1).to(key_value_states.dtype) @ key_value_states
        read = read.transpose(0, 1) @ w.v.weight.view(heads, -1, width).transpose(1, 2)
        return w.o(read.transpose(0, 1).reshape(batch, 1, -1)), None, None


def prepare(model: Any) -> None:
    """Change an `MT5ForConditionalGeneration` so that `logits` is quick; it can no longer generate."""
    from transformers.activations import GELUTanh, NewGELUActivation

    for part in model.modules():
        if isinstance(getattr(part, "act", None), NewGELUActivation):
            part.act = GELUTanh()
    for block in model.decoder.block:
        block.layer[1].EncDecAttention = _OneQuery(block.layer[1].EncDecAttention)


def logits(model: Any, ids: Tensor, mask: Tensor, tokens: list[int]) -> Tensor:
    """Logits of some tokens as the first of the answer, float32 (batch x tokens): in half, many would be equal.

    Args:
        model: after `prepare`.
        ids, mask: int64 (batch x longest), on the model's device.
        tokens: the ids that are scored.
    """
    start = ids.new_full((len(ids), 1), model.config.decoder_start_token_id)
    seen = model.encoder(input_ids=ids, attention_mask=mask)[0]
    answer = model.decoder(
        input_ids=start, encoder_hidden_states=seen, encoder_attention_mask=mask, use_cache=False
    )[0][:, 0]  # fmt: skip
    scored: Tensor = answer.float() @ model.lm_head.weight[tokens].float().T
    return scored
