"""Passages in several languages: each docno once, and what reads them."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from store import LswError
from store.passages import Passages
from tests.conftest import Lsw, cut, table
from workbench.collections.folder import MINI, Folder
from workbench.collections.mixed import Mixed, variety_in, variety_of
from workbench.collections.sample import Sampled
from workbench.graph import Job
from workbench.stages.passages import ReadPassages
from workbench.systems._encoding import Computing
from workbench.systems._passages import Reading
from workbench.systems.multi_vector import EACH, MultiVector, TokenEncoder

CODES = ("fr", "it", "nl")


@pytest.fixture
def mixed() -> Mixed:
    return Mixed(Folder("mini", MINI), CODES)


def texts(collection: Folder | Mixed, code: str) -> dict[str, str]:
    some = table(collection, code)
    return dict(zip(some["docno"].to_pylist(), some["text"].to_pylist(), strict=True))


def test_each_docno_has_its_passage_in_one_variety(mixed: Mixed) -> None:
    of_each = {code: texts(Folder("mini", MINI), code) for code in CODES}
    found = texts(mixed, "mul")
    assert found.keys() == of_each["fr"].keys()
    drawn = variety_of(CODES)
    assert all(text == of_each[drawn(docno)][docno] for docno, text in found.items())
    counts = Counter(map(drawn, found))
    assert all(abs(count / len(found) - 1 / 3) < 0.07 for count in counts.values())
    assert variety_of(tuple(reversed(CODES)))("a") == drawn("a")
    assert [variety_of(CODES, 7)(docno) for docno in found] != list(map(drawn, found))
    assert texts(mixed, "fr") == of_each["fr"]
    assert mixed.qrels("mul", "test") == mixed.whole.qrels("fr", "test")
    assert mixed.passages_extent("mul").texts == len(found)


def test_its_key_is_made_of_the_passages_of_each_variety(mixed: Mixed, tmp_path: Path) -> None:
    assert mixed.origin("passages", "fr", "") == mixed.whole.origin("passages", "fr", "")
    assert mixed.origin("passages", "mul", "")["mixed"]["it"] == mixed.whole.origin("passages", "it", "")
    turned, fewer = Mixed(mixed.whole, ("nl", "it", "fr")), Mixed(mixed.whole, ("fr", "it"))
    assert (
        turned.origin("passages", "mul", "")
        == mixed.origin("passages", "mul", "")
        != fewer.origin("passages", "mul", "")
    )
    with pytest.raises(LswError, match="in several languages at once") as fault:
        mixed.queries("mul", "test")
    assert "en-mul" in fault.value.cure


def test_passages_that_are_not_parallel_are_refused(tmp_path: Path) -> None:
    cut(tmp_path / "c", ("fr", "it"), ("fr",), 24)
    lines = (tmp_path / "c" / "corpus.it.jsonl").read_text("utf-8").replace('"_id": "', '"_id": "x')
    (tmp_path / "c" / "corpus.it.jsonl").write_text(lines, "utf-8")
    with pytest.raises(LswError, match="not parallel in fr, it"):
        list(Mixed(Folder("c", tmp_path / "c"), ("fr", "it")).passages("mul"))


def test_docnos_that_are_lost_are_counted_and_told(tmp_path: Path) -> None:
    folder = cut(tmp_path / "small", ("fr", "it"), ("fr",), 120)
    drawn = variety_of(("fr", "it"))
    lines = (folder / "corpus.it.jsonl").read_text("utf-8").splitlines(keepends=True)
    lost = next(line for line in lines if drawn(json.loads(line)["_id"]) == "it")
    (folder / "corpus.it.jsonl").write_text("".join(line for line in lines if line != lost), "utf-8")
    mixed, told = Mixed(Folder("small", folder), ("fr", "it")), list[str]()
    origin = mixed.origin("passages", "mul", "")
    work = ReadPassages(collection="small", origin=origin, variety="mul", source=mixed)
    (tmp_path / "out").mkdir()
    summary = work.run(Job("k", {}, tmp_path / "out", tmp_path, lambda done, total: None, told.append))
    assert summary == {"passages": 239, "left_out": 1}
    assert told == ["1 docnos left out: the variety drawn for them lacks them"]


def test_of_a_sample_too(mixed: Mixed) -> None:
    sampled = Mixed(Sampled(mixed.whole, ("",), 10, 0, 20, 1), CODES)
    found = texts(sampled, "mul")
    assert set(sampled.qrels("mul", "test")["docno"].to_pylist()) <= found.keys() == texts(sampled, "fr").keys()


def read(mixed: Mixed, folder: Path) -> Reading:
    (folder / "p").mkdir()
    work = ReadPassages(collection="mini", origin=mixed.origin("passages", "mul", ""), variety="mul", source=mixed)
    work.run(Job("k" * 64, {}, folder / "p", folder, lambda done, total: None, print))
    return Reading(Passages(folder / "p" / "passages.arrow"), "mul", "as written", variety_in(folder / "p"))


def test_x_mod_reads_each_passage_through_the_adapter_of_its_variety(mixed: Mixed, tmp_path: Path) -> None:
    """The vectors of a mixed index are those of each variety's own."""
    reading = read(mixed, tmp_path)
    docnos, some = next(reading.shards(0, 12))
    docnos2, more = next(reading.shards(len(reading) - 12, 12))
    docnos, some = docnos + docnos2, some + more
    codes = reading.spoken(docnos)
    assert len(set(codes)) > 1
    models = MINI.parent / "models" / "colbert-xm"
    encode = TokenEncoder(models, "mul", 32, 64, Computing())
    vectors = encode.each(some, codes)
    assert encode.adapter == EACH
    for code in set(codes):
        own = TokenEncoder(models, code, 32, 64, Computing())
        at = [i for i, spoken in enumerate(codes) if spoken == code]
        for i, expected in zip(at, own([some[i] for i in at], query=False), strict=True):
            assert vectors[i] == pytest.approx(expected, abs=1e-5)
    plain = TokenEncoder(models, "mul", 32, 64, Computing())(some, query=False)
    assert not all(np.allclose(a, b, atol=1e-3) for a, b in zip(plain, vectors, strict=True))
    system = MultiVector.model_validate(
        {
            "architecture": "multi-vector",
            "checkpoint": "x",
            "query_length": 8,
            "document_length": 8,
            "adapter": "documents",
        }
    )
    assert (system.spoken("ca", "fr"), system.spoken("ca", "mul")) == ("fr", "ca")


@pytest.mark.slow
def test_a_run_over_mixed_passages(lsw: Lsw, tmp_path: Path) -> None:
    cut(tmp_path / "several", ("fr", "it"), ("ca", "fr", "it"), 24)
    scale = tmp_path / "own.toml"
    scale.write_text('[collection]\nname = "several"\nfolder = "several"\nmixed = ["fr", "it"]\n', "utf-8")
    recipe = tmp_path / "mlir.toml"
    recipe.write_text(
        'title = "MLIR"\n[retrieval]\npairs = ["fr-mul", "ca-mul", "ca-fr"]\nsystems = ["bm25"]\ndepth = 10\n', "utf-8"
    )
    store = tmp_path / "store"
    lsw("recipe", "run", recipe, "--scale", scale, "--store", store)
    told = lsw(
        "sql", "SELECT query_variety, document_variety, mean(value) AS rr FROM runs JOIN measures USING (run_id)"
        " WHERE measure = 'RR@10' GROUP BY ALL ORDER BY ALL", "--format", "csv", "--store", store,
    ).stdout.splitlines()  # fmt: skip
    rows = {tuple(line.split(",")[:2]): float(line.split(",")[2]) for line in told[1:]}
    assert set(rows) == {("ca", "fr"), ("ca", "mul"), ("fr", "fr"), ("fr", "mul")}
    assert 0 < rows["fr", "mul"] < rows["fr", "fr"]  # half of the passages are in another language
