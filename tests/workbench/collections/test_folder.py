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
from workbench.collections import base, folder, formats
from workbench.collections.base import Download, Extent
from workbench.collections.folder import Folder
from workbench.collections.formats import read_qrels
from workbench.graph import Stage
from workbench.plans.retrieve import retrieval_plan


def collection(at: Path, corpus: bytes = b"", queries: bytes = b"", qrels: bytes = b"", topics: bytes = b"") -> Folder:
    at.mkdir(exist_ok=True)
    (at / "corpus.jsonl").write_bytes(corpus or b'{"_id": "d1", "text": "one"}\n{"_id": "d2", "text": "two"}\n')
    (at / "queries.yue.tsv").write_bytes(queries or b"q1\tfirst\nq2\tsecond\n")
    (at / "qrels.tsv").write_bytes(qrels or b"q1 0 d1 1\nq2 0 d2 1\n")
    if topics:
        (at / "topics.tsv").write_bytes(topics)
    return Folder("c", at)


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
        ({"corpus": b'{"_id": "d1", "text": "a"}\n{"_id": "d2", "text": 7}\n'}, "must be strings", 2),
        ({"corpus": b'{"_id": "d 1", "text": "a"}\n'}, "docno 'd 1' is empty or has a blank in it", 1),
        ({"corpus": b'{"_id": "", "text": "a"}\n'}, "docno '' is empty", 1),
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
        ({"queries": b"q1\tfirst\nq 2\tsecond\n"}, "qid 'q 2' is empty or has a blank in it", 2),
        ({"qrels": b"q1 d1 -1\n"}, "3 columns; 4 expected", 1),
        ({"qrels": b"query-id corpus-id score\nq1 d1 -1\nq1 0 d2 1\n"}, "4 columns; 3 under a header expected", 3),
        ({"qrels": b"query-id corpus-id score\nq1 d1 1\nq1 d1 1\n"}, "'d1' is judged for 'q1' on line 2 already", 3),
        ({"qrels": b"q1 0 d1 1\nq1 d2 high\n"}, "3 columns; 4 expected", 2),
        ({"qrels": b"\n"}, "No judgements", None),
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
        ({"topics": b"t\ttest\n", "queries": b"t.1\tfirst\nu.1\tsecond\n"}, "Query 'u.1' belongs to no topic", 2),
        ({"topics": b"t\ttest\nu\ttrain\nt\tdev\n"}, "Topic 't' occurs twice", 3),
        ({"topics": b"q1\n"}, "A topic needs a split", 1),
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
    with pytest.raises(LswError, match="no passages in 'fa'") as caught:
        (c.folder / "corpus.jsonl").rename(c.folder / "corpus.fr.jsonl")
        c.passages_extent("fa")
    assert "'fr'" in caught.value.cure
    (c.folder / "qrels.tsv").unlink()
    assert not c.judged
    with pytest.raises(LswError, match="has no judgements"):
        c.qrels()


def test_a_split_has_the_queries_and_judgements_of_its_topics(tmp_path: Path) -> None:
    """A qid is its topic, a dot and a number; further columns of topics.tsv are read by people."""
    c = collection(
        tmp_path / "c", queries=b"a.b.1\tone\nt.1\ttwo\nt.2\tthree\n", qrels=b"t.2 0 d1 1\na.b.1 0 d2 1\nt.1 0 d1 1\n",
        topics=b"t\ttest\na.b\ttrain\tof the sea\nu\tdev\n",
    )  # fmt: skip
    assert c.topics == {"t": "test", "a.b": "train", "u": "dev"}
    assert c.queries("yue", "test").select(["qid", "topic"]).to_pylist() == [
        {"qid": "t.1", "topic": "t"}, {"qid": "t.2", "topic": "t"}
    ]  # fmt: skip
    assert c.queries("yue", "train").to_pylist() == [{"qid": "a.b.1", "query": "one", "topic": "a.b", "split": "train"}]
    assert c.qrels("", "test")["qid"].to_pylist() == ["t.2", "t.1"]
    assert c.qrels("", "train")["docno"].to_pylist() == ["d2"]
    with pytest.raises(LswError, match="no dev queries in 'yue'"):
        c.queries("yue", "dev")
    (c.folder / "queries.ca.jsonl").write_text('{"_id": "t.1", "text": "a"}\n{"_id": "v.1", "text": "b"}\n', "utf-8")
    with pytest.raises(LswError, match="belongs to no topic") as caught:
        c.queries("ca", "test")
    assert caught.value.detail == str(c.folder / "queries.ca.jsonl")  # and no line that is not its


def test_queries_that_name_no_variety_are_nobodys_reference(tmp_path: Path) -> None:
    """An audit of translations holds them against the collection's own wordings, where a file says whose it has."""
    (tmp_path / "queries.jsonl").write_text('{"_id": "1", "text": "a"}\n', "utf-8")
    (tmp_path / "queries.ca.trec").write_text("<top><num>1</num><title>a</title></top>\n", "utf-8")
    c = Folder("f", tmp_path)
    assert (c.has_queries("ca"), c.has_queries("fr")) == (True, False)
    assert c.query_varieties == ["ca"]


def test_beir_judgements(tmp_path: Path) -> None:
    path = tmp_path / "qrels.tsv"
    path.write_text("query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\td2\t-1\n", "utf-8")
    assert read_qrels(path).to_pylist() == [
        {"qid": "q1", "docno": "d1", "label": 2}, {"qid": "q1", "docno": "d2", "label": -1}
    ]  # fmt: skip


def test_files_as_windows_writes_them(tmp_path: Path) -> None:
    """A mark at the beginning and carriage returns belong to no text; the mark within one does."""
    c = collection(tmp_path / "c", queries="\ufeffq1\tfirst\r\nq2\t\ufeffsecond\r\n".encode())
    assert c.queries("yue").select(["qid", "query"]).to_pylist() == [
        {"qid": "q1", "query": "first"}, {"qid": "q2", "query": "\ufeffsecond"}
    ]  # fmt: skip


@pytest.mark.parametrize("code", ["fr", "nl"])
def test_passages_are_counted_whatever_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """A few are read to know how long they are; blank lines are none."""
    monkeypatch.setattr(folder, "LOOKED_AT", 10)
    monkeypatch.setattr(base, "LOOKED_AT", 10)
    monkeypatch.setattr(formats, "CHUNK", 4)
    for count in (3, 10, 60):
        lines = "".join(f'{{"_id": "{i}", "text": "été"}}\n\n' for i in range(count))
        (tmp_path / "corpus.fr.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
        documents = "".join(f"<DOC>\n<DOCNO>{i}</DOCNO>\n<TEXT>\nété\n</TEXT>\n</DOC>\n" for i in range(count))
        (tmp_path / "corpus.nl.trec").write_text(documents, "utf-8")
        assert Folder("c", tmp_path).passages_extent(code) == Extent(count, 5.0, 0, ("été",) * min(count, 10))
    assert Extent.of([]) == Extent(0, 0.0)


def test_what_is_wrong_with_trecs_files(tmp_path: Path) -> None:
    (tmp_path / "corpus.fr.trec").write_text(
        "<DOC>\n<DOCNO>A</DOCNO>\n<TEXT>\na\n</TEXT>\n</DOC>\n<DOC>\n<DOCNO>A</DOCNO>\n<TEXT>\nb\n</TEXT>\n</DOC>\n"
    )
    (tmp_path / "corpus.nl.trec").write_text(
        "<DOC>\n<DOCNO>A</DOCNO>\n<TEXT>\na\n</TEXT>\n</DOC>\n<DOC>\n<DOCNO>B</DOCNO>\n<TEXT>\n</TEXT>\n</DOC>\n"
    )
    (tmp_path / "queries.fr.trec").write_text("<top><num>1</num><title>a</title></top><top><title>b</title></top>")
    (tmp_path / "queries.nl.trec").write_text("<top><num>1</num><title>a</title></top>" * 2)
    c = Folder("c", tmp_path)
    with pytest.raises(LswError, match="Document 'A' occurs twice"):
        table(c, "fr")
    for read, title, where in (
        (lambda: table(c, "nl"), "The document has no text.", "corpus.nl.trec, document 2"),
        (lambda: c.queries("fr"), "The topic has no name.", "queries.fr.trec, topic 2"),
    ):
        with pytest.raises(LswError) as caught:
            read()
        assert (caught.value.title, caught.value.detail) == (title, f"{tmp_path}/{where}")
    with pytest.raises(LswError, match="Qid '1' is on line 1 already"):
        c.queries("nl")


def test_what_need_not_be_downloaded(tmp_path: Path) -> None:
    (tmp_path / "here").touch()
    found = [Download("u", path, 1).there for path in (None, tmp_path / "away", tmp_path / "here")]
    assert found == [False, False, True]


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


def test_fingerprint_is_of_the_files_that_are_read(tmp_path: Path) -> None:
    names = ("README.md", "qrels/notes.md", "topics.tsv", "qrels/test.tsv", "corpus.fr.jsonl", "queries.fr.tsv")
    seen = [collection(tmp_path / "c").fingerprint]
    (tmp_path / "c" / "qrels").mkdir()
    (tmp_path / "c" / "corpus.old").mkdir()
    for name in names:
        (tmp_path / "c" / name).write_text(f"{name}\ttest\n", "utf-8")
        seen.append(Folder("c", tmp_path / "c").fingerprint)
    assert seen[0] == seen[1] == seen[2] and len(set(seen[2:])) == 5


def test_keys_follow_content_not_place(tmp_path: Path) -> None:
    for name in ("a", "b"):
        collection(tmp_path / name)
    a, b = (_run(tmp_path / name) for name in ("a", "b"))
    assert (a.key, a.run_id) == (b.key, b.run_id)
    (tmp_path / "b" / "queries.yue.tsv").write_text("q1\tother\nq2\tsecond\n", "utf-8")
    assert _run(tmp_path / "b").run_id != a.run_id


def _run(folder: Path) -> Stage:
    return retrieval_plan(folder, "same", "bm25", "yue", "zh", 10, "as written", "mini")[1]
