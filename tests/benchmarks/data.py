"""Runs and judgements of MS MARCO's size and shape, made from a seed."""

from pathlib import Path

import numpy as np

PASSAGES = 8_841_823  # ids of MS MARCO


def make_run(path: Path, queries: int, depth: int, seed: int) -> None:
    """A TREC run that finds four in five of the relevant passages, more often near its top.

    No two scores of a query are equal, so that every tool must agree.
    """
    rng = np.random.default_rng(seed)
    relevant = _relevant(queries)
    with path.open("w", encoding="utf-8") as file:
        for qid in relevant:
            docnos = rng.choice(PASSAGES, depth, replace=False).tolist()
            for docno in relevant[qid]:
                if rng.random() < 0.8:
                    docnos[int(depth ** rng.random()) - 1] = docno
            scores = np.cumsum(0.002 + rng.exponential(0.02, depth))[::-1].round(4).tolist()
            rows = zip(docnos, scores, strict=True)
            file.write("".join(f"{qid} Q0 {d} {r} {s} made\n" for r, (d, s) in enumerate(rows)))


def make_qrels(path: Path, queries: int) -> None:
    """One judgement a query, for one query in fourteen two."""
    with path.open("w", encoding="utf-8") as file:
        for qid, docnos in _relevant(queries).items():
            file.writelines(f"{qid} 0 {docno} 1\n" for docno in docnos)


def _relevant(queries: int) -> dict[int, list[int]]:
    """Relevant passages of each query; their ids come after all others, so that no run has one twice."""
    rng = np.random.default_rng(0)
    qids = np.sort(rng.choice(1_200_000, queries, replace=False)).tolist()
    more = rng.random(queries) < 0.07
    return {qid: [PASSAGES + 2 * i, PASSAGES + 2 * i + 1][: 1 + more[i]] for i, qid in enumerate(qids)}


def make_values(queries: int, systems: int, seed: int = 1) -> np.ndarray:
    """Per-query values like RR@10, nDCG@10 and R@1000 of related systems (queries x systems x 3)."""
    rng = np.random.default_rng(seed)
    hardness = rng.normal(0, 1, (queries, 1))
    ranks = np.exp(2.3 + hardness + rng.normal(0, 0.8, (queries, systems)) + np.linspace(0.2, -0.2, systems))
    ranks = ranks.astype(int)
    top = ranks < 10
    return np.stack([top / (ranks + 1), top / np.log2(ranks + 2), ranks < 1000], axis=2).astype(float)
