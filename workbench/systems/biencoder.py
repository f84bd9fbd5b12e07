"""A single-vector bi-encoder (BGE-M3's dense vector) through pyterrier_dr: FlexIndex on disk, exact search."""

from pathlib import Path
from typing import Any

import pyarrow as pa

from workbench.systems import Progress, told


def load(checkpoint: Path, query_length: int, document_length: int) -> tuple[Any, Any]:
    """The encoder twice, sharing weights: one cuts texts at `query_length` tokens, one at `document_length`."""
    import copy

    from pyterrier_dr import SBertBiEncoder

    encoder = SBertBiEncoder(str(checkpoint), batch_size=64)
    encoder.model.max_seq_length = document_length
    for_queries = copy.copy(encoder)
    for_queries.model = copy.deepcopy(encoder.model)
    for_queries.model.max_seq_length = query_length
    return for_queries, encoder


def index(
    checkpoint: Path, passages: pa.Table, query_length: int, document_length: int, out: Path, progress: Progress
) -> None:
    """Encode the passages into a FlexIndex.

    Args:
        checkpoint: a sentence-transformers folder.
        passages: columns docno, text.
        query_length, document_length: in tokens.
        out: folder that will hold the index.
        progress: told how many passages are taken.
    """
    from pyterrier_dr import FlexIndex

    _, encoder = load(checkpoint, query_length, document_length)
    (encoder >> FlexIndex(str(out), verbose=False)).index(told(passages, progress))


def retrieve(
    checkpoint: Path, folder: Path, queries: pa.Table, query_length: int, document_length: int, depth: int
) -> pa.Table:
    """The nearest passages of each query by inner product, exactly.

    Returns:
        columns qid, docno, score (float32).
    """
    import pandas as pd
    from pyterrier_dr import FlexIndex

    encoder, _ = load(checkpoint, query_length, document_length)
    frame = pd.DataFrame({"qid": queries["qid"].to_pylist(), "query": queries["query"].to_pylist()})
    pipeline = encoder >> FlexIndex(str(folder), verbose=False).np_retriever(num_results=depth)
    found = pipeline(frame)
    return pa.table(
        {
            "qid": found["qid"].astype(str).to_list(),
            "docno": found["docno"].astype(str).to_list(),
            "score": pa.array(found["score"].to_numpy(), pa.float32()),
        }
    )
