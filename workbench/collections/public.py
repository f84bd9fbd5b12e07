"""Public collections by name: through ir_datasets (`irds:`), and from the hub through datasets (`beir:`, `mlqa:`).

A source is given for each variety of passages; queries may come from elsewhere (the low-resource wordings of mMARCO are
files of their own). Both libraries read one line at a time; nothing here holds a collection.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa

from store import LswError
from store.artifacts import canonical, file_hash
from workbench.checkpoints import hub
from workbench.collections.formats import batched, query_table, read_queries
from workbench.collections.sources import hubdata, irds
from workbench.collections.sources.hubdata import BEIR, MLQA
from workbench.collections.sources.irds import SCHEME as IRDS


@dataclass(frozen=True)
class Catalogued:
    """A collection of which every part has a public name.

    Args:
        name: what the store calls it.
        sources: for each variety of passages `irds:ID`, `beir:REPOSITORY:CONFIG` or `mlqa:REPOSITORY`.
        splits: what the source calls `train` and `test`.
        queries_from: for each split, by variety, where its queries are: `irds:ID`, `hf://datasets/...`, or a file.
        fields: of a TREC topic that make the query.
    """

    name: str
    sources: dict[str, str]
    splits: dict[str, str] = field(default_factory=dict)
    queries_from: dict[str, dict[str, str]] = field(default_factory=dict)
    fields: tuple[str, ...] = ("title",)

    @cached_property
    def fingerprint(self) -> str:
        """sha256 over the names: what is published under them does not change (MD5s of downloads are checked)."""
        said = [self.sources, self.splits, self.queries_from, list(self.fields)]
        return hashlib.sha256(canonical(said).encode()).hexdigest()

    def _source(self, code: str) -> str:
        if code not in self.sources:
            raise LswError(
                f"Collection '{self.name}' has no passages in '{code}'.", cure="It has: " + ", ".join(self.sources)
            )
        return self.sources[code]

    def _split(self, split: str) -> str:
        if split not in self.splits:
            raise LswError(f"Collection '{self.name}' has no {split} queries.", cure=f"Set collection.splits.{split}.")
        return self.splits[split]

    def _queries_at(self, code: str, split: str) -> str:
        """Where the queries of a variety are."""
        given = self.queries_from.get(split, {})
        if code in given:
            return given[code]
        if code in self.sources:
            source, name = self.sources[code], self._split(split)
            if source.startswith(BEIR):  # all splits in one
                return source
            return irds.part(source, name) if source.startswith(IRDS) else f"{source}:{name}"
        raise LswError(
            f"Collection '{self.name}' has no {split} queries in '{code}'.",
            f"It has: {', '.join(sorted({*given, *self.sources}))}.",
            f"Have them translated (translation.translator), or set collection.queries.{split}.{code}.",
        )

    def origin(self, part: str, variety: str, split: str) -> dict[str, Any]:
        """The public name of a part; of a file the hash of its content as well."""
        if part == "queries":
            at = self._queries_at(variety, split)
            if at.startswith((IRDS, BEIR, MLQA, hub.SCHEME)):
                return {"from": at, "fields": list(self.fields)}
            return {"from": Path(at).name, "sha256": file_hash(_file(at))}
        source = self._source(variety)
        return {"from": source} if part == "passages" else {"from": f"{source}/{self._split(split)}"}

    def passages(self, variety: str) -> Iterator[pa.RecordBatch]:
        """All passages of a variety, a title before the text, in the order of the source; empty ones are left out."""
        source = self._source(variety)
        read = {IRDS: irds.passages, BEIR: hubdata.beir_passages, MLQA: hubdata.mlqa_passages}[_scheme(source)]
        return batched((docno, text) for docno, text in read(source, variety) if text.strip())

    def queries(self, variety: str, split: str) -> pa.Table:
        """The queries of a split in a variety, from where it is told to take them.

        Raises:
            LswError: the source has no queries in that variety: those of another are never taken for them.
        """
        at = self._queries_at(variety, split)
        if at.startswith(IRDS):
            found = irds.queries(at, variety, self.fields)
            if split == "train":  # MS MARCO has 300,000 training queries without a label: nothing to learn from
                source = variety if variety in self.sources else next(iter(self.sources))
                judged = set(self.qrels(source, split)["qid"].to_pylist())
                found = {qid: text for qid, text in found.items() if qid in judged}
            return query_table(found, split)
        if at.startswith(BEIR):
            qrels = self.qrels(variety, split)
            judged = set(qrels["qid"].to_pylist())
            return query_table({q: t for q, t in hubdata.beir_queries(at) if q in judged}, split)
        if at.startswith(MLQA):
            return query_table(dict(hubdata.mlqa_queries(at, variety)), split)
        return query_table(read_queries(_file(at)), split)

    def qrels(self, variety: str, split: str) -> pa.Table:
        """The judgements of a split over the passages of a variety."""
        source, name = self._source(variety), self._split(split)
        read = {IRDS: irds.qrels, BEIR: hubdata.beir_qrels, MLQA: hubdata.mlqa_qrels}[_scheme(source)]
        qids, docnos, labels = zip(*read(source, name, variety), strict=True)
        return pa.table(
            {"qid": pa.array(qids, pa.string()), "docno": pa.array(docnos, pa.string()),
             "label": pa.array(labels, pa.int32())}
        )  # fmt: skip

    def missing(self, part: str, variety: str, split: str) -> list[irds.Source]:
        """Files that ir_datasets will download for a part."""
        if part == "queries":
            at = self._queries_at(variety, split)
        else:
            source = self._source(variety)
            at = irds.part(source, self._split(split)) if part == "qrels" else source
        if not at.startswith(IRDS):
            return []
        handler = {"passages": "docs_handler", "queries": "queries_handler", "qrels": "qrels_handler"}[part]
        return [source for source in irds.files(getattr(irds.dataset(at), handler)()) if not source.there]

    def repeated(self, variety: str, docno: str) -> LswError:
        """A fault of the source."""
        return LswError(
            f"Docno '{docno}' occurs twice in {self._source(variety)}.",
            cure="The files are damaged: remove them and let them be downloaded again.",
        )


def _scheme(source: str) -> str:
    for scheme in (IRDS, BEIR, MLQA):
        if source.startswith(scheme):
            return scheme
    raise LswError(
        f"'{source}' is no source of passages.",
        cure="Write irds:ID, beir:OWNER/NAME:CONFIG or mlqa:OWNER/NAME, as in irds:mmarco/v2/fr.",
    )


def _file(at: str) -> Path:
    if at.startswith(hub.SCHEME):
        return hub.file(at)
    path = Path(at).expanduser()
    if not path.is_file():
        raise LswError(f"There is no file {path}.", cure="Correct collection.queries.")
    return path
