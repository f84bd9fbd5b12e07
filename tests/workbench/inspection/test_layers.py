"""Mean vectors by layer, against transformers itself on one text at a time."""

from pathlib import Path

import numpy as np
import pytest
import torch

from store import LswError
from workbench.checkpoints.resolve import SHIPPED
from workbench.inspection.layers import Layers
from workbench.systems import bi_encoder as biencoder
from workbench.systems._encoding import Computing
from workbench.systems.bi_encoder import BiEncoder
from workbench.systems.bm25 import BM25
from workbench.systems.multi_vector import MultiVector, TokenEncoder

ABOUT = {"checkpoint": "x", "query_length": 12, "document_length": 20}
TEXTS = ["la guerre de Cent Ans", "eau", "qui a écrit ce livre et quand et pourquoi et pour qui", "", "la musique"]


@pytest.fixture(scope="module")
def colbert() -> Layers:
    system = MultiVector(architecture="multi-vector", adapter="own", **ABOUT)  # type: ignore[arg-type]
    model = Layers(system, SHIPPED / "models" / "colbert-xm", "colbert-xm", Computing(token_budget=30))
    torch.manual_seed(1)
    for name, weight in model.model.named_parameters():  # those of the shipped one are all alike
        if "adapter_modules.ca_ES" in name:
            weight.data += 0.1 * torch.randn(weight.shape)
    return model


def one_by_one(model: Layers, texts: list[str], most: int, adapter: str) -> np.ndarray:
    """What a plain loop gives: layers x texts x dimensions."""
    body, tokenizer = model.model[0].model, model.model.tokenizer
    out = []
    for text in texts:
        ids = tokenizer(text, truncation=True, max_length=most)["input_ids"]
        more = {"lang_ids": torch.tensor([model.languages.index(adapter)])} if adapter else {}
        with torch.inference_mode():
            states = body(input_ids=torch.tensor([ids]), output_hidden_states=True, **more).hidden_states
        kept = [i for i, token in enumerate(ids) if token not in tokenizer.all_special_ids] or range(len(ids))
        out.append([state[0, list(kept)].mean(0).numpy() for state in states])
    return np.array(out).transpose(1, 0, 2)


def test_they_are_means_over_tokens_through_the_declared_adapter(colbert: Layers) -> None:
    found = colbert(TEXTS, "fr", True)
    assert [vectors.shape for vectors in found] == [(5, 192), (5, 192), (5, 96)]
    np.testing.assert_allclose(found[:-1], one_by_one(colbert, TEXTS, 12, "fr_XX"), atol=1e-5)
    np.testing.assert_allclose(colbert(TEXTS, "ca", False)[:-1], one_by_one(colbert, TEXTS, 20, "ca_ES"), atol=1e-5)
    as_documents = colbert.system.model_copy(update={"adapter": "documents"})
    colbert.system, own = as_documents, colbert.system
    np.testing.assert_allclose(colbert(TEXTS, "ca", True)[:-1], one_by_one(colbert, TEXTS, 12, "fr_XX"), atol=1e-5)
    colbert.system = own
    assert colbert.knows("ca") and not colbert.knows("de")


def test_a_bi_encoder_has_no_adapters() -> None:
    system = BiEncoder(architecture="bi-encoder", **ABOUT)  # type: ignore[arg-type]
    model = Layers(system, SHIPPED / "models" / "bge-m3", "bge-m3")
    counted: list[int] = []
    found = model(TEXTS, "de", True, counted.append)
    np.testing.assert_allclose(found[:-1], one_by_one(model, TEXTS, 12, ""), atol=1e-5)
    assert sum(counted) == len(TEXTS) and model.knows("de")


@pytest.mark.parametrize("query", [True, False])
def test_the_last_is_what_retrieval_compares(colbert: Layers, query: bool) -> None:
    encode = TokenEncoder(SHIPPED / "models" / "colbert-xm", "fr", 12, 20, Computing())
    expected = [tokens.mean(axis=0) for tokens in encode(TEXTS, query=query)]
    np.testing.assert_allclose(colbert(TEXTS, "fr", query)[-1], expected, atol=1e-5)
    system = BiEncoder(architecture="bi-encoder", query_prompt="query: ", **ABOUT)  # type: ignore[arg-type]
    folder = SHIPPED / "models" / "bge-m3"
    whole = system.opened(folder, Computing())
    expected = biencoder.encode(whole, TEXTS, 12 if query else 20, 4_096, query=query)
    np.testing.assert_allclose(Layers(system, folder, "bge-m3")(TEXTS, "ca", query)[-1], expected, atol=1e-5)


def test_others_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(LswError, match="'my-bm25' is a bm25 system"):
        Layers(BM25(architecture="bm25"), tmp_path, "my-bm25")
    for head in ("sparse_linear", "colbert_linear"):
        (tmp_path / f"{head}.safetensors").touch()
    with pytest.raises(LswError, match="'heads' is BGE-M3 with several heads"):
        Layers(MultiVector(architecture="multi-vector", **ABOUT), tmp_path, "heads")  # type: ignore[arg-type]
