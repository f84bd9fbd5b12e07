"""Token vectors of a collection on disk, and search over them: MaxSim, exact, or exact over approximate candidates.

Khattab and Zaharia 2020 (arXiv 2004.12832): the score of a passage (eq. 3), and end-to-end retrieval over faiss
(section 3.6), which is what `ivf` does.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from store import LswError
from workbench.systems._encoding import device, faiss, not_indexed
from workbench.systems._explanation import Portion
from workbench.systems._shards import Appended, Docnos, write_docnos
from workbench.systems._tokens import Token
from workbench.talk import Progress, Summary

VECTORS, LENGTHS, META, APPROXIMATE = "tokens.bin", "lengths.i4", "tokens.json", "tokens.faiss"
SHARD = 1_024
"""Passages whose token vectors are held in memory before they are put on disk."""
CHUNK = 2_000_000
"""Token vectors compared at once."""
NEIGHBOURS, PROBES = 1_024, 32
"""Of `ivf`: token vectors found for each query token, and lists looked at."""

SAYS = (
    "For each token of the query the token of the passage whose vector is most like its own; their similarities sum to"
    " the score. A vector knows the whole text around its token, so tokens that match need not mean the same by"
    " themselves; markers, and what a query is filled up with, match too."
)
"""What a MaxSim taken apart is."""

Floats = NDArray[np.float32]


def opened(work: Path) -> Appended:
    """Where token vectors are added, shard by shard."""
    return Appended(work, (VECTORS, LENGTHS))


def add(shards: Appended, vectors: list[Floats], dtype: str) -> None:
    """Add the token vectors of some passages.

    Raises:
        LswError: a passage has none.
    """
    lengths = np.array([len(v) for v in vectors], np.int32)
    if not lengths.all():
        raise LswError(
            "A passage has no token vector.", f"It is passage {shards.rows + int(lengths.argmin()) + 1}.", exit_code=1
        )
    shards.add(len(vectors), tokens_bin=np.concatenate(vectors, dtype=dtype, casting="same_kind"), lengths_i4=lengths)


def finish(shards: Appended, out: Path, docnos: list[str], dimensions: int, dtype: str, search: str) -> None:
    """Make the index complete; with `ivf`, a faiss index over a compressed copy of the vectors."""
    shards.hand_over(out)
    (out / META).write_text(json.dumps({"dimensions": dimensions, "dtype": dtype}), "utf-8")
    write_docnos(out, docnos)
    if search != "exact":
        _compress(out)


class Tokens:
    """An index of token vectors, memory-mapped.

    Args:
        folder: what `finish` made complete.
    """

    def __init__(self, folder: Path) -> None:
        meta = json.loads((folder / META).read_text("utf-8"))
        lengths = np.fromfile(folder / LENGTHS, np.int32)
        self.folder = folder
        self.bounds = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
        """First row of each passage, and the end (passages + 1)."""
        shape = (int(self.bounds[-1]), meta["dimensions"])
        self.vectors = np.memmap(folder / VECTORS, meta["dtype"], "r", shape=shape)
        self.docnos = Docnos(folder)

    def __len__(self) -> int:
        return len(self.bounds) - 1

    def chunks(self, most: int) -> Iterator[tuple[int, int]]:
        """Passages, first and past the last, of as many token vectors as are compared at once."""
        start = 0
        while start < len(self):
            end = int(np.searchsorted(self.bounds, self.bounds[start] + most, "right")) - 1
            end = max(end, start + 1)
            yield start, end
            start = end


def maxsim(query: Floats, vectors: Floats, bounds: NDArray[np.int64]) -> Floats:
    """Sum over query tokens of the largest inner product with any token of a passage.

    Args:
        query: query token vectors (tokens x dimensions).
        vectors: token vectors of all passages (all tokens x dimensions).
        bounds: first row of each passage, and the end (passages + 1).

    Returns:
        scores, float32 (passages).
    """
    scores: Floats = np.maximum.reduceat(vectors @ query.T, bounds[:-1], axis=0).sum(axis=1)
    return scores


def _chunk_scores(queries: list[Floats], vectors: Any, bounds: NDArray[np.int64], where: str) -> Iterator[Floats]:
    """`maxsim` of each query; on a GPU the chunk is moved there once."""
    if where == "cpu":
        dense = np.asarray(vectors, np.float32)
        for query in queries:
            yield maxsim(query, dense, bounds)
        return
    import torch

    on = torch.tensor(np.asarray(vectors), device=where)
    offsets = torch.tensor(bounds, device=where)
    for query in queries:
        products = (on @ torch.from_numpy(query).to(where, on.dtype).T).float()
        best = torch.segment_reduce(products, "max", offsets=offsets, axis=0)
        yield best.sum(dim=1).cpu().numpy()


def search(
    folder: Path,
    queries: list[Floats],
    qids: list[str],
    depth: int,
    how: str,
    progress: Progress,
    where: str | None = None,
) -> tuple[pa.Table, Summary]:
    """The best passages of each query by MaxSim.

    Args:
        folder: what `finish` made complete.
        queries: token vectors of each query (tokens x dimensions).
        qids: of the queries.
        depth: passages a query.
        how: `exact` over every passage, or `ivf`: exact over those that hold a near neighbour of a query token.
        progress: told how many comparisons are done, in queries.
        where: a torch device; None: a GPU if there is one.

    Returns:
        columns qid, docno, score (float32); and what to record.
    """
    at = Tokens(folder)
    depth = min(depth, len(at))
    if how != "exact":
        results = list(_approximate(at, queries, depth, progress))
        summary = {"search": "ivf, approximate", "candidates": round(float(np.mean([c for *_, c in results])), 1)}
        return _table(at, qids, [f[0] for f in results], [f[1] for f in results]), summary
    rows = [np.empty(0, np.int64)] * len(queries)
    scores = [np.empty(0, np.float32)] * len(queries)
    spans = list(at.chunks(CHUNK))
    for number, (start, end) in enumerate(spans):
        bounds = at.bounds[start : end + 1] - at.bounds[start]
        vectors = at.vectors[at.bounds[start] : at.bounds[end]]
        for i, got in enumerate(_chunk_scores(queries, vectors, bounds, where or device())):
            keep = np.argpartition(-got, depth - 1)[:depth] if len(got) > depth else np.arange(len(got))
            every = np.concatenate([scores[i], got[keep]])
            ids = np.concatenate([rows[i], keep + start])
            best = np.argpartition(-every, depth - 1)[:depth] if len(every) > depth else np.arange(len(every))
            scores[i], rows[i] = every[best], ids[best]
            if i % 16 == 15 or i + 1 == len(queries):
                progress(number * len(queries) + i + 1, len(spans) * len(queries))
    return _table(at, qids, rows, scores), {}


def _table(at: Tokens, qids: list[str], rows: list[NDArray[np.int64]], scores: list[Floats]) -> pa.Table:
    return pa.table(
        {
            "qid": [qid for qid, results in zip(qids, rows, strict=True) for _ in results],
            "docno": at.docnos.of(np.concatenate(rows) if rows else np.empty(0, np.int64)),
            "score": pa.array(np.concatenate(scores) if scores else [], pa.float32()),
        }
    )


def portions(
    folder: Path, query: tuple[list[Token], Floats], passages: dict[str, list[Token]], weight: float = 1.0
) -> dict[str, list[Portion]]:
    """For each passage, of each query token the passage's token that is most like it; of several the first.

    Args:
        folder: what `finish` made complete.
        query: its tokens, and their vectors (tokens x dimensions).
        passages: the tokens of each docno.
        weight: of a similarity in the score.

    Raises:
        LswError: a passage is not in the index, or has another number of tokens there.
    """
    at = Tokens(folder)
    rows = at.docnos.rows(list(passages))
    row_of = dict(zip(at.docnos.of(rows).to_pylist(), rows.tolist(), strict=True))
    asked, vectors = query
    out: dict[str, list[Portion]] = {}
    for docno, tokens in passages.items():
        if docno not in row_of:
            raise not_indexed(docno, folder)
        start, end = at.bounds[row_of[docno]], at.bounds[row_of[docno] + 1]
        if (end - start, len(vectors)) != (len(tokens), len(asked)):
            raise LswError(
                f"The passage '{docno}' has {len(tokens)} tokens, and {end - start} vectors in the index.",
                "Its text, or the tokenizer of the model, is another than when it was indexed.",
                "Run the recipe again: it indexes anew what has changed.",
                exit_code=1,
            )
        products = vectors @ np.asarray(at.vectors[start:end], np.float32).T
        best = products.argmax(axis=1)
        out[docno] = [
            Portion(
                token.text, weight * float(products[i, j]), token.spans, tokens[j].spans,
                {"token": tokens[j].text, "similarity": float(products[i, j])},
            )
            for i, (token, j) in enumerate(zip(asked, best.tolist(), strict=True))
        ]  # fmt: skip
    return out


def _compress(folder: Path) -> None:
    """Inverted lists over product-quantised token vectors, a 16th of their size."""
    library = faiss()
    at = Tokens(folder)
    n, dimensions = at.vectors.shape
    lists = max(1, min(int(4 * n**0.5), n // 39))
    parts = next(m for m in (32, 16, 8, 4, 2, 1) if dimensions % m == 0)
    bits = 8 if n >= 256 * 39 else 4
    index = library.index_factory(dimensions, f"IVF{lists},PQ{parts}x{bits}", library.METRIC_INNER_PRODUCT)
    some = np.sort(np.random.default_rng(0).choice(n, min(n, max(lists * 64, 20_000)), replace=False))
    index.train(np.asarray(at.vectors[some], np.float32))
    for start in range(0, n, CHUNK // 4):
        index.add(np.asarray(at.vectors[start : start + CHUNK // 4], np.float32))
    library.write_index(index, str(folder / APPROXIMATE))


def _approximate(
    at: Tokens, queries: list[Floats], depth: int, progress: Progress
) -> Iterator[tuple[NDArray[np.int64], Floats, int]]:
    """Rows, their exact scores, and how many candidates there were."""
    index = faiss().read_index(str(at.folder / APPROXIMATE))
    index.nprobe = PROBES
    for done, query in enumerate(queries, 1):
        _, near = index.search(query, min(NEIGHBOURS, int(at.bounds[-1])))
        rows = np.unique(np.searchsorted(at.bounds, near[near >= 0], "right") - 1)
        lengths = at.bounds[rows + 1] - at.bounds[rows]
        bounds = np.concatenate([[0], np.cumsum(lengths)])
        vectors = np.concatenate([at.vectors[at.bounds[r] : at.bounds[r + 1]] for r in rows])
        scores = maxsim(query, np.asarray(vectors, np.float32), bounds)
        best = np.argpartition(-scores, depth - 1)[:depth] if len(scores) > depth else np.arange(len(scores))
        yield rows[best], scores[best], len(rows)
        progress(done, len(queries))
