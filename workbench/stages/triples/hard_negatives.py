"""MS MARCO's hard negatives, of BM25 and 12 dense systems, filtered by a cross-encoder."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ValidationError

from store import LswError
from workbench.collections.files import content, located, objects, to_download
from workbench.costs.base import Cost
from workbench.costs.estimator import STAGE, Estimator
from workbench.graph import Job, Stage
from workbench.registry import LOCAL
from workbench.stages._behind import queries_of
from workbench.stages.scores import ReadScores
from workbench.stages.triples.base import TRIPLE, Planning, TripleSource, none_made
from workbench.talk import Summary
from workbench.varieties import Pair

DOWNLOAD = 1_060_000_000
"""Bytes of the published file."""
TRIPLE_BYTES = 60
_AT_ONCE = 50_000


class HardNegatives(TripleSource):
    """For each query `per_query` draws, without repetition, of a positive and of a filtered negative.

    As ColBERT-XM's authors do it (arXiv 2402.15059), and after them the paper's: kept are negatives that the
    cross-encoder scores at least `margin` below the worst positive. With `rounds` it is they who are followed to the
    letter: so many passes over the queries, each from a seed of its own (`seed` + round), each drawing one negative
    that an earlier round may have drawn. Reads `scores`, `queries` and `translation`.

    Args:
        origin, sha256: what tells the file's content.
        at: where it is.
        margin, per_query, seed: of the draws.
        rounds: passes; 0: `per_query` draws in one.
        limit: triples at most.
    """

    origin: str
    sha256: str = ""
    margin: float
    per_query: int
    rounds: int = 0
    limit: int | None = None
    seed: int
    at: Annotated[str, LOCAL]

    @classmethod
    def planned(cls, plan: Planning, on: Pair, most: int | None) -> Stage:
        how = plan.negatives
        scores = plan.graph.add(
            ReadScores(**content(how.scores, "negatives.scores"), at=how.scores), "read cross-encoder scores"
        )
        work = cls(
            **content(how.hard_negatives, "negatives.hard_negatives"), margin=how.cross_encoder_margin,
            per_query=how.per_query, rounds=how.rounds, limit=how.limit, seed=how.seed, at=how.hard_negatives,
        )  # fmt: skip
        wordings = plan.training_wordings(on)
        return plan.graph.add(work, f"sample hard negatives for {on}", {**wordings, "scores": scores})

    def run(self, job: Job) -> Summary:
        """Filter and draw."""
        asked = job.queries("queries")
        query = dict(zip(asked["qid"].to_pylist(), asked["query"].to_pylist(), strict=True))
        known = _ByQuery(job.rows("scores", "scores"))
        candidates: list[_Candidates] = []
        unscored = drawn = 0
        path = located(self.at)
        for number, values in objects(path):
            try:
                line = _Line.model_validate(values)
            except ValidationError:
                problem = 'A line needs a number "qid", a list "pos", and a list of each system in "neg".'
                raise LswError(problem, f"{path}, line {number}") from None
            if str(line.qid) not in query or not line.pos:
                continue
            some = known.filtered(line, self.margin)
            if some is None:
                unscored += 1
            elif len(some.negatives):
                candidates.append(some)
                drawn += min(self.per_query, len(some.negatives))
            if self.limit and not self.rounds and drawn >= self.limit:
                break
        count, qids = 0, set[str]()
        with pq.ParquetWriter(job.target("triple"), TRIPLE) as writer:
            for some_rows in self._drawn(candidates):
                rows = some_rows[: self.limit - count] if self.limit else some_rows
                if rows:
                    table = [{"key": job.key, "query": query[row["qid"]], **row} for row in rows]
                    writer.write_table(pa.Table.from_pylist(table, schema=TRIPLE))
                count, qids = count + len(rows), qids | {row["qid"] for row in rows}
                job.progress(count, len(candidates) * (self.rounds or self.per_query))
        if not count:
            raise none_made(f"{len(query)} queries, margin {self.margin}.")
        return {"triples": count, "queries": len(qids), "queries_without_scores": unscored}

    def _drawn(self, candidates: "list[_Candidates]") -> Iterator[list[dict[str, Any]]]:
        """Triples, some thousands at a time."""
        rng = random.Random(self.seed)
        for number in range(self.rounds or 1):
            if self.rounds:
                rng = random.Random(self.seed + number)
            for start in range(0, len(candidates), _AT_ONCE):
                rows: list[dict[str, Any]] = []
                for of in candidates[start : start + _AT_ONCE]:
                    places = range(len(of.negatives))
                    drawn = (
                        [rng.choice(places)] if self.rounds else rng.sample(places, min(self.per_query, len(places)))
                    )
                    for place in drawn:
                        positive = rng.choice(range(len(of.positives)))
                        rows.append(
                            {"qid": of.qid, "docno_positive": str(of.positives[positive]),
                             "docno_negative": str(of.negatives[place]),
                             "score_positive": float(of.scores_positive[positive]),
                             "score_negative": float(of.scores_negative[place])}
                        )  # fmt: skip
                yield rows

    def count(self, stage: Stage, estimator: Estimator) -> int:
        each = self.rounds or self.per_query
        every = (queries_of(stage.inputs["queries"], estimator).texts or 0) * each
        return min(every, self.limit or every)

    def cost(self, stage: Stage, estimator: Estimator) -> Cost:
        count = self.count(stage, estimator)
        download = DOWNLOAD if to_download(self.at) else 0
        return Cost(download=download, seconds=STAGE + count * 1e-4, disk=count * TRIPLE_BYTES)


class _Line(BaseModel):
    """Docnos of a query: judged relevant, and found by each system."""

    qid: int
    pos: list[int]
    neg: dict[str, list[int]]


@dataclass(frozen=True)
class _Candidates:
    """What a query's triples are drawn from: docnos (int64) and their scores (float32)."""

    qid: str
    positives: Any
    scores_positive: Any
    negatives: Any
    scores_negative: Any


class _ByQuery:
    """Scores by query from a sorted file, its columns held as arrays."""

    def __init__(self, path: Path) -> None:
        table = pq.read_table(path)
        self.qids, self.docnos, self.scores = (table[c].to_numpy() for c in ("qid", "docno", "score"))

    def of(self, qid: int) -> dict[int, float]:
        """Score of each passage scored for a query."""
        low, high = (int(np.searchsorted(self.qids, qid, side)) for side in ("left", "right"))
        return dict(zip(self.docnos[low:high].tolist(), self.scores[low:high].tolist(), strict=True))

    def filtered(self, line: _Line, margin: float) -> _Candidates | None:
        """A query's positives, and its negatives so far below the worst of them; None if no positive has a score."""
        score = self.of(line.qid)
        positives = [d for d in line.pos if d in score]
        if not positives:
            return None
        most = min(score[d] for d in positives) - margin
        others = {d for some in line.neg.values() for d in some} - set(line.pos)
        negatives = sorted(d for d in others if d in score and score[d] <= most)
        docnos = np.array(positives, np.int64), np.array(negatives, np.int64)
        scores = (np.array([score[d] for d in some], np.float32) for some in (positives, negatives))
        first, second = scores
        return _Candidates(str(line.qid), docnos[0], first, docnos[1], second)
