"""A run made elsewhere, in TREC's six columns."""

import gzip
import math
from pathlib import Path
from typing import Any

import pyarrow as pa

from store import LswError
from workbench.stages import Job
from workbench.stages.retrieve import record


def read_run(path: Path) -> pa.Table:
    """Read qid, Q0, docno, rank, score, tag; the rank is ignored, as trec_eval does.

    Returns:
        columns qid, docno (strings), score (double), in file order.

    Raises:
        LswError: the first line with a wrong number of columns, a score that is no finite number, a docno twice for
            one query, or invalid UTF-8.
    """
    qids: list[str] = []
    docnos: list[str] = []
    scores: list[float] = []
    seen: set[tuple[str, str]] = set()
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        for number, raw in enumerate(file, 1):
            where = f"{path}, line {number}"
            try:
                columns = raw.decode("utf-8").split()
            except UnicodeDecodeError:
                raise LswError("Invalid UTF-8.", where, "Save the file as UTF-8.") from None
            if not columns:
                continue
            if len(columns) != 6:
                raise LswError(f"{len(columns)} columns; 6 expected.", where, "Columns: qid Q0 docno rank score tag.")
            try:
                score = float(columns[4])
            except ValueError:
                score = math.nan
            if not math.isfinite(score):
                raise LswError(f"Score '{columns[4]}' is not a finite number.", where)
            pair = (columns[0], columns[2])
            if pair in seen:
                raise LswError(f"'{pair[1]}' is ranked twice for query '{pair[0]}'.", where)
            seen.add(pair)
            qids.append(pair[0])
            docnos.append(pair[1])
            scores.append(score)
    if not qids:
        raise LswError("The run is empty.", str(path))
    return pa.table({"qid": qids, "docno": docnos, "score": scores})


def run(job: Job) -> dict[str, Any]:
    """`rows/run.parquet` and `rows/ranking.parquet`."""
    found = read_run(Path(job.local["file"]))
    depth = max(found.group_by("qid").aggregate([("docno", "count")])["docno_count"].to_pylist())
    return record(job, found, None, depth)
