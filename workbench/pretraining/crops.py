"""What the mini base models learn from: self-supervised crops of high-resource text."""

import random
import re
from pathlib import Path
from typing import Any

import pyarrow as pa

_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]")
_WORD = re.compile(r"[\w']+")
COLUMNS = (
    "query", "positive", "negative", "query_variety", "document_variety", "docno_positive", "docno_negative",
)  # fmt: skip
_LETTERS = "aeiouaeiouaeioubcdfghklmnprstvxyz"


def misspell(word: str, rng: random.Random) -> str:
    """A word as a relative might spell it: another ending, a letter lost, changed or doubled. Short words stay."""
    if len(word) < 4 or _HAN.search(word):
        return word
    kind, at = rng.random(), rng.randrange(1, len(word))
    if kind < 0.45:
        ending = "".join(rng.choice("aeiostrn") for _ in range(rng.randint(0, 2)))
        return word[: -rng.randint(1, 2)] + ending
    if kind < 0.65:
        return word[:at] + word[at + 1 :]
    if kind < 0.9:
        return word[:at] + rng.choice(_LETTERS) + word[at + 1 :]
    return word[:at] + word[at] + word[at:]


def crop(text: str, rng: random.Random, noise: float) -> str:
    """A pseudo-query: a short span of a passage or some of its words (long ones sooner), some misspelt.

    Args:
        text: the passage.
        rng: source of chance.
        noise: share of words misspelt.
    """
    if _HAN.search(text):
        chars = [c for c in text if _HAN.match(c) or c.isalnum()]

        def span(low: int, high: int) -> str:
            n = rng.randint(low, high)
            start = rng.randrange(max(1, len(chars) - n + 1))
            return "".join(chars[start : start + n])

        return span(4, 14) if rng.random() < 0.5 else "".join(span(1, 4) for _ in range(rng.randint(2, 5)))
    words = _WORD.findall(text)
    if rng.random() < 0.5:
        n = rng.randint(3, 9)
        start = rng.randrange(max(1, len(words) - n + 1))
        chosen = words[start : start + n]
    else:
        distinct = list(dict.fromkeys(words))
        chosen = rng.choices(distinct, [min(len(w), 10) ** 1.5 for w in distinct], k=rng.randint(3, 7))
    return " ".join(misspell(w, rng) if rng.random() < noise else w for w in chosen)


def crops(
    passages: dict[str, pa.Table],
    queries: dict[str, pa.Table],
    qrels: pa.Table,
    rows: int,
    noise: float,
    query_share: float,
    across_share: float,
    seed: int,
    mined: dict[str, dict[str, list[str]]] | None = None,
) -> pa.Table:
    """Triples for self-supervised training.

    Args:
        passages: columns docno, text, for each variety; parallel, so the same docnos in each.
        queries: columns qid, query, of the training topics, for each variety.
        qrels: columns qid, docno, label.
        rows: triples wanted.
        noise: share of words misspelt (of a true query, 0.7 times that).
        query_share: share of rows whose query is a true training query, not a crop.
        across_share: share of rows whose passage is in another variety than the query (a parallel passage).
        seed: of all choices.
        mined: for each variety and docno, other docnos that a ranker finds alike; with them four negatives in five
            are drawn from there. Without, a negative is the other passage of the same topic, or any.

    Returns:
        columns query, positive, negative, query_variety, document_variety, docno_positive, docno_negative (strings).
    """
    rng = random.Random(seed)
    text = {v: dict(zip(t["docno"].to_pylist(), t["text"].to_pylist(), strict=True)) for v, t in passages.items()}
    asked = {v: dict(zip(t["qid"].to_pylist(), t["query"].to_pylist(), strict=True)) for v, t in queries.items()}
    varieties = sorted(passages)
    docnos = list(text[varieties[0]])
    relevant: dict[str, str] = {}
    neighbours: dict[str, list[str]] = {}
    judged: dict[str, list[str]] = {}
    for qid, docno, label in zip(*(qrels[c].to_pylist() for c in ("qid", "docno", "label")), strict=True):
        judged.setdefault(qid, []).append(docno)
        if label > 0:
            relevant[qid] = docno
    for group in judged.values():
        for docno in group:
            neighbours[docno] = [d for d in group if d != docno]
    qids = sorted(q for q in relevant if all(q in asked[v] for v in varieties))
    out: dict[str, list[str]] = {name: [] for name in COLUMNS}
    for _ in range(rows):
        own = rng.choice(varieties)
        other = rng.choice(varieties) if rng.random() < across_share else own
        if rng.random() < query_share:
            qid = rng.choice(qids)
            docno = relevant[qid]
            words = asked[own][qid].split()
            query = " ".join(misspell(w, rng) if rng.random() < noise * 0.7 else w for w in words)
        else:
            docno = rng.choice(docnos)
            query = crop(text[own][docno], rng, noise)
        near = neighbours.get(docno) or [d for d in docnos if d != docno]
        hard = (mined or {}).get(other, {}).get(docno)
        negative = rng.choice(hard if hard and rng.random() < 0.8 else near)
        row = query, text[other][docno], text[other][negative], own, other, docno, negative
        for column, value in zip(out, row, strict=True):
            out[column].append(value)
    return pa.table(out)


def alike(checkpoint: Path, passages: dict[str, pa.Table], top: int) -> dict[str, dict[str, list[str]]]:
    """For each variety and docno, the `top` other passages nearest to it by a bi-encoder, nearest first."""
    import numpy as np
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(checkpoint), local_files_only=True)
    out = {}
    for code, table in passages.items():
        docnos = table["docno"].to_pylist()
        vectors: Any = model.encode(table["text"].to_pylist(), batch_size=64, normalize_embeddings=True)
        scores = vectors @ vectors.T
        np.fill_diagonal(scores, -np.inf)
        order = np.argsort(-scores, axis=1)[:, :top]
        out[code] = {docno: [docnos[j] for j in row] for docno, row in zip(docnos, order, strict=True)}
    return out
