"""A single-vector bi-encoder (BGE-M3's dense vector) through sentence-transformers, its vectors in a FlexIndex."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import pyarrow as pa
from pydantic import Field

from store import LswError
from workbench.checkpoints.soundness import POOLER, examine, loading
from workbench.systems._encoding import Computing, cut, faiss, finite, fits, in_batches, lengths, not_indexed
from workbench.systems._explanation import Asked, Explanation
from workbench.systems._passages import Reading
from workbench.systems._shards import SHARD, Appended
from workbench.systems.base import Encoder, Searched, Workplace
from workbench.talk import Progress, Summary

VECTORS = "vecs.f4"
BATCH = 65_536
"""Vectors that faiss is given at once."""
CHECKED = 20
"""Queries whose approximate results are held against exact ones."""


class BiEncoder(Encoder):
    """A single-vector encoder.

    Args:
        pooling: of a checkpoint that does not say it (no modules.json).
        query_prompt, document_prompt: written before each text, as in "query: "; None: what the checkpoint says, if
            anything. Their tokens come on top of the lengths.
        layers: so many new ones, which nearly do nothing before they are trained, in place of the checkpoint's; its
            vectors of tokens stay. For models that differ in their size alone.
    """

    pooling: Literal["cls", "mean"] | None = None
    query_prompt: str | None = None
    document_prompt: str | None = None
    layers: Annotated[int, Field(ge=0, le=100)] | None = None

    objective: ClassVar[str] = "in-batch"

    def index(self, passages: Reading, out: Path, at: Workplace) -> Summary:
        if at.computing.search != "exact":
            faiss()  # before hours of encoding
        model = self.opened(at.weights, at.computing)
        index(model, passages, self.document_length, out, at.work, at.computing, at.progress)
        return {"passages": len(passages)}

    def retrieve(
        self, index: Path, queries: pa.Table, variety: str, depth: int, at: Workplace
    ) -> tuple[pa.Table, Summary]:
        model = self.opened(at.weights, at.computing)
        return retrieve(model, index, queries, self.query_length, depth, at.computing)

    def explain(self, asked: Asked, at: Workplace) -> Explanation:
        """The inner product of the query's vector with each passage's, which is in the index."""
        model = asked.kept(lambda: self.opened(at.weights, at.computing))
        vector = encode(model, [asked.query], self.query_length, at.computing.budget, query=True)[0]
        vectors = stored(asked.indexed, list(asked.passages))
        says = (
            "The similarity of two vectors, one of the whole query and one of the whole passage: it has no parts, and"
            " says nothing of which words it is for."
        )
        return Explanation("similarity", says, {docno: float(row @ vector) for docno, row in vectors.items()})

    def encoder(self, checkpoint: Path, variety: str, computing: Computing) -> Callable[[list[str]], Any]:
        model = self.opened(checkpoint, computing)
        return partial(encode, model, length=self.document_length, budget=computing.budget, query=False)

    def opened(self, checkpoint: Path, computing: Computing) -> Any:
        """The model with this system's prompts.

        Raises:
            LswError: see `load`.
        """
        return prompted(load(checkpoint, computing, self.pooling), self.query_prompt, self.document_prompt)

    def disk(self, passages: int, size: float, width: int, computing: Computing) -> int:
        return passages * width * 4

    def seconds_to_search(self, search: Searched, width: int, multiplication: float) -> float:
        # pyterrier_dr keeps the best of each block of passages: some eight multiplications a score.
        return search.queries * search.passages * (width * multiplication + 4e-9)


def load(checkpoint: Path, computing: Computing, pooling: str | None = None) -> Any:
    """The encoder.

    Args:
        checkpoint: a sentence-transformers folder; or a plain transformers folder, whose `pooling` must be said.
        computing: precision.
        pooling: `cls` or `mean`, of a plain folder; its vectors are normalised.

    Raises:
        LswError: a plain folder, and nothing says how its token vectors become one; or the model is not what it says.
    """
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.models import Normalize, Pooling, Transformer

    options = {"dtype": computing.dtype}
    if (checkpoint / "modules.json").exists():
        with loading(checkpoint):
            model = SentenceTransformer(str(checkpoint), local_files_only=True, model_kwargs=options).eval()
        examine(model[0].model, model.tokenizer, checkpoint, POOLER)
        return model
    if pooling is None:
        raise LswError(
            f"{checkpoint} does not say how its token vectors become one (no modules.json).",
            cure='Set pooling = "cls" (BGE) or "mean" (E5, most others) beside the checkpoint in the scale.',
        )
    with loading(checkpoint):
        body = Transformer(str(checkpoint), model_kwargs=options)
        parts = [body, Pooling(body.get_embedding_dimension(), pooling_mode=pooling), Normalize()]
        model = SentenceTransformer(modules=parts).eval()
    examine(body.model, model.tokenizer, checkpoint, POOLER)
    return model


def prompted(model: Any, query: str | None, document: str | None) -> Any:
    """The model, writing these before queries and documents; None leaves its own."""
    for role, prompt in (("query", query), ("document", document)):
        if prompt is not None:
            model.prompts[role] = prompt
    return model


def encode(model: Any, texts: list[str], length: int, budget: int, query: bool) -> Any:
    """Vectors of texts, float32 (texts x dimensions), in batches of like length under a token budget.

    Raises:
        LswError: one is not finite.
    """
    most = cut(model, length, query)
    how = model.encode_query if query else model.encode_document
    counts = lengths(model.tokenizer, texts, most)
    fits(model, counts)
    rows = in_batches(texts, counts, budget, lambda some: how(some, batch_size=len(some), show_progress_bar=False))
    return finite(np.stack(rows).astype(np.float32))


def index(
    model: Any,
    passages: Reading,
    document_length: int,
    out: Path,
    work: Path,
    computing: Computing,
    progress: Progress,
) -> None:
    """Encode the passages into a FlexIndex (float32, memory-mapped), shard by shard.

    Args:
        model: as `load`.
        passages: what to encode.
        document_length: in tokens.
        out: folder that will hold the index.
        work: folder in which an interrupted attempt left its shards.
        computing: precision, budget; with `hnsw` or `ivf` faiss's index is built beside the vectors.
        progress: told how many passages are encoded.
    """
    shards = Appended(work, (VECTORS,))
    for _, texts in passages.shards(shards.rows, SHARD):
        shards.add(len(texts), vecs_f4=encode(model, texts, document_length, computing.budget, query=False))
        progress(shards.rows, len(passages))
    out.mkdir()
    shards.hand_over(out)
    describe(out, passages.docnos(), int(model.get_embedding_dimension()))
    if computing.search != "exact":
        _approximate(out, computing.search, 10)


def describe(out: Path, docnos: list[str], dimensions: int) -> None:
    """Write what makes a folder with `vecs.f4` a FlexIndex.

    Raises:
        LswError: there is one passage only, whose docno npids cannot keep.
    """
    from npids import Lookup

    if len(docnos) < 2:
        raise LswError("A dense index needs two passages at least.", cure="Add passages, or use bm25.")

    with Lookup.builder(out / "docnos.npids") as builder:
        for docno in docnos:
            builder.add(docno)
    meta = {"type": "dense_index", "format": "flex", "vec_size": dimensions, "doc_count": len(docnos)}
    (out / "pt_meta.json").write_text(json.dumps(meta), "utf-8")


def stored(folder: Path, docnos: list[str]) -> dict[str, Any]:
    """The vectors (float32) of some passages of an index.

    Raises:
        LswError: it does not have one of them.
    """
    from npids import Lookup

    size = json.loads((folder / "pt_meta.json").read_text("utf-8"))["vec_size"]
    vectors = np.memmap(folder / VECTORS, np.float32, "r").reshape(-1, size)
    lookup = Lookup(folder / "docnos.npids")
    out = {}
    for docno in docnos:
        try:
            out[docno] = np.array(vectors[int(lookup.inv[docno])])
        except LookupError:
            raise not_indexed(docno, folder) from None
    return out


def _approximate(folder: Path, search: str, depth: int) -> Any:
    """A retriever over faiss's HNSW graph or inverted lists, built if it is not there.

    pyterrier_dr 0.8 keeps its graph without the vectors in a way that faiss 1.15 refuses to read; so the graph is kept
    here by faiss's own flag for that.
    """
    from pyterrier_dr import FlexIndex
    from pyterrier_dr.flex.faiss_retr import FaissRetriever

    library = faiss()
    flex = FlexIndex(str(folder), verbose=False)
    if search == "ivf":
        return flex.faiss_ivf_retriever(num_results=depth, n_probe=32)
    flat = flex.faiss_flat_retriever().faiss_index
    path = folder / "hnsw.faiss"
    if path.exists():
        graph = library.read_index(str(path), library.IO_FLAG_SKIP_STORAGE)
    else:
        graph = library.IndexHNSWFlat(flat.d, 32, library.METRIC_INNER_PRODUCT)
        graph.hnsw.efConstruction = 128
        vectors, _ = flex.payload(return_docnos=False)
        for start in range(0, len(vectors), BATCH):
            graph.add(np.array(vectors[start : start + BATCH]))
        library.write_index(graph, str(path), library.IO_FLAG_SKIP_STORAGE)
    graph.storage, graph.own_fields = flat, False
    return FaissRetriever(flex, graph, num_results=depth, ef_search=max(2 * depth, 128))


def nearest_passages(
    folder: Path, vectors: Any, qids: list[str], depth: int, computing: Computing
) -> tuple[pa.Table, Summary]:
    """The nearest passages of query vectors by inner product.

    Args:
        folder: a FlexIndex.
        vectors: float32 (queries x dimensions).
        qids: of the queries.
        depth: passages a query.
        computing: `exact` compares with every vector; the rest says what share of the exact results it found.

    Returns:
        columns qid, docno, score (float32); and what to record.
    """
    import pandas as pd
    import torch
    from pyterrier_dr import FlexIndex

    frame = pd.DataFrame({"qid": qids, "query_vec": list(vectors)})
    flex = FlexIndex(str(folder), verbose=False)
    depth = min(depth, len(flex))
    # All vectors go to the GPU at once, or are read from disk block by block.
    room = torch.cuda.mem_get_info()[0] if torch.cuda.is_available() else 0
    on_gpu = room > 1.3 * (folder / VECTORS).stat().st_size
    exact = flex.torch_retriever(num_results=depth) if on_gpu else flex.np_retriever(num_results=depth)
    if computing.search == "exact":
        return _table(exact(frame)), {}
    results = _approximate(folder, computing.search, depth)(frame)
    some = frame.head(CHECKED)
    pairs = exact(some)[["qid", "docno"]].merge(results[["qid", "docno"]], on=["qid", "docno"])
    share = len(pairs) / (depth * len(some)) if depth else 1.0
    return _table(results), {"search": f"{computing.search}, approximate", "share_of_exact": round(share, 4)}


def _table(results: Any) -> pa.Table:
    return pa.table(
        {
            "qid": results["qid"].astype(str).to_list(),
            "docno": results["docno"].astype(str).to_list(),
            "score": pa.array(results["score"].to_numpy(), pa.float32()),
        }
    )


def retrieve(
    model: Any, folder: Path, queries: pa.Table, query_length: int, depth: int, computing: Computing
) -> tuple[pa.Table, Summary]:
    """The nearest passages of each query by inner product.

    Returns:
        columns qid, docno, score (float32); and what to record.
    """
    vectors = encode(model, queries["query"].to_pylist(), query_length, computing.budget, query=True)
    return nearest_passages(folder, vectors, queries["qid"].to_pylist(), depth, computing)
