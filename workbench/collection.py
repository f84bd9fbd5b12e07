"""Collections: where passages, queries and labels come from. Here, a folder of files.

A folder holds `corpus.<variety>.jsonl` or `corpus.jsonl` ({"_id", "text"} and optionally "title"),
`queries.<variety>.tsv` (qid, text), `qrels.tsv` (TREC's four columns, or BEIR's three under a header) and,
if its topics are split, `topics.tsv` (topic, split; further columns are read by people).
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pyarrow as pa

from store import LswError, nearest
from store.artifacts import file_hash

MINI = Path(__file__).parent / "mini" / "collection"
"""The mini collection, shipped with the package."""


def _bad(path: Path, line: int, problem: str, cure: str = "") -> LswError:
    return LswError(problem, f"{path}, line {line}", cure)


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Numbered lines that are not blank, decoded strictly."""
    with path.open("rb") as file:
        for number, raw in enumerate(file, 1):
            try:
                text = raw.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
            except UnicodeDecodeError as error:
                raise _bad(
                    path, number, f"Invalid UTF-8 at byte {error.start} of the line.", "Save the file as UTF-8."
                ) from None
            if text.strip():
                yield number, text


def _name(path: Path, line: int, value: str, field: str) -> str:
    # TREC files separate columns by blanks, so an identifier with one could not be written back.
    if not value or any(c.isspace() for c in value):
        raise _bad(path, line, f"{field} '{value}' is empty or has a blank in it.", "Identifiers are single words.")
    return value


@dataclass(frozen=True)
class Folder:
    """A collection in a folder.

    Args:
        name: what the store calls it.
        folder: where it is.
    """

    name: str
    folder: Path

    def __post_init__(self) -> None:
        if not self.folder.is_dir():
            raise LswError(f"The collection folder {self.folder} does not exist.", cure="Check the path.")

    @cached_property
    def fingerprint(self) -> str:
        """sha256 over the names and contents of the files that make up the collection."""
        digest = hashlib.sha256()
        for path in sorted(self.folder.iterdir()):
            if path.name.startswith(("corpus.", "queries.")) or path.name in ("qrels.tsv", "topics.tsv"):
                digest.update(f"{path.name}\0{file_hash(path)}\n".encode())
        return digest.hexdigest()

    @cached_property
    def query_varieties(self) -> list[str]:
        """Codes for which there are queries."""
        return sorted(p.name.split(".", 1)[1][:-4] for p in self.folder.glob("queries.*.tsv"))

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

    def _split(self, qid: str, path: Path, line: int) -> str:
        if not self.topics:
            return "test"
        topic = self.topic(qid)
        if topic not in self.topics:
            raise _bad(path, line, f"Query '{qid}' belongs to no topic of topics.tsv.", "A qid is topic, dot, number.")
        return self.topics[topic]

    def corpus_path(self, variety: str) -> Path:
        """The file with the passages in a variety.

        Raises:
            LswError: there is none.
        """
        own, only = self.folder / f"corpus.{variety}.jsonl", self.folder / "corpus.jsonl"
        for path in (own, only):
            if path.exists():
                return path
        have = [p.name.split(".")[1] for p in self.folder.glob("corpus.*.jsonl")]
        raise LswError(
            f"Collection '{self.name}' has no passages in '{variety}'.",
            f"{self.folder} has neither {own.name} nor {only.name}.",
            nearest(variety, have) if have else "",
        )

    def passages(self, variety: str) -> pa.Table:
        """All passages in a variety.

        Returns:
            columns docno and text (strings), in file order; a title is put before the text.

        Raises:
            LswError: broken JSON, a missing field, an empty text, a repeated docno, invalid UTF-8, no passages.
        """
        path = self.corpus_path(variety)
        docnos, texts, first = [], [], dict[str, int]()
        for number, line in _lines(path):
            try:
                row = json.loads(line)
                docno, text = row["_id"], row["text"]
                text = f"{row['title']} {text}" if row.get("title") else text
            except json.JSONDecodeError as error:
                raise _bad(path, number, f"Broken JSON: {error.msg} at column {error.colno}.") from None
            except (KeyError, TypeError):
                raise _bad(path, number, 'A passage needs the fields "_id" and "text".') from None
            if not isinstance(docno, str) or not isinstance(text, str):
                raise _bad(path, number, '"_id" and "text" must be strings.')
            _name(path, number, docno, "docno")
            if not text.strip():
                raise _bad(path, number, f"Passage '{docno}' has an empty text.", "Remove the line or fill it.")
            if docno in first:
                raise _bad(path, number, f"Docno '{docno}' is on line {first[docno]} already.", "Remove one of them.")
            first[docno] = number
            docnos.append(docno)
            texts.append(text)
        if not docnos:
            raise LswError("The collection has no passages.", str(path))
        return pa.table({"docno": docnos, "text": texts})

    def queries(self, variety: str, split: str = "test") -> pa.Table:
        """The queries of one split in a variety.

        Returns:
            columns qid, query, topic, split (strings), in file order.

        Raises:
            LswError: no such file, a line without a tab, an empty text, a repeated qid, invalid UTF-8.
        """
        path = self.folder / f"queries.{variety}.tsv"
        if not path.exists():
            raise LswError(
                f"Collection '{self.name}' has no queries in '{variety}'.",
                f"{path} does not exist.",
                nearest(variety, self.query_varieties),
            )
        rows, first = [], dict[str, int]()
        for number, line in _lines(path):
            qid, tab, query = line.partition("\t")
            if not tab:
                raise _bad(path, number, "No tab on this line.", "Columns: qid, tab, text.")
            _name(path, number, qid, "qid")
            if not query.strip():
                raise _bad(path, number, f"Query '{qid}' has an empty text.", "Remove the line or fill it.")
            if qid in first:
                raise _bad(path, number, f"Qid '{qid}' is on line {first[qid]} already.", "Remove one of them.")
            first[qid] = number
            rows.append({"qid": qid, "query": query, "topic": self.topic(qid), "split": self._split(qid, path, number)})
        rows = [row for row in rows if row["split"] == split]
        if not rows:
            raise LswError(f"Collection '{self.name}' has no {split} queries in '{variety}'.", str(path))
        return pa.Table.from_pylist(rows)

    def qrels(self, split: str = "test") -> pa.Table:
        """The judgements of one split.

        Returns:
            columns qid, docno (strings) and label (int32), in file order.

        Raises:
            LswError: no such file, a wrong number of columns, a label that is no whole number, a pair judged twice.
        """
        path = self.folder / "qrels.tsv"
        if not path.exists():
            raise LswError(f"Collection '{self.name}' has no judgements.", f"{path} does not exist.")
        table = read_qrels(path)
        if not self.topics:
            return table
        keep = [self._split(qid, path, n) == split for n, qid in enumerate(table["qid"].to_pylist(), 1)]
        return table.filter(pa.array(keep))


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
