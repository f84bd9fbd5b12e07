"""Public collections: each part by the name of a source (`irds:`, `beir:`, `mlqa:`, `hf:` and those of plug-ins).

A source is given for each variety of passages; queries may come from elsewhere (the low-resource wordings of mMARCO are
files of their own). Sources read one line at a time; nothing here holds a collection.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pyarrow as pa

from store import LswError
from store.artifacts import canonical
from workbench.collections.base import Download, Extent
from workbench.collections.formats import batched, query_table
from workbench.collections.sources import source
from workbench.collections.sources.base import Source
from workbench.collections.sources.hf import Hf
from workbench.collections.sources.irds import QUERY_BYTES
from workbench.varieties import table

TRANSLATED_BYTES = {"train": 25_000_000, "test": 330_000}
"""Of a file of mMARCO's translated queries, which is not here yet."""


@dataclass(frozen=True)
class PublicCollection:
    """A collection of which every part has a public name.

    Args:
        name: what the store calls it.
        sources: for each variety of passages, as in `irds:ID`, `beir:REPOSITORY:CONFIG` or `mlqa:REPOSITORY`.
        splits: what the source calls `train` and `test`.
        queries_from: for each split, by variety, where its queries are: a source, `hf://...` or a file too; or several,
            whose queries are taken together (of neuCLIR 2022 each language has topics of its own).
        fields: of a TREC topic that make the query.
    """

    name: str
    sources: dict[str, str]
    splits: dict[str, str] = field(default_factory=dict)
    queries_from: dict[str, dict[str, str | tuple[str, ...]]] = field(default_factory=dict)
    fields: tuple[str, ...] = ("title",)

    @cached_property
    def fingerprint(self) -> str:
        """sha256 over the names: what is published under them does not change (MD5s of downloads are checked)."""
        names = [self.sources, self.splits, self.queries_from, list(self.fields)]
        return hashlib.sha256(canonical(names).encode()).hexdigest()

    def source(self, code: str) -> Source:
        """Where the passages of a variety are.

        Raises:
            LswError: nobody says, or no such source is known.
        """
        if code not in self.sources:
            raise LswError(
                f"Collection '{self.name}' has no passages in '{code}'.", cure="It has: " + ", ".join(self.sources)
            )
        return source(self.sources[code], self.fields)

    def _split(self, split: str) -> str:
        if split not in self.splits:
            raise LswError(f"Collection '{self.name}' has no {split} queries.", cure=f"Set collection.splits.{split}.")
        return self.splits[split]

    def source_of_split(self, code: str, split: str) -> Source:
        """Where a split of the source of a variety's passages is.

        Raises:
            LswError: nobody says.
        """
        return self.source(code).of_split(self._split(split))

    def source_of_queries(self, code: str, split: str) -> Source:
        """Where the queries of a variety are; of several the first.

        Raises:
            LswError: nobody says.
        """
        return self.sources_of_queries(code, split)[0]

    def sources_of_queries(self, code: str, split: str) -> list[Source]:
        """All of them.

        Raises:
            LswError: nobody says.
        """
        own = self.queries_from.get(split, {})
        if code in own:
            names = own[code]
            return [source(name, self.fields) for name in ([names] if isinstance(names, str) else names)]
        if code in self.sources:
            return [self.source_of_split(code, split)]
        raise LswError(
            f"Collection '{self.name}' has no {split} queries in '{code}'.",
            f"It has: {', '.join(sorted({*own, *self.sources}))}.",
            f"Have them translated (translation.translator), or set collection.queries.{split}.{code}.",
        )

    def origin(self, part: str, variety: str, split: str) -> dict[str, Any]:
        """The public name of a part; of a file the hash of its content as well."""
        if part == "queries":
            origins = [where.origin_of_queries() for where in self.sources_of_queries(variety, split)]
            return origins[0] if len(origins) == 1 else {"from": [origin["from"] for origin in origins]}
        origin = self.source(variety).origin()
        return origin if part == "passages" else origin | {"from": f"{origin['from']}/{self._split(split)}"}

    @property
    def judged(self) -> bool:
        """Whether its test split has a name."""
        return "test" in self.splits

    def held_out(self, variety: str) -> bool:
        """Whether its split `dev` has a name, and queries in a variety."""
        return "dev" in self.splits and (variety in self.sources or variety in self.queries_from.get("dev", {}))

    def by_variety(self) -> bool:
        """Each source has judgements of its own."""
        return True

    def has_queries(self, variety: str) -> bool:
        """Whether it is said where they are, and a file that is said is there."""
        try:
            self.source_of_queries(variety, "test").origin_of_queries()
        except LswError:
            return False
        return True

    def distinguish(self, varieties: Iterable[str]) -> None:
        """Sources refuse queries in another language than is asked for."""

    def passages(self, variety: str) -> Iterator[pa.RecordBatch]:
        """All passages of a variety, a title before the text, in the order of the source; empty ones are left out."""
        rows = self.source(variety).passages(variety)
        return batched((docno, text) for docno, text in rows if text.strip())

    def queries(self, variety: str, split: str) -> pa.Table:
        """The queries of a split in a variety, from where it is told to take them.

        Raises:
            LswError: the source has no queries in that variety: those of another are never taken for them.
        """
        [where, *more] = self.sources_of_queries(variety, split)
        texts = where.queries(variety)
        topics = where.topics(variety)
        for other in more:
            topics = other.topics(variety) | topics
            for qid, text in other.queries(variety).items():
                if texts.setdefault(qid, text) != text:
                    raise LswError(
                        f"Query '{qid}' has two wordings.", f"{where} and {other} differ in it.",
                        f"Name one of them in collection.queries.{split}.{variety}.",
                    )  # fmt: skip
        if where.judged_only(split):
            over = variety if variety in self.sources else next(iter(self.sources))
            judged = set(self.qrels(over, split)["qid"].to_pylist())
            texts = {qid: text for qid, text in texts.items() if qid in judged}
        return query_table(texts, split, topics)

    def qrels(self, variety: str, split: str) -> pa.Table:
        """The judgements of a split over the passages of a variety: columns qid, docno (strings), label (int32)."""
        rows = self.source(variety).qrels(variety, self._split(split))
        qids, docnos, labels = zip(*rows, strict=True)
        return pa.table(
            {"qid": pa.array(qids, pa.string()), "docno": pa.array(docnos, pa.string()),
             "label": pa.array(labels, pa.int32())}
        )  # fmt: skip

    def downloads(self, part: str, variety: str, split: str) -> list[Download]:
        """Files that the source will download for a part."""
        if part == "queries":
            return [
                file for where in self.sources_of_queries(variety, split) for file in where.downloads(part, variety)
            ]
        over = variety or next(iter(self.sources))
        return self.source(over).downloads(part, over, self._split(split) if part == "qrels" else "")

    def passages_extent(self, variety: str) -> Extent:
        """As the source says it."""
        return self.source(variety).passages_extent(variety)

    def queries_extent(self, variety: str, split: str) -> Extent:
        """As the source says it, those without a judgement left out where training leaves them out; translations on the
        hub that are not here are as many as what they were made from."""
        where = self.source_of_queries(variety, split)
        extent = where.queries_extent(variety)
        if extent.samples and where.judged_only(split):
            return Extent.of(self.queries(variety, split)["query"].to_pylist())
        if extent.texts is not None or not isinstance(where, Hf):
            return extent
        relative = table()[variety].high if variety in table() else None
        texts = self.queries_extent(relative, split).texts if relative in self.sources else None
        return Extent(texts, QUERY_BYTES, TRANSLATED_BYTES.get(split, 0))

    def repeated(self, variety: str, docno: str) -> LswError:
        """A fault of the source."""
        return LswError(
            f"Docno '{docno}' occurs twice in {self.source(variety)}.",
            cure="The files are damaged: remove them and let them be downloaded again.",
        )
