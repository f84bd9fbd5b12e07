"""Checkpoints as they are published: each format made here, tiny and random, and held against its own library."""

import shutil
import string
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch

from store import LswError
from tests.conftest import reading, table
from tests.published import XLMR, bge_m3, colbert_xm, mt5, tokenizer
from workbench.checkpoints import weights
from workbench.collections.folder import MINI, Folder
from workbench.evaluation.ties import ranked
from workbench.systems import _m3 as bgem3
from workbench.systems import bi_encoder as biencoder
from workbench.systems import cross_encoder, hybrid, sparse
from workbench.systems import mt5 as reranker
from workbench.systems import multi_vector as multivector
from workbench.systems._encoding import Computing
from workbench.systems._passages import Reading
from workbench.systems._reranking import rerank

MODELS = MINI.parent / "models"


def nothing(done: int, total: int) -> None:
    """A progress that nobody watches."""


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> Reading:
    return reading(Folder("mini", MINI), "fr", tmp_path_factory.mktemp("read"), 40)


@pytest.fixture(scope="module")
def queries() -> pa.Table:
    return Folder("mini", MINI).queries("fr").slice(0, 5)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bge_m3(tmp_path_factory.mktemp("bge-m3") / "published")


@pytest.fixture(scope="module")
def bge(published: Path) -> Path:
    """The same as lsw keeps it: everything in safetensors."""
    out = published.parent / "kept"
    assert weights.examine(published) == "torch"
    weights.rewrite(published, out, nothing)
    assert weights.examine(out) == "safetensors"
    assert not list(out.rglob("*.bin")) + list(out.rglob("*.pt"))
    return out


def test_bge_m3_is_what_flagembedding_makes_of_it(
    tmp_path: Path, published: Path, bge: Path, read: Reading, queries: pa.Table
) -> None:
    """Dense, sparse, multi-vector and their weighted sum, from index to score."""
    flag = pytest.importorskip("FlagEmbedding")
    theirs = flag.BGEM3FlagModel(str(published), use_fp16=False, devices="cpu")
    docs = next(iter(read.shards(0, 40)))
    asked = queries["query"].to_pylist()
    encoded: Any = theirs.encode(docs[1], max_length=160, return_sparse=True, return_colbert_vecs=True)
    ours = bgem3.M3(bge, Computing(token_budget=300)).encode(docs[1], 160)
    assert np.abs(np.stack([o.dense for o in ours]) - encoded["dense_vecs"]).max() < 1e-5
    for mine, lexical, vectors in zip(ours, encoded["lexical_weights"], encoded["colbert_vecs"], strict=True):
        assert {str(i): pytest.approx(float(w), abs=1e-5) for i, w in zip(mine.ids, mine.weights, strict=True)} == {
            k: float(v) for k, v in lexical.items()
        }
        assert np.abs(mine.tokens - vectors).max() < 1e-5

    pairs = [(q, d) for q in asked for d in docs[1]]
    scores: Any = theirs.compute_score(pairs, max_passage_length=160, max_query_length=64,
                                       weights_for_different_modes=list(bgem3.WEIGHTS))  # fmt: skip
    names = {
        "hybrid": "colbert+sparse+dense", "sparse": "sparse", "multi-vector": "colbert", "bi-encoder": "dense"
    }  # fmt: skip
    results = {kind: run(kind, bge, tmp_path, read, queries) for kind in names}
    for kind, name in names.items():
        got = {(r["qid"], r["docno"]): r["score"] for r in results[kind].to_pylist()}
        if kind == "hybrid":
            assert len(got) == len(pairs)
        n = 0
        for i, qid in enumerate(queries["qid"].to_pylist()):
            for j, docno in enumerate(docs[0]):
                expected = scores[name][i * len(docs[0]) + j]
                if kind == "multi-vector":  # a mean there, ColBERT's sum here: the same order
                    expected *= len(theirs.encode([asked[i]], return_colbert_vecs=True)["colbert_vecs"][0])
                if (qid, docno) in got:
                    assert got[qid, docno] == pytest.approx(float(expected), abs=1e-3), kind
                    n += 1
                else:  # the sparse score leaves out what shares no term
                    assert kind == "sparse" and expected == pytest.approx(0, abs=1e-6)
        assert n > len(pairs) / 4


def run(kind: str, checkpoint: Path, folder: Path, read: Reading, queries: pa.Table) -> pa.Table:
    """Index and search with one of the four."""
    out, work = folder / kind, folder / f"work-{kind}"
    work.mkdir()
    computing = Computing()
    if kind == "bi-encoder":
        biencoder.index(biencoder.load(checkpoint, computing), read, 160, out, work, computing, nothing)
        return biencoder.retrieve(biencoder.load(checkpoint, computing), out, queries, 64, 40, computing)[0]
    if kind == "sparse":
        sparse.index(checkpoint, read, 160, out, work, computing, nothing)
        return sparse.retrieve(checkpoint, out, queries, 64, 40, computing, nothing)
    if kind == "hybrid":
        hybrid.index(checkpoint, read, 160, out, work, computing, nothing)
        return hybrid.retrieve(checkpoint, out, queries, 64, 40, computing, nothing)[0]
    multivector.index(checkpoint, read, 64, 160, out, work, computing, nothing)
    return multivector.retrieve(checkpoint, out, queries, "fr", 64, 160, 40, computing, nothing)[0]


def test_a_plain_encoder_must_say_how_it_pools(tmp_path: Path, bge: Path) -> None:
    """The authors' fine-tuned BGE-M3 may come without modules.json: its vector is that of the first token."""
    plain = tmp_path / "plain"
    shutil.copytree(bge, plain)
    (plain / "modules.json").unlink()
    with pytest.raises(LswError, match="does not say how its token vectors become one"):
        biencoder.load(plain, Computing())
    texts = ["le chat", "une phrase plus longue que l'autre"]
    whole, cls = (biencoder.load(p, Computing(), how) for p, how in ((bge, None), (plain, "cls")))
    vectors = [biencoder.encode(m, texts, 64, 4096, query=False) for m in (whole, cls)]
    assert np.abs(vectors[0] - vectors[1]).max() < 1e-6


@pytest.fixture(scope="module")
def stanford(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return colbert_xm(tmp_path_factory.mktemp("colbert") / "colbert-xm", ["fr_XX", "ca_ES", "zh_CN"])


def test_colbert_xm_in_stanfords_format(tmp_path: Path, stanford: Path, read: Reading, queries: pa.Table) -> None:
    """Scores are those of the backbone and the projection put together by hand, each variety by its own adapter."""
    from safetensors.torch import load_file
    from transformers import XmodConfig, XmodModel

    encode = {
        code: multivector.TokenEncoder(stanford, code, 32, 160, Computing(token_budget=500)) for code in ("fr", "ca")
    }
    assert [e.adapter for e in encode.values()] == ["fr_XX", "ca_ES"]
    loaded: Any = encode["fr"].model
    tensors = load_file(stanford / "model.safetensors")
    backbone = XmodModel(XmodConfig.from_pretrained(stanford), add_pooling_layer=False).eval()
    backbone.load_state_dict({k.removeprefix("roberta."): v for k, v in tensors.items() if k.startswith("roberta.")})
    text = "Le chat dort : la nuit ! (Oui.)"  # of these signs the vocabulary has the colon
    for code, language in (("fr", "fr_XX"), ("ca", "ca_ES")):
        backbone.set_default_language(language)
        first, *rest = loaded.tokenizer(text)["input_ids"]  # Stanford's marker, which this vocabulary lacks, is unknown
        ids = {"input_ids": torch.tensor([[first, loaded.tokenizer.unk_token_id, *rest]])}
        with torch.no_grad():
            hidden = backbone(**ids).last_hidden_state[0] @ tensors["linear.weight"].T
        expected = torch.nn.functional.normalize(hidden, dim=-1).numpy()
        # Its code leaves out tokens whose id is that of the first piece of a punctuation mark.
        pieces = [loaded.tokenizer.encode(mark, add_special_tokens=False) for mark in string.punctuation]
        skipped = {some[0] for some in pieces if some}
        kept = [i for i, token in enumerate(ids["input_ids"][0].tolist()) if token not in skipped]
        assert len(kept) < len(ids["input_ids"][0])
        got = encode[code]([text], query=False)[0]
        assert got.shape == (len(kept), 16)
        assert np.abs(got - expected[kept]).max() < 1e-4
    asked = encode["fr"](["le chat"], query=True)[0]
    assert len(asked) == 32  # filled up with [MASK], as ColBERT's queries are
    results = ranked(run("multi-vector", stanford, tmp_path, read, queries), 10)
    assert len(results) == 50


@pytest.mark.slow
def test_splade_and_cross_encoders(
    tmp_path: Path, read: Reading, queries: pa.Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Any sparse encoder and cross-encoder of sentence-transformers, against its own similarity and predict."""
    from sentence_transformers import CrossEncoder, SparseEncoder
    from sentence_transformers.models import Transformer
    from sentence_transformers.sparse_encoder.modules import SpladePooling
    from transformers import XLMRobertaConfig, XLMRobertaForMaskedLM, XLMRobertaForSequenceClassification

    monkeypatch.setattr(sparse, "ASKED", 2)  # some queries at a time, against some passages at a time
    monkeypatch.setattr(sparse, "CHUNK", 23)
    torch.manual_seed(3)
    mlm, judge = tmp_path / "mlm", tmp_path / "judge"
    for folder, model in (
        (mlm, XLMRobertaForMaskedLM(XLMRobertaConfig(**XLMR))),
        (judge, XLMRobertaForSequenceClassification(XLMRobertaConfig(**XLMR, num_labels=1))),
    ):
        model.save_pretrained(folder)
        tokenizer(folder)
    splade = tmp_path / "splade"
    parts = [Transformer(str(mlm), transformer_task="fill-mask"), SpladePooling()]
    SparseEncoder(modules=parts).save_pretrained(str(splade))
    own = SparseEncoder(str(splade))
    own.max_seq_length = 160
    docnos, texts = next(iter(read.shards(0, 40)))
    asked = queries["query"].to_pylist()
    expected = own.similarity(own.encode_query(asked), own.encode_document(texts)).numpy()
    results = run("sparse", splade, tmp_path, read, queries).to_pylist()
    assert len(results) == expected.size
    at = {qid: i for i, qid in enumerate(queries["qid"].to_pylist())}
    for row in results:
        assert row["score"] == pytest.approx(float(expected[at[row["qid"]], docnos.index(row["docno"])]), rel=1e-3)

    candidates = pa.Table.from_pylist(
        [{"qid": q, "docno": d, "rank": i, "score": float(-i)} for q in at for i, d in enumerate(docnos[:8])]
    )
    (tmp_path / "work-ce").mkdir()
    scorer = cross_encoder.load(judge, 160, Computing(token_budget=300))
    got = rerank(scorer, candidates, queries, read, 8, tmp_path / "work-ce", nothing).to_pylist()
    theirs = CrossEncoder(str(judge), max_length=160)
    pairs = [(asked[at[r["qid"]]], texts[docnos.index(r["docno"])]) for r in got]
    logits = theirs.predict(pairs, activation_fn=torch.nn.Identity())
    assert [r["score"] for r in got] == pytest.approx([float(x) for x in logits], abs=1e-4)


def test_mt5_as_unicamp_publishes_it(tmp_path: Path) -> None:
    """torch's weights and a sentencepiece vocabulary, no tokenizer.json."""
    import pandas as pd
    from transformers import MT5Config, MT5ForConditionalGeneration

    folder, kept = mt5(tmp_path / "mt5"), tmp_path / "kept"
    assert weights.examine(folder) == "torch"
    weights.rewrite(folder, kept, nothing)
    lines = table(Folder("mini", MINI), "en")["text"].to_pylist()
    texts = ["A short one.", lines[0], " ".join(lines[1:4])]
    frame = pd.DataFrame({"qid": "q", "query": "who?", "docno": ["a", "b", "c"], "text": texts})
    loaded = reranker.load(kept, 256, Computing())
    got = loaded(frame).set_index("docno")["score"]
    ids = reranker.inputs(loaded.tokenizer, ["who?"] * 3, texts, 256)
    model = MT5ForConditionalGeneration(MT5Config.from_pretrained(folder))
    model.lm_head.weight = torch.nn.Parameter(torch.zeros_like(model.lm_head.weight))
    model.load_state_dict(torch.load(folder / "pytorch_model.bin", weights_only=True))
    assert not torch.equal(model.lm_head.weight, model.shared.weight)
    for row, docno in zip(ids, "abc", strict=True):
        with torch.no_grad():
            pair = {"input_ids": torch.tensor([row]), "decoder_input_ids": torch.tensor([[0]])}
            logits = model.eval()(**pair).logits[0, 0, [loaded.REL, loaded.NREL]]
        assert got[docno] == pytest.approx(float(torch.log_softmax(logits, 0)[0]), abs=1e-4)


class Loud:
    """What a pickle can hold: a call."""

    def __init__(self, act: Callable[..., object], *arguments: object) -> None:
        self.call = act, arguments

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return self.call


def test_weights_that_are_more_than_tensors_are_not_loaded(tmp_path: Path) -> None:
    folder = tmp_path / "m"
    folder.mkdir()
    torch.save({"a": Loud(Path.touch, tmp_path / "ran")}, folder / "pytorch_model.bin")
    with pytest.raises(LswError, match="not a file of plain tensors"):
        weights.rewrite(folder, tmp_path / "out", nothing)
    assert not (tmp_path / "ran").exists()
    (folder / "pytorch_model.bin").unlink()
    with pytest.raises(LswError, match=r"has no model\.safetensors"):
        weights.examine(folder)


def test_a_model_without_a_vector_for_each_token_is_refused(tmp_path: Path) -> None:
    """sentence-transformers would add a projection with random weights, another one at each loading."""
    with pytest.raises(LswError, match="gives no vector for each token"):
        multivector.load(MINI.parent / "models" / "bge-m3", 32, 64)
    weights.rewrite(bge_m3(tmp_path / "m3"), tmp_path / "kept", nothing)
    with pytest.raises(LswError, match="multi-vector head cannot be trained"):
        multivector.load(tmp_path / "kept", 32, 64)


def test_characters_that_mt5_lacks_are_spelt_in_bytes(tmp_path: Path) -> None:
    """As sentencepiece does it: Cantonese characters are rare in mT5's vocabulary."""
    import sentencepiece
    from transformers import AutoTokenizer

    folder = mt5(tmp_path / "mt5")
    own = sentencepiece.SentencePieceProcessor(model_file=str(folder / "spiece.model"))
    tokenizer = AutoTokenizer.from_pretrained(folder)
    text = "who is 嚟咗 there?"
    assert tokenizer.unk_token_id in tokenizer(text)["input_ids"]
    assert reranker.spelling(tokenizer)(text)["input_ids"] == [*own.encode(text), tokenizer.eos_token_id]
