"""The stage that measures similarity: what it reads, leaves, counts and refuses."""

import json
from pathlib import Path
from typing import Any

import pytest

from store import LswError
from tests.workbench.stages.test_lexicon import asked
from tests.workbench.training.test_triples import job
from workbench.collections.folder import MINI
from workbench.graph import Job, Stage
from workbench.similarity import named
from workbench.stages.similarity import Similarity

FEATURES = ("grams", "chrf", "kinship", "cc100")


def work(low: str = "oc", high: str = "fr", features: tuple[Any, ...] = FEATURES, **settings: Any) -> Similarity:
    return Similarity(low=low, high=high, features=[named(one) for one in features], **settings)


def rows(job: Job, name: str) -> list[dict[str, Any]]:
    at = Job(job.key, {"made": job.out}, job.out, job.work, job.progress, job.note)
    return list(at.read("made", name).to_pylist())


def test_a_row_for_each_feature_and_one_for_each_query(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    low = asked("oc", "test", {"1": "l'aiga", "2": "…", "3": "lo pan"})
    high = asked("fr", "test", {"2": "l'eau", "3": "le pain", "4": "le sel"})
    at = job(tmp_path, low=low, high=high)
    summary = work().run(at)
    assert summary == {
        "queries": 2, "left_out": 2, "features": 7, "missing": 1, "values": 6, "missing_values": 0,
    }  # fmt: skip
    told = capsys.readouterr().out
    assert "2 queries of oc and fr left out" in told and "cc100-low" in told
    pair = {row["feature"]: row for row in rows(at, "similarity")}
    assert list(pair) == ["jaccard-3", "jaccard-4", "chrf", "same-script", "same-family", "cc100-low", "cc100-high"]
    assert (
        pair["cc100-low"] | {"value": None, "n": 0, "why_not": "no size of a file of Occitan is known"}
        == pair["cc100-low"]
    )
    by_query = rows(at, "query_similarity")
    assert [(row["qid"], row["feature"]) for row in by_query[:2]] == [("2", "jaccard-3"), ("3", "jaccard-3")]
    # _lo lo_ _pa pan an_ | _le le_ _pa pai ain in_: of ten different ones `_pa` is shared.
    assert by_query[1]["value"] == 1 / 10
    assert by_query[0]["value"] == 0.0


def test_a_query_without_a_value_is_null_and_counted(tmp_path: Path) -> None:
    texts = {"1": "pan", "2": "…"}
    at = job(tmp_path, low=asked("oc", "test", texts), high=asked("fr", "test", texts))
    assert work(features=("grams",)).run(at)["missing_values"] == 2
    assert [row["value"] for row in rows(at, "query_similarity")] == [1.0, None] * 2
    [three, _] = rows(at, "similarity")
    assert (three["value"], three["n"]) == (1.0, 1)


def test_pieces_are_measured_under_each_tokenizer(tmp_path: Path) -> None:
    at = job(tmp_path, low=asked("yue", "test", {"1": "幾多錢"}), high=asked("zh", "test", {"1": "几多钱"}))
    for name in ("bge-m3", "mt5"):
        at.inputs[f"tokenizer.{name}"] = tmp_path / name
        (tmp_path / name).mkdir()
        record = {"folder": str(MINI.parent / "models" / name)}
        (tmp_path / name / "checkpoint.json").write_text(json.dumps(record), "utf-8")
    for script, shared in (("as written", 0.2), ("simplified", 1.0)):
        work("yue", "zh", ("pieces", "grams"), script=script).run(at)
        found = {(row["feature"], row["tokenizer"]): row["value"] for row in rows(at, "similarity")}
        assert found["jaccard-4", None] == shared  # of 幾多錢 几多钱 only 多
        assert {tokenizer for _, tokenizer in found} == {None, "bge-m3", "mt5"}
        assert (found["shared-pieces", "bge-m3"] == 1.0) == (script == "simplified")
        assert found["fertility-high", "mt5"] == pytest.approx(1, abs=0.5)


def test_what_cannot_be_measured_is_refused(tmp_path: Path) -> None:
    at = job(tmp_path, low=asked("oc", "test", {"1": "pan"}), high=asked("fr", "test", {"2": "pain"}))
    with pytest.raises(LswError, match="No query is there in both oc and fr"):
        work().run(at)
    both = job(tmp_path / "b", low=asked("oc", "test", {"1": "a"}), high=asked("fr", "test", {"1": "b"}))
    with pytest.raises(LswError, match="'jaccard-3' is measured twice"):
        work(features=("grams", "grams")).run(both)


def test_keys_tell_what_matters() -> None:
    keys = {
        Stage(one, "label").key
        for one in (work(), work("ca"), work(features=("grams",)), work(script="simplified"), work(script="as written"))
    }
    assert len(keys) == 4
