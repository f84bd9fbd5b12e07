"""A collection in a folder of files.

A folder holds `corpus.<variety>.jsonl` or `corpus.jsonl` ({"_id", "text"} and optionally "title"; `.gz` is read too),
`queries.<variety>.tsv` (qid, text), `qrels.tsv` (TREC's four columns, or BEIR's three under a header) and,
if its topics are split, `topics.tsv` (topic, split; further columns are read by people).

BEIR's own layout is read as it is: `queries.jsonl` or `queries.<variety>.jsonl`, `qrels/<split>.tsv`. So are TREC's
documents and topics: `corpus.<variety>.trec`, `queries.<variety>.trec` (a topic's title is the query).
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa

from store import LswError, nearest
from store.artifacts import content_hash
from workbench.checkpoints.resolve import SHIPPED
from workbench.collections.base import LOOKED_AT, Download, Extent, collection_name, first_texts
from workbench.collections.formats import (
    batched,
    fault,
    numbered,
    query_table,
    raw_lines,
    read_objects,
    read_qrels,
    read_queries,
    read_trec,
)

MINI = SHIPPED / "collection"
"""The mini collection, shipped with the package."""


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
        collection_name(self.name)
        if not self.folder.is_dir():
            raise LswError(f"The collection folder {self.folder} does not exist.", cure="Check the path.")

    @cached_property
    def fingerprint(self) -> str:
        """sha256 over the names and contents of the files that make up the collection."""
        digest = hashlib.sha256()
        for path in sorted([*self.folder.iterdir(), *self.folder.glob("qrels/*.tsv")]):
            ours = path.name.startswith(("corpus.", "queries.")) or path.name in ("qrels.tsv", "topics.tsv")
            if path.is_file() and (ours or path.parent != self.folder):
                digest.update(f"{path.name}\0{content_hash(path)}\n".encode())
        return digest.hexdigest()

    @cached_property
    def query_varieties(self) -> list[str]:
        """Codes for which there are queries."""
        files = [path for kind in ("tsv", "jsonl", "trec") for path in self.folder.glob(f"queries.*.{kind}")]
        return sorted({path.name.split(".")[1] for path in files})

    @cached_property
    def topics(self) -> dict[str, str]:
        """Split of each topic; empty if the folder has no `topics.tsv`."""
        path = self.folder / "topics.tsv"
        if not path.exists():
            return {}
        topics = {}
        for number, text in numbered(path):
            columns = text.split("\t")
            if len(columns) < 2 or columns[1] not in ("train", "dev", "test"):
                raise fault(path, number, "A topic needs a split: train, dev or test.", "Columns: topic, tab, split.")
            if columns[0] in topics:
                raise fault(path, number, f"Topic '{columns[0]}' occurs twice.")
            topics[columns[0]] = columns[1]
        return topics

    def topic(self, qid: str) -> str:
        """The topic a query belongs to: with `topics.tsv` the qid up to its last dot, else the query is its own."""
        return qid.rpartition(".")[0] if self.topics else qid

    def _split(self, qid: str, path: Path) -> str:
        topic = self.topic(qid)
        if topic not in self.topics:
            lines = (f"{path}, line {n}" for n, text in numbered(path) if text.split()[0] == qid)
            where = next(lines, str(path))  # only tables begin with it
            raise LswError(f"Query '{qid}' belongs to no topic of topics.tsv.", where, "A qid is topic, dot, number.")
        return self.topics[topic]

    def origin(self, part: str, variety: str, split: str) -> dict[str, Any]:
        """The hashes of the files behind a part."""
        topics = self.folder / "topics.tsv"
        files = {
            "passages": lambda: [self.corpus_path(variety)],
            "queries": lambda: [self.queries_path(variety), topics],
            "qrels": lambda: [self.qrels_path(split), topics],
        }[part]()
        return {"files": {path.name: content_hash(path) for path in files if path.exists()}}

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
        """The file with the queries of a variety; BEIR's `queries.jsonl`, which names none, stands for any (but for one
        only: see `distinguish`). It may not be there."""
        tsv, own = self.folder / f"queries.{variety}.tsv", self.folder / f"queries.{variety}.jsonl"
        for path in (tsv, own, tsv.with_suffix(".trec"), self.folder / "queries.jsonl"):
            if path.exists():
                return path
        return tsv

    def distinguish(self, varieties: Iterable[str]) -> None:
        """Make sure that BEIR's `queries.jsonl` stands for one variety only.

        Raises:
            LswError: it would be read as several.
        """
        unnamed = self.folder / "queries.jsonl"
        shared = [code for code in dict.fromkeys(varieties) if self.queries_path(code) == unnamed]
        if len(shared) > 1:
            raise LswError(
                f"{unnamed.name} cannot be both the '{shared[0]}' and the '{shared[1]}' queries.",
                str(unnamed),
                f"Name it for its variety, as in queries.{shared[1]}.jsonl.",
            )

    def has_queries(self, variety: str) -> bool:
        """Whether there is a file of them that names the variety."""
        return variety in self.query_varieties

    def by_variety(self) -> bool:
        """One file of judgements holds for all varieties."""
        return False

    def held_out(self, variety: str) -> bool:
        """Whether it has queries of a split `dev` in a variety."""
        if "dev" not in self.topics.values() and not (self.folder / "qrels" / "dev.tsv").is_file():
            return False
        try:
            return len(self.queries(variety, "dev")) > 0
        except LswError:  # none of that split
            return False

    def downloads(self, part: str, variety: str, split: str) -> list[Download]:
        """None."""
        return []

    def passages_extent(self, variety: str) -> Extent:
        """Counted."""
        some = first_texts(self.passages(variety))
        if len(some) < LOOKED_AT:
            return Extent.of(some)
        path = self.corpus_path(variety)
        marked = b"<DOC>" if path.suffix == ".trec" else b""
        return Extent.of(some, sum(1 for _, line in raw_lines(path) if line.strip() and marked in line))

    def queries_extent(self, variety: str, split: str) -> Extent:
        """Counted."""
        return Extent.of(self.queries(variety, split)["query"].to_pylist())

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
        for batch in batched(
            read_trec(path, "passages") if trec else (row[1:] for row in read_objects(path, "passage"))
        ):
            any_at_all = True
            yield batch
        if not any_at_all:
            raise LswError("The collection has no passages.", str(path))

    def repeated(self, variety: str, docno: str) -> LswError:
        """Where the docno stands twice."""
        path = self.corpus_path(variety)
        if path.suffix == ".trec":
            return LswError(f"Document '{docno}' occurs twice.", str(path), "Remove one of them.")
        lines = [number for number, name, _ in read_objects(path, "passage") if name == docno]
        return fault(path, lines[1], f"Docno '{docno}' is on line {lines[0]} already.", "Remove one of them.")

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
        texts = read_queries(path)
        judged = self._judged(split)
        if self.topics:
            texts = {qid: query for qid, query in texts.items() if self._split(qid, path) == split}
        elif judged is not None:  # BEIR keeps the queries of all splits in one file
            texts = {qid: query for qid, query in texts.items() if qid in judged}
        if not texts:
            raise LswError(f"Collection '{self.name}' has no {split} queries in '{variety}'.", str(path))
        table = query_table(texts, split)
        topics = pa.array([self.topic(qid) for qid in texts], pa.string())
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
