"""BGE-M3 whole: the weighted sum of its dense, sparse and multi-vector scores, over what the first two find."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from store import LswError
from workbench.systems import _m3 as bgem3
from workbench.systems import _maxsim as tokens
from workbench.systems import bi_encoder as biencoder
from workbench.systems import sparse
from workbench.systems._encoding import Computing
from workbench.systems._explanation import Asked, Explanation, Portion
from workbench.systems._passages import Reading
from workbench.systems._shards import Appended
from workbench.systems._tokens import tokens_of
from workbench.systems.base import Encoder, Searched, Workplace
from workbench.talk import Progress, Summary


class Hybrid(Encoder):
    """BGE-M3's three scores, summed."""

    def index(self, passages: Reading, out: Path, at: Workplace) -> Summary:
        index(at.weights, passages, self.document_length, out, at.work, at.computing, at.progress)
        return {"passages": len(passages)}

    def retrieve(
        self, index: Path, queries: pa.Table, variety: str, depth: int, at: Workplace
    ) -> tuple[pa.Table, Summary]:
        length = self.query_length
        return retrieve(at.weights, index, queries, length, depth, at.computing, at.progress)

    def explain(self, asked: Asked, at: Workplace) -> Explanation:
        """The weighted parts of all three scores, by what is in the index."""
        m3 = asked.kept(lambda: _m3(at.weights, at.computing))
        [query] = m3.encode([asked.query], self.query_length)
        spoken = tokens_of(m3.tokenizer, asked.query, self.query_length)
        passages = {d: tokens_of(m3.tokenizer, t, self.document_length) for d, t in asked.passages.items()}
        by_dense, by_terms, by_token = bgem3.WEIGHTS
        vectors = biencoder.stored(asked.indexed / "dense", list(passages))
        weighed = sparse.portions(
            asked.indexed / "sparse", m3.tokenizer, (spoken, (query.ids, query.weights)), passages, by_terms
        )
        late = tokens.portions(
            asked.indexed / "tokens", (spoken[1:], query.tokens), {d: some[1:] for d, some in passages.items()},
            by_token / len(query.tokens),
        )  # fmt: skip
        parts = {}
        for docno, vector in vectors.items():
            whole = float(vector @ query.dense)
            dense = Portion("the whole text", by_dense * whole, facts={"similarity": whole})
            by_part = {"dense": [dense], "terms": weighed[docno], "tokens": late[docno]}
            parts[docno] = [
                replace(portion, facts={"score": name, **portion.facts})
                for name, some in by_part.items()
                for portion in some
            ]
        says = (
            f"{by_dense} times the similarity of the whole texts, {by_terms} times the products of the weights of"
            f" shared terms, and {by_token} times the mean over the query's tokens of the similarity of the passage's"
            " token that is most like each."
        )
        scores = {docno: float(sum(portion.value for portion in some)) for docno, some in parts.items()}
        return Explanation("dense, terms and MaxSim", says, scores, parts)

    def encoder(self, checkpoint: Path, variety: str, computing: Computing) -> Callable[[list[str]], Any]:
        return partial(bgem3.M3(checkpoint, computing).encode, length=self.document_length)

    def disk(self, passages: int, size: float, width: int, computing: Computing) -> int:
        each = 4 if computing.precision == "float32" else 2
        return passages * width * 4 + round(size / 4 * (0.7 * 8 + width * each))

    def seconds_to_search(self, search: Searched, width: int, multiplication: float) -> float:
        by_vector = search.queries * search.passages * (width * multiplication + 4e-9)
        return by_vector + search.queries * search.size / 4 * 32 * (width * multiplication + 4e-10)


def _m3(checkpoint: Path, computing: Computing) -> bgem3.M3:
    if not bgem3.is_one(checkpoint):
        raise LswError(
            f"{checkpoint} has no heads for terms and tokens.",
            f"Looked for {' and '.join(f'{h}.safetensors' for h in bgem3.HEADS)}.",
            "Name a BGE-M3 checkpoint, or another architecture.",
        )
    return bgem3.M3(checkpoint, computing)


def index(
    checkpoint: Path,
    passages: Reading,
    document_length: int,
    out: Path,
    work: Path,
    computing: Computing,
    progress: Progress,
) -> None:
    """One pass of the model over the passages, three indexes: `dense/`, `sparse/`, `tokens/`."""
    m3 = _m3(checkpoint, computing)
    for part in ("dense", "sparse", "tokens"):
        (work / part).mkdir(exist_ok=True)
    dtype = "float32" if computing.precision == "float32" else "float16"
    dense = Appended(work / "dense", (biencoder.VECTORS,))
    terms = Appended(work / "sparse", sparse.FILES)
    vectors = tokens.opened(work / "tokens")
    start = min(dense.rows, terms.rows, vectors.rows)
    size = len(m3.encode(["."], 8)[0].dense)
    width = m3.heads["colbert_linear"].out_features
    for _, texts in passages.shards(start, tokens.SHARD):
        encoded = m3.encode(texts, document_length)
        end = start + len(encoded)  # a shard that was stopped between two of the three is added to those that lack it
        if dense.rows < end:
            dense.add(len(encoded), vecs_f4=np.stack([m.dense for m in encoded]).astype(np.float32))
        if terms.rows < end:
            sparse.add(terms, [(m.ids, m.weights) for m in encoded])
        if vectors.rows < end:
            tokens.add(vectors, [m.tokens for m in encoded], dtype)
        start = end
        progress(start, len(passages))
    docnos = passages.docnos()
    for part in ("dense", "sparse", "tokens"):
        (out / part).mkdir(parents=True)
    dense.hand_over(out / "dense")
    biencoder.describe(out / "dense", docnos, size)
    sparse.finish(terms, out / "sparse", docnos, len(m3.tokenizer))
    tokens.finish(vectors, out / "tokens", docnos, int(width), dtype, "exact")


def retrieve(
    checkpoint: Path,
    folder: Path,
    queries: pa.Table,
    query_length: int,
    depth: int,
    computing: Computing,
    progress: Progress,
) -> tuple[pa.Table, Summary]:
    """Candidates are the best `depth` by the dense and by the sparse score; all three scores are computed for each.

    Returns:
        columns qid, docno, score (float32): (.4 dense + .2 sparse + .4 multi-vector), the last a mean over query
        tokens, as FlagEmbedding's `compute_score` has it; and what to record.
    """
    from scipy.sparse import csr_matrix

    m3 = _m3(checkpoint, computing)
    qids = queries["qid"].to_pylist()
    asked = m3.encode(queries["query"].to_pylist(), query_length)
    by_vector, summary = biencoder.nearest_passages(
        folder / "dense", np.stack([a.dense for a in asked]), qids, depth, computing
    )
    by_terms = sparse.nearest_passages(
        folder / "sparse", [(a.ids, a.weights) for a in asked], qids, depth, lambda *_: None
    )
    terms, at = sparse.Matrix(folder / "sparse"), tokens.Tokens(folder / "tokens")
    vectors = np.memmap(folder / "dense" / biencoder.VECTORS, np.float32, "r").reshape(len(at), -1)
    candidates: dict[str, list[str]] = {qid: [] for qid in qids}
    for results in (by_vector, by_terms):
        for qid, docno in zip(results["qid"].to_pylist(), results["docno"].to_pylist(), strict=True):
            candidates[qid].append(docno)
    out_q, out_d, out_s = [], [], []
    for done, (qid, query) in enumerate(zip(qids, asked, strict=True), 1):
        rows = at.docnos.rows(candidates[qid])
        own = csr_matrix((query.weights, (np.zeros(len(query.ids), int), query.ids)), shape=(1, terms.size))
        weights = np.concatenate([(terms.rows(r, r + 1) @ own.T).toarray()[:, 0] for r in rows])
        bounds = np.concatenate([[0], np.cumsum(at.bounds[rows + 1] - at.bounds[rows])])
        token_vectors = np.concatenate([at.vectors[at.bounds[r] : at.bounds[r + 1]] for r in rows])
        late = tokens.maxsim(query.tokens, np.asarray(token_vectors, np.float32), bounds) / len(query.tokens)
        dense, lexical, multi = bgem3.WEIGHTS
        out_s.append(dense * (vectors[rows] @ query.dense) + lexical * weights + multi * late)
        out_d += at.docnos.of(rows).to_pylist()
        out_q += [qid] * len(rows)
        progress(done, len(qids))
    return pa.table({"qid": out_q, "docno": out_d, "score": pa.array(np.concatenate(out_s), pa.float32())}), summary
