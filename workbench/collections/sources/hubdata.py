"""Data sets of the hub through datasets: BEIR's layout (WebFAQ, MTEB) and MLQA's. Code of a repository is never run."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from store import LswError

BEIR, MLQA = "beir:", "mlqa:"


def _load(repository: str, config: str, split: str) -> Iterator[Any]:
    """One split, row by row; code of the repository is never run."""
    import datasets

    try:
        yield from datasets.load_dataset(repository, config, split=split, streaming=not Path(repository).is_dir())
    except (ConnectionError, FileNotFoundError, OSError, ValueError, datasets.exceptions.DatasetsError) as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise LswError(
            f"Data set '{repository}', configuration '{config}', split '{split}' could not be had.",
            first[:300],
            f"Connect and try again, or give the path of a copy: beir:/path/to/copy:{config.split('-')[0]}.",
        ) from None


def _beir_parts(source: str) -> tuple[str, str]:
    repository, _, config = source.removeprefix(BEIR).partition(":")
    return repository, config.split(":")[0]


def beir_passages(source: str, code: str) -> Iterator[tuple[str, str]]:
    """Rows `_id`, `title`, `text` of the configuration `<config>-corpus`, as BEIR, MTEB and WebFAQ have it."""
    repository, config = _beir_parts(source)
    for row in _load(repository, f"{config}-corpus" if config else "corpus", "corpus"):
        yield str(row["_id"]), f"{row['title']} {row['text']}" if row.get("title") else row["text"]


def beir_queries(source: str) -> Iterator[tuple[str, str]]:
    repository, config = _beir_parts(source)
    for row in _load(repository, f"{config}-queries" if config else "queries", "queries"):
        yield str(row["_id"]), row["text"]


def beir_qrels(source: str, split: str, code: str) -> Iterator[tuple[str, str, int]]:
    repository, config = _beir_parts(source)
    for row in _load(repository, f"{config}-qrels" if config else "qrels", split):
        yield str(row["query-id"]), str(row["corpus-id"]), int(row["score"])


def _mlqa(source: str, context: str, question: str, split: str) -> Any:
    return _load(source.removeprefix(MLQA).split(":")[0], f"mlqa.{context}.{question}", split)


def _context(text: str) -> str:
    """A docno for a context, which has none of its own."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def mlqa_passages(source: str, code: str) -> Iterator[tuple[str, str]]:
    """Every context of a variety once, whatever the language of its questions."""
    repository = source.removeprefix(MLQA).split(":")[0]
    seen = set()
    for split in ("validation", "test"):
        for row in _mlqa(MLQA + repository, code, code, split):
            docno = _context(row["context"])
            if docno not in seen:
                seen.add(docno)
                yield docno, row["context"]


def mlqa_queries(source: str, code: str) -> Iterator[tuple[str, str]]:
    """Questions by ID, of `mlqa:REPOSITORY:SPLIT` or, across languages, `mlqa:REPOSITORY:CONTEXT.QUESTION:SPLIT`."""
    *where, split = source.removeprefix(MLQA).split(":")
    context, _, question = (where[1] if len(where) > 1 else f"{code}.{code}").partition(".")
    for row in _mlqa(MLQA + where[0], context, question, split):
        yield row["id"], row["question"]


def mlqa_qrels(source: str, split: str, code: str) -> Iterator[tuple[str, str, int]]:
    for row in _mlqa(source, code, code, split):
        yield row["id"], _context(row["context"]), 1
