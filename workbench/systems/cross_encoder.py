"""Cross-encoders of sentence-transformers."""

from pathlib import Path
from typing import Any

from workbench.systems._encoding import Computing, batches
from workbench.systems.base import Reranker


class CrossEncoder(Reranker):
    """The logit that a query and a passage, read together, are given."""

    def scorer(self, checkpoint: Path, computing: Computing) -> Any:
        return load(checkpoint, self.document_length, computing)


def load(checkpoint: Path, length: int, computing: Computing) -> Any:
    """A PyTerrier transformer over a sentence-transformers cross-encoder; scores are logits, as it gives them.

    Args:
        checkpoint: its folder.
        length: tokens of a pair at most.
        computing: precision, and tokens of one batch, padding included.
    """
    import pyterrier as pt
    from pyterrier.model import add_ranks
    from sentence_transformers import CrossEncoder
    from torch.nn import Identity, Linear

    model = CrossEncoder(
        str(checkpoint), local_files_only=True, max_length=length, model_kwargs={"dtype": computing.dtype}
    )
    last = [part for part in model.modules() if isinstance(part, Linear)][-1].float()  # half a score ties with others
    last.register_forward_pre_hook(lambda _, inputs: tuple(x.float() for x in inputs))

    def score(run: Any) -> Any:
        pairs = list(zip(run["query"].to_list(), run["text"].to_list(), strict=True))
        tokens = model.tokenizer([q for q, _ in pairs], [d for _, d in pairs], truncation=True, max_length=length)
        scores = [0.0] * len(pairs)
        for batch in batches([len(ids) for ids in tokens["input_ids"]], computing.budget):
            values = model.predict(
                [pairs[i] for i in batch], batch_size=len(batch), activation_fn=Identity(), show_progress_bar=False
            )
            for i, value in zip(batch, values, strict=True):
                scores[i] = float(value)
        return add_ranks(run.drop(columns=["score", "rank"], errors="ignore").assign(score=scores))

    return pt.apply.generic(score)
