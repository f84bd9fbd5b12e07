"""Cross-encoders of sentence-transformers."""

from pathlib import Path
from typing import Any, ClassVar

from workbench.checkpoints.soundness import examine, loading
from workbench.systems._encoding import Computing, batches
from workbench.systems.base import Reranker


class CrossEncoder(Reranker):
    """The logit that a query and a passage, read together, are given."""

    objective: ClassVar[str] = "relevance"

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
    from torch.nn import Identity

    with loading(checkpoint):
        model = CrossEncoder(
            str(checkpoint), local_files_only=True, max_length=length, model_kwargs={"dtype": computing.dtype}
        )
    examine(model[0].model, model.tokenizer, checkpoint)
    _score_in_float(model)

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


def _score_in_float(model: Any) -> None:
    """Make the last step in float32: in half precision one score in many ties with another.

    A causal model scores by the logits of one or two tokens; its last layer may share its weights with the embedding
    of its input, so they stay as they are, and the rows of these tokens alone are computed anew.
    """
    from sentence_transformers.cross_encoder.modules import LogitScore
    from torch.nn import Linear

    scorer = next((part for part in model.modules() if isinstance(part, LogitScore)), None)
    if scorer is None:
        last = [part for part in model.modules() if isinstance(part, Linear)][-1].float()
        last.register_forward_pre_hook(lambda _, inputs: tuple(x.float() for x in inputs))
        return
    tokens = [token for token in (scorer.true_token_id, scorer.false_token_id) if token is not None]

    def in_float(head: Any, inputs: Any, logits: Any) -> Any:
        logits = logits.float()
        logits[..., tokens] = inputs[0].float() @ head.weight[tokens].float().T
        return logits

    model[0].model.get_output_embeddings().register_forward_hook(in_float)
