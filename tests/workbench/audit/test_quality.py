"""Audits of translations: by the libraries that define the scores, and on translations made here."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import Lsw
from workbench.audit import quality as audit
from workbench.collections.folder import MINI


def test_scores_are_of_the_set_and_of_each_text() -> None:
    import sacrebleu

    texts, references = ["el gat dorm", "un gos"], ["el gat dorm", "una gossa"]
    each, whole = audit.quality(texts, references, "ca"), audit.of_set(texts, references, "ca")
    assert each["chrf"][0] == pytest.approx(100)
    assert each["ter"][0] == 0
    assert each["bleu"][0] == pytest.approx(100)  # of fewer than four words: effective order
    assert each["chrf"][1] < 50
    assert whole["chrf"] == pytest.approx(sacrebleu.corpus_chrf(texts, [references]).score)
    assert whole["bleu"] == pytest.approx(sacrebleu.corpus_bleu(texts, [references]).score)
    han = audit.quality(["佢食緊飯"], ["佢食緊麵"], "yue")
    assert 0 < han["ter"][0] < 100  # words of one character


def test_signs_of_what_went_wrong() -> None:
    sources = [
        "combien de temps dure la guerre de 1914",
        "le chat dort",
        "où est la gare",
        "quel est le plus haut mont",
    ]
    texts = ["quant dura la guerra de 1915", "le chat dort", "", "the highest mountain of the whole wide world is this"]
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
@given(rows=st.lists(st.tuples(st.floats(0, 100), st.floats(-1, 1)), min_size=5, max_size=40), seed=st.integers(0, 99))
def test_the_correlation_is_spearmans(rows: list[tuple[float, float]], seed: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(audit, "RESAMPLES", 40)
        _is_spearmans(rows, seed)


def _is_spearmans(rows: list[tuple[float, float]], seed: int) -> None:
    a, b = (np.array(column) for column in zip(*rows, strict=True))
    found = audit.spearman(a, b, [str(i) for i in range(len(rows))], 0.95, seed)
    if len(set(a)) == 1 or len(set(b)) == 1:
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
    once = audit.spearman(quality, loss, [str(i) for i in range(80)], 0.95, 1)
    twice = audit.spearman(quality.repeat(2), loss.repeat(2), [str(i // 2) for i in range(160)], 0.95, 1)
    assert once.low and once.high and twice.low and twice.high
    assert twice.high - twice.low == pytest.approx(once.high - once.low, rel=0.1)
    assert once.high < 0
    fisher = np.tanh(np.arctanh(once.rho) + np.array([-1, 1]) * 1.96 * np.sqrt((1 + once.rho**2 / 2) / 77))
    assert [once.low, once.high] == pytest.approx(fisher, abs=0.06)  # Bonett and Wright 2000


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
