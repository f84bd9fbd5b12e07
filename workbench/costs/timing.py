"""How fast this machine is: each model timed on real texts for a few seconds, by the code that will do the work.

A model that is here is timed as it is. For one that is still to be downloaded a stand-in of its shape and width, with
random weights, is timed at one and at two layers; the rest is a straight line.
"""

import contextlib
import shutil
import tempfile
import time
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa

from workbench.recipe.schema import SystemAt, Tuning
from workbench.systems._encoding import Computing
from workbench.training.finetune import Settings

SHAPES: dict[str, dict[str, Any]] = {
    "BAAI/bge-m3": {"kind": "xlm-r", "width": 1024, "layers": 24, "heads": 16, "inner": 4096, "bytes": 2_290_000_000},
    "antoinelouis/colbert-xm": {
        "kind": "x-mod", "width": 768, "layers": 12, "heads": 12, "inner": 3072, "bytes": 3_410_000_000
    },
    "unicamp-dl/mt5-base-mmarco-v2": {
        "kind": "mt5", "width": 768, "layers": 12, "heads": 12, "inner": 2048, "bytes": 2_330_000_000
    },
}  # fmt: skip
"""Of the published models: what is needed to time a stand-in, and what a download takes."""

VOCABULARY = 6_010
"""Of a stand-in: looking up a word takes as long in any."""
BACKWARD = 3.2
"""A pass forward and backward, in passes forward."""
ENOUGH = 1.0
"""Seconds for each timing."""


def _until(seconds: float, act: Callable[[int], int]) -> float:
    """Seconds for a unit of work; `act(n)` does some of it and returns how many units. The first round warms up."""
    act(0)
    began, done, n = time.perf_counter(), 0, 0
    while time.perf_counter() - began < seconds:
        n += 1
        done += act(n)
    return (time.perf_counter() - began) / max(done, 1)


def encoding(at: SystemAt, folder: Path, texts: list[str], code: str, computing: Computing, seconds: float) -> float:
    """Seconds for a byte of a passage."""
    from workbench.systems import _m3 as bgem3
    from workbench.systems import bi_encoder as biencoder
    from workbench.systems import multi_vector as multivector
    from workbench.systems import sparse

    encode: Callable[[list[str]], Any]
    if at.architecture == "bi-encoder":
        model = biencoder.load(folder, computing, at.pooling)
        encode = partial(biencoder.encode, model, length=at.document_length, budget=computing.budget, query=False)
    elif at.architecture == "multi-vector":
        vectors = multivector.Encoder(folder, code, at.query_length, at.document_length, computing)
        encode = partial(vectors, query=False)
    elif at.architecture == "sparse":
        encode = partial(sparse.Encoder(folder, computing), length=at.document_length, query=False)
    else:
        encode = partial(bgem3.M3(folder, computing).encode, length=at.document_length)

    def act(n: int) -> int:
        some = _some(texts, n)
        encode(some)
        return _bytes(some)

    return _until(seconds, act)


def _some(texts: list[str], n: int, size: int = 64) -> list[str]:
    return [texts[(n * size + i) % len(texts)] for i in range(size)]


def _bytes(texts: list[str]) -> int:
    return sum(len(t.encode()) for t in texts)


def scoring(at: SystemAt, folder: Path, texts: list[str], computing: Computing, seconds: float) -> float:
    """Seconds for a byte of a passage scored for a query of forty letters."""
    import pandas as pd

    from workbench.systems import mt5 as reranker

    load = reranker.load if at.architecture == "reranker" else reranker.load_cross_encoder
    model = load(folder, at.document_length, computing)
    asked = "what is the name of the highest mountain"

    def act(n: int) -> int:
        some = _some(texts, n)
        model(pd.DataFrame({"qid": "q", "query": asked, "docno": [str(i) for i in range(len(some))], "text": some}))
        return _bytes(some)

    return _until(seconds, act)


def counting(texts: list[str], code: str) -> float:
    """Seconds for a byte of a passage indexed for BM25: terms counted, and PISA's index made."""
    from store.passages import Passages, write
    from workbench.collections.formats import batched
    from workbench.systems import bm25
    from workbench.systems._passages import Reading

    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "passages.arrow"
        some = [texts[i % len(texts)] for i in range(20_000)]
        write(path, batched((str(i), text) for i, text in enumerate(some)))
        began = time.perf_counter()
        bm25.index(Reading(Passages(path), code, "as written"), Path(name) / "index", lambda a, b: None)
        return (time.perf_counter() - began) / _bytes(some)


def training(
    at: SystemAt, folder: Path, tuning: Tuning, texts: list[str], codes: tuple[str, str], seconds: float
) -> float:
    """Seconds for a step, from the gaps between steps of a short training; a large batch is timed in part."""
    from workbench.plans.compiler import settings_of
    from workbench.training.finetune import finetune

    part = min(tuning.batch_size, 16)
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
    said = settings_of(tuning, at) | {"batch_size": part, "steps": 200, "accumulation": 1, "warmup": 0.0}
    settings = Settings(**{**said, "frozen": tuple(said["frozen"])}, checkpoint_steps=1_000)
    ticks: list[float] = []

    class Enough(Exception):
        """Timed for long enough."""

    def tick(done: int, total: int) -> None:
        ticks.append(time.perf_counter())
        if len(ticks) > 3 and ticks[-1] - ticks[1] > seconds:
            raise Enough

    with tempfile.TemporaryDirectory() as name, contextlib.suppress(Enough):
        finetune(at.architecture, folder, triples, settings, Path(name) / "out", Path(name), tick)
    gaps = [b - a for a, b in pairwise(ticks[1:])]
    return sum(gaps) / max(len(gaps), 1) * tuning.batch_size / part


def tokenizer(name: str) -> Path:
    """The folder whose tokenizer stands in for that of a published checkpoint."""
    from workbench.plans.compiler import PACKAGE

    return PACKAGE / "models" / {"xlm-r": "bge-m3", "x-mod": "colbert-xm", "mt5": "mt5"}[SHAPES[name]["kind"]]


def stand_in(name: str, layers: int, folder: Path) -> Path:
    """A checkpoint of the shape of a published one, of so many layers, with random weights and the mini vocabulary."""
    from transformers import (
        MT5Config,
        MT5ForConditionalGeneration,
        XLMRobertaConfig,
        XLMRobertaModel,
        XmodConfig,
        XmodModel,
    )

    from workbench.varieties import table

    shape = SHAPES[name]
    shutil.copytree(tokenizer(name), folder, ignore=shutil.ignore_patterns("*.safetensors", "training*"))
    common = {
        "hidden_size": shape["width"], "num_hidden_layers": layers, "num_attention_heads": shape["heads"],
        "intermediate_size": shape["inner"], "vocab_size": VOCABULARY, "max_position_embeddings": 8194,
        "pad_token_id": 1,
    }  # fmt: skip
    model: Any
    if shape["kind"] == "mt5":
        width = {"d_model": shape["width"], "d_ff": shape["inner"], "num_layers": layers, "num_decoder_layers": layers}
        config = MT5Config(**width, num_heads=shape["heads"], vocab_size=VOCABULARY, decoder_start_token_id=0)
        model = MT5ForConditionalGeneration(config)
    elif shape["kind"] == "x-mod":
        languages = sorted({a for v in table().values() for a in v.xmod})
        model = XmodModel(
            XmodConfig(**common, languages=languages, adapter_reduction_factor=2), add_pooling_layer=False
        )
    else:
        model = XLMRobertaModel(XLMRobertaConfig(**common), add_pooling_layer=False)
    model.save_pretrained(folder)
    for part in folder.glob("1_*/config.json"):
        _widen(part, shape["width"])
    for part in folder.glob("1_Dense/*.safetensors"):
        part.unlink()
    if shape["kind"] == "x-mod":
        _project(folder, shape["width"])
    if name == "BAAI/bge-m3":
        _heads(folder, shape["width"])
    return folder


def _widen(path: Path, width: int) -> None:
    import json

    said = json.loads(path.read_text("utf-8"))
    for key in ("word_embedding_dimension", "embedding_dimension", "in_features"):
        if key in said:
            said[key] = width
    if "out_features" in said:
        said["out_features"] = 128
    path.write_text(json.dumps(said), "utf-8")


def _project(folder: Path, width: int) -> None:
    import torch
    from safetensors.torch import save_file

    save_file({"linear.weight": torch.randn(128, width)}, folder / "1_Dense" / "model.safetensors")


def _heads(folder: Path, width: int) -> None:
    import torch
    from safetensors.torch import save_file

    for head, size in (("sparse_linear", 1), ("colbert_linear", width)):
        save_file({"weight": torch.randn(size, width), "bias": torch.zeros(size)}, folder / f"{head}.safetensors")


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

    return _until(0.5, act)


def multiplying() -> float:
    """Seconds for a multiplication and addition of float32 in a large matrix product."""
    import torch

    where = "cuda" if torch.cuda.is_available() else "cpu"
    a, b = torch.randn(256, 1024, device=where), torch.randn(1024, 16_384, device=where)

    def act(n: int) -> int:
        (a @ b).sum().item()
        return 256 * 1024 * 16_384

    return _until(0.5, act)
