"""A multi-vector encoder (ColBERT-XM) through sentence-transformers: one vector a token, exact MaxSim."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa

from store import LswError
from workbench.systems import Progress
from workbench.varieties import variety as variety_of


def load(checkpoint: Path, query_length: int, document_length: int) -> Any:
    """The encoder, cutting queries and documents at these numbers of tokens."""
    from sentence_transformers import MultiVectorEncoder

    model = MultiVectorEncoder(str(checkpoint), local_files_only=True)
    model[0].query_length = query_length
    model[0].document_length = document_length
    return model.eval()


def speak(model: Any, code: str) -> str:
    """Switch X-MOD to the adapter of a variety; a backbone without adapters is left as it is. Returns its name."""
    backbone = model[0].model
    languages = getattr(backbone.config, "languages", None)
    if not languages:
        return ""
    adapter = variety_of(code).adapter(languages)
    backbone.set_default_language(adapter)
    return adapter


def index(
    checkpoint: Path,
    passages: pa.Table,
    code: str,
    query_length: int,
    document_length: int,
    out: Path,
    progress: Progress,
) -> str:
    """Encode the passages: all token vectors in one array, with the bounds of each passage.

    Args:
        checkpoint: a MultiVectorEncoder folder.
        passages: columns docno, text.
        code: their variety, which chooses the adapter.
        query_length, document_length: in tokens.
        out: folder for `vectors.npy` (float32, tokens x dimensions), `bounds.npy` (int64, passages + 1) and
            `docnos.json`.
        progress: told how many passages are encoded.

    Returns:
        name of the adapter used, empty if the model has none.
    """
    import numpy as np

    model = load(checkpoint, query_length, document_length)
    adapter = speak(model, code)
    texts = passages["text"].to_pylist()
    vectors = []
    for start in range(0, len(texts), 256):
        vectors += model.encode_document(texts[start : start + 256], batch_size=64, show_progress_bar=False)
        progress(len(vectors), len(texts))
    arrays = [np.asarray(v, dtype=np.float32) for v in vectors]
    np.save(out / "vectors.npy", np.concatenate(arrays))
    np.save(out / "bounds.npy", np.cumsum([0] + [len(a) for a in arrays]))
    (out / "docnos.json").write_text(json.dumps(passages["docno"].to_pylist()), "utf-8")
    return adapter


def maxsim(query: Any, vectors: Any, bounds: Any) -> Any:
    """Sum over query tokens of the largest inner product with any token of a passage.

    Khattab and Zaharia 2020 (arXiv 2004.12832), eq. 3.

    Args:
        query: query token vectors (tokens x dimensions).
        vectors: token vectors of all passages (all tokens x dimensions).
        bounds: first row of each passage, and the end (passages + 1).

    Returns:
        scores, float32 (passages).
    """
    import numpy as np

    return np.maximum.reduceat(vectors @ query.T, bounds[:-1], axis=0).sum(axis=1)


def retrieve(
    checkpoint: Path,
    folder: Path,
    queries: pa.Table,
    code: str,
    query_length: int,
    document_length: int,
    depth: int,
    progress: Progress,
) -> tuple[pa.Table, str]:
    """The best passages of each query by MaxSim over every passage.

    Returns:
        columns qid, docno, score (float32); and the adapter the queries were encoded with.

    Raises:
        LswError: a passage of the index has no vector.
    """
    import numpy as np

    model = load(checkpoint, query_length, document_length)
    adapter = speak(model, code)
    vectors = np.load(folder / "vectors.npy", mmap_mode="r")
    bounds = np.load(folder / "bounds.npy")
    if (np.diff(bounds) == 0).any():
        raise LswError("A passage of the multi-vector index has no token vector.", str(folder), exit_code=1)
    docnos = np.array(json.loads((folder / "docnos.json").read_text("utf-8")))
    encoded = model.encode_query(queries["query"].to_pylist(), batch_size=64, show_progress_bar=False)
    qids = queries["qid"].to_pylist()
    depth = min(depth, len(docnos))
    out_q: list[str] = []
    out_d, out_s = [], []
    for done, (qid, vector) in enumerate(zip(qids, encoded, strict=True), 1):
        scores = maxsim(np.asarray(vector, dtype=np.float32), vectors, bounds)
        best = np.argpartition(-scores, depth - 1)[:depth]
        out_q += [qid] * depth
        out_d.append(docnos[best])
        out_s.append(scores[best])
        if done % 16 == 0 or done == len(qids):
            progress(done, len(qids))
    return pa.table(
        {"qid": out_q, "docno": np.concatenate(out_d), "score": pa.array(np.concatenate(out_s), pa.float32())}
    ), adapter
