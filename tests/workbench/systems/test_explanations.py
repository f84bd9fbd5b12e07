"""The parts of a score, of models that the mini scale does not have, against what their search finds."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from store import LswError
from tests.conftest import reading
from tests.published import XLMR, bge_m3, colbert_xm, tokenizer
from workbench.checkpoints import weights
from workbench.collections.folder import MINI, Folder
from workbench.systems import SYSTEMS, _m3
from workbench.systems._encoding import Computing
from workbench.systems._explanation import Asked, Explanation
from workbench.systems._frequencies import Frequencies
from workbench.systems._passages import Reading
from workbench.systems.base import Retriever, Workplace
from workbench.systems.bm25 import BM25
from workbench.terms import TERMS
from workbench.terms.grams import folded


def nothing(done: int, total: int) -> None:
    """A progress that nobody watches."""


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> Reading:
    return reading(Folder("mini", MINI), "fr", tmp_path_factory.mktemp("read"), 6)


@pytest.fixture(scope="module")
def bge(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bge-m3")
    weights.rewrite(bge_m3(folder / "published"), folder / "kept", nothing)
    return folder / "kept"


QUERY = "Combien de temps dure la guerre de Cent Ans ?"


def taken_apart(
    folder: Path, read: Reading, architecture: str, checkpoint: Path, **settings: Any
) -> tuple[Explanation, dict[str, float], dict[str, str]]:
    """What a system says of its scores, what its search finds, and the texts."""
    system = SYSTEMS.part(architecture).model_validate(
        {"architecture": architecture, "checkpoint": str(checkpoint), "query_length": 32, "document_length": 48}
        | settings
    )
    assert isinstance(system, Retriever)
    (folder / "work").mkdir()
    at = Workplace(checkpoint, "fr", Computing(), folder / "work", nothing)
    system.index(read, folder / "index", at)
    asked = pa.table({"qid": ["q"], "query": [QUERY]})
    results = system.retrieve(folder / "index", asked, "fr", 6, at)[0]
    found = dict(zip(results["docno"].to_pylist(), results["score"].to_pylist(), strict=True))
    texts = read.texts(read.docnos())
    make: Callable[[Callable[[], Any]], Any] = lambda load: load()  # noqa: E731
    return system.explain(Asked(QUERY, "fr", texts, folder / "index", make), at), found, texts


def sums(said: Explanation, found: dict[str, float], texts: dict[str, str]) -> None:
    assert found and said.scores.keys() == texts.keys()
    for docno, parts in said.portions.items():
        expected = pytest.approx(found.get(docno, 0.0), rel=1e-5, abs=1e-4)
        assert sum(part.value for part in parts) == expected and said.scores[docno] == expected
        for part in parts:
            for start, end in part.query:
                assert QUERY[start:end].strip() == QUERY[start:end] != ""
            for start, end in part.passage:
                assert texts[docno][start:end].strip() == texts[docno][start:end] != ""


@pytest.mark.parametrize("terms", TERMS)
def test_bm25_of_any_terms(tmp_path: Path, read: Reading, terms: str) -> None:
    system = BM25(architecture="bm25", terms=terms, k1=1.4, b=0.7)
    at = Workplace(None, "fr", Computing(), tmp_path, nothing)
    system.index(read, tmp_path / "index", at)
    asked = pa.table({"qid": ["q"], "query": [QUERY]})
    results = system.retrieve(tmp_path / "index", asked, "ca", 6, at)[0]
    texts = read.texts(read.docnos())
    said = system.explain(Asked(QUERY, "ca", texts, tmp_path / "index", lambda load: load()), at)
    sums(said, dict(zip(results["docno"].to_pylist(), results["score"].to_pylist(), strict=True)), texts)
    (tmp_path / "index" / "inv.sizes").write_bytes(b"\x01\0\0\0\x05\0\0\0")
    with pytest.raises(LswError, match=r"The counts of terms in .* cannot be read"):
        Frequencies(tmp_path / "index")


@pytest.mark.parametrize("architecture", ["sparse", "hybrid", "multi-vector"])
def test_bge_m3(tmp_path: Path, bge: Path, read: Reading, architecture: str) -> None:
    said, found, texts = taken_apart(tmp_path, read, architecture, bge)
    sums(said, found, texts)
    parts = [part for some in said.portions.values() for part in some]
    if architecture == "hybrid":
        assert {part.facts["score"] for part in parts} == {"dense", "terms", "tokens"}
        [dense] = [part for part in said.portions[read.docnos()[0]] if part.facts["score"] == "dense"]
        assert dense.value == pytest.approx(_m3.WEIGHTS[0] * dense.facts["similarity"])
    if architecture == "sparse":  # a term of BGE-M3 stands in both texts
        for docno, some in said.portions.items():
            for part in (part for part in some if part.what != "▁"):
                places = [QUERY[slice(*part.query[0])], texts[docno][slice(*part.passage[0])]]
                assert [folded(place) for place in places] == [folded(part.what)] * 2  # as its tokenizer does
    if architecture == "multi-vector":
        assert "dure" in {part.what for part in parts} and "</s>" in {part.what for part in parts}


def test_colbert_with_its_markers_its_filling_and_without_punctuation(tmp_path: Path, read: Reading) -> None:
    checkpoint = colbert_xm(tmp_path / "colbert-xm", ["fr_XX", "ca_ES"])
    said, found, texts = taken_apart(tmp_path, read, "multi-vector", checkpoint)
    sums(said, found, texts)
    for docno, parts in said.portions.items():
        assert len(parts) == 32  # filled up
        assert [part.what for part in parts][-1] == "<mask>" and parts[-1].query == ()
        assert not {texts[docno][start:end] for part in parts for start, end in part.passage} & set(":,.")
    covered = {at for part in parts for start, end in part.query for at in range(start, end)}
    assert covered == {at for at, character in enumerate(QUERY) if character.isalnum()}  # its vocabulary lacks the ?


def test_a_kept_model_speaks_the_variety_that_is_asked(tmp_path: Path, read: Reading) -> None:
    """The adapters are unlike: through the wrong one the scores would be others."""
    checkpoint = colbert_xm(tmp_path / "colbert-xm", ["fr_XX", "ca_ES"])
    settings = {"architecture": "multi-vector", "checkpoint": str(checkpoint)}
    system = SYSTEMS.part("multi-vector").model_validate({**settings, "query_length": 32, "document_length": 48})
    assert isinstance(system, Retriever)
    at = Workplace(checkpoint, "fr", Computing(), tmp_path, nothing)
    system.index(read, tmp_path / "index", at)
    texts, asked, held = read.texts(read.docnos()), pa.table({"qid": ["q"], "query": [QUERY]}), list[Any]()

    def kept(load: Callable[[], Any]) -> Any:
        held[:] = held or [load()]
        return held[0]

    scores = []
    for variety in ("fr", "ca", "fr"):
        results = system.retrieve(tmp_path / "index", asked, variety, 6, at)[0]
        said = system.explain(Asked(QUERY, variety, texts, tmp_path / "index", kept), at)
        sums(said, dict(zip(results["docno"].to_pylist(), results["score"].to_pylist(), strict=True)), texts)
        scores.append(said.scores)
    assert scores[0] == scores[2] != scores[1]


def test_splade(tmp_path: Path, read: Reading) -> None:
    """A term that the model adds stands nowhere, and is named all the same."""
    import torch
    from sentence_transformers import SparseEncoder
    from sentence_transformers.models import Transformer
    from sentence_transformers.sparse_encoder.modules import SpladePooling
    from transformers import XLMRobertaConfig, XLMRobertaForMaskedLM

    torch.manual_seed(3)
    XLMRobertaForMaskedLM(XLMRobertaConfig(**XLMR)).save_pretrained(tmp_path / "mlm")
    tokenizer(tmp_path / "mlm")
    parts = [Transformer(str(tmp_path / "mlm"), transformer_task="fill-mask"), SpladePooling()]
    SparseEncoder(modules=parts).save_pretrained(str(tmp_path / "splade"))
    said, found, texts = taken_apart(tmp_path, read, "sparse", tmp_path / "splade")
    sums(said, found, texts)
    added = [part for some in said.portions.values() for part in some if not part.query]
    assert added and all(part.what and part.value > 0 for part in added)


def test_a_cross_encoder_gives_one_score(tmp_path: Path, read: Reading) -> None:
    import torch
    from sentence_transformers import CrossEncoder
    from transformers import XLMRobertaConfig, XLMRobertaForSequenceClassification

    torch.manual_seed(3)
    checkpoint = tmp_path / "judge"
    XLMRobertaForSequenceClassification(XLMRobertaConfig(**XLMR, num_labels=1)).save_pretrained(checkpoint)
    tokenizer(checkpoint)
    settings = {"architecture": "cross-encoder", "checkpoint": str(checkpoint)}
    system = SYSTEMS.part("cross-encoder").model_validate({**settings, "query_length": 32, "document_length": 96})
    texts = read.texts(read.docnos()[:3])
    at = Workplace(checkpoint, "fr", Computing(), tmp_path, nothing)
    said = system.explain(Asked(QUERY, "fr", texts, None, lambda load: load()), at)
    theirs = CrossEncoder(str(checkpoint), max_length=96).predict(
        [(QUERY, text) for text in texts.values()], activation_fn=torch.nn.Identity()
    )
    assert (said.kind, said.portions) == ("score", {})
    assert list(said.scores.values()) == pytest.approx(theirs.tolist(), abs=1e-5)
