"""How large the parts of a collection are, before they are read: from files that are here, or what is published."""

import gzip
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.checkpoints import hub
from workbench.collections import public as catalogue
from workbench.collections.folder import Collection, Folder
from workbench.collections.sample import Sampled
from workbench.collections.sources import hubdata, irds
from workbench.varieties import variety

LOOKED_AT = 1_000
"""Passages that are read to know how long they are."""
_PACKED = 3.0
"""How much smaller compressed text is, where only that size is known."""


@dataclass(frozen=True)
class Extent:
    """A part of a collection: its texts, their mean length in bytes of UTF-8, and bytes to download for it.

    `texts` is None where nobody says.
    """

    texts: int | None
    mean_bytes: float
    download: int = 0
    samples: tuple[str, ...] = ()


def _read(batches: Any) -> tuple[str, ...]:
    """The first texts of some batches."""
    found: list[str] = []
    for batch in batches:
        found += batch["text"].to_pylist()
        if len(found) >= LOOKED_AT:
            break
    return tuple(found[:LOOKED_AT])


def _mean(texts: tuple[str, ...]) -> float:
    return sum(len(t.encode()) for t in texts) / len(texts) if texts else 0.0


def passages(collection: Collection, code: str) -> Extent:
    """The passages of a variety."""
    if isinstance(collection, Sampled):
        whole = passages(collection.whole, code)
        # One or two judged passages a query, as MS MARCO has them.
        kept = round(1.07 * (collection.queries_kept + collection.training_queries)) + collection.others
        return Extent(min(kept, whole.texts or kept), whole.mean_bytes, whole.download, whole.samples)
    if isinstance(collection, Folder):
        some = _read(collection.passages(code))
        path = collection.corpus_path(code)
        if len(some) < LOOKED_AT:
            return Extent(len(some), _mean(some), 0, some)
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            marked = b"<DOC>" if path.suffix == ".trec" else b""
            return Extent(sum(1 for line in file if line.strip() and marked in line), _mean(some), 0, some)
    assert isinstance(collection, catalogue.Catalogued)
    source = collection.sources[code]
    if not source.startswith(irds.SCHEME):
        return Extent(None, 0.0)
    found = irds.dataset(source)
    files = irds.files(found.docs_handler())
    count = found.docs.metadata.get("count")
    if all(f.there for f in files):
        some = _read(collection.passages(code))
        if len(some) < LOOKED_AT:
            count = len(some)
        elif len(files) == 1 and files[0].path and files[0].path.suffix == ".tsv":
            with files[0].path.open("rb") as file:
                count = sum(1 for _ in file)
        return Extent(count, _mean(some), 0, some)
    size = sum((f.size or 0) * (_PACKED if f.url.split("?")[0].endswith("gz") else 1) for f in files)
    download = sum(f.size or 0 for f in files if not f.there)
    return Extent(count, size / count if count else 0.0, download)


def queries(collection: Collection, code: str, split: str) -> Extent:
    """The queries of a split in a variety. Queries of the web are some 35 characters long."""
    if isinstance(collection, Sampled):
        whole = queries(collection.whole, code, split)
        kept = collection.queries_kept if split == "test" else collection.training_queries
        return Extent(min(kept, whole.texts or kept), whole.mean_bytes, whole.download)
    if isinstance(collection, Folder):
        texts = tuple(collection.queries(code, split)["query"].to_pylist())
        return Extent(len(texts), _mean(texts), 0, texts)
    assert isinstance(collection, catalogue.Catalogued)
    at = collection._queries_at(code, split)
    if at.startswith(irds.SCHEME):
        found = irds.dataset(at)
        files = irds.files(found.queries_handler())
        if all(f.there for f in files):
            texts = tuple(collection.queries(code, split)["query"].to_pylist())
            return Extent(len(texts), _mean(texts), 0, texts)
        judged = found.qrels.metadata if found.has_qrels() else {}
        count = judged.get("fields", {}).get("query_id", {}).get("count") or found.queries.metadata.get("count")
        return Extent(count, 35.0, sum(f.size or 0 for f in files if not f.there))
    if at.startswith((hubdata.BEIR, hubdata.MLQA)):
        return Extent(None, 0.0)
    if at.startswith(hub.SCHEME):
        here = hub.cached_file(at)
        if here is None:  # as many as the queries that they were translated from
            high = variety(code).high
            texts_there = queries(collection, high, split).texts if high in collection.sources else None
            return Extent(texts_there, 35.0, 25_000_000 if split == "train" else 330_000)
        at = str(here)
    with Path(at).open(encoding="utf-8") as file:
        lines = tuple(line.partition("\t")[2].strip() for line in file if line.strip())
    return Extent(len(lines), _mean(lines), 0, lines)


def qrels(collection: Collection, code: str, split: str) -> int:
    """Bytes to download for the judgements."""
    whole = collection.whole if isinstance(collection, Sampled) else collection
    source = whole.sources.get(code or next(iter(whole.sources)), "") if isinstance(whole, catalogue.Catalogued) else ""
    if not source.startswith(irds.SCHEME):
        return 0
    assert isinstance(whole, catalogue.Catalogued)
    handler = irds.dataset(irds.part(source, whole.splits[split])).qrels_handler()
    return sum(f.size or 0 for f in irds.files(handler) if not f.there)
