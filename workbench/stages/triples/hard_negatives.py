"""MS MARCO's hard negatives, of BM25 and 12 dense systems, filtered by a cross-encoder."""

import random
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pyarrow.parquet as pq
from pydantic import BaseModel, ValidationError

from store import LswError
from workbench.costs.base import Cost
from workbench.costs.estimator import STAGE, Estimator
from workbench.graph import Job, Stage
from workbench.registry import LOCAL
from workbench.stages._behind import queries_of
from workbench.stages.scores import ReadScores
from workbench.stages.triples._files import content, located, objects, to_download
from workbench.stages.triples.base import Planning, TripleSource, leave
from workbench.talk import Summary
from workbench.varieties import Pair

DOWNLOAD = 1_060_000_000
"""Bytes of the published file."""
TRIPLE_BYTES = 60


class HardNegatives(TripleSource):
    """For each query `per_query` draws, without repetition, of a positive and of a filtered negative.

    As ColBERT-XM's authors do it (arXiv 2402.15059), and after them the paper's: kept are negatives that the
    cross-encoder scores at least `margin` below the worst positive. Reads `scores`, `queries` and `translation`.

    Args:
        origin, sha256: what tells the file's content.
        at: where it is.
        margin, per_query, seed: of the draws.
        limit: triples at most.
    """

    origin: str
    sha256: str = ""
    margin: float
    per_query: int
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
            per_query=how.per_query, limit=how.limit, seed=how.seed, at=how.hard_negatives,
        )  # fmt: skip
        wordings = plan.training_wordings(on)
        return plan.graph.add(work, f"sample hard negatives for {on}", {**wordings, "scores": scores})

    def run(self, job: Job) -> Summary:
        """Filter and draw."""
        asked = job.queries("queries")
        query = dict(zip(asked["qid"].to_pylist(), asked["query"].to_pylist(), strict=True))
        rng = random.Random(self.seed)
        known = _ByQuery(job.rows("scores", "scores"))
        rows: list[dict[str, Any]] = []
        unscored = 0
        path = located(self.at)
        for number, found in objects(path):
            try:
                line = _Line.model_validate(found)
            except ValidationError:
                problem = 'A line needs a number "qid", a list "pos", and a list of each system in "neg".'
                raise LswError(problem, f"{path}, line {number}") from None
            qid = str(line.qid)
            if qid not in query or not line.pos:
                continue
            score = known.of(line.qid)
            positives = [d for d in line.pos if d in score]
            if not positives:
                unscored += 1
                continue
            most = min(score[d] for d in positives) - self.margin
            candidates = sorted({d for some in line.neg.values() for d in some})
            kept = [d for d in candidates if d in score and score[d] <= most]
            for negative in rng.sample(kept, min(self.per_query, len(kept))):
                positive = rng.choice(positives)
                rows.append(
                    {"qid": qid, "query": query[qid], "docno_positive": str(positive), "docno_negative": str(negative),
                     "score_positive": score[positive], "score_negative": score[negative]}
                )  # fmt: skip
            if self.limit and len(rows) >= self.limit:
                rows = rows[: self.limit]
                break
        return leave(job, rows, f"{len(query)} queries, margin {self.margin}.") | {"queries_without_scores": unscored}

    def count(self, stage: Stage, estimator: Estimator) -> int:
        every = (queries_of(stage.inputs["queries"], estimator).texts or 0) * self.per_query
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


class _ByQuery:
    """Scores by query from a sorted file, its columns held as arrays."""

    def __init__(self, path: Path) -> None:
        table = pq.read_table(path)
        self.qids, self.docnos, self.scores = (table[c].to_numpy() for c in ("qid", "docno", "score"))

    def of(self, qid: int) -> dict[int, float]:
        """Score of each passage scored for a query."""
        low, high = (int(np.searchsorted(self.qids, qid, side)) for side in ("left", "right"))
        return dict(zip(self.docnos[low:high].tolist(), self.scores[low:high].tolist(), strict=True))
