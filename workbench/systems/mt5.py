"""Rerankers: mT5 (yes or no?) through pyterrier_t5, its batching mended; cross-encoders of sentence-transformers.

pyterrier_t5 0.3.0 cuts the end token from the longest text of a batch only and puts the prompt after the padding, so
a score depends on what else is in the batch; it goes silent when `yes` and `no` are one token. Here every pair is
tokenised by itself, the prompt follows its text, padding comes last and is masked.
"""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa

from store import LswError
from workbench.systems import Progress
from workbench.systems._encoding import Computing, batches
from workbench.systems._passages import Reading
from workbench.systems._shards import Appended

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


def spelling(tokenizer: Any) -> Any:
    """The tokenizer, spelling what its vocabulary lacks in bytes, if it has them, as SentencePiece's own does.

    mT5's vocabulary has them; transformers' conversion leaves them unused, so that a rare character would be unknown.
    """
    from tokenizers import Tokenizer

    said = json.loads(tokenizer.backend_tokenizer.to_str())
    if said["model"].get("byte_fallback") is False and "<0x00>" in tokenizer.get_vocab():
        said["model"]["byte_fallback"] = True
        tokenizer._tokenizer = Tokenizer.from_str(json.dumps(said))
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

    from workbench.systems import _one_token as onestep

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
                    hidden = onestep.logits(
                        self.model, ids.to(self.device), mask.to(self.device), [self.REL, self.NREL]
                    )
                scores[batch] = torch.log_softmax(hidden, dim=1)[:, 0].cpu()
            run = run.drop(columns=["score", "rank"], errors="ignore").assign(score=scores.tolist())
            return add_ranks(run)

    reranker = SteadyMT5(tok_model=str(checkpoint), model=str(checkpoint), verbose=False)
    reranker.tokenizer = spelling(reranker.tokenizer)
    for name, weight in reranker.model.named_parameters():
        # The outputs of T5's feed-forward layers overflow in float16; transformers keeps them in float32 as well.
        wide = computing.dtype is torch.float16 and ".wo." in name
        weight.data = weight.data.to(torch.float32 if wide else computing.dtype)
    onestep.prepare(reranker.model)
    reranker.REL, reranker.NREL = answers(reranker.tokenizer)
    return reranker


def load_cross_encoder(checkpoint: Path, length: int, computing: Computing) -> Any:
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
    last.register_forward_pre_hook(lambda _, given: tuple(x.float() for x in given))

    def score(run: Any) -> Any:
        pairs = list(zip(run["query"].to_list(), run["text"].to_list(), strict=True))
        tokens = model.tokenizer([q for q, _ in pairs], [d for _, d in pairs], truncation=True, max_length=length)
        scores = [0.0] * len(pairs)
        for batch in batches([len(ids) for ids in tokens["input_ids"]], computing.budget):
            made = model.predict(
                [pairs[i] for i in batch], batch_size=len(batch), activation_fn=Identity(), show_progress_bar=False
            )
            for i, value in zip(batch, made, strict=True):
                scores[i] = float(value)
        return add_ranks(run.drop(columns=["score", "rank"], errors="ignore").assign(score=scores))

    return pt.apply.generic(score)


GROUP = 32
"""Queries whose candidates are scored before their scores are put on disk."""


def rerank(
    architecture: str,
    checkpoint: Path,
    candidates: pa.Table,
    queries: pa.Table,
    passages: Reading,
    length: int,
    depth: int,
    work: Path,
    computing: Computing,
    progress: Progress,
) -> pa.Table:
    """Score the first `depth` candidates of each query anew; the others follow in their order (PyTerrier's `^`).

    Args:
        architecture: `reranker` (mT5) or `cross-encoder`.
        checkpoint: its folder.
        candidates: columns qid, docno, rank, score of the first stage.
        queries: columns qid, query; the text that is scored.
        passages: where their texts are.
        length: tokens of a pair at most.
        depth: candidates reranked a query.
        work: folder in which an interrupted attempt left the scores of whole groups of queries.
        computing: precision and budget.
        progress: told how many pairs are scored.

    Returns:
        columns qid, docno, score.

    Raises:
        LswError: a candidate is no passage of the collection.
    """
    import numpy as np
    import pandas as pd
    import pyterrier as pt

    model = (load if architecture == "reranker" else load_cross_encoder)(checkpoint, length, computing)
    given = candidates.to_pandas()
    text = dict(zip(queries["qid"].to_pylist(), queries["query"].to_pylist(), strict=True))
    top = given[given["rank"] < depth].reset_index(drop=True)
    groups = top.groupby(top["qid"].map({q: i // GROUP for i, q in enumerate(top["qid"].unique())}), sort=False)
    made = Appended(work, ("scores.f8",))
    for _, group in groups:
        if int(group.index[0]) < made.rows:
            continue  # scored before an interruption
        texts = passages.texts(group["docno"])
        if lacking := next((d for d in group["docno"] if d not in texts), None):
            raise LswError(
                f"Candidate '{lacking}' is no passage of the collection.",
                cure="Rerank a run over the same passages.",
                exit_code=1,
            )
        asked = pd.DataFrame(
            {"qid": group["qid"], "docno": group["docno"], "query": group["qid"].map(text),
             "text": group["docno"].map(texts)}
        )  # fmt: skip
        scores = model(asked).set_index(["qid", "docno"])["score"]
        keys = list(zip(group["qid"], group["docno"], strict=True))
        made.add(len(group), scores_f8=scores.loc[keys].to_numpy(np.float64))
        progress(made.rows, len(top))
    top["score"] = np.fromfile(work / "scores.f8", np.float64)
    rescored = pt.Transformer.from_df(pt.model.add_ranks(top.drop(columns="rank")))
    found = (rescored ^ pt.Transformer.from_df(given))(queries.select(["qid", "query"]).to_pandas())
    return pa.table(
        {
            "qid": found["qid"].astype(str).to_list(),
            "docno": found["docno"].astype(str).to_list(),
            "score": pa.array(found["score"].to_numpy(), pa.float64()),
        }
    )
