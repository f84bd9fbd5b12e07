"""Collections: where passages, queries and labels come from. Here, what every one can do, and a folder of files.

A folder holds `corpus.<variety>.jsonl` or `corpus.jsonl` ({"_id", "text"} and optionally "title"; `.gz` is read too),
`queries.<variety>.tsv` (qid, text), `qrels.tsv` (TREC's four columns, or BEIR's three under a header) and,
if its topics are split, `topics.tsv` (topic, split; further columns are read by people).

BEIR's own layout is read as it is: `queries.jsonl` or `queries.<variety>.jsonl`, `qrels/<split>.tsv`. So are TREC's
documents and topics: `corpus.<variety>.trec`, `queries.<variety>.trec` (a topic's title is the query).
"""

import gzip
import hashlib
import json
import re
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from io import BufferedReader, RawIOBase
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa

from store import LswError, nearest
from store.artifacts import file_hash
from store.passages import SCHEMA

MINI = Path(__file__).parent / "mini" / "collection"
"""The mini collection, shipped with the package."""

CHUNK = 8_192
"""Passages read before they are passed on."""


class Collection(Protocol):
    """What a recipe can be run on."""

    @property
    def name(self) -> str:
        """What the store calls it."""

    @property
    def fingerprint(self) -> str:
        """Of its content: another content under the same name is another collection."""

    def origin(self, part: str, variety: str, split: str) -> dict[str, Any]:
        """What tells the content of a part from any other: JSON values that enter the keys of stages.

        Args:
            part: `passages`, `queries` or `qrels`.
            variety: of the passages or queries; of judgements, the variety of the passages that are judged.
            split: `train` or `test`; nothing to passages.
        """

    def passages(self, variety: str) -> Iterator[pa.RecordBatch]:
        """All passages of a variety in batches of docno, text; never the whole in memory."""

    def queries(self, variety: str, split: str) -> pa.Table:
        """Columns qid, query, topic, split (strings)."""

    def qrels(self, variety: str, split: str) -> pa.Table:
        """Columns qid, docno (strings), label (int32)."""

    def repeated(self, variety: str, docno: str) -> LswError:
        """What to raise for a docno that occurs twice among the passages."""


def batched(rows: Iterable[tuple[str, str]]) -> Iterator[pa.RecordBatch]:
    """Pairs of docno and text as record batches."""
    left = iter(rows)
    while some := list(islice(left, CHUNK)):
        docnos, texts = zip(*some, strict=True)
        yield pa.record_batch([pa.array(docnos, pa.string()), pa.array(texts, pa.string())], schema=SCHEMA)


def _bad(path: Path, line: int, problem: str, cure: str = "") -> LswError:
    return LswError(problem, f"{path}, line {line}", cure)


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Numbered lines that are not blank, decoded strictly."""
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        for number, raw in enumerate(_whole(file, path), 1):
            try:
                text = raw.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
            except UnicodeDecodeError as error:
                raise _bad(
                    path, number, f"Invalid UTF-8 at byte {error.start} of the line.", "Save the file as UTF-8."
                ) from None
            if text.strip():
                yield number, text


def _whole(file: Iterable[bytes], path: Path) -> Iterator[bytes]:
    """Lines of a file; a damaged .gz is said to be one."""
    try:
        yield from file
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise LswError(f"A damaged .gz file: {error}", str(path), "Compress or download it again.") from None


def _name(path: Path, line: int, value: str, field: str) -> str:
    # TREC files separate columns by blanks, so an identifier with one could not be written back.
    if not value or any(c.isspace() for c in value):
        raise _bad(path, line, f"{field} '{value}' is empty or has a blank in it.", "Identifiers are single words.")
    return value


def _objects(path: Path, what: str) -> Iterator[tuple[int, str, str]]:
    """Line, _id and text (a title before it) of a JSONL file.

    Raises:
        LswError: broken JSON, a missing or wrong field, an empty text.
    """
    for number, line in _lines(path):
        try:
            row = json.loads(line)
            name, text, title = row["_id"], row["text"], row.get("title")
        except json.JSONDecodeError as error:
            raise _bad(path, number, f"Broken JSON: {error.msg} at column {error.colno}.") from None
        except (KeyError, TypeError):
            raise _bad(path, number, f'A {what} needs the fields "_id" and "text".') from None
        if not isinstance(name, str) or not isinstance(text, str):
            raise _bad(path, number, '"_id" and "text" must be strings.')
        text = f"{title} {text}" if title else text
        _name(path, number, name, "docno" if what == "passage" else "qid")
        if not text.strip():
            raise _bad(path, number, f"{what.capitalize()} '{name}' has an empty text.", "Remove the line or fill it.")
        yield number, name, text


def read_queries(path: Path) -> dict[str, str]:
    """Queries by qid: a file of qid, tab, text, or BEIR's JSONL.

    Raises:
        LswError: a line without a tab, an empty text, a repeated qid, invalid UTF-8.
    """
    found, first = dict[str, str](), dict[str, int]()

    def rows() -> Iterator[tuple[int, str, str]]:
        if ".jsonl" in path.name:
            yield from _objects(path, "query")
            return
        if path.suffix == ".trec":
            for topic, (qid, query) in enumerate(_trec(path, "queries"), 1):
                yield topic, qid, query
            return
        for number, line in _lines(path):
            qid, tab, query = line.partition("\t")
            if not tab:
                raise _bad(path, number, "No tab on this line.", "Columns: qid, tab, text.")
            _name(path, number, qid, "qid")
            if not query.strip():
                raise _bad(path, number, f"Query '{qid}' has an empty text.", "Remove the line or fill it.")
            yield number, qid, query

    for number, qid, query in rows():
        if qid in first:
            raise _bad(path, number, f"Qid '{qid}' is on line {first[qid]} already.", "Remove one of them.")
        first[qid], found[qid] = number, query
    return found


def _trec(path: Path, part: str) -> Iterator[tuple[str, str]]:
    """TREC's SGML: docno and text of documents, as ir_datasets parses them; number and title of topics."""
    rows = _trec_documents(path) if part == "passages" else _trec_topics(path)
    for number, (name, text) in enumerate(rows, 1):
        what = "document" if part == "passages" else "topic"
        if not name or not text.strip():
            raise LswError(f"The {what} has no {'text' if name else 'name'}.", f"{path}, {what} {number}")
        yield name, text


def _trec_documents(path: Path) -> Iterator[tuple[str, str]]:
    from ir_datasets.formats import TrecDocs
    from ir_datasets.util.download import LocalDownload

    class Lines(LocalDownload):  # type: ignore[misc]
        """Each line with a plain end, the last as well: ir_datasets knows a document's end by it."""

        @contextmanager
        def stream(self) -> Iterator[Any]:
            with path.open("rb") as file:
                yield BufferedReader(_Chunks(line.rstrip(b"\r\n") + b"\n" for line in file))

    for doc in TrecDocs(Lines(path, mkdir=False)).docs_iter():
        yield doc.doc_id, " ".join(doc.default_text().split())


class _Chunks(RawIOBase):
    """Pieces of bytes as a file."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces, self._left = pieces, b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._left = self._left or next(self._pieces, b"")
        size = min(len(buffer), len(self._left))
        buffer[:size], self._left = self._left[:size], self._left[size:]
        return size


def _trec_topics(path: Path) -> Iterator[tuple[str, str]]:
    """ir_datasets' parser wants a description and a narrative as well, which many topics lack."""
    text = "\n".join(line for _, line in _lines(path))
    for topic in re.findall(r"<top>(.*?)</top>", text, re.DOTALL | re.IGNORECASE):
        number = re.search(r"<num>\s*(?:Number:)?\s*([^\s<]*)", topic, re.IGNORECASE)
        title = re.search(r"<title>\s*(?:Topic:)?\s*([^<]*)", topic, re.IGNORECASE)
        yield number[1] if number else "", " ".join(title[1].split()) if title else ""


def query_table(queries: dict[str, str], split: str) -> pa.Table:
    """Queries of one split, each its own topic: columns qid, query, topic, split."""
    qids = list(queries)
    return pa.table(
        {"qid": pa.array(qids, pa.string()), "query": pa.array(list(queries.values()), pa.string()),
         "topic": pa.array(qids, pa.string()), "split": pa.array([split] * len(qids), pa.string())}
    )  # fmt: skip


def _hash(path: Path) -> str:
    """A file's hash, once as long as the file is the same: a recipe asks for it a hundred times."""
    stat = path.stat()
    return _hash_of(path, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=1_000)
def _hash_of(path: Path, changed: int, size: int) -> str:
    return file_hash(path)


@dataclass(frozen=True)
class Folder:
    """A collection in a folder.

    Args:
        name: what the store calls it.
        folder: where it is.
    """

    name: str
    folder: Path
    _taken: dict[str, str] = field(default_factory=dict, compare=False, repr=False)

    def __post_init__(self) -> None:
        if not self.folder.is_dir():
            raise LswError(f"The collection folder {self.folder} does not exist.", cure="Check the path.")

    @cached_property
    def fingerprint(self) -> str:
        """sha256 over the names and contents of the files that make up the collection."""
        digest = hashlib.sha256()
        for path in sorted([*self.folder.iterdir(), *self.folder.glob("qrels/*.tsv")]):
            ours = path.name.startswith(("corpus.", "queries.")) or path.name in ("qrels.tsv", "topics.tsv")
            if path.is_file() and (ours or path.parent != self.folder):
                digest.update(f"{path.name}\0{_hash(path)}\n".encode())
        return digest.hexdigest()

    @cached_property
    def query_varieties(self) -> list[str]:
        """Codes for which there are queries."""
        found = [*self.folder.glob("queries.*.tsv"), *self.folder.glob("queries.*.jsonl")]
        return sorted({p.name.split(".")[1] for p in found})

    @cached_property
    def topics(self) -> dict[str, str]:
        """Split of each topic; empty if the folder has no `topics.tsv`."""
        path = self.folder / "topics.tsv"
        if not path.exists():
            return {}
        topics = {}
        for number, text in _lines(path):
            columns = text.split("\t")
            if len(columns) < 2 or columns[1] not in ("train", "dev", "test"):
                raise _bad(path, number, "A topic needs a split: train, dev or test.", "Columns: topic, tab, split.")
            if columns[0] in topics:
                raise _bad(path, number, f"Topic '{columns[0]}' occurs twice.")
            topics[columns[0]] = columns[1]
        return topics

    def topic(self, qid: str) -> str:
        """The topic a query belongs to: with `topics.tsv` the qid up to its last dot, else the query is its own."""
        return qid.rpartition(".")[0] if self.topics else qid

    def _split(self, qid: str, path: Path) -> str:
        topic = self.topic(qid)
        if topic not in self.topics:
            line = next((n for n, text in _lines(path) if text.split()[0] == qid), 1)
            raise _bad(path, line, f"Query '{qid}' belongs to no topic of topics.tsv.", "A qid is topic, dot, number.")
        return self.topics[topic]

    def origin(self, part: str, variety: str, split: str) -> dict[str, Any]:
        """The hashes of the files behind a part."""
        topics = self.folder / "topics.tsv"
        files = {
            "passages": lambda: [self.corpus_path(variety)],
            "queries": lambda: [self.queries_path(variety), topics],
            "qrels": lambda: [self.qrels_path(split), topics],
        }[part]()
        return {"files": {path.name: _hash(path) for path in files if path.exists()}}

    def corpus_path(self, variety: str) -> Path:
        """The file with the passages in a variety.

        Raises:
            LswError: there is none.
        """
        own, only = self.folder / f"corpus.{variety}.jsonl", self.folder / "corpus.jsonl"
        for path in (own, Path(f"{own}.gz"), own.with_suffix(".trec"), only, Path(f"{only}.gz")):
            if path.exists():
                return path
        have = [p.name.split(".")[1] for p in self.folder.glob("corpus.*.jsonl")]
        raise LswError(
            f"Collection '{self.name}' has no passages in '{variety}'.",
            f"{self.folder} has neither {own.name} nor {only.name}.",
            nearest(variety, have) if have else "",
        )

    def queries_path(self, variety: str) -> Path:
        """The file with the queries of a variety; BEIR's `queries.jsonl`, which names none, stands for one only.

        Raises:
            LswError: `queries.jsonl` was read as another variety's before.
        """
        tsv, own, only = (self.folder / f"queries.{end}" for end in (f"{variety}.tsv", f"{variety}.jsonl", "jsonl"))
        for path in (tsv, own, tsv.with_suffix(".trec")):
            if path.exists():
                return path
        if not only.exists():
            return tsv
        if self._taken.setdefault("queries", variety) != variety:
            raise LswError(
                f"{only.name} cannot be both the '{self._taken['queries']}' and the '{variety}' queries.",
                str(only),
                f"Name it for its variety, as in {own.name}.",
            )
        return only

    def qrels_path(self, split: str) -> Path:
        """The file with the judgements: `qrels.tsv`, or BEIR's `qrels/<split>.tsv`."""
        beir = self.folder / "qrels" / f"{split}.tsv"
        return beir if beir.exists() else self.folder / "qrels.tsv"

    @property
    def judged(self) -> bool:
        """Whether there are judgements to test on."""
        return self.qrels_path("test").exists()

    def passages(self, variety: str) -> Iterator[pa.RecordBatch]:
        """All passages in a variety, in file order; a title is put before the text.

        Raises:
            LswError: broken JSON, a missing field, an empty text, invalid UTF-8, no passages.
        """
        path = self.corpus_path(variety)
        any_at_all = False
        trec = path.suffix == ".trec"
        for batch in batched(_trec(path, "passages") if trec else (row[1:] for row in _objects(path, "passage"))):
            any_at_all = True
            yield batch
        if not any_at_all:
            raise LswError("The collection has no passages.", str(path))

    def repeated(self, variety: str, docno: str) -> LswError:
        """Where the docno stands twice."""
        path = self.corpus_path(variety)
        if path.suffix == ".trec":
            return LswError(f"Document '{docno}' occurs twice.", str(path), "Remove one of them.")
        lines = [number for number, name, _ in _objects(path, "passage") if name == docno]
        return _bad(path, lines[1], f"Docno '{docno}' is on line {lines[0]} already.", "Remove one of them.")

    def queries(self, variety: str, split: str = "test") -> pa.Table:
        """The queries of one split in a variety.

        Returns:
            columns qid, query, topic, split (strings), in file order.

        Raises:
            LswError: no such file, a line without a tab, an empty text, a repeated qid, invalid UTF-8.
        """
        path = self.queries_path(variety)
        if not path.exists():
            raise LswError(
                f"Collection '{self.name}' has no queries in '{variety}'.",
                f"{path} does not exist.",
                nearest(variety, self.query_varieties),
            )
        self._trainable(split)
        found = read_queries(path)
        judged = self._judged(split)
        if self.topics:
            found = {qid: query for qid, query in found.items() if self._split(qid, path) == split}
        elif judged is not None:  # BEIR keeps the queries of all splits in one file
            found = {qid: query for qid, query in found.items() if qid in judged}
        if not found:
            raise LswError(f"Collection '{self.name}' has no {split} queries in '{variety}'.", str(path))
        table = query_table(found, split)
        topics = pa.array([self.topic(qid) for qid in found], pa.string())
        return table.set_column(table.schema.get_field_index("topic"), "topic", topics)

    def _trainable(self, split: str) -> None:
        """Refuse to train on the queries that are tested."""
        if split == "train" and not self.topics and self._judged("train") is None:
            raise LswError(
                f"Collection '{self.name}' does not say which queries to train on.",
                f"{self.folder} has one qrels.tsv and no topics.tsv: its queries are all to be tested.",
                "Split them: qrels/train.tsv and qrels/test.tsv, or topics.tsv (topic, tab, split).",
            )

    def _judged(self, split: str) -> set[str] | None:
        """Judged qids of a split, where each split has a file of judgements."""
        if self.qrels_path(split).parent == self.folder:
            return None
        return set(read_qrels(self.qrels_path(split))["qid"].to_pylist())

    def qrels(self, variety: str = "", split: str = "test") -> pa.Table:
        """The judgements of one split; the same for all varieties.

        Returns:
            columns qid, docno (strings) and label (int32), in file order.

        Raises:
            LswError: no such file, a wrong number of columns, a label that is no whole number, a pair judged twice.
        """
        self._trainable(split)
        path = self.qrels_path(split)
        if not path.exists():
            raise LswError(f"Collection '{self.name}' has no judgements.", f"{path} does not exist.")
        table = read_qrels(path)
        if not self.topics:
            return table
        return table.filter(pa.array([self._split(qid, path) == split for qid in table["qid"].to_pylist()]))


def read_qrels(path: Path) -> pa.Table:
    """Read judgements: TREC's four columns, or BEIR's three under a header.

    Returns:
        columns qid, docno (strings) and label (int32), in file order.

    Raises:
        LswError: a wrong number of columns, a label that is no whole number, a pair judged twice, invalid UTF-8.
    """
    qids, docnos, labels = [], [], []
    seen = dict[tuple[str, str], int]()
    beir = False
    for number, line in _lines(path):
        columns = line.split()
        if number == 1 and len(columns) == 3 and not columns[2].lstrip("-").isdigit():
            beir = True
            continue
        if len(columns) != (3 if beir else 4):
            raise _bad(
                path,
                number,
                f"{len(columns)} columns; {'3 under a header' if beir else '4'} expected.",
                "TREC: qid 0 docno label. BEIR: a header, then qid docno label.",
            )
        qid, docno, label = columns[0], columns[-2], columns[-1]
        try:
            labels.append(int(label))
        except ValueError:
            raise _bad(path, number, f"Label '{label}' is not a whole number.") from None
        if (qid, docno) in seen:
            raise _bad(path, number, f"'{docno}' is judged for '{qid}' on line {seen[qid, docno]} already.")
        seen[qid, docno] = number
        qids.append(qid)
        docnos.append(docno)
    if not qids:
        raise LswError("No judgements.", str(path))
    return pa.table({"qid": qids, "docno": docnos, "label": pa.array(labels, pa.int32())})
