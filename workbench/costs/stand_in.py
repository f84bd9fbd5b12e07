"""Checkpoints of the shape of published ones, with random weights: to time what is not downloaded yet."""

import json
import shutil
from pathlib import Path
from typing import Any

from workbench.checkpoints.resolve import SHIPPED

SHAPES: dict[str, dict[str, Any]] = {
    "BAAI/bge-m3": {"kind": "xlm-r", "width": 1024, "layers": 24, "heads": 16, "inner": 4096, "bytes": 2_290_000_000},
    "antoinelouis/colbert-xm": {
        "kind": "x-mod", "width": 768, "layers": 12, "heads": 12, "inner": 3072, "bytes": 3_410_000_000
    },
    "facebook/xmod-base": {
        "kind": "x-mod", "width": 768, "layers": 12, "heads": 12, "inner": 3072, "bytes": 3_420_000_000
    },
    "intfloat/multilingual-e5-small": {
        "kind": "xlm-r", "width": 384, "layers": 12, "heads": 12, "inner": 1536, "bytes": 471_000_000
    },
    "intfloat/multilingual-e5-base": {
        "kind": "xlm-r", "width": 768, "layers": 12, "heads": 12, "inner": 3072, "bytes": 1_110_000_000
    },
    "intfloat/multilingual-e5-large": {
        "kind": "xlm-r", "width": 1024, "layers": 24, "heads": 16, "inner": 4096, "bytes": 2_240_000_000
    },
    "unicamp-dl/mt5-base-mmarco-v2": {
        "kind": "mt5", "width": 768, "layers": 12, "heads": 12, "inner": 2048, "bytes": 2_330_000_000
    },
}  # fmt: skip
"""Of the published models: what is needed to time a stand-in, and what a download takes."""

VOCABULARY = 8_192
"""Of a stand-in, no fewer than its tokenizer has: looking up a word takes as long in any."""


def tokenizer(name: str) -> Path:
    """The folder whose tokenizer stands in for that of a published checkpoint."""
    return SHIPPED / "models" / {"xlm-r": "bge-m3", "x-mod": "colbert-xm", "mt5": "mt5"}[SHAPES[name]["kind"]]


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
    settings = json.loads(path.read_text("utf-8"))
    for key in ("word_embedding_dimension", "embedding_dimension", "in_features"):
        if key in settings:
            settings[key] = width
    if "out_features" in settings:
        settings["out_features"] = 128
    path.write_text(json.dumps(settings), "utf-8")


def _project(folder: Path, width: int) -> None:
    import torch
    from safetensors.torch import save_file

    save_file({"linear.weight": torch.randn(128, width)}, folder / "1_Dense" / "model.safetensors")


def _heads(folder: Path, width: int) -> None:
    import torch
    from safetensors.torch import save_file

    for head, size in (("sparse_linear", 1), ("colbert_linear", width)):
        save_file({"weight": torch.randn(size, width), "bias": torch.zeros(size)}, folder / f"{head}.safetensors")
