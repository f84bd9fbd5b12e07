"""Folders as users have them, good and bad."""

import gzip
import json
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store import LswError
from tests.conftest import table
from workbench.collections import formats
from workbench.collections.folder import Folder
from workbench.collections.formats import read_qrels
from workbench.graph import Stage
from workbench.plans.retrieve import retrieval_plan


def collection(
    folder: Path, corpus: bytes = b"", queries: bytes = b"", qrels: bytes = b"", topics: bytes = b""
) -> Folder:
    folder.mkdir(exist_ok=True)
    (folder / "corpus.jsonl").write_bytes(corpus or b'{"_id": "d1", "text": "one"}\n{"_id": "d2", "text": "two"}\n')
    (folder / "queries.yue.tsv").write_bytes(queries or b"q1\tfirst\nq2\tsecond\n")
    (folder / "qrels.tsv").write_bytes(qrels or b"q1 0 d1 1\nq2 0 d2 1\n")
    if topics:
        (folder / "topics.tsv").write_bytes(topics)
    return Folder("c", folder)


def test_one_corpus_for_every_variety(tmp_path: Path) -> None:
    c = collection(tmp_path / "c")
    assert table(c, "zh")["docno"].to_pylist() == ["d1", "d2"]
    assert c.queries("yue").to_pylist()[0] == {"qid": "q1", "query": "first", "topic": "q1", "split": "test"}


def test_title_comes_before_text(tmp_path: Path) -> None:
    c = collection(tmp_path / "c", corpus=b'{"_id": "d1", "title": "A", "text": "one"}\n')
    assert table(c, "zh")["text"].to_pylist() == ["A one"]


@pytest.mark.parametrize(
    ("files", "title", "line"),
    [
        ({"corpus": b'{"_id": "d1", "text": "a"}\n{"_id": "d1", "text": "b"}\n'}, "Docno 'd1' is on line 1 already", 2),
        ({"corpus": b'{"_id": "d1", "text": "  "}\n'}, "Passage 'd1' has an empty text", 1),
        ({"corpus": b'{"_id": "d1", "text": "a"}\n{"_id": "d2", "te\n'}, "Broken JSON", 2),
        ({"corpus": b'{"_id": "d1"}\n'}, 'needs the fields "_id" and "text"', 1),
        ({"corpus": b'{"_id": 7, "text": "a"}\n'}, "must be strings", 1),
        ({"corpus": b'{"_id": "d", "title": "T", "text": null}\n'}, "must be strings", 1),
        ({"corpus": b'{"_id": "d 1", "text": "a"}\n'}, "has a blank in it", 1),
        ({"corpus": b'{"_id": "d1", "text": "\xff"}\n'}, "Invalid UTF-8", 1),
        ({"corpus": b'{"_id": "d", "title": ["T"], "text": "a"}\n'}, "must be strings", 1),
        ({"corpus": b'{"_id": "d\\u0000", "text": "a"}\n'}, "a control character", 1),
        ({"corpus": b'{"_id": "d\\ud800", "text": "a"}\n'}, "half a character", 1),
        ({"corpus": b'{"_id": "d", "text": "\\uDFFFa"}\n'}, "half a character", 1),
        ({"corpus": b'{"_id": "d", "title": "\\udbff", "text": "a"}\n'}, "half a character", 1),
        ({"corpus": b'{"_id": "d", "text": "a", "n": ' + b"9" * 6_000 + b"}\n"}, "Exceeds the limit", 1),
        ({"corpus": b'{"_id": "d", "text": ' + b"[" * 100_000 + b"\n"}, "nested too deep", 1),
        ({"corpus": b"\n"}, "no passages", None),
        ({"queries": b"q1\tfirst\nq2 second\n"}, "No tab on this line", 2),
        ({"queries": b"q1\tfirst\nq1\tsecond\n"}, "Qid 'q1' is on line 1 already", 2),
        ({"queries": b"q1\t \n"}, "Query 'q1' has an empty text", 1),
        ({"queries": b"q1\t\xe9\n"}, "Invalid UTF-8", 1),
        ({"qrels": b"q1 0 d1 1\nq1 0 d1 0\n"}, "is judged for 'q1' on line 1 already", 2),
        ({"qrels": b"q1 0 d1 1\nq1 d1 1\n"}, "3 columns; 4 expected", 2),
        ({"queries": b"q\0\tfirst\n"}, "a control character", 1),
        ({"qrels": b"q1 0 d1 high\n"}, "Label 'high' is not a whole number", 1),
        ({"qrels": b"q1 0 d1 2147483648\n"}, "is not a whole number of 32 bits", 1),
        ({"qrels": b"q1 0 d1 -2147483649\n"}, "is not a whole number of 32 bits", 1),
        ({"qrels": b"q1 0 d1 " + b"9" * 6_000 + b"\n"}, "…' is not a whole number", 1),
        ({"qrels": b"q1 0 d1 1_0\n"}, "is not a whole number", 1),
        ({"qrels": "q1 0 d1 ١\n".encode()}, "is not a whole number", 1),
        ({"qrels": b"q1 d1 1_0\nq2 d2 1\n"}, "3 columns; 4 expected", 1),
        ({"qrels": b"q1 d1 1.0\nq2 d2 1\n"}, "3 columns; 4 expected", 1),
        ({"qrels": b"q1 d1 relevant\n"}, "No judgements", 1),
        ({"topics": b"t\ttest\n"}, "Query 'q1' belongs to no topic", 1),
        ({"topics": b"q1\ttraining\n"}, "A topic needs a split", 1),
    ],
)
def test_bad_files_name_file_and_line(tmp_path: Path, files: dict[str, bytes], title: str, line: int | None) -> None:
    c = collection(tmp_path / "c", **files)
    with pytest.raises(LswError) as caught:
        table(c, "zh"), c.queries("yue"), c.qrels()
    assert title in caught.value.title
    assert caught.value.exit_code == 2
    if line:
        assert f", line {line}" in caught.value.detail


@pytest.mark.parametrize("name", ["corpus.jsonl", "corpus.jsonl.gz", "queries.yue.tsv", "qrels.tsv", "topics.tsv"])
def test_a_line_that_never_ends_is_refused_before_it_fills_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(formats, "LONGEST", 1 << 20)
    c = collection(tmp_path / "c")
    long = b"\n" + b"x" * (50 << 20)
    if name.endswith(".gz"):
        (c.folder / "corpus.jsonl").unlink()
        long = gzip.compress(long)
    (c.folder / name).write_bytes(long)
    tracemalloc.start()
    try:
        with pytest.raises(LswError, match="A line of more than 1 MB") as caught:
            c.topics, list(c.passages("zh")), c.queries("yue"), c.qrels()
        assert tracemalloc.get_traced_memory()[1] < 10 << 20
    finally:
        tracemalloc.stop()
    assert caught.value.detail.endswith(f"{name}, line 2")


@pytest.mark.parametrize(
    ("document", "title"),
    [
        (b"<DOC>\n<DOCNO>a b</DOCNO>\n<TEXT>x</TEXT>\n</DOC>\n", "'a b' has a blank"),
        (b"<DOC>\n<DOCNO>a</DOCNO>\n<TEXT>caf\xe9</TEXT>\n</DOC>\n", "Invalid UTF-8"),
        (b"<DOC>\n<TEXT>x</TEXT>\n</DOC>\n", "has no name"),
    ],
)
def test_bad_documents_of_trec_are_refused(tmp_path: Path, document: bytes, title: str) -> None:
    c = collection(tmp_path / "c")
    (c.folder / "corpus.jsonl").unlink()
    (c.folder / "corpus.zh.trec").write_bytes(document)
    with pytest.raises(LswError, match=title):
        table(c, "zh")


def test_missing_files_are_named_with_the_nearest(tmp_path: Path) -> None:
    c = collection(tmp_path / "c")
    with pytest.raises(LswError, match="no queries in 'yeu'") as caught:
        c.queries("yeu")
    assert "'yue'" in caught.value.cure
    with pytest.raises(LswError, match="does not exist"):
        Folder("x", tmp_path / "nowhere")
    for name in ("", " ", "\x1b[31m", "\0", "\udcff"):
        with pytest.raises(LswError, match="cannot be shown"):
            Folder(name, tmp_path / "c")


def test_queries_that_name_no_variety_are_nobodys_reference(tmp_path: Path) -> None:
    """An audit of translations holds them against the collection's own wordings, where a file says whose it has."""
    (tmp_path / "queries.jsonl").write_text('{"_id": "1", "text": "a"}\n', "utf-8")
    (tmp_path / "queries.ca.trec").write_text("<top><num>1</num><title>a</title></top>\n", "utf-8")
    folder = Folder("f", tmp_path)
    assert (folder.has_queries("ca"), folder.has_queries("fr")) == (True, False)
    assert folder.query_varieties == ["ca"]


def test_beir_judgements(tmp_path: Path) -> None:
    path = tmp_path / "qrels.tsv"
    path.write_text("query-id\tcorpus-id\tscore\nq1\td1\t2\n", "utf-8")
    assert read_qrels(path).to_pylist() == [{"qid": "q1", "docno": "d1", "label": 2}]


words = st.text(st.characters(codec="utf-8", exclude_categories=["Z", "C"]), min_size=1, max_size=8)


@given(rows=st.dictionaries(st.tuples(words, words), st.integers(-2, 4), min_size=1, max_size=20))
def test_any_judgements_come_back(tmp_path_factory: pytest.TempPathFactory, rows: dict[tuple[str, str], int]) -> None:
    path = tmp_path_factory.mktemp("q") / "qrels.tsv"
    path.write_text("".join(f"{q} 0 {d} {label}\n" for (q, d), label in rows.items()), "utf-8")
    got = {(r["qid"], r["docno"]): r["label"] for r in read_qrels(path).to_pylist()}
    assert got == rows


@pytest.mark.slow
@given(texts=st.lists(st.text(st.characters(codec="utf-8"), min_size=1).filter(str.strip), min_size=1, max_size=9))
def test_any_passages_come_back(tmp_path_factory: pytest.TempPathFactory, texts: list[str]) -> None:
    folder = tmp_path_factory.mktemp("c")
    lines = [json.dumps({"_id": f"d{i}", "text": t}) for i, t in enumerate(texts)]
    (folder / "corpus.jsonl").write_text("\n".join(lines), "utf-8")
    assert table(Folder("c", folder), "fr")["text"].to_pylist() == texts


def test_fingerprint_follows_content_not_place(tmp_path: Path) -> None:
    a, b = collection(tmp_path / "a"), collection(tmp_path / "b")
    assert a.fingerprint == b.fingerprint
    assert collection(tmp_path / "d", queries=b"q1\tother\n").fingerprint != a.fingerprint


def test_keys_follow_content_not_place(tmp_path: Path) -> None:
    for name in ("a", "b"):
        collection(tmp_path / name)
    a, b = (_run(tmp_path / name) for name in ("a", "b"))
    assert (a.key, a.run_id) == (b.key, b.run_id)
    (tmp_path / "b" / "queries.yue.tsv").write_text("q1\tother\nq2\tsecond\n", "utf-8")
    assert _run(tmp_path / "b").run_id != a.run_id


def _run(folder: Path) -> Stage:
    return retrieval_plan(folder, "same", "bm25", "yue", "zh", 10, "as written", "mini")[1]
