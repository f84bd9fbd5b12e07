"""What a new encoder begins with: vectors of tokens whose mean over a text finds its passage."""

from typing import Any

import pyarrow as pa

RATE, BATCH, TEMPERATURE, WARMUP = 1e-2, 48, 0.1, 0.05
LENGTH = 160
"""Tokens of a text at most."""


def averaged(tokenizer: Any, crops: pa.Table, dimensions: int, seed: int) -> Any:
    """Token vectors, trained as a bag: each query against its passage and the others of its batch (one epoch, Adam).

    The mean of vectors is a strong encoder (Wieting et al. 2016, arXiv 1511.08198) and learnt in seconds, where a
    transformer of random weights takes minutes to come to it. Passages of one docno do not stand against each other.

    Args:
        tokenizer: of transformers.
        crops: columns query, positive, negative, docno_positive, docno_negative.
        dimensions: of a vector.
        seed: of the first vectors and of the order.

    Returns:
        float32 (tokens x dimensions); rare and telling tokens have long vectors.
    """
    import numpy as np
    import torch
    from torch.nn.functional import cross_entropy, embedding_bag, normalize

    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # these are small sums: more threads wait for each other
    chance = torch.Generator().manual_seed(seed)
    vectors = torch.nn.Parameter(0.1 * torch.randn(len(tokenizer), dimensions, generator=chance))
    columns = {name: crops[name].to_pylist() for name in ("query", "positive", "negative")}
    distinct = list(dict.fromkeys(text for texts in columns.values() for text in texts))
    ids = tokenizer(distinct, add_special_tokens=False, truncation=True, max_length=LENGTH)["input_ids"]
    known = {text: torch.tensor(row or [tokenizer.unk_token_id]) for text, row in zip(distinct, ids, strict=True)}
    docnos = [np.array(crops[name].to_pylist()) for name in ("docno_positive", "docno_negative")]

    def means(texts: list[str]) -> Any:
        rows = [known[text] for text in texts]
        starts = torch.tensor([0, *(len(row) for row in rows[:-1])]).cumsum(0)
        return normalize(embedding_bag(torch.cat(rows), vectors, starts, mode="mean"))

    optimiser = torch.optim.Adam([vectors], lr=RATE)
    order = torch.randperm(len(crops), generator=chance)
    batches = [order[start : start + BATCH].tolist() for start in range(0, len(order), BATCH)]
    for step, rows in enumerate(batches):
        asked, right, wrong = ([columns[name][i] for i in rows] for name in columns)
        scores = means(asked) @ means(right + wrong).T / TEMPERATURE
        own, every = docnos[0][rows], np.concatenate([column[rows] for column in docnos])
        twin = torch.from_numpy(own[:, None] == every[None, :]).fill_diagonal_(False)
        loss = cross_entropy(scores.masked_fill(twin, float("-inf")), torch.arange(len(rows)))
        share = step / len(batches)
        for group in optimiser.param_groups:
            group["lr"] = RATE * min((share + 0.2 * WARMUP) / WARMUP, 1 - share)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call, unused-ignore]
        optimiser.step()
    torch.set_num_threads(threads)
    return vectors.detach()
