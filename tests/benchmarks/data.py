"""Runs and judgements of MS MARCO's size and shape, made from a seed."""

from pathlib import Path

import numpy as np

PASSAGES = 8_841_823  # ids of MS MARCO


def make_run(path: Path, queries: int, depth: int, seed: int) -> None:
    """A TREC run; no two scores of a query are equal, so that every tool must agree."""
    rng = np.random.default_rng(seed)
    with path.open("w", encoding="utf-8") as file:
        for qid in _qids(queries):
            docnos = rng.choice(PASSAGES, depth, replace=False).tolist()
            scores = np.cumsum(0.002 + rng.exponential(0.02, depth))[::-1].round(4).tolist()
            rows = zip(docnos, scores, strict=True)
            file.write("".join(f"{qid} Q0 {d} {r} {s} made\n" for r, (d, s) in enumerate(rows)))


def make_qrels(path: Path, run: Path, depth: int, seed: int = 0) -> None:
    """About 1.07 judgements a query; four in five are of passages in `run`, more often near its top."""
    rng = np.random.default_rng(seed)
    with run.open(encoding="utf-8") as lines, path.open("w", encoding="utf-8") as file:
        while rows := [line.split(" ", 3)[:3] for _, line in zip(range(depth), lines, strict=False)]:
            ranks = {int(depth ** rng.random()) - 1 for _ in range(1 + (rng.random() < 0.07))}
            for rank in ranks:
                docno = rows[rank][2] if rng.random() < 0.8 else str(PASSAGES + rank)
                file.write(f"{rows[0][0]} 0 {docno} 1\n")


def _qids(queries: int) -> list[int]:
    qids: list[int] = np.sort(np.random.default_rng(0).choice(1_200_000, queries, replace=False)).tolist()
    return qids


def make_values(queries: int, systems: int, seed: int = 1) -> np.ndarray:
    """Per-query values like RR@10, nDCG@10 and R@1000 of related systems (queries x systems x 3)."""
    rng = np.random.default_rng(seed)
    hardness = rng.normal(0, 1, (queries, 1))
    ranks = np.exp(2.3 + hardness + rng.normal(0, 0.8, (queries, systems)) + np.linspace(0.2, -0.2, systems))
    ranks = ranks.astype(int)
    top = ranks < 10
    return np.stack([top / (ranks + 1), top / np.log2(ranks + 2), ranks < 1000], axis=2).astype(float)
