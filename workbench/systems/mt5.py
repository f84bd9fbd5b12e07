"""mT5 asked whether a passage is relevant, yes or no, through pyterrier_t5 with its batching mended.

pyterrier_t5 0.3.0 cuts the end token from the longest text of a batch only and puts the prompt after the padding, so
a score depends on what else is in the batch; it goes silent when `yes` and `no` are one token. Here every pair is
tokenised by itself, the prompt follows its text, padding comes last and is masked.
"""

import json
from pathlib import Path
from typing import Any, ClassVar

from store import LswError
from workbench.checkpoints.soundness import examine, loading
from workbench.systems._encoding import Computing, batches
from workbench.systems.base import Reranker

PROMPT = "Relevant:"
YES, NO = "yes", "no"


class MT5(Reranker):
    """The log-probability of `yes` against `no` (Nogueira et al. 2020, arXiv 2003.06713)."""

    objective: ClassVar[str] = "yes-no"

    def scorer(self, checkpoint: Path, computing: Computing) -> Any:
        return load(checkpoint, self.document_length, computing)


def answers(tokenizer: Any) -> tuple[int, int]:
    """Ids of the tokens `yes` and `no`.

    Raises:
        LswError: they are unknown to the tokenizer or the same token, so that every score would be log 0.5.
    """
    yes, no = tokenizer.encode(YES)[0], tokenizer.encode(NO)[0]
    if yes == no or tokenizer.unk_token_id in (yes, no):
        raise LswError(
            "The reranker's answers 'yes' and 'no' are not two different, known tokens.",
            f"They become tokens {yes} and {no}; the unknown token is {tokenizer.unk_token_id}.",
            "Use the tokenizer that the reranker was trained with.",
        )
    return yes, no


def spelling(tokenizer: Any) -> Any:
    """The tokenizer, spelling what its vocabulary lacks in bytes, if it has them, as SentencePiece's own does.

    mT5's vocabulary has them; transformers' conversion leaves them unused, so that a rare character would be unknown.
    """
    from tokenizers import Tokenizer

    settings = json.loads(tokenizer.backend_tokenizer.to_str())
    if settings["model"].get("byte_fallback") is False and "<0x00>" in tokenizer.get_vocab():
        settings["model"]["byte_fallback"] = True
        tokenizer._tokenizer = Tokenizer.from_str(json.dumps(settings))
    return tokenizer


def inputs(tokenizer: Any, queries: list[str], texts: list[str], length: int) -> list[list[int]]:
    """Token ids of `Query: q Document: d Relevant:`, each pair by itself; long texts lose their end, never the prompt.

    Args:
        tokenizer: the model's.
        queries, texts: the pairs.
        length: tokens at most, prompt included.
    """
    prompt = tokenizer(PROMPT)["input_ids"]
    pairs = [f"Query: {q} Document: {d}" for q, d in zip(queries, texts, strict=True)]
    room = length - len(prompt)
    return [ids[:-1][:room] + prompt for ids in tokenizer(pairs)["input_ids"]]


def padded(rows: list[list[int]], pad: int) -> tuple[Any, Any]:
    """Ids and attention mask, both int64 (rows x longest)."""
    import torch

    longest = max(map(len, rows))
    ids = torch.full((len(rows), longest), pad, dtype=torch.long)
    mask = torch.zeros_like(ids)
    for i, row in enumerate(rows):
        ids[i, : len(row)] = torch.tensor(row)
        mask[i, : len(row)] = 1
    return ids, mask


def load(checkpoint: Path, length: int, computing: Computing) -> Any:
    """A `pyterrier_t5.mT5ReRanker` whose score of a pair does not depend on its batch.

    Args:
        checkpoint: an mT5 folder with its tokenizer.
        length: tokens of a pair at most.
        computing: precision, and tokens of one batch, padding included.
    """
    import torch
    from pyterrier.model import add_ranks
    from pyterrier_t5 import mT5ReRanker

    from workbench.systems import _one_token

    # On a CPU larger batches leave its cache: of 512 to 8,192 these were the fastest.
    on_cpu = 2_048 if computing.dtype is torch.float32 else 1_024
    budget = computing.token_budget or (32_768 if torch.cuda.is_available() else on_cpu)

    class SteadyMT5(mT5ReRanker):  # type: ignore[misc, unused-ignore]
        def transform(self, run: Any) -> Any:
            rows = inputs(self.tokenizer, run["query"].to_list(), run[self.text_field].to_list(), length)
            scores = torch.zeros(len(rows))
            for batch in batches([len(row) for row in rows], budget):
                ids, mask = padded([rows[i] for i in batch], self.tokenizer.pad_token_id)
                with torch.inference_mode():
                    hidden = _one_token.logits(
                        self.model, ids.to(self.device), mask.to(self.device), [self.REL, self.NREL]
                    )
                scores[batch] = torch.log_softmax(hidden, dim=1)[:, 0].cpu()
            run = run.drop(columns=["score", "rank"], errors="ignore").assign(score=scores.tolist())
            return add_ranks(run)

    with loading(checkpoint):
        reranker = SteadyMT5(tok_model=str(checkpoint), model=str(checkpoint), verbose=False)
    reranker.tokenizer = spelling(reranker.tokenizer)
    examine(reranker.model, reranker.tokenizer, checkpoint)
    for name, weight in reranker.model.named_parameters():
        # The outputs of T5's feed-forward layers overflow in float16; transformers keeps them in float32 as well.
        wide = computing.dtype is torch.float16 and ".wo." in name
        weight.data = weight.data.to(torch.float32 if wide else computing.dtype)
    _one_token.prepare(reranker.model)
    reranker.REL, reranker.NREL = answers(reranker.tokenizer)
    return reranker
