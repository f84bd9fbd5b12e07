"""mT5 as a reranker (yes or no?) through pyterrier_t5, its batching mended.

pyterrier_t5 0.3.0 cuts the end token from the longest text of a batch only and puts the prompt after the padding, so
a score depends on what else is in the batch; it goes silent when `yes` and `no` are one token. Here every pair is
tokenised by itself, the prompt follows its text, padding comes last and is masked.
"""

from pathlib import Path
from typing import Any

import pyarrow as pa

from store import LswError
from workbench.systems import Progress

PROMPT = "Relevant:"
YES, NO = "yes", "no"


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


def load(checkpoint: Path, length: int, progress: Progress, token_budget: int | None = None) -> Any:
    """A `pyterrier_t5.mT5ReRanker` whose score of a pair does not depend on its batch.

    Args:
        checkpoint: an mT5 folder with its tokenizer.
        length: tokens of a pair at most.
        progress: told how many pairs are scored.
        token_budget: tokens of one batch, padding included; pairs are sorted by length first. Default: 2,048 on a
            CPU, where larger batches leave its cache (8,192 was 1.2 times slower), 32,768 on a GPU.
    """
    import torch
    from pyterrier.model import add_ranks
    from pyterrier_t5 import mT5ReRanker

    class SteadyMT5(mT5ReRanker):  # type: ignore[misc, unused-ignore]
        def transform(self, run: Any) -> Any:
            rows = inputs(self.tokenizer, run["query"].to_list(), run[self.text_field].to_list(), length)
            order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
            scores = torch.zeros(len(rows))
            start = self.model.config.decoder_start_token_id
            at = 0
            while at < len(order):
                end = at
                while end < len(order) and (end - at + 1) * len(rows[order[end]]) <= budget:
                    end += 1
                batch = order[at : max(end, at + 1)]
                ids, mask = padded([rows[i] for i in batch], self.tokenizer.pad_token_id)
                first = torch.full((len(batch), 1), start, dtype=torch.long)
                with torch.inference_mode():
                    hidden = self.model(
                        input_ids=ids.to(self.device),
                        attention_mask=mask.to(self.device),
                        decoder_input_ids=first.to(self.device),
                    ).logits[:, 0, (self.REL, self.NREL)]
                scores[batch] = torch.log_softmax(hidden.float(), dim=1)[:, 0].cpu()
                at += len(batch)
                progress(at, len(order))
            run = run.drop(columns=["score", "rank"], errors="ignore").assign(score=scores.tolist())
            return add_ranks(run)

    budget = token_budget or (32_768 if torch.cuda.is_available() else 2_048)
    reranker = SteadyMT5(tok_model=str(checkpoint), model=str(checkpoint), verbose=False)
    reranker.REL, reranker.NREL = answers(reranker.tokenizer)
    return reranker


def rerank(
    checkpoint: Path,
    candidates: pa.Table,
    queries: pa.Table,
    passages: pa.Table,
    length: int,
    depth: int,
    progress: Progress,
) -> pa.Table:
    """Score the first `depth` candidates of each query anew; the others follow in their order (PyTerrier's `^`).

    Args:
        checkpoint: an mT5 folder.
        candidates: columns qid, docno, rank, score of the first stage.
        queries: columns qid, query; the text that is scored.
        passages: columns docno, text.
        length: tokens of a pair at most.
        depth: candidates reranked a query.
        progress: told how many pairs are scored.

    Returns:
        columns qid, docno, score.
    """
    import pyterrier as pt

    given = pt.Transformer.from_df(candidates.to_pandas())
    with_text = pt.apply.generic(
        lambda df: (
            df.drop(columns="query", errors="ignore")
            .merge(queries.select(["qid", "query"]).to_pandas(), on="qid")
            .merge(passages.select(["docno", "text"]).to_pandas(), on="docno")
        )
    )
    pipeline = ((given % depth) >> with_text >> load(checkpoint, length, progress)) ^ given
    found = pipeline(queries.select(["qid", "query"]).to_pandas())
    return pa.table(
        {
            "qid": found["qid"].astype(str).to_list(),
            "docno": found["docno"].astype(str).to_list(),
            "score": pa.array(found["score"].to_numpy(), pa.float64()),
        }
    )
