"""Files of passages, queries and judgements, read line by line and checked: tables, BEIR's JSONL, TREC's formats."""

import gzip
import json
import re
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from io import BufferedReader, RawIOBase
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa

from store import LswError
from store.passages import SCHEMA

CHUNK = 8_192
"""Passages read before they are passed on."""
LONGEST = 1 << 24
"""Bytes of a line at most: a longer one is no text of a collection, and would fill the memory."""
_LABEL = re.compile(r"[+-]?[0-9]{1,10}")
_NO_NAME = re.compile(r"[\s\x00-\x1f\x7f-\x9f]")
_PAIRED = re.compile(r"\\u[dD][89a-fA-F]")
"""An escape that is half of a character."""


def batched(rows: Iterable[tuple[str, str]]) -> Iterator[pa.RecordBatch]:
    """Pairs of docno and text as record batches."""
    left = iter(rows)
    while some := list(islice(left, CHUNK)):
        docnos, texts = zip(*some, strict=True)
        yield pa.record_batch([pa.array(docnos, pa.string()), pa.array(texts, pa.string())], schema=SCHEMA)


def quoted(value: str) -> str:
    """A value of a file as an error shows it: cut, if it is long, and nothing in it that a terminal obeys."""
    shown = value if len(value) <= 80 else f"{value[:79]}…"
    return f"'{shown}'" if shown.isprintable() else repr(shown)


def fault(path: Path, line: int, problem: str, cure: str = "") -> LswError:
    """What is wrong on a line of a file."""
    return LswError(problem, f"{path}, line {line}", cure)


def raw_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Numbered lines as they stand, of a plain file or a .gz.

    Raises:
        LswError: a line that is too long, or a damaged .gz.
    """
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        lines = iter(partial(file.readline, LONGEST + 1), b"")
        for number, raw in enumerate(_whole(lines, path), 1):
            if len(raw) > LONGEST:
                raise fault(path, number, f"A line of more than {LONGEST >> 20} MB.", "Is this the right file?")
            yield number, raw


def numbered(path: Path) -> Iterator[tuple[int, str]]:
    """Numbered lines that are not blank, decoded strictly; a byte order mark is passed over."""
    for number, raw in raw_lines(path):
        try:
            text = raw.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
        except UnicodeDecodeError as error:
            raise fault(
                path, number, f"Invalid UTF-8 at byte {error.start} of the line.", "Save the file as UTF-8."
            ) from None
        if text.strip():
            yield number, text


def parsed(path: Path, number: int, line: str) -> Any:
    """The JSON of a line.

    Raises:
        LswError: it is none, or nothing that can be kept: a number of thousands of digits, half a character.
    """
    try:
        row = json.loads(line)
        if _PAIRED.search(line):
            json.dumps(row, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        raise fault(path, number, f"Broken JSON: {error.msg} at column {error.colno}.") from None
    except UnicodeEncodeError:
        raise fault(
            path, number, "Broken JSON: a \\u escape that is half a character.", "Write both halves, or neither."
        ) from None
    except RecursionError:
        raise fault(path, number, "Broken JSON: nested too deep.") from None
    except ValueError as error:
        raise fault(path, number, f"Broken JSON: {str(error).split(';')[0]}.") from None
    return row


def _whole(file: Iterable[bytes], path: Path) -> Iterator[bytes]:
    """Lines of a file; a damaged .gz is said to be one."""
    try:
        yield from file
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise LswError(f"A damaged .gz file: {error}", str(path), "Compress or download it again.") from None


def _name(path: Path, line: int, value: str, field: str) -> str:
    # TREC files separate columns by blanks, so an identifier with one could not be written back.
    if not value or _NO_NAME.search(value):
        problem = "is empty or has a blank in it, or a control character"
        raise fault(path, line, f"{field} {quoted(value)} {problem}.", "Identifiers are single words.")
    return value


def read_objects(path: Path, what: str) -> Iterator[tuple[int, str, str]]:
    """Line, _id and text (a title before it) of a JSONL file.

    Raises:
        LswError: broken JSON, a missing or wrong field, an empty text.
    """
    for number, line in numbered(path):
        row = parsed(path, number, line)
        try:
            name, text, title = row["_id"], row["text"], row.get("title")
        except (KeyError, TypeError):
            raise fault(path, number, f'A {what} needs the fields "_id" and "text".') from None
        if not isinstance(name, str) or not isinstance(text, str) or not isinstance(title, str | int | float | None):
            raise fault(path, number, '"_id" and "text" must be strings.')
        text = f"{title} {text}" if title else text
        _name(path, number, name, "docno" if what == "passage" else "qid")
        if not text.strip():
            raise fault(
                path, number, f"{what.capitalize()} {quoted(name)} has an empty text.", "Remove the line or fill it."
            )
        yield number, name, text


def read_queries(path: Path) -> dict[str, str]:
    """Queries by qid: a file of qid, tab, text, or BEIR's JSONL.

    Raises:
        LswError: a line without a tab, an empty text, a repeated qid, invalid UTF-8.
    """
    texts, first = dict[str, str](), dict[str, int]()

    def rows() -> Iterator[tuple[int, str, str]]:
        if ".jsonl" in path.name:
            yield from read_objects(path, "query")
            return
        if path.suffix == ".trec":
            for topic, (qid, query) in enumerate(read_trec(path, "queries"), 1):
                yield topic, qid, query
            return
        for number, line in numbered(path):
            qid, tab, query = line.partition("\t")
            if not tab:
                raise fault(path, number, "No tab on this line.", "Columns: qid, tab, text.")
            _name(path, number, qid, "qid")
            if not query.strip():
                raise fault(path, number, f"Query {quoted(qid)} has an empty text.", "Remove the line or fill it.")
            yield number, qid, query

    for number, qid, query in rows():
        if qid in first:
            raise fault(path, number, f"Qid {quoted(qid)} is on line {first[qid]} already.", "Remove one of them.")
        first[qid], texts[qid] = number, query
    return texts


def read_trec(path: Path, part: str) -> Iterator[tuple[str, str]]:
    """TREC's SGML: docno and text of documents, as ir_datasets parses them; number and title of topics."""
    rows = _trec_documents(path) if part == "passages" else _trec_topics(path)
    for number, (name, text) in enumerate(rows, 1):
        what = "document" if part == "passages" else "topic"
        if not name or not text.strip():
            raise LswError(f"The {what} has no {'text' if name else 'name'}.", f"{path}, {what} {number}")
        if _NO_NAME.search(name):
            problem = "has a blank or a control character in it"
            raise LswError(f"The name {quoted(name)} {problem}.", f"{path}, {what} {number}")
        yield name, text


def _trec_documents(path: Path) -> Iterator[tuple[str, str]]:
    from ir_datasets.formats import TrecDocs
    from ir_datasets.util.download import LocalDownload

    class Lines(LocalDownload):  # type: ignore[misc]
        """Each line with a plain end, the last as well: ir_datasets knows a document's end by it."""

        @contextmanager
        def stream(self) -> Iterator[Any]:
            yield BufferedReader(_Chunks(line.encode() + b"\n" for _, line in numbered(path)))

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
    text = "\n".join(line for _, line in numbered(path))
    for topic in re.findall(r"<top>(.*?)</top>", text, re.DOTALL | re.IGNORECASE):
        number = re.search(r"<num>\s*(?:Number:)?\s*([^\s<]*)", topic, re.IGNORECASE)
        title = re.search(r"<title>\s*(?:Topic:)?\s*([^<]*)", topic, re.IGNORECASE)
        yield number[1] if number else "", " ".join(title[1].split()) if title else ""


def query_table(queries: dict[str, str], split: str, topics: dict[str, str] | None = None) -> pa.Table:
    """Queries of one split: columns qid, query, topic, split; each is its own topic, unless `topics` says which."""
    qids = list(queries)
    of = [(topics or {}).get(qid, qid) for qid in qids]
    return pa.table(
        {"qid": pa.array(qids, pa.string()), "query": pa.array(list(queries.values()), pa.string()),
         "topic": pa.array(of, pa.string()), "split": pa.array([split] * len(qids), pa.string())}
    )  # fmt: skip


def _titles(column: str) -> bool:
    """Whether this is the title of a column of labels and no label, however that is written."""
    return any(c.isalpha() for c in column) and not any(c.isnumeric() for c in column)


def read_qrels(path: Path) -> pa.Table:
    """Read judgements: TREC's four columns, or BEIR's three under a header.

    Returns:
        columns qid, docno (strings) and label (int32), in file order.

    Raises:
        LswError: a wrong number of columns, a label that is no whole number, a pair judged twice, invalid UTF-8.
    """
    qids, docnos, labels = list[str](), list[str](), list[int]()
    seen = dict[tuple[str, str], int]()
    header = 0
    for number, line in numbered(path):
        columns = line.split()
        if not header and not qids and len(columns) == 3 and _titles(columns[2]):
            header = number
            continue
        if len(columns) != (3 if header else 4):
            raise fault(
                path,
                number,
                f"{len(columns)} columns; {'3 under a header' if header else '4'} expected.",
                "TREC: qid 0 docno label. BEIR: a header, then qid docno label.",
            )
        qid, docno, label = columns[0], columns[-2], columns[-1]
        if not _LABEL.fullmatch(label) or not -(1 << 31) <= int(label) < 1 << 31:
            raise fault(path, number, f"Label {quoted(label)} is not a whole number of 32 bits.", "As in 0, 1 or 2.")
        labels.append(int(label))
        if (qid, docno) in seen:
            raise fault(
                path, number, f"{quoted(docno)} is judged for {quoted(qid)} on line {seen[qid, docno]} already."
            )
        seen[qid, docno] = number
        qids.append(qid)
        docnos.append(docno)
    if not qids:
        where = f"{path}, line {header}: read as a header" if header else str(path)
        raise LswError("No judgements.", where, "TREC: qid 0 docno label. BEIR: a header, then qid docno label.")
    return pa.table({"qid": qids, "docno": docnos, "label": pa.array(labels, pa.int32())})
