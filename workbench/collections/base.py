"""What every collection can do, and how large its parts are before they are read."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa

from store import LswError

LOOKED_AT = 1_000
"""Passages that are read to know how long they are."""


@dataclass(frozen=True)
class Download:
    """A file to be downloaded: its address, its place on this machine, its size in bytes (if known)."""

    url: str
    path: Path | None
    size: int | None

    @property
    def there(self) -> bool:
        """Whether it need not be downloaded."""
        return self.path is not None and self.path.exists()


@dataclass(frozen=True)
class Extent:
    """A part of a collection: its texts, their mean length in bytes of UTF-8, and bytes to download for it.

    `texts` is None where nobody says. `samples` are some of the texts, if they are here.
    """

    texts: int | None
    mean_bytes: float
    download: int = 0
    samples: tuple[str, ...] = ()

    @classmethod
    def of(cls, texts: Iterable[str], count: int | None = None) -> "Extent":
        """Of texts that are here; `count` if these are some of more."""
        samples = tuple(texts)
        mean = sum(len(text.encode()) for text in samples) / len(samples) if samples else 0.0
        return cls(len(samples) if count is None else count, mean, 0, samples)


def first_texts(batches: Iterable[pa.RecordBatch]) -> list[str]:
    """The texts of the first `LOOKED_AT` passages."""
    texts: list[str] = []
    for batch in batches:
        texts += batch["text"].to_pylist()
        if len(texts) >= LOOKED_AT:
            break
    return texts[:LOOKED_AT]


def collection_name(name: str) -> str:
    """The name itself.

    Raises:
        LswError: it cannot be shown.
    """
    if not name.strip() or not name.isprintable():
        raise LswError(f"The name of a collection, {name!r}, cannot be shown.", cure="Give it another: --name NAME.")
    return name


class Collection(Protocol):
    """What a recipe can be run on. `variety` is a code, `split` is `train`, `dev` or `test`."""

    @property
    def name(self) -> str:
        """What the store calls it."""

    @property
    def fingerprint(self) -> str:
        """Of its content: another content under the same name is another collection."""

    @property
    def judged(self) -> bool:
        """Whether there are judgements to test on."""

    def origin(self, part: str, variety: str, split: str) -> dict[str, Any]:
        """What tells the content of a part from any other: JSON values that enter the keys of stages.

        Args:
            part: `passages`, `queries` or `qrels`.
            variety: of the passages or queries; of judgements, the variety of the passages that are judged.
            split: nothing to passages.

        Raises:
            LswError: there is no such part.
        """

    def passages(self, variety: str) -> Iterator[pa.RecordBatch]:
        """All passages of a variety in batches of docno, text; never the whole in memory."""

    def queries(self, variety: str, split: str) -> pa.Table:
        """Columns qid, query, topic, split (strings)."""

    def qrels(self, variety: str, split: str) -> pa.Table:
        """Columns qid, docno (strings), label (int32)."""

    def repeated(self, variety: str, docno: str) -> LswError:
        """What to raise for a docno that occurs twice among the passages."""

    def has_queries(self, variety: str) -> bool:
        """Whether there are test queries in a variety."""

    def distinguish(self, varieties: Iterable[str]) -> None:
        """Make sure that the queries of these varieties are not the same file.

        Raises:
            LswError: one file would be read as several varieties.
        """

    def by_variety(self) -> bool:
        """Whether each variety of passages has judgements of its own."""

    def held_out(self, variety: str) -> bool:
        """Whether there are queries of a split `dev` in a variety, to watch a training by."""

    def downloads(self, part: str, variety: str, split: str) -> list[Download]:
        """Files that will be downloaded for a part."""

    def passages_extent(self, variety: str) -> Extent:
        """How large the passages of a variety are."""

    def queries_extent(self, variety: str, split: str) -> Extent:
        """How large the queries of a split are."""
