"""What a model in training does on queries that it is not trained on: RR@10, each query among a few passages."""

import random
from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa

from workbench.systems._passages import Reading

QUERIES, PASSAGES = 30, 20
"""Held-out queries at most, and passages that each is asked over: its relevant ones, and others drawn at random."""
CUTOFF = 10
TIMES = 3
"""Figures after the first, spread over the training."""

Scorer = Callable[[list[str], list[list[str]]], list[list[float]]]
"""Scores of the passages of each query."""


@dataclass(frozen=True)
class HeldOut:
    """Queries, the passages that each is asked over, and which of these are relevant; the variety of the queries, which
    a training on others may not have (empty: that of its first)."""

    queries: list[str]
    passages: list[list[str]]
    relevant: list[list[bool]]
    variety: str = ""

    @classmethod
    def of(cls, queries: pa.Table, qrels: pa.Table, reading: Reading, seed: int, variety: str = "") -> "HeldOut":
        """A seeded sample.

        Args:
            queries: columns qid, query.
            qrels: columns qid, docno, label.
            reading: the passages.
            seed: of the sample.
            variety: of the queries.
        """
        rng = random.Random(seed)
        judged: dict[str, set[str]] = {}
        for row in qrels.to_pylist():
            if row["label"] > 0:
                judged.setdefault(row["qid"], set()).add(row["docno"])
        asked = [row for row in queries.to_pylist() if row["qid"] in judged]
        asked = rng.sample(asked, min(QUERIES, len(asked)))
        every = reading.docnos()
        chosen = []
        for row in asked:
            good = sorted(judged[row["qid"]])
            others = [
                d for d in rng.sample(every, min(PASSAGES + len(good), len(every))) if d not in judged[row["qid"]]
            ]
            chosen.append((good, others[: max(0, PASSAGES - len(good))]))
        texts = reading.texts({d for good, others in chosen for d in (*good, *others)})
        kept = [
            (row["query"], [d for d in good if d in texts], [d for d in others if d in texts])
            for row, (good, others) in zip(asked, chosen, strict=True)
        ]
        kept = [each for each in kept if each[1]]
        return cls(
            [query for query, _, _ in kept],
            [[texts[d] for d in (*good, *others)] for _, good, others in kept],
            [[True] * len(good) + [False] * len(others) for _, good, others in kept],
            variety,
        )

    def reciprocal_rank(self, scorer: Scorer) -> float:
        """RR@10, the mean over the queries; of equal scores a relevant passage's comes last; nan counts 0."""
        total = 0.0
        for scores, relevant in zip(scorer(self.queries, self.passages), self.relevant, strict=True):
            best = max(score for score, good in zip(scores, relevant, strict=True) if good)
            above = sum(not score < best for score, good in zip(scores, relevant, strict=True) if not good)
            total += 1 / (above + 1) if above < CUTOFF and best == best else 0.0
        return total / len(self.queries)
