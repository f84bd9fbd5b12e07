"""Indexing, retrieval and reranking: one run each, with the very text that was scored."""

from typing import Any

import pyarrow as pa

from store import LswError
from workbench.stages import Job
from workbench.stages.sources import checkpoint_folder
from workbench.systems import bi_encoder as biencoder
from workbench.systems import bm25, hybrid, ranked, sparse
from workbench.systems import mt5 as reranker
from workbench.systems import multi_vector as multivector
from workbench.systems._encoding import Computing
from workbench.systems._passages import Reading
from workbench.text import convert

_TEXTS = ("run_id", "system", "trained_on", "query_variety", "document_variety", "status", "key")
RUN = pa.schema([*((c, pa.string()) for c in _TEXTS), ("depth", pa.int32()), ("n_queries", pa.int32())])


def _with(table: pa.Table, column: str, values: list[str]) -> pa.Table:
    return table.set_column(table.schema.get_field_index(column), column, pa.array(values))


def _passages(job: Job) -> Reading:
    return Reading(job.passages("passages"), job.parameters["document_variety"], job.parameters["script"])


def _computing(job: Job) -> Computing:
    p = job.parameters
    return Computing(p.get("precision", "float32"), job.local.get("token_budget"), p.get("search", "exact"))


def _queries(job: Job) -> pa.Table:
    """The queries of the run's own variety, in the declared script.

    Raises:
        LswError: they are of another variety than the run says.
    """
    table = job.queries("queries")
    wanted = job.parameters["query_variety"]
    if table["variety"].unique().to_pylist() != [wanted]:
        raise LswError(f"Queries of another variety than '{wanted}' were given to this run.", exit_code=1)
    return _with(table, "query", convert(table["query"].to_pylist(), wanted, job.parameters["script"]))


def index(job: Job) -> dict[str, Any]:
    """`index/`, in the form of its system; encoders go on where an interrupted attempt stopped."""
    p = job.parameters
    passages = _passages(job)
    out, kind = job.out / "index", p["architecture"]
    summary: dict[str, Any] = {"passages": len(passages)}
    if kind == "bm25":
        bm25.index(passages, out, job.progress)
        return summary
    model, computing = checkpoint_folder(job.inputs["model"]), _computing(job)
    how = (out, job.work, computing, job.progress)
    length = p["document_length"]
    if kind == "bi-encoder":
        biencoder.index(model, passages, length, *how, p.get("pooling"))
    elif kind == "multi-vector":
        summary["adapter"] = multivector.index(model, passages, p["query_length"], length, *how)
    elif kind == "sparse":
        sparse.index(model, passages, length, *how)
    else:
        hybrid.index(model, passages, length, *how)
    return summary


def retrieve(job: Job) -> dict[str, Any]:
    """`rows/run.parquet`, `rows/ranking.parquet`, `rows/scored_query.parquet`."""
    queries = _queries(job)
    found, summary = _found(job, queries)
    return {**summary, **record(job, found, queries, job.parameters["depth"])}


def search(job: Job) -> dict[str, Any]:
    """`rows/found.parquet`: qid, docno, score; for training queries, no run of the store."""
    queries = _queries(job)
    found, summary = _found(job, queries)
    job.write("found", found)
    return {**summary, "queries": len(queries), "rows": len(found)}


def _found(job: Job, queries: pa.Table) -> tuple[pa.Table, dict[str, Any]]:
    """What the system of the index finds (qid, docno, score), and what to record."""
    p = job.parameters
    folder, kind = job.inputs["index"] / "index", p["architecture"]
    if kind == "bm25":
        return bm25.retrieve(folder, queries, p["query_variety"], p["depth"]), {}
    model, computing = checkpoint_folder(job.inputs["model"]), _computing(job)
    length, depth = p["query_length"], p["depth"]
    if kind == "bi-encoder":
        return biencoder.retrieve(model, folder, queries, length, depth, computing, p.get("pooling"))
    if kind == "multi-vector":
        return multivector.retrieve(
            model, folder, queries, p["query_variety"], length, p["document_length"], depth, computing, job.progress
        )
    if kind == "sparse":
        return sparse.retrieve(model, folder, queries, length, depth, computing, job.progress), {}
    return hybrid.retrieve(model, folder, queries, length, depth, computing, job.progress)


def rerank(job: Job) -> dict[str, Any]:
    """As `retrieve`, over the candidates of another run."""
    p = job.parameters
    queries = _queries(job)
    candidates = job.read("candidates", "ranking").select(["qid", "docno", "rank", "score"])
    found = reranker.rerank(
        p["architecture"],
        checkpoint_folder(job.inputs["model"]),
        candidates,
        queries,
        _passages(job),
        p["document_length"],
        p["rerank_depth"],
        job.work,
        _computing(job),
        job.progress,
    )
    return record(job, found, queries, p["depth"])


def record(job: Job, found: pa.Table, queries: pa.Table, depth: int) -> dict[str, Any]:
    """Leave a run's rows for the store.

    Args:
        job: whose parameters name the run.
        found: columns qid, docno, score.
        queries: columns qid, query as they were scored.
        depth: results kept for each query.
    """
    run_id = job.key[:12]
    ranking = ranked(found, depth)
    job.write("ranking", ranking.add_column(0, "run_id", pa.array([run_id] * len(ranking))))
    scored = queries.select(["qid", "query"])
    job.write("scored_query", scored.add_column(0, "run_id", pa.array([run_id] * len(scored))))
    return record_run(job, len(ranking), len(queries), len(ranking["qid"].unique()), depth)


def record_run(job: Job, rows: int, queries: int, with_results: int, depth: int) -> dict[str, Any]:
    """Leave `rows/run.parquet`; returns the summary of a run's stage."""
    p = job.parameters
    row = {name: p[name] for name in ("system", "trained_on", "query_variety", "document_variety")}
    row |= {"run_id": job.key[:12], "status": "done", "key": job.key, "depth": depth, "n_queries": queries}
    job.write("run", pa.Table.from_pylist([row], schema=RUN))
    return {"queries": queries, "rows": rows, "queries_without_result": queries - with_results}
