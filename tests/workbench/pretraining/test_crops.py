"""What the mini models learn from: drawn as it is said, and the same for the same seed."""

import hashlib
import random
import re
from collections import Counter
from typing import Any

import pyarrow as pa
import pytest
from scipy.spatial.distance import cdist

from workbench.collections.folder import MINI
from workbench.pretraining.crops import alike, crop, crops, misspell

TEXTS = {
    "fr": ["la capitale du royaume était une grande ville fortifiée", "une rivière traverse la vallée depuis longtemps",
           "les oiseaux quittent la montagne avant l'hiver", "une seule maison reste debout malheureusement",
           "le marché ouvre chaque matin devant la cathédrale"],
    "zh": ["王國的首都是一座很大的城市", "一條河流穿過山谷已經很久了", "鳥兒在冬天來到之前離開高山", "只有一座房子留在舊磨坊旁邊",
           "市場每天早上在大教堂前面開門"],
}  # fmt: skip
DOCNOS = ["a1", "a2", "b1", "b2", "c1"]
PASSAGES = {code: pa.table({"docno": DOCNOS, "text": texts}) for code, texts in TEXTS.items()}
QUERIES = {
    "fr": pa.table({"qid": ["a", "b", "x"], "query": ["capitale royaume fortifiée", "oiseaux en hiver", "français"]}),
    "zh": pa.table({"qid": ["a", "b"], "query": ["王國 首都", "冬天 鳥兒"]}),
}
QRELS = pa.table({"qid": ["a", "a", "b", "b", "x"], "docno": ["a1", "a2", "b2", "b1", "c1"], "label": [1, 0, 0, 1, 1]})


def drawn(rows: int = 400, **changes: Any) -> list[dict[str, str]]:
    """Triples as dictionaries."""
    shares = {"noise": 0.0, "query_share": 0.0, "across_share": 0.0, "seed": 1}
    return crops(PASSAGES, QUERIES, QRELS, rows, **{**shares, **changes}).to_pylist()


def docno_of(text: str) -> str:
    return DOCNOS[next(texts.index(text) for texts in TEXTS.values() if text in texts)]


def test_the_same_seed_draws_the_same_triples() -> None:
    """A key says what an artifact holds: if this changes, the kind of stage `crops` needs another version."""
    mined = {code: {docno: DOCNOS[-2:] for docno in DOCNOS[:3]} for code in TEXTS}
    rows = drawn(2_000, noise=0.4, query_share=0.3, across_share=0.2, mined=mined)
    assert hashlib.sha256(repr(rows).encode()).hexdigest()[:16] == "d72a135d1785181b"
    assert rows != drawn(2_000, noise=0.4, query_share=0.3, across_share=0.2, mined=mined, seed=2)


def test_a_word_is_misspelt_as_a_relative_might_spell_it() -> None:
    """Capitals show what was done: a letter lost, doubled or changed, or another ending; never the first letter."""
    word, rng = "ABCDEFGH", random.Random(1)
    assert [misspell(short, rng) for short in ("ABC", "貓狗鳥魚")] == ["ABC", "貓狗鳥魚"]
    assert any(misspell("ABCD", rng) != "ABCD" for _ in range(50))
    assert any(misspell("café", rng) != "café" for _ in range(50))
    lost = {word[:i] + word[i + 1 :] for i in range(1, 8)}
    doubled = {word[:i] + word[i] + word[i:] for i in range(1, 8)}
    changed = {word[:i] + "." + word[i + 1 :] for i in range(1, 8)}
    endings = {word[:kept] + "." * new for kept in (6, 7) for new in (0, 1, 2)}
    found = {re.sub("[a-z]", ".", misspell(word, rng)) for _ in range(2_000)}
    assert found == lost | doubled | changed | endings


def test_a_crop_is_of_its_passage() -> None:
    """Nothing misspelt: words that stand in it, 3 to 9; characters that do, 2 to 20."""
    rng = random.Random(1)
    for code, texts in TEXTS.items():
        lengths = set()
        for _ in range(3_000):
            text = rng.choice(texts)
            got = crop(text, rng, 0.0)
            parts = got.split() if code == "fr" else list(got)
            lengths.add(len(parts))
            assert set(parts) <= set(text.split() if code == "fr" else text)
        assert lengths == set(range(3, 10)) if code == "fr" else set(range(2, 17)) <= lengths <= set(range(2, 21))
    assert set(crop("貓3, 狗!", rng, 0.0)) <= set("貓狗3")


def test_a_crop_reaches_the_last_word() -> None:
    """A span of words or of characters begins anywhere, and may end where the passage ends."""
    letters, rng = "abcdefghijkl", random.Random(1)
    for text, marks in ((" ".join(letters), letters), ("百年戰爭其實打多少時間呢", "百年戰爭其實打多少時間呢")):
        spans = [crop(text, rng, 0.0).replace(" ", "") for _ in range(2_000)]
        inside = Counter(span[-1] for span in spans if len(span) > 3 and span in marks)
        starts = Counter(span[0] for span in spans if len(span) > 3 and span in marks)
        assert inside[marks[-1]] > 100 and starts[marks[0]] > 100


def test_a_triple_is_a_query_its_passage_and_another() -> None:
    for row in drawn():
        assert row["query_variety"] == row["document_variety"]
        assert (row["docno_positive"], row["docno_negative"]) == tuple(
            docno_of(row[c]) for c in ("positive", "negative")
        )
        assert {docno_of(row["positive"]), docno_of(row["negative"])} in ({"a1", "a2"}, {"b1", "b2"}) or (
            docno_of(row["positive"]) == "c1" != docno_of(row["negative"])
        )
    assert {row["query_variety"] for row in drawn()} == set(TEXTS)


def test_true_queries_have_their_relevant_passage() -> None:
    """Those of training topics that are there in every variety."""
    true = {table["query"][i].as_py(): docno for table in QUERIES.values() for i, docno in ((0, "a1"), (1, "b1"))}
    rows = drawn(query_share=1.0)
    assert {(row["query"], docno_of(row["positive"])) for row in rows} == set(true.items())
    assert 0.2 < sum(row["query"] in true for row in drawn(query_share=0.3)) / 400 < 0.4
    noisy = [row for row in drawn(4_000, query_share=1.0, noise=0.5) if row["query_variety"] == "fr"]
    words = [word for row in noisy for word in row["query"].split() if word != "en"]  # too short to be misspelt
    spelt = sum(word in " ".join(true).split() for word in words) / len(words)
    assert spelt == pytest.approx(1 - 0.5 * 0.7, abs=0.05)


def test_passages_of_another_variety_are_parallel() -> None:
    rows = drawn(4_000, query_share=1.0, across_share=0.6)
    assert sum(row["query_variety"] != row["document_variety"] for row in rows) / 4_000 == pytest.approx(0.3, abs=0.03)
    for row in rows:
        assert row["positive"] in TEXTS[row["document_variety"]] and row["negative"] in TEXTS[row["document_variety"]]


def test_four_negatives_in_five_are_mined() -> None:
    mined = {code: {"a1": ["c1"], "b1": []} for code in TEXTS}
    rows = drawn(4_000, query_share=1.0, mined=mined)
    negatives = Counter((docno_of(row["positive"]), docno_of(row["negative"])) for row in rows)
    assert negatives.keys() == {("a1", "c1"), ("a1", "a2"), ("b1", "b2")}
    assert negatives["a1", "c1"] / (negatives["a1", "c1"] + negatives["a1", "a2"]) == pytest.approx(0.8, abs=0.03)


def test_the_passages_alike_are_those_nearest_in_angle() -> None:
    from sentence_transformers import SentenceTransformer

    checkpoint = MINI.parent / "models" / "bge-m3"
    found = alike(checkpoint, PASSAGES, 2)
    for code, texts in TEXTS.items():
        vectors = SentenceTransformer(str(checkpoint), local_files_only=True).encode(texts)
        for docno, angles in zip(DOCNOS, cdist(vectors, vectors, "cosine"), strict=True):
            assert found[code][docno] == [DOCNOS[i] for i in angles.argsort()[1:3]]
