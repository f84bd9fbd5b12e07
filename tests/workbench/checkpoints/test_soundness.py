"""Checkpoints that are not what they say: each refused, with the file and the cure, before it ranks anything."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from store import LswError, Store
from store.query import select
from tests.conftest import Lsw
from workbench.checkpoints.resolve import SHIPPED
from workbench.checkpoints.soundness import examine_files
from workbench.systems import bi_encoder, cross_encoder, mt5, multi_vector
from workbench.systems._encoding import Computing, same_scores
from workbench.systems.bi_encoder import BiEncoder, encode

MODELS = SHIPPED / "models"


def copied(name: str, folder: Path) -> Path:
    return Path(shutil.copytree(MODELS / name, folder / name))


def change(folder: Path, **values: Any) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | values), "utf-8")


def weights(folder: Path, spoil: Callable[[dict[str, torch.Tensor]], object]) -> None:
    tensors = load_file(folder / "model.safetensors")
    spoil(tensors)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


def without_tokenizer(folder: Path) -> None:
    for path in folder.glob("tokenizer*"):
        path.unlink()


def without_a_layer(folder: Path) -> None:
    weights(folder, lambda t: [t.pop(name) for name in list(t) if "layer.0.attention" in name])


def with_a_layer_too_many(folder: Path) -> None:
    change(folder, num_hidden_layers=0)


def knows_no_word(folder: Path) -> None:
    path = folder / "tokenizer.json"
    whole = json.loads(path.read_text("utf-8"))
    whole["model"]["vocab"] = whole["model"]["vocab"][:5]
    path.write_text(json.dumps(whole), "utf-8")


def torn(name: str) -> Callable[[Path], None]:
    def cut_off(folder: Path) -> None:
        (folder / name).write_bytes((folder / name).read_bytes()[:-1000])

    return cut_off


def own_module(folder: Path) -> None:
    parts = json.loads((folder / "modules.json").read_text("utf-8"))
    parts[0]["type"] = "custom_st.Transformer"
    (folder / "modules.json").write_text(json.dumps(parts), "utf-8")


def sharded(folder: Path) -> None:
    index = {"weight_map": {"a": "model-00002-of-00002.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index), "utf-8")


SPOILT: list[tuple[Callable[[Path], object], str]] = [
    (without_tokenizer, "has no tokenizer"),
    (knows_no_word, "cannot tell words apart"),
    (without_a_layer, "lacks weights, which would be random"),
    (with_a_layer_too_many, "has weights that its architecture does not use"),
    (lambda f: change(f, hidden_size=f and 96, num_attention_heads=2), "could not be loaded|of another shape"),
    (torn("model.safetensors"), "is no whole safetensors file"),
    (torn("tokenizer.json"), "could not be loaded"),
    (torn("config.json"), "not valid JSON"),
    (torn("modules.json"), "not valid JSON"),
    (lambda f: (f / "config.json").write_text("[]"), "no JSON object"),
    (lambda f: (f / "config.json").unlink(), "has no config.json"),
    (lambda f: (f / "model.safetensors").write_bytes(b""), "is no whole safetensors file"),
    (lambda f: change(f, model_type="their_own", auto_map={"AutoModel": "modeling.Theirs"}), "needs code of its own"),
    (own_module, "needs code of its own"),
    (sharded, "lacks model-00002-of-00002.safetensors"),
    (lambda f: change(f, model_type="nobody"), "could not be loaded"),
]


@pytest.mark.parametrize(("spoil", "title"), SPOILT)
def test_a_checkpoint_that_is_not_what_it_says_is_refused(
    spoil: Callable[[Path], object], title: str, tmp_path: Path
) -> None:
    folder = copied("bge-m3", tmp_path)
    examine_files(folder)
    spoil(folder)
    with pytest.raises(LswError, match=title) as refused:
        examine_files(folder)
        bi_encoder.load(folder, Computing())
    assert refused.value.cure
    assert "bge-m3" in str(refused.value)


@pytest.mark.parametrize(
    ("name", "load"),
    [
        ("bge-m3", lambda f: cross_encoder.load(f, 64, Computing())),
        ("bge-m3", lambda f: mt5.load(f, 64, Computing())),
        ("mt5", lambda f: cross_encoder.load(f, 64, Computing())),
        ("mt5", lambda f: multi_vector.load(f, 64, 64)),
        ("mt5", lambda f: bi_encoder.load(f, Computing(), "cls")),
    ],
)
def test_a_checkpoint_of_another_kind_is_refused(name: str, load: Callable[[Path], object]) -> None:
    with pytest.raises(LswError) as refused:
        load(MODELS / name)
    assert refused.value.cure


def test_models_that_are_sound_are_taken() -> None:
    for name in ("bge-m3", "colbert-xm", "mt5"):
        examine_files(MODELS / name)
    bi_encoder.load(MODELS / "bge-m3", Computing())
    multi_vector.load(MODELS / "colbert-xm", 64, 64)
    mt5.load(MODELS / "mt5", 64, Computing())


def test_numbers_that_are_none_are_refused(tmp_path: Path) -> None:
    folder = copied("bge-m3", tmp_path)
    weights(folder, lambda t: t["embeddings.LayerNorm.weight"].fill_(float("nan")))
    with pytest.raises(LswError, match="not finite"):
        encode(bi_encoder.load(folder, Computing()), ["water"], 32, 4096, query=True)


@pytest.mark.parametrize(
    ("qids", "scores", "same"),
    [("aabb", [1, 1, 2, 2], True), ("aabb", [1, 1, 2, 3], False), ("ab", [1, 1], False), ("", [], False)],
)
def test_equal_scores_are_seen(qids: str, scores: list[float], same: bool) -> None:
    assert same_scores(list(qids), scores) == same


def test_a_prompt_leaves_a_query_its_room(tmp_path: Path) -> None:
    """sentence-transformers counts a prompt within the length: with a long one every query is the prompt alone."""
    prompt = (
        "Instruct: given a search query, retrieve the passages that answer the query, whatever its language. Query: "
    )
    system = BiEncoder(
        architecture="bi-encoder", checkpoint="x", query_length=32, document_length=64, query_prompt=prompt
    )
    model = system.opened(MODELS / "bge-m3", Computing())
    tokens = len(model.tokenizer(prompt, add_special_tokens=False)["input_ids"])
    assert tokens > 32
    texts = ["combien coûte un billet", "où dormir à Paris"]
    one, other = encode(model, texts, 32, 4096, query=True)
    assert one @ other < 0.999
    # The text is cut where it would be without a prompt: what comes after changes nothing.
    long = " ".join(["billet de train pour Paris"] * 20)
    first, longer = encode(model, [long, long + " et Lyon"], 32, 4096, query=True)
    assert np.abs(first - longer).max() < 1e-6
    plain = BiEncoder(architecture="bi-encoder", checkpoint="x", query_length=32, document_length=64)
    assert (
        np.abs(encode(plain.opened(MODELS / "bge-m3", Computing()), texts, 32, 4096, query=True)[0] - one).max() > 0.01
    )
    assert system.key() != plain.key() and "query_prompt" not in plain.key()


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_causal_reranker_with_tied_weights(precision: str, tmp_path: Path) -> None:
    """Its last layer is its embedding too: in half precision scores are float32, and the embedding stays as it is."""
    import pandas as pd
    from transformers import AutoTokenizer, Qwen3Config, Qwen3ForCausalLM

    tokenizer = AutoTokenizer.from_pretrained(MODELS / "mt5")
    torch.manual_seed(1)
    config = Qwen3Config(
        vocab_size=len(tokenizer) + 8, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=2, head_dim=16, tie_word_embeddings=True, pad_token_id=tokenizer.pad_token_id,
    )  # fmt: skip
    Qwen3ForCausalLM(config).save_pretrained(tmp_path)
    tokenizer.add_tokens(["yes", "no"])
    tokenizer.save_pretrained(tmp_path)
    pairs = pd.DataFrame({"qid": ["1"] * 3, "docno": list("abc"), "query": ["water"] * 3,
                          "text": ["la pluie", "le train de Paris", "un billet"]})  # fmt: skip
    model = cross_encoder.load(tmp_path, 64, Computing(precision=precision))
    scores = model(pairs)["score"].tolist()
    assert len(set(scores)) == 3
    exact = cross_encoder.load(tmp_path, 64, Computing())(pairs)["score"].tolist()
    assert scores == pytest.approx(exact, abs=0.02)


@pytest.mark.slow
def test_a_run_with_such_a_checkpoint_is_not_recorded(
    lsw: Lsw, small_recipe: Path, small_scale: Path, tmp_path: Path
) -> None:
    folder = copied("bge-m3", tmp_path)
    without_tokenizer(folder)
    text = small_scale.read_text("utf-8")
    assert "package:models/bge-m3" in text
    small_scale.write_text(text.replace("package:models/bge-m3", str(folder)), "utf-8")
    at = ("--scale", small_scale, "--store", tmp_path / "s")
    assert "has no tokenizer" in lsw("recipe", "run", small_recipe, *at, check=2).stderr
    assert select(Store(tmp_path / "s"), "SELECT count(*) FROM runs WHERE system = 'bge-m3'")[1] == [(0,)]
