"""A collection whose passages are in several varieties, one for each docno: multilingual retrieval."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from store import LswError
from workbench.collections.base import Collection, Download, Extent
from workbench.varieties import MIXED

SEED = 42
"""Of the draw of a variety for each docno."""
DRAWN = "mixed.json"
"""The file beside mixed passages that says of which varieties and by which seed they were drawn."""
LEFT_OUT = 0.01
"""Share of passages that may be lost because the variety that is drawn lacks them."""


def variety_of(varieties: Sequence[str], seed: int = SEED) -> Callable[[str], str]:
    """The variety of a docno's passage: drawn by its hash, the varieties in the order of their codes."""
    ordered = sorted(varieties)
    return lambda docno: ordered[_hash(docno, seed) % len(ordered)]


def _hash(docno: str, seed: int) -> int:
    return int.from_bytes(hashlib.blake2b(f"{seed}:{docno}".encode(), digest_size=8).digest(), "big")


def variety_in(folder: Path) -> Callable[[str], str] | None:
    """The same, of passages that a stage left in a folder; None if they are of one variety."""
    path = folder / DRAWN
    return variety_of(**json.loads(path.read_text("utf-8"))) if path.exists() else None


@dataclass(frozen=True)
class Mixed:
    """A collection and, as `mul`, its passages in several varieties: each docno once, so that judgements hold.

    Its docnos are the same in every variety, as mMARCO's are.

    Args:
        whole: the collection.
        varieties: of the passages.
        seed: of the draw.
        lost: docnos that the variety drawn for them lacks, each time that all mixed passages are read.
    """

    whole: Collection
    varieties: tuple[str, ...]
    seed: int = SEED
    lost: list[int] = field(default_factory=list, compare=False, repr=False)

    @property
    def name(self) -> str:
        """The name of the whole."""
        return self.whole.name

    @property
    def fingerprint(self) -> str:
        """The whole's, whose passages these are."""
        return self.whole.fingerprint

    @property
    def judged(self) -> bool:
        """As the whole."""
        return self.whole.judged

    def origin(self, part: str, variety: str, split: str) -> dict[str, Any]:
        """As the whole's; of mixed passages those of each variety, and the draw."""
        if variety != MIXED:
            return self.whole.origin(part, variety, split)
        if part == "qrels":
            own = {"over": MIXED} if self.by_variety() else {}
            return self.whole.origin(part, self.varieties[0], split) | own
        if part == "queries":
            raise _no_queries(self.name)
        of_each = {code: self.whole.origin(part, code, split) for code in sorted(self.varieties)}
        return {"mixed": of_each, "seed": self.seed}

    def passages(self, variety: str) -> Iterator[pa.RecordBatch]:
        """All passages; of mixed ones those of one variety after those of another.

        Raises:
            LswError: docnos of one variety are not those of another.
        """
        if variety != MIXED:
            yield from self.whole.passages(variety)
            return
        ordered, count = sorted(self.varieties), 0
        known = np.empty(0, np.uint64)  # of all docnos: 70 MB for mMARCO
        for number, code in enumerate(ordered):
            hashes = []
            for batch in self.whole.passages(code):
                hashes.append(np.array([_hash(docno, self.seed) for docno in batch["docno"].to_pylist()], np.uint64))
                kept = batch.filter(pa.array(hashes[-1] % len(ordered) == number))
                count += len(kept)
                if len(kept):
                    yield kept
            known = np.union1d(known, np.concatenate(hashes))
        self.lost.append(len(known) - count)
        if len(known) - count > LEFT_OUT * len(known):
            raise LswError(
                f"The passages of '{self.name}' are not parallel in {', '.join(ordered)}.",
                f"{len(known) - count:,} of {len(known):,} docnos are lost: the variety drawn for them lacks them.",
                "Mix varieties that have the same docnos.",
            )

    def queries(self, variety: str, split: str) -> pa.Table:
        """As the whole."""
        if variety == MIXED:
            raise _no_queries(self.name)
        return self.whole.queries(variety, split)

    def qrels(self, variety: str, split: str) -> pa.Table:
        """As the whole; docnos are the same in every variety."""
        return self.whole.qrels(self.varieties[0] if variety == MIXED else variety, split)

    def repeated(self, variety: str, docno: str) -> LswError:
        """As the whole says it."""
        code = variety_of(self.varieties, self.seed)(docno) if variety == MIXED else variety
        return self.whole.repeated(code, docno)

    def has_queries(self, variety: str) -> bool:
        """As the whole."""
        return variety != MIXED and self.whole.has_queries(variety)

    def distinguish(self, varieties: Iterable[str]) -> None:
        """As the whole."""
        self.whole.distinguish(varieties)

    def by_variety(self) -> bool:
        """As the whole."""
        return self.whole.by_variety()

    def held_out(self, variety: str) -> bool:
        """As the whole."""
        return variety != MIXED and self.whole.held_out(variety)

    def downloads(self, part: str, variety: str, split: str) -> list[Download]:
        """Those of each variety."""
        codes = self.varieties if variety == MIXED and part == "passages" else (variety,)
        if variety == MIXED and part == "qrels":
            codes = self.varieties[:1]
        return [file for code in codes for file in self.whole.downloads(part, code, split)]

    def passages_extent(self, variety: str) -> Extent:
        """As many as one variety has, as long as they are on average."""
        if variety != MIXED:
            return self.whole.passages_extent(variety)
        each = [self.whole.passages_extent(code) for code in self.varieties]
        mean = sum(extent.mean_bytes for extent in each) / len(each)
        some = [text for extent in each for text in extent.samples[: 1 + 1_000 // len(each)]]
        counts = [extent.texts for extent in each if extent.texts is not None]
        return Extent(min(counts, default=None), mean, sum(extent.download for extent in each), tuple(some))

    def queries_extent(self, variety: str, split: str) -> Extent:
        """As the whole."""
        return self.whole.queries_extent(variety, split)


def _no_queries(name: str) -> LswError:
    return LswError(
        f"Nobody asks '{name}' in several languages at once.",
        cure=f"Pairs of mixed passages are written QUERIES-{MIXED}, as in en-{MIXED}.",
    )
