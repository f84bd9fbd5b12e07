"""BGE-M3's three ways to see a text: one vector, weights of its terms, a vector for each token (arXiv 2402.03216).

FlagEmbedding's own format: an XLM-R folder with `sparse_linear` and `colbert_linear` beside it. Its forward pass is
twenty lines; they stand here so that a token budget, shards and safetensors hold for it as for every other encoder.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workbench.checkpoints.soundness import POOLER, examine, loading
from workbench.systems._encoding import Computing, device, finite, in_batches, lengths

HEADS = ("sparse_linear", "colbert_linear")
WEIGHTS = (0.4, 0.2, 0.4)
"""Of the dense, the sparse and the multi-vector score in their sum, as the model's authors recommend."""

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Encoded:
    """A text: `dense` (dimensions), its terms' `ids` and `weights` (float32), `tokens` (tokens x dimensions)."""

    dense: Floats
    ids: NDArray[np.int32]
    weights: Floats
    tokens: Floats


def is_one(checkpoint: Path) -> bool:
    """Whether the folder has BGE-M3's heads."""
    return all((checkpoint / f"{head}.safetensors").exists() for head in HEADS)


class M3:
    """A BGE-M3 checkpoint, the published one or one that was fine-tuned.

    Args:
        checkpoint: its folder, weights and heads as safetensors.
        computing: precision and budget.
    """

    def __init__(self, checkpoint: Path, computing: Computing) -> None:
        import torch
        from safetensors.torch import load_file
        from transformers import AutoModel, AutoTokenizer

        self.device = device()
        self.heads = {}
        with loading(checkpoint):
            self.tokenizer = AutoTokenizer.from_pretrained(checkpoint, local_files_only=True)
            body = AutoModel.from_pretrained(
                checkpoint, local_files_only=True, dtype=computing.dtype, use_safetensors=True
            )
            for head in HEADS:
                tensors = load_file(checkpoint / f"{head}.safetensors")
                linear = torch.nn.Linear(tensors["weight"].shape[1], tensors["weight"].shape[0])
                linear.load_state_dict(tensors)
                self.heads[head] = linear.to(self.device, computing.dtype).eval()
        examine(body, self.tokenizer, checkpoint, POOLER)
        self.body = body.to(self.device).eval()
        self.budget = computing.budget
        t = self.tokenizer
        self.unused = [i for i in (t.cls_token_id, t.eos_token_id, t.pad_token_id, t.unk_token_id) if i is not None]

    def encode(self, texts: list[str], length: int, tokens: bool = True) -> list[Encoded]:
        """Each text, cut at `length` tokens; `tokens` are empty where they are not wanted."""
        counts = lengths(self.tokenizer, texts, length)
        return in_batches(texts, counts, self.budget, lambda some: self._batch(some, length, tokens))

    def _batch(self, texts: list[str], length: int, wanted: bool) -> list[Encoded]:
        import torch

        inputs = self.tokenizer(texts, return_tensors="pt", padding=True, truncation=True, max_length=length)
        inputs = inputs.to(self.device)
        with torch.inference_mode():
            hidden = self.body(**inputs).last_hidden_state
            dense = finite(torch.nn.functional.normalize(hidden[:, 0].float(), dim=-1).cpu().numpy())
            weights = torch.relu(self.heads["sparse_linear"](hidden)).squeeze(-1).float().cpu().numpy()
            seen = hidden[:, 1:] if wanted else hidden[:, :0]
            tokens = torch.nn.functional.normalize(self.heads["colbert_linear"](seen).float(), dim=-1)
            vectors = tokens.cpu().numpy()
        out = []
        rows = zip(inputs["input_ids"].cpu().numpy(), inputs["attention_mask"].sum(dim=1).tolist(), strict=True)
        for i, (ids, count) in enumerate(rows):
            terms, at = np.unique(ids[:count], return_inverse=True)
            best = np.zeros(len(terms), np.float32)
            np.maximum.at(best, at, weights[i, :count])
            kept = (best > 0) & ~np.isin(terms, self.unused)
            out.append(Encoded(dense[i], terms[kept].astype(np.int32), best[kept], vectors[i, : count - 1]))
        return out
