"""Audits of translations: by the libraries that define the scores, and on translations made here."""

import json
import shutil
import string
import unicodedata
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import scipy.stats
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.conftest import Lsw
from workbench.audit import quality as audit
from workbench.audit.signs import signs
from workbench.collections.folder import MINI

SETS = {
    "ca": (["el gat dorm", "un gos", "la nit és llarga i freda"], ["el gat dorm", "una gossa", "la nit és freda"]),
    "yue": (["佢食緊飯", "今日天氣好好", "唔知去邊度好"], ["佢食緊麵", "今日天氣好好", "我唔知去邊"]),
}


@pytest.mark.parametrize("code", SETS)
def test_scores_are_of_the_set_and_of_each_text(code: str) -> None:
    """As sacrebleu's own functions give them, with words of one character in Chinese."""
    import sacrebleu

    texts, references = SETS[code]
    han = code == "yue"
    words, edits = {"tokenize": "zh" if han else "13a"}, {"normalized": han, "asian_support": han}
    each, whole = audit.quality(texts, references, code), audit.of_set(texts, references, code)
    assert each["chrf"] == pytest.approx(
        [sacrebleu.sentence_chrf(t, [r]).score for t, r in zip(texts, references, strict=True)]
    )
    assert each["bleu"] == pytest.approx(
        [sacrebleu.sentence_bleu(t, [r], **words).score for t, r in zip(texts, references, strict=True)]
    )
    assert each["ter"] == pytest.approx(
        [sacrebleu.sentence_ter(t, [r], **edits).score for t, r in zip(texts, references, strict=True)]
    )
    assert whole["chrf"] == pytest.approx(sacrebleu.corpus_chrf(texts, [references]).score)
    assert whole["bleu"] == pytest.approx(sacrebleu.corpus_bleu(texts, [references], **words).score)
    assert whole["ter"] == pytest.approx(sacrebleu.corpus_ter(texts, [references], **edits).score)
    same = audit.quality(["un gos"], ["un gos"], "ca")  # of fewer than four words: effective order
    assert [same[name][0] for name in ("chrf", "bleu", "ter")] == pytest.approx([100, 100, 0])


LETTERS = string.ascii_lowercase * 2 + "é"
ALIKE = ["one two", "six ten"], ["un deux troi.", "six dix onze."]
"""Two translations with nothing wrong, each 13 / 7 as long as its source."""


@pytest.mark.parametrize(
    ("source", "text", "code", "sign"),
    [
        ("", "mots", "fr", None),
        ("words", " ", "fr", "empty"),
        ("la nuit tombe", " la nuit tombe", "fr", "untranslated"),
        ("la nuit tombe", "la nuit tombait", "fr", None),
        ("fourteen chars", LETTERS[:13], "fr", None),  # half as long for its source as the others are
        ("fourteen chars", LETTERS[:12], "fr", "length"),
        ("fourteen chars", LETTERS[:52], "fr", None),  # twice
        ("fourteen chars", LETTERS[:53], "fr", "length"),
        ("by Li Bai", "poème de 李 Bai", "fr", "script"),
        ("by Li Bai", "poème de Li Bai", "fr", None),
        ("by Li", "李白 du", "yue", None),  # one letter of two is Han
        ("by Li", "李白 due", "yue", "script"),
        ("by Li", "de 李 Bai", "tlh", None),  # Klingon is not in the table
        ("no no no", "non non non", "fr", None),
        ("no no yes", "non non non", "fr", "repeated"),
        ("7 of 10", "sur 10, 7", "fr", None),
        ("7 of 10", "sur 10, 8", "fr", "numbers"),
    ],
)
def test_each_sign_is_where_it_should_be_and_nowhere_else(source: str, text: str, code: str, sign: str | None) -> None:
    found = signs([*ALIKE[0], source], [*ALIKE[1], text], code)
    assert found[2] == ([sign] if sign else [])
    assert code != "fr" or found[:2] == [[], []]


def test_what_both_varieties_write_alike_is_no_sign() -> None:
    assert signs(["今日"], ["今日"], "yue") == [["untranslated"]]
    assert audit.flagged(["今日", "去邊"], ["今日", "去哪"], "yue", "zh") == [[], []]
    assert "untranslated" in audit.flagged(["今日"], ["今日"], "yue", "fr")[0]
    assert "untranslated" in audit.flagged(["la mar"], ["la mar"], "ca", "fr")[0]
    assert "untranslated" in audit.flagged(["la mar"], ["la mar"], "ca", "zh")[0]


def test_letters_are_han_where_unicode_names_them_so() -> None:
    """Of the basic plane: characters, their first extension and those for compatibility."""
    for letter in filter(str.isalpha, map(chr, range(0x2E80, 0xFB00))):
        han = unicodedata.name(letter, "").startswith(("CJK UNIFIED", "CJK COMPATIBILITY IDEOGRAPH"))
        assert signs([letter * 2], [letter], "fr") == [["script"] if han else []], letter


def test_another_language_is_a_sign_where_the_identifier_is_sure(monkeypatch: pytest.MonkeyPatch) -> None:
    assert audit.identified(["la mer est froide en hiver", "la mar és freda a l'hivern"])[0][0] == "fr"
    found = [("en", 0.8), ("en", 0.79), ("fr", 1.0), ("en", 1.0)]
    monkeypatch.setattr(audit, "identified", lambda texts: found)
    texts = ["a sea", "cold sea", "la mer", ""]
    assert audit.flagged(["u maro", "mari friddu", "lu mari", "u mari"], texts, "scn", "fr") == [
        ["language"], [], [], ["empty"]
    ]  # fmt: skip


def test_signs_of_what_went_wrong() -> None:
    sources = [
        "combien de temps dure la guerre de 1914",
        "le chat dort",
        "où est la gare",
        "quel est le plus haut mont",
    ]
    texts = [
        "quant dura la guerra de 1915",
        "le chat dort",
        "",
        "the highest mountain of the whole wide world is the one which they have seen this morning",
    ]
    found = audit.flagged(sources, texts, "fr", "ca")
    assert "numbers" in found[0]
    assert "untranslated" in found[1]
    assert found[2] == ["empty"]
    assert "language" in found[3]
    repeated = audit.flagged(
        ["où est la gare de Lyon"] * 3, ["on és és és l'estació", "on és l'estació de Lió", "lalala"], "fr", "ca"
    )
    assert "repeated" in repeated[0]
    assert "repeated" not in repeated[1]
    assert not audit.known_to_identifier("oc")
    assert all("language" not in f for f in audit.flagged(sources, sources, "fr", "oc"))  # lingua has no Occitan


@settings(max_examples=30)
@given(rows=st.lists(st.tuples(st.floats(0, 100), st.floats(-1, 1)), min_size=1, max_size=40), seed=st.integers(0, 99))
@example(rows=[(0.0, 0.0), (1.0, 1.0)], seed=1)
@example(rows=[(0.0, 0.0), (1.0, 1.0), (2.0, 0.5)], seed=1)
def test_the_correlation_is_spearmans(rows: list[tuple[float, float]], seed: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(audit, "RESAMPLES", 40)
        _is_spearmans(rows, seed)


def _is_spearmans(rows: list[tuple[float, float]], seed: int) -> None:
    a, b = (np.array(column) for column in zip(*rows, strict=True))
    found = audit.spearman(a, b, [str(i) for i in range(len(rows))], 0.95, seed)
    if len(rows) < 3 or len(set(a)) == 1 or len(set(b)) == 1:
        assert found.rho is None
        return
    assert found.rho == pytest.approx(float(scipy.stats.spearmanr(a, b).statistic), abs=1e-9)
    assert found.low is not None and found.high is not None
    assert -1.0000001 <= found.low <= found.high <= 1.0000001
    assert (found.n, found.n_groups) == (len(rows), len(rows))


def test_the_interval_is_of_topics_and_as_wide_as_it_should_be() -> None:
    """Two identical queries a topic say no more than one: the interval is that of the topics."""
    rng = np.random.default_rng(0)
    quality = rng.random(80)
    loss = -quality + rng.normal(0, 0.3, 80)
    once = audit.spearman(quality, loss, [str(i) for i in range(80)], 0.6, 1)
    twice = audit.spearman(quality.repeat(2), loss.repeat(2), [str(i // 2) for i in range(160)], 0.6, 1)
    assert once.low and once.high and twice.low and twice.high
    assert twice.high - twice.low == pytest.approx(once.high - once.low, rel=0.1)
    assert once.high < 0
    theirs = scipy.stats.bootstrap(
        (quality, loss), _rhos, paired=True, vectorized=True, method="percentile", n_resamples=4_000,
        confidence_level=0.6, rng=2,
    ).confidence_interval  # fmt: skip
    assert [once.low, once.high] == pytest.approx([theirs.low, theirs.high], abs=0.006)


def _rhos(a: audit.Numbers, b: audit.Numbers, axis: int = -1) -> audit.Numbers:
    x, y = (scipy.stats.zscore(scipy.stats.rankdata(values, axis=axis), axis=axis) for values in (a, b))
    return np.mean(x * y, axis=axis)


def test_every_topic_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """But for one topic the ranks would be in order: whichever it is, it is in some of the samples."""
    monkeypatch.setattr(audit, "RESAMPLES", 100)
    for odd in range(6):
        loss = np.arange(6.0)
        loss[odd] = 9 - 18 * (odd > 2)
        found = audit.spearman(np.arange(6.0), loss, list("abcdef"), 0.9, 1)
        assert found.low is not None and found.low < found.high == 1


def test_what_a_query_loses() -> None:
    """In one measure, between two runs, where both have the query."""
    rows = [("high", "RR@10", "1", 0.75), ("low", "RR@10", "1", 0.25), ("high", "AP", "1", 0.5), ("low", "AP", "1", 0.5),
            ("third", "RR@10", "1", 1.0), ("high", "RR@10", "2", 1.0), ("low", "RR@10", "3", 1.0),
            ("low", "RR@10", "4", 1.0), ("high", "RR@10", "4", 0.5)]  # fmt: skip
    values = pa.Table.from_pylist([dict(zip(("run_id", "measure", "qid", "value"), row, strict=True)) for row in rows])
    assert audit.losses(values, "low", "high", "RR@10") == {"1": 0.5, "4": -0.5}


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("apertium"), reason="Apertium is not installed here")
def test_a_recipe_audits_what_it_translates(lsw: Lsw, small: Path, small_scale: Path, tmp_path: Path) -> None:
    """Really translated, there and back; then asked again from the store, against a file of references."""
    (tmp_path / "r.toml").write_text(
        """
        title = "audited"
        [translation]
        translator = "apertium"
        [retrieval]
        pairs = ["ca-fr"]
        systems = ["bm25"]
        depth = 20
        [comparison]
        contrasts = ["gap"]
        resamples = 100
        [audit]
        back = "apertium"
        """,
        "utf-8",
    )
    store = tmp_path / "s"
    lsw("recipe", "run", tmp_path / "r.toml", "--scale", small_scale, "--store", store)
    rows = json.loads(lsw("sql", "SELECT * FROM audits", "--json", "--store", store).stdout)
    queries = dict(line.split("\t") for line in (MINI / "queries.ca.tsv").read_text("utf-8").splitlines())
    assert {row["qid"] for row in rows} <= set(queries)
    assert all(0 <= row[name] <= 100 for row in rows for name in ("chrf", "round_trip_chrf"))
    assert np.mean([row["round_trip_chrf"] for row in rows]) > np.mean([row["chrf"] for row in rows])
    [cost, trip] = json.loads(
        lsw("sql", "SELECT * FROM translation_costs ORDER BY quality", "--json", "--store", store).stdout
    )
    assert (cost["system"], cost["measure"], cost["n"]) == ("bm25", "RR@10", len(rows))
    assert (cost["quality"], trip["quality"]) == ("chrf", "round_trip_chrf")
    assert -1 <= cost["ci_low"] <= cost["rho"] <= cost["ci_high"] <= 1

    (tmp_path / "same.tsv").write_text(
        "".join(f"{r['qid']}\t{t}\n" for r, t in zip(rows, _texts(lsw, store), strict=True)), "utf-8"
    )
    other = ('measures.names=["AP"]', 'audit.measure="AP"')  # measured again: RR@10 is found behind it
    lsw("recipe", "run", tmp_path / "r.toml", *other, "--scale", small_scale, "--store", store)
    again = json.loads(lsw("audit", "ca-fr", "--reference", tmp_path / "same.tsv", "--json", "--store", store).stdout)
    assert again[0]["summary"]["chrf"] == 100  # held against themselves
    assert again[0]["costs"][0]["rho"] is None  # nothing varies, so nothing is correlated
    shown = lsw("audit", "--store", store).stdout
    assert "apertium" in shown and "Spearman" in shown
    assert "no yue-zh" in lsw("audit", "yue-zh", "--store", store, check=2).stderr
    for options, told in (
        (("--back", "gogle"), "'google'"),
        (("--back", "collection"), "translates nothing itself"),
        (("--back", "seq2seq"), "needs a checkpoint"),
        (("--back", "google", "--checkpoint", "x"), "takes no checkpoint"),
        (("--measure", "RR10"), "Unknown measure 'RR10'"),
        (("--format", "latex"), "Unknown format 'latex'"),
    ):
        assert told in lsw("audit", *options, "--store", store, check=2).stderr


def _texts(lsw: Lsw, store: Path) -> list[str]:
    sql = "SELECT text FROM audits JOIN translations USING (translation_id)"
    return [row["text"] for row in json.loads(lsw("sql", sql, "--json", "--store", store).stdout)]
