"""A learned sparse encoder (SPLADE's kind, BGE-M3's term weights): weights of terms, searched exactly as a matrix."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa

from workbench.checkpoints.soundness import POOLER, examine, loading
from workbench.systems import _m3 as bgem3
from workbench.systems import base
from workbench.systems._encoding import Computing, cut, finite, in_batches, lengths, not_indexed
from workbench.systems._explanation import Asked, Explanation, Portion
from workbench.systems._passages import Reading
from workbench.systems._shards import SHARD, Appended, Docnos, write_docnos
from workbench.systems._tokens import SPACES, Token, tokens_of
from workbench.talk import Progress, Summary

FILES = ("terms.i4", "weights.f4", "counts.i4")
META = "sparse.json"
CHUNK = 200_000
"""Passages compared at once, with so many queries:"""
ASKED = 512
SAYS = (
    "Each term that query and passage share adds the product of its two weights, which the model gives it; a term that"
    " stands in neither text was added by the model."
)
"""What an inner product of term weights taken apart is."""
LOGITS = 1_000_000_000
"""Logits of a batch, tokens times terms: 4 GB."""


class Sparse(base.Encoder):
    """Weights of terms, compared exactly."""

    heeds: ClassVar[frozenset[str]] = frozenset({"precision"})

    def index(self, passages: Reading, out: Path, at: base.Workplace) -> Summary:
        index(at.weights, passages, self.document_length, out, at.work, at.computing, at.progress)
        return {"passages": len(passages)}

    def retrieve(
        self, index: Path, queries: pa.Table, variety: str, depth: int, at: base.Workplace
    ) -> tuple[pa.Table, Summary]:
        length = self.query_length
        return retrieve(at.weights, index, queries, length, depth, at.computing, at.progress), {}

    def explain(self, asked: Asked, at: base.Workplace) -> Explanation:
        """The product of the weights of each shared term, by the weights in the index."""
        encode = asked.kept(lambda: TermEncoder(at.weights, at.computing))
        [weighed] = encode([asked.query], self.query_length, query=True)
        query = tokens_of(encode.tokenizer, asked.query, self.query_length)
        passages = {d: tokens_of(encode.tokenizer, t, self.document_length) for d, t in asked.passages.items()}
        parts = portions(asked.indexed, encode.tokenizer, (query, weighed), passages)
        scores = {docno: float(sum(part.value for part in some)) for docno, some in parts.items()}
        return Explanation("term weights", SAYS, scores, parts)

    def encoder(self, checkpoint: Path, variety: str, computing: Computing) -> Callable[[list[str]], Any]:
        return partial(TermEncoder(checkpoint, computing), length=self.document_length, query=False)

    def disk(self, passages: int, size: float, width: int, computing: Computing) -> int:
        return round(size / 4 * 0.7 * 8)  # some seven terms in ten tokens, eight bytes each


class TermEncoder:
    """Weights of terms, whatever the checkpoint's kind: a SparseEncoder folder, or a BGE-M3 folder.

    Args:
        checkpoint: its folder.
        computing: precision and budget.
    """

    def __init__(self, checkpoint: Path, computing: Computing) -> None:
        from sentence_transformers import SparseEncoder

        self.budget = computing.budget
        self.m3 = bgem3.M3(checkpoint, computing) if bgem3.is_one(checkpoint) else None
        options = {"dtype": computing.dtype}
        self.model: Any = None
        if not self.m3:
            with loading(checkpoint):
                self.model = SparseEncoder(str(checkpoint), local_files_only=True, model_kwargs=options).eval()
            body = getattr(self.model[0], "model", None)
            if body is not None:  # some encode queries by a table of weights, without a model
                examine(body, self.model.tokenizer, checkpoint, POOLER)

    @property
    def tokenizer(self) -> Any:
        """The model's."""
        return self.m3.tokenizer if self.m3 else self.model.tokenizer

    @property
    def size(self) -> int:
        """Terms there are."""
        return len(self.m3.tokenizer) if self.m3 else int(self.model.get_embedding_dimension())

    def __call__(self, texts: list[str], length: int, query: bool) -> list[tuple[Any, Any]]:
        """Ids (int32) and weights (float32) of each text's terms."""
        if self.m3:
            return [(text.ids, text.weights) for text in self.m3.encode(texts, length, tokens=False)]
        length = cut(self.model, length, query)
        how = self.model.encode_query if query else self.model.encode_document
        counts = lengths(self.model.tokenizer, texts, length)

        def some(batch: list[str]) -> list[tuple[Any, Any]]:
            weights = how(batch, batch_size=len(batch), show_progress_bar=False, convert_to_sparse_tensor=False)
            rows = finite(weights.float().cpu().numpy())
            return [(np.flatnonzero(row).astype(np.int32), row[row != 0].astype(np.float32)) for row in rows]

        budget = min(self.budget, max(LOGITS // self.size, 1))
        return in_batches(texts, counts, budget, some)


def index(
    checkpoint: Path,
    passages: Reading,
    document_length: int,
    out: Path,
    work: Path,
    computing: Computing,
    progress: Progress,
) -> None:
    """Encode the passages into a matrix on disk (passages x terms, by rows), shard by shard.

    Args:
        checkpoint: see `TermEncoder`.
        passages: what to encode.
        document_length: in tokens.
        out: folder that will hold the index.
        work: folder in which an interrupted attempt left its shards.
        computing: precision and budget; search is always exact.
        progress: told how many passages are encoded.
    """
    encode = TermEncoder(checkpoint, computing)
    shards = Appended(work, FILES)
    for _, texts in passages.shards(shards.rows, SHARD):
        add(shards, encode(texts, document_length, query=False))
        progress(shards.rows, len(passages))
    out.mkdir()
    finish(shards, out, passages.docnos(), encode.size)


def add(shards: Appended, rows: list[tuple[Any, Any]]) -> None:
    """Add some passages' terms."""
    shards.add(
        len(rows),
        terms_i4=np.concatenate([ids for ids, _ in rows]).astype(np.int32),
        weights_f4=np.concatenate([weights for _, weights in rows]).astype(np.float32),
        counts_i4=np.array([len(ids) for ids, _ in rows], np.int32),
    )


def finish(shards: Appended, out: Path, docnos: list[str], size: int) -> None:
    """Make the index complete."""
    shards.hand_over(out)
    (out / META).write_text(json.dumps({"terms": size}), "utf-8")
    write_docnos(out, docnos)


class Matrix:
    """The index of `finish`, memory-mapped."""

    def __init__(self, folder: Path) -> None:
        self.size = json.loads((folder / META).read_text("utf-8"))["terms"]
        counts = np.fromfile(folder / FILES[2], np.int32)
        self.bounds = np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])
        total = int(self.bounds[-1])
        self.terms = np.memmap(folder / FILES[0], np.int32, "r", shape=(total,)) if total else np.empty(0, np.int32)
        self.weights = (
            np.memmap(folder / FILES[1], np.float32, "r", shape=(total,)) if total else np.empty(0, np.float32)
        )
        self.docnos = Docnos(folder)

    def __len__(self) -> int:
        return len(self.bounds) - 1

    def rows(self, start: int, end: int) -> Any:
        """Passages `start` to `end` as a scipy matrix (passages x terms)."""
        from scipy.sparse import csr_matrix

        low, high = self.bounds[start], self.bounds[end]
        bounds = self.bounds[start : end + 1] - low
        return csr_matrix((self.weights[low:high], self.terms[low:high], bounds), shape=(end - start, self.size))


def nearest_passages(
    folder: Path, encoded: list[tuple[Any, Any]], qids: list[str], depth: int, progress: Progress
) -> pa.Table:
    """The best passages of each query by inner product; those that share no term with it are not returned.

    Returns:
        columns qid, docno, score (float32).
    """
    from scipy.sparse import csr_matrix

    at = Matrix(folder)
    bounds = np.concatenate([[0], np.cumsum([len(ids) for ids, _ in encoded])])
    terms = np.concatenate([ids for ids, _ in encoded])
    asked = csr_matrix((np.concatenate([w for _, w in encoded]), terms, bounds), shape=(len(qids), at.size))
    blocks = range(0, len(qids), ASKED)
    rows = [np.empty(0, np.int64)] * len(qids)
    scores = [np.empty(0, np.float32)] * len(qids)
    for start in range(0, len(at), CHUNK):
        end = min(start + CHUNK, len(at))
        passages = at.rows(start, end).T
        for first in blocks:
            products = (asked[first : first + ASKED] @ passages).tocsr()
            for i in range(products.shape[0]):
                span, q = slice(products.indptr[i], products.indptr[i + 1]), first + i
                every = np.concatenate([scores[q], products.data[span]])
                ids = np.concatenate([rows[q], products.indices[span] + start])
                best = np.argpartition(-every, depth - 1)[:depth] if len(every) > depth else np.arange(len(every))
                scores[q], rows[q] = every[best], ids[best]
        progress(end, len(at))
    return pa.table(
        {
            "qid": [qid for qid, results in zip(qids, rows, strict=True) for _ in results],
            "docno": at.docnos.of(np.concatenate(rows)),
            "score": pa.array(np.concatenate(scores), pa.float32()),
        }
    )


def portions(
    folder: Path,
    tokenizer: Any,
    query: tuple[list[Token], tuple[Any, Any]],
    passages: dict[str, list[Token]],
    weight: float = 1.0,
) -> dict[str, list[Portion]]:
    """For each passage the terms that it shares with a query, in the order of the query.

    Args:
        folder: what `finish` made complete.
        tokenizer: knows how a term is written that stands in neither text.
        query: its tokens, and the ids and weights of its terms.
        passages: the tokens of each docno.
        weight: of a product in the score.

    Raises:
        LswError: a passage is not in the index.
    """
    at = Matrix(folder)
    rows = at.docnos.rows(list(passages))
    row_of = dict(zip(at.docnos.of(rows).to_pylist(), rows.tolist(), strict=True))
    asked, (ids, weights) = query
    places = _by_id(asked)
    order = {id_: place for place, id_ in enumerate(places)}
    terms = sorted(zip(ids.tolist(), weights.tolist(), strict=True), key=lambda t: order.get(t[0], len(order)))
    out: dict[str, list[Portion]] = {}
    for docno, tokens in passages.items():
        if docno not in row_of:
            raise not_indexed(docno, folder)
        span = slice(at.bounds[row_of[docno]], at.bounds[row_of[docno] + 1])
        own = dict(zip(at.terms[span].tolist(), at.weights[span].tolist(), strict=True))
        here = _by_id(tokens)
        out[docno] = []
        for id_, of_query in terms:
            if id_ not in own:
                continue
            said = [token for token in (*places.get(id_, ()), *here.get(id_, ())) if token.span]
            written = str(tokenizer.convert_ids_to_tokens(id_))
            what = said[0].text if said else written.strip(SPACES) or written
            asks, has = (tuple(s for t in each.get(id_, ()) for s in t.spans) for each in (places, here))
            facts = {"in_query": of_query, "in_passage": own[id_]}
            out[docno].append(Portion(what, weight * of_query * own[id_], asks, has, facts))
    return out


def _by_id(tokens: list[Token]) -> dict[int, list[Token]]:
    out: dict[int, list[Token]] = {}
    for token in tokens:
        out.setdefault(token.id, []).append(token)
    return out


def retrieve(
    checkpoint: Path,
    folder: Path,
    queries: pa.Table,
    query_length: int,
    depth: int,
    computing: Computing,
    progress: Progress,
) -> pa.Table:
    """The best passages of each query by inner product of term weights, exactly.

    Returns:
        columns qid, docno, score (float32).
    """
    encoded = TermEncoder(checkpoint, computing)(queries["query"].to_pylist(), query_length, query=True)
    return nearest_passages(folder, encoded, queries["qid"].to_pylist(), depth, progress)
