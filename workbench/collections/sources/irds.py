"""ir_datasets: rows of its data sets, the files behind them, and how to get those that are not here."""

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from store import LswError
from workbench.varieties import Variety, variety

SCHEME = "irds:"

_LICENCES = {
    "neuclir": "Read the licence at https://neuclir.github.io and of Common Crawl News first.",
    "msmarco-passage": "Read the terms at https://microsoft.github.io/msmarco first: research only.",
    "wikiclir": "It is described at https://www.cs.jhu.edu/~kevinduh/a/wikiclir2018.",
}


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


@dataclass(frozen=True)
class Source:
    """A file that ir_datasets would download: its address, its place on this machine, its size in bytes (if known)."""

    url: str
    path: Path | None
    size: int | None

    @property
    def there(self) -> bool:
        """Whether it need not be downloaded."""
        return self.path is not None and self.path.exists()


def files(handler: Any) -> list[Source]:
    """The files behind a handler of ir_datasets, found by walking its parts."""
    from ir_datasets.util.download import Download, RequestsDownload

    found: dict[str, Source] = {}
    seen: set[int] = set()

    def walk(thing: Any, made: Path | None) -> None:
        if id(thing) in seen:
            return
        seen.add(id(thing))
        if isinstance(thing, Download):
            path = Path(thing._cache_path) if thing._cache_path else None
            urls = [m.url for m in thing.mirrors if isinstance(m, RequestsDownload)]
            at = made if made and made.exists() else path  # what was extracted from it will do
            found.setdefault(urls[0] if urls else str(path), Source(urls[0] if urls else "", at, thing._size_hint))
            return
        if isinstance(thing, list | tuple | set):
            for item in thing:
                walk(item, made)
        elif isinstance(thing, dict):
            for item in thing.values():
                walk(item, made)
        elif type(thing).__module__.startswith("ir_datasets"):
            kept = getattr(thing, "_path", None) if type(thing).__name__ in ("Cache", "TarExtractAll") else None
            for item in vars(thing).values() if hasattr(thing, "__dict__") else ():
                walk(item, Path(kept) if isinstance(kept, str | Path) else made)

    walk(handler, None)
    return list(found.values())


def missing(handler: Any) -> int:
    """Bytes that will be downloaded for a handler, as far as they are known."""
    return sum(source.size or 0 for source in files(handler) if not source.there)


@contextmanager
def watched(wanted: list[Source], told: Callable[[int, int], None]) -> Iterator[None]:
    """Within the block, tell bytes downloaded and to download: a file is `<path>.tmp` until it is whole."""
    total = sum(source.size or 0 for source in wanted)
    if not total:
        yield
        return
    over = threading.Event()

    def size(source: Source) -> int:
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


def passages(source: str, code: str) -> Iterator[tuple[str, str]]:
    handler = dataset(source).docs_handler()
    for doc in rows(source, handler, handler.docs_iter):
        yield doc.doc_id, doc.default_text()


def _language(known: Variety) -> set[str]:
    return {known.code, known.ir_datasets or known.code}


def _unfiltered(source: str, handler: Any) -> Callable[[], Iterator[Any]]:
    """How the topics of a data set are read.

    ir_datasets 0.6.3 keeps of neuCLIR's topics of 2023 those judged in 2022, which is none (its issue 292).
    """
    if not re.fullmatch(r"neuclir/1/(zh|fa|ru)/trec-2023", source.removeprefix(SCHEME)):
        return handler.queries_iter  # type: ignore[no-any-return]
    judged = {qid for qid, _, _ in qrels(source, "", "")}
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


def qrels(source: str, split: str, code: str) -> Iterator[tuple[str, str, int]]:
    name = part(source, split)
    handler = dataset(name).qrels_handler()
    for row in rows(name, handler, handler.qrels_iter):
        yield row.query_id, row.doc_id, int(row.relevance)
