"""How fast this machine is: each model timed on real texts for a few seconds, by the code that will do the work."""

import contextlib
import tempfile
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa

from workbench.systems._encoding import Computing
from workbench.systems.base import Encoder, Reranker
from workbench.training.finetune import finetune
from workbench.training.objectives.base import Training
from workbench.training.tuning import Tuning

ENOUGH = 1.0
"""Seconds for each timing."""
PART = 16
"""Triples of a step that is timed; a larger batch is timed in part."""


def until(seconds: float, act: Callable[[int], int]) -> float:
    """Seconds for a unit of work; `act(n)` does some of it and returns how many units. The first round warms up."""
    act(0)
    began, done, n = time.perf_counter(), 0, 0
    while time.perf_counter() - began < seconds:
        n += 1
        done += act(n)
    return (time.perf_counter() - began) / max(done, 1)


def _some(texts: list[str], n: int, size: int = 64) -> list[str]:
    return [texts[(n * size + i) % len(texts)] for i in range(size)]


def bytes_of(texts: list[str]) -> int:
    """Bytes of UTF-8."""
    return sum(len(text.encode()) for text in texts)


def encoding(encode: Callable[[list[str]], Any], texts: list[str]) -> float:
    """Seconds for a byte of a passage encoded."""

    def act(n: int) -> int:
        some = _some(texts, n)
        encode(some)
        return bytes_of(some)

    return until(ENOUGH, act)


def scoring(system: Reranker, checkpoint: Path, texts: list[str], computing: Computing) -> float:
    """Seconds for a byte of a passage scored for a query of forty letters."""
    import pandas as pd

    model = system.scorer(checkpoint, computing)
    query = "what is the name of the highest mountain"

    def act(n: int) -> int:
        some = _some(texts, n)
        model(pd.DataFrame({"qid": "q", "query": query, "docno": [str(i) for i in range(len(some))], "text": some}))
        return bytes_of(some)

    return until(ENOUGH, act)


class Enough(Exception):
    """Timed for long enough."""


def training(
    system: Encoder | Reranker, checkpoint: Path, tuning: Tuning, texts: list[str], codes: tuple[str, str]
) -> float:
    """Seconds for a step, from the gaps between steps of a short training.

    Args:
        system, checkpoint: what is trained.
        tuning: how.
        texts: passages.
        codes: varieties of queries and passages.
    """
    part = min(tuning.batch_size, PART)
    rows = max(part * 200, 64)
    triples = pa.table(
        {
            "query": [f"{texts[i % len(texts)][:40]} {i}" for i in range(rows)],
            "positive": [f"{texts[i % len(texts)]} {i}" for i in range(rows)],
            "negative": [f"{texts[(i * 7 + 3) % len(texts)]} -{i}" for i in range(rows)],
            "query_variety": [codes[0]] * rows,
            "document_variety": [codes[1]] * rows,
        }
    )
    short = {"batch_size": part, "steps": 200, "accumulation": 1, "warmup": 0.0, "checkpoint_steps": 1_000}
    ticks: list[float] = []

    def tick(done: int, total: int) -> None:
        ticks.append(time.perf_counter())
        if len(ticks) > 3 and ticks[-1] - ticks[1] > ENOUGH:
            raise Enough

    with tempfile.TemporaryDirectory() as name, contextlib.suppress(Enough):
        work = Path(name)
        finetune(Training(system, checkpoint, triples, tuning.model_copy(update=short), work, tick), work / "out")
    gaps = [b - a for a, b in pairwise(ticks[1:])]
    return sum(gaps) / max(len(gaps), 1) * tuning.batch_size / part


def updating() -> float:
    """Seconds for AdamW to update a parameter."""
    import torch

    where = "cuda" if torch.cuda.is_available() else "cpu"
    weights = torch.nn.Parameter(torch.randn(10_000_000, device=where))
    weights.grad = torch.randn_like(weights)
    optimizer = torch.optim.AdamW([weights], lr=1e-9)

    def act(n: int) -> int:
        optimizer.step()
        float(weights.detach()[0])
        return weights.numel()

    return until(0.5, act)


def multiplying() -> float:
    """Seconds for a multiplication and addition of float32 in a large matrix product."""
    import torch

    where = "cuda" if torch.cuda.is_available() else "cpu"
    a, b = torch.randn(256, 1024, device=where), torch.randn(1024, 16_384, device=where)

    def act(n: int) -> int:
        (a @ b).sum().item()
        return 256 * 1024 * 16_384

    return until(0.5, act)
