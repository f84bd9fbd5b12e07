"""ir_datasets: rows of its data sets, the files behind them, and how to get those that are not here."""

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from store import LswError
from workbench.collections.base import LOOKED_AT, Download, Extent, first_texts
from workbench.collections.formats import batched
from workbench.collections.sources.base import Source
from workbench.varieties import Variety, variety

SCHEME = "irds:"
PACKED = 3.0
"""How much smaller compressed text is, where only that size is known."""
QUERY_BYTES = 35.0
"""Mean length of a query of the web, where none is here."""

_LICENCES = {
    "neuclir": "Read the licence at https://neuclir.github.io and of Common Crawl News first.",
    "msmarco-passage": "Read the terms at https://microsoft.github.io/msmarco first: research only.",
    "wikiclir": "It is described at https://www.cs.jhu.edu/~kevinduh/a/wikiclir2018.",
}


class Irds(Source):
    """A data set of ir_datasets; its address is the ID."""

    def of_split(self, split: str) -> Source:
        """Its ID goes on with the split; some data sets (WikiCLIR) have none and are whole."""
        return Irds(address=part(self.address, split), fields=self.fields)

    def judged_only(self, split: str) -> bool:
        """MS MARCO has 300,000 training queries without a label: nothing to learn from."""
        return split == "train"

    def passages(self, variety: str) -> Iterator[tuple[str, str]]:
        """docno, and title and text as ir_datasets puts them together."""
        handler = self._handler("passages")
        for document in rows(self.address, handler, handler.docs_iter):
            yield document.doc_id, document.default_text()

    def queries(self, variety: str) -> dict[str, str]:
        """The text of each qid: of bilingual topics the fields in that language."""
        return queries(self.address, variety, self.fields)

    def qrels(self, variety: str, split: str) -> Iterator[tuple[str, str, int]]:
        """qid, docno, label."""
        address = part(self.address, split)
        handler = dataset(address).qrels_handler()
        for row in rows(address, handler, handler.qrels_iter):
            yield row.query_id, row.doc_id, int(row.relevance)

    def _handler(self, part_of_it: str, split: str = "") -> Any:
        handlers = {"passages": "docs_handler", "queries": "queries_handler", "qrels": "qrels_handler"}
        return getattr(dataset(part(self.address, split)), handlers[part_of_it])()

    def downloads(self, part: str, variety: str, split: str = "") -> list[Download]:
        """The files behind a part that are not here."""
        return [file for file in files(self._handler(part, split)) if not file.there]

    def passages_extent(self, variety: str) -> Extent:
        """Counted if the files are here; else as published, and by the sizes of the files."""
        data = dataset(self.address)
        behind = files(data.docs_handler())
        count = data.docs.metadata.get("count")
        if all(file.there for file in behind):
            some = first_texts(batched(self.passages(variety)))
            if len(some) < LOOKED_AT:
                count = len(some)
            elif len(behind) == 1 and behind[0].path and behind[0].path.suffix == ".tsv":
                with behind[0].path.open("rb") as lines:
                    count = sum(1 for _ in lines)
            return Extent.of(some, count)
        packed = [PACKED if file.url.split("?")[0].endswith("gz") else 1 for file in behind]
        size = sum((file.size or 0) * times for file, times in zip(behind, packed, strict=True))
        return Extent(count, size / count if count else 0.0, sum(file.size or 0 for file in behind if not file.there))

    def queries_extent(self, variety: str) -> Extent:
        """Counted if the files are here; else those that are judged, or as published."""
        data = dataset(self.address)
        behind = files(data.queries_handler())
        if all(file.there for file in behind):
            return Extent.of(self.queries(variety).values())
        judged = data.qrels.metadata if data.has_qrels() else {}
        count = judged.get("fields", {}).get("query_id", {}).get("count") or data.queries.metadata.get("count")
        return Extent(count, QUERY_BYTES, sum(file.size or 0 for file in behind if not file.there))


def dataset(name: str) -> Any:
    """A data set of ir_datasets.

    Args:
        name: its ID, with or without `irds:`.

    Raises:
        LswError: there is none of that name.
    """
    import ir_datasets

    try:
        return ir_datasets.load(name.removeprefix(SCHEME))
    except KeyError:
        raise LswError(
            f"ir_datasets has no '{name.removeprefix(SCHEME)}'.", cure="Look it up at https://ir-datasets.com."
        ) from None


def part(source: str, split: str) -> str:
    """The data set of a split; some (WikiCLIR) have none and are whole."""
    return f"{source}/{split}" if split else source


def files(handler: Any) -> list[Download]:
    """The files behind a handler of ir_datasets, found by walking its parts."""
    from ir_datasets.util import download as theirs

    by_url: dict[str, Download] = {}
    seen: set[int] = set()

    def walk(thing: Any, extracted: Path | None) -> None:
        if id(thing) in seen:
            return
        seen.add(id(thing))
        if isinstance(thing, theirs.Download):
            path = Path(thing._cache_path) if thing._cache_path else None
            urls = [m.url for m in thing.mirrors if isinstance(m, theirs.RequestsDownload)]
            at = extracted if extracted and extracted.exists() else path  # what was extracted from it will do
            by_url.setdefault(urls[0] if urls else str(path), Download(urls[0] if urls else "", at, thing._size_hint))
            return
        if isinstance(thing, list | tuple | set):
            for item in thing:
                walk(item, extracted)
        elif isinstance(thing, dict):
            for item in thing.values():
                walk(item, extracted)
        elif type(thing).__module__.startswith("ir_datasets"):
            kept = getattr(thing, "_path", None) if type(thing).__name__ in ("Cache", "TarExtractAll") else None
            for item in vars(thing).values() if hasattr(thing, "__dict__") else ():
                walk(item, Path(kept) if isinstance(kept, str | Path) else extracted)

    walk(handler, None)
    return list(by_url.values())


def missing(handler: Any) -> int:
    """Bytes that will be downloaded for a handler, as far as they are known."""
    return sum(source.size or 0 for source in files(handler) if not source.there)


@contextmanager
def watched(wanted: list[Download], told: Callable[[int, int], None]) -> Iterator[None]:
    """Within the block, tell bytes downloaded and to download: a file is `<path>.tmp` until it is whole."""
    total = sum(source.size or 0 for source in wanted)
    if not total:
        yield
        return
    over = threading.Event()

    def size(source: Download) -> int:
        for path in (Path(f"{source.path}.tmp"), source.path):
            if path and path.exists():
                return path.stat().st_size
        return 0

    def watch() -> None:
        while not over.wait(0.5):
            done = sum(size(source) for source in wanted)
            if done:
                told(min(done, total), total)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()


def rows(name: str, handler: Any, iterate: Callable[[], Iterator[Any]]) -> Iterator[Any]:
    """The rows of a handler, its files downloaded as they are come to.

    Raises:
        LswError: one could not be had, or not be read; it says where to get it and where to put it.
    """
    try:
        yield from iterate()
    except (OSError, EOFError, RuntimeError) as error:
        behind = files(handler)
        wanted = [s for s in behind if not s.there]
        top = name.removeprefix(SCHEME).split("/")[0]
        places = "\n".join(f"{s.url or 'a file of yours'}\n  -> {s.path}" for s in wanted[:4])
        more = f"\nand {len(wanted) - 4} more" if len(wanted) > 4 else ""
        reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        if not wanted:
            raise LswError(
                f"'{name.removeprefix(SCHEME)}' could not be read.",
                "\n".join([f"{type(error).__name__}: {reason}", *(str(s.path) for s in behind[:4])]),
                "If the file is damaged, remove it; it will be downloaded again.",
            ) from None
        raise LswError(
            f"'{name.removeprefix(SCHEME)}' is not on this machine and could not be downloaded.",
            f"{type(error).__name__}: {reason}\n{places}{more}",
            " ".join(
                filter(None, [_LICENCES.get(top), "Connect and try again, or put the files there yourself.",
                              "IR_DATASETS_HOME moves the folder."])
            ),
        ) from None  # fmt: skip


def _language(known: Variety) -> set[str]:
    return {known.code, known.ir_datasets or known.code}


def _unfiltered(source: str, handler: Any) -> Callable[[], Iterator[Any]]:
    """How the topics of a data set are read.

    ir_datasets 0.6.3 keeps of neuCLIR's topics of 2023 those judged in 2022, which is none (its issue 292).
    """
    if not re.fullmatch(r"neuclir/1/(zh|fa|ru)/trec-2023", source.removeprefix(SCHEME)):
        return handler.queries_iter  # type: ignore[no-any-return]
    judged = {qid for qid, _, _ in Irds(address=source.removeprefix(SCHEME)).qrels("", "")}
    return lambda: (topic for topic in handler._queries_handler.queries_iter() if topic.query_id in judged)


def _fields(topic: Any, prefix: str) -> list[str]:
    """Fields of a topic that make a query, in English or (`ht_`) as people translated them."""
    names = [name.removeprefix(prefix) for name in topic._fields[1:] if name.startswith(prefix)]
    return [name for name in names if name in ("title", "description", "narrative")]


def queries(source: str, code: str, fields: tuple[str, ...]) -> dict[str, str]:
    """Queries of a data set in a variety: of bilingual topics the fields in that language.

    Raises:
        LswError: they are in another language.
    """
    handler = dataset(source).queries_handler()
    topics = list(rows(source, handler, _unfiltered(source, handler)))
    if not topics:
        raise LswError(f"'{source}' has no queries.")
    spoken = handler.queries_lang() if hasattr(handler, "queries_lang") else None
    known = variety(code)
    if hasattr(topics[0], "translation_lang"):  # neuCLIR and HC4: English, and translated by people
        if code == "en":
            prefix = ""
        elif topics[0].translation_lang in _language(known):
            prefix = "ht_"
        else:
            spoken, prefix = topics[0].translation_lang, ""
        if spoken is None:
            named = [prefix + name for name in fields]
            if lacking := [name for name in named if not hasattr(topics[0], name)]:
                raise LswError(
                    f"The topics of '{source.removeprefix(SCHEME)}' have no field '{lacking[0]}'.",
                    cure=f"Set collection.fields to some of: {', '.join(_fields(topics[0], prefix))}.",
                )
            return {row.query_id: " ".join(getattr(row, name) for name in named) for row in topics}
    if spoken is None and all(hasattr(topics[0], name) for name in fields):
        return {row.query_id: " ".join(getattr(row, name) for name in fields) for row in topics}
    if spoken is not None and spoken not in _language(known):
        raise LswError(
            f"The queries of '{source.removeprefix(SCHEME)}' are in '{spoken}', not in '{code}'.",
            cure=f"Say where the '{code}' queries are: collection.queries.test.{code}.",
        )
    return {row.query_id: row.default_text() for row in topics}
