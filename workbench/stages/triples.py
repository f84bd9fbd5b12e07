"""Training triples that others made: MS MARCO's hard negatives, its training pairs, the published triples."""

import gzip
import json
import pickle
import random
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from store import LswError
from workbench.checkpoints import hub
from workbench.collections.sources import irds
from workbench.stages import Job
from workbench.stages.negatives import TRIPLE, leave

TEXTS = pa.schema([("query", pa.string()), ("positive", pa.string()), ("negative", pa.string())])
SCORES = pa.schema([("qid", pa.int64()), ("docno", pa.int64()), ("score", pa.float32())])
_AT_ONCE = 100_000


def _located(job: Job) -> Path:
    at: str = job.local["from"]
    return hub.file(at) if at.startswith(hub.SCHEME) else Path(at).expanduser()


def _lines(path: Path) -> Iterator[tuple[int, Any]]:
    """Numbered objects of a JSONL file, plain or .gz."""
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            try:
                yield number, json.loads(line)
            except json.JSONDecodeError as error:
                raise LswError(f"Broken JSON: {error.msg}.", f"{path}, line {number}") from None


def published(job: Job) -> dict[str, Any]:
    """`rows/texts.parquet`: query, positive, negative, from lines of {"query", "pos": [...], "neg": [...]}.

    FlagEmbedding's format, in which the paper's authors released theirs. They carry no ids, so none reach the store.
    """
    path, limit = _located(job), job.parameters["limit"]
    (job.out / "rows").mkdir()
    count = 0
    with pq.ParquetWriter(job.out / "rows" / "texts.parquet", TEXTS) as writer:
        rows: list[dict[str, str]] = []
        for number, line in _lines(path):
            try:
                rows += [{"query": line["query"], "positive": line["pos"][0], "negative": text} for text in line["neg"]]
            except (KeyError, TypeError, IndexError):
                raise LswError('A triple needs "query", "pos" and "neg".', f"{path}, line {number}") from None
            if limit and count + len(rows) >= limit:
                rows = rows[: limit - count]
                break
            if len(rows) >= _AT_ONCE:
                writer.write_table(pa.Table.from_pylist(rows, schema=TEXTS))
                count, rows = count + len(rows), []
                job.progress(count, limit or 0)
        writer.write_table(pa.Table.from_pylist(rows, schema=TEXTS))
    return {"triples": count + len(rows)}


def docpairs(job: Job) -> dict[str, Any]:
    """`rows/triple.parquet` from the pairs that ir_datasets has for training queries, in their order."""
    p = job.parameters
    asked = job.queries("queries")
    query = dict(zip(asked["qid"].to_pylist(), asked["query"].to_pylist(), strict=True))
    handler = irds.dataset(p["from"]).docpairs_handler()
    known = (pair for pair in irds.rows(p["from"], handler, handler.docpairs_iter) if pair.query_id in query)
    pairs = islice(known, p["limit"])
    (job.out / "rows").mkdir()
    count, qids = 0, set[str]()
    with pq.ParquetWriter(job.out / "rows" / "triple.parquet", TRIPLE) as writer:
        while some := list(islice(pairs, _AT_ONCE)):  # MS MARCO has 40 million
            asked_by = [pair.query_id for pair in some]
            positive, negative = [pair.doc_id_a for pair in some], [pair.doc_id_b for pair in some]
            columns = [[job.key] * len(some), asked_by, [query[q] for q in asked_by], positive, negative]
            unscored = pa.nulls(len(some), pa.float64())
            writer.write_table(pa.table([*columns, unscored, unscored], schema=TRIPLE))
            count, qids = count + len(some), qids | set(asked_by)
            job.progress(count, p["limit"] or 0)
    if not count:
        raise LswError(
            "No training triple could be made.",
            f"None of {p['from']} is for one of {len(query)} queries.",
            "Loosen what [negatives] asks for.",
            exit_code=1,
        )
    return {"triples": count, "queries": len(qids)}


class PlainNumbers(pickle.Unpickler):
    """Reads dictionaries of numbers and refuses everything else: no class is looked up, so nothing can be called."""

    def find_class(self, module: str, name: str) -> Any:
        raise LswError(
            f"The file of scores names {module}.{name}; only plain numbers are read.",
            cure="Download it again from where it was published, or give Parquet with qid, docno, score.",
        )


def scores(job: Job) -> dict[str, Any]:
    """`rows/scores.parquet`: qid, docno (integers, as MS MARCO numbers them), score of a cross-encoder.

    The published file is a pickled dictionary, read by `PlainNumbers`, once: 160 million scores, some 30 GB of memory.
    """
    path = _located(job)
    (job.out / "rows").mkdir()
    target = job.out / "rows" / "scores.parquet"
    if path.suffix == ".parquet":
        table = pq.read_table(path, columns=["qid", "docno", "score"]).cast(SCORES)
        pq.write_table(table.sort_by([("qid", "ascending")]), target)
        return {"scores": len(table)}
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        try:
            by_query = PlainNumbers(file).load()
        except (pickle.UnpicklingError, EOFError, ValueError) as error:
            raise LswError("This is not a file of scores.", f"{path}: {error}") from None
    count, qids = 0, sorted(by_query)
    with pq.ParquetWriter(target, SCORES) as writer:
        for start in range(0, len(qids), 2_000):
            some = [(int(q), int(d), float(s)) for q in qids[start : start + 2_000] for d, s in by_query.pop(q).items()]
            columns = [pa.array(c, t) for c, t in zip(zip(*some, strict=True), SCORES.types, strict=True)]
            writer.write_table(pa.table(columns, schema=SCORES))
            count += len(some)
            job.progress(start, len(qids))
    return {"scores": count}


def hard_negatives(job: Job) -> dict[str, Any]:
    """`rows/triple.parquet`: for each query `per_query` draws of a positive and of a filtered negative.

    As ColBERT-XM's authors do it (arXiv 2402.15059), and after them the paper's: negatives of BM25 and 12 dense
    systems, kept where the cross-encoder scores them at least `margin` below the worst positive. Drawn without
    repetition.
    """
    p = job.parameters
    asked = job.queries("queries")
    query = dict(zip(asked["qid"].to_pylist(), asked["query"].to_pylist(), strict=True))
    rng = random.Random(p["seed"])
    known = _ByQuery(job.inputs["scores"] / "rows" / "scores.parquet")
    rows: list[dict[str, Any]] = []
    unscored = 0
    for _, line in _lines(_located(job)):
        qid = str(line["qid"])
        if qid not in query or not line["pos"]:
            continue
        score = known.of(int(line["qid"]))
        positives = [d for d in line["pos"] if d in score]
        if not positives:
            unscored += 1
            continue
        most = min(score[d] for d in positives) - p["margin"]
        found = sorted({d for some in line["neg"].values() for d in some})
        kept = [d for d in found if d in score and score[d] <= most]
        for negative in rng.sample(kept, min(p["per_query"], len(kept))):
            positive = rng.choice(positives)
            rows.append(
                {"qid": qid, "query": query[qid], "docno_positive": str(positive), "docno_negative": str(negative),
                 "score_positive": score[positive], "score_negative": score[negative]}
            )  # fmt: skip
        if p["limit"] and len(rows) >= p["limit"]:
            rows = rows[: p["limit"]]
            break
    return leave(job, rows, f"{len(query)} queries, margin {p['margin']}.") | {"queries_without_scores": unscored}


class _ByQuery:
    """Scores by query from a sorted file, its columns held as arrays."""

    def __init__(self, path: Path) -> None:
        import numpy as np

        table = pq.read_table(path)
        self.qids, self.docnos, self.scores = (table[c].to_numpy() for c in ("qid", "docno", "score"))
        self._at = np.searchsorted

    def of(self, qid: int) -> dict[int, float]:
        """Score of each passage scored for a query."""
        low, high = self._at(self.qids, qid, "left"), self._at(self.qids, qid, "right")
        return dict(zip(self.docnos[low:high].tolist(), self.scores[low:high].tolist(), strict=True))
