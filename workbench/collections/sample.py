"""A seeded part of a collection: some of its queries, their judged passages, and so many others."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa

from store import LswError
from store.artifacts import canonical
from workbench.collections.base import Collection, Download, Extent
from workbench.varieties import table as varieties


@dataclass(frozen=True)
class Sampled:
    """Part of a collection. Where docnos and qids are the same in every variety (mMARCO), so is the part.

    What is kept are the names with the smallest seeded hashes, so a larger sample contains a smaller one, and neither
    depends on the order of any file.

    Args:
        whole: the collection.
        varieties: of its passages, whose judgements say which queries there are.
        queries: test queries kept.
        training_queries: training queries kept.
        passages: passages kept beside the judged ones of these queries.
        seed: of the hashes.
    """

    whole: Collection
    varieties: tuple[str, ...]
    queries_kept: int
    training_queries: int
    others: int
    seed: int
    _memory: dict[tuple[str, str], pa.Table] = field(default_factory=dict, compare=False, repr=False)

    @property
    def name(self) -> str:
        """The name of the whole."""
        return self.whole.name

    @property
    def _said(self) -> dict[str, int]:
        return {
            "queries": self.queries_kept,
            "training_queries": self.training_queries,
            "passages": self.others,
            "seed": self.seed,
        }

    @property
    def fingerprint(self) -> str:
        """Of the whole and the way it is sampled."""
        return hashlib.sha256(canonical([self.whole.fingerprint, self._said]).encode()).hexdigest()

    def origin(self, part: str, variety: str, split: str) -> dict[str, Any]:
        """As the whole's, and the way it is sampled."""
        return self.whole.origin(part, variety, split) | {"sample": self._said}

    def _rank(self, name: str) -> int:
        """A number by which names are drawn, the smallest first."""
        return int.from_bytes(hashlib.blake2b(f"{self.seed}:{name}".encode(), digest_size=8).digest(), "big")

    def _kept(self, variety: str, split: str) -> pa.Table:
        """The judgements, over the passages of a variety, of the queries that are kept."""
        if (variety, split) not in self._memory:
            judged = self.whole.qrels(variety, split)
            relevant = set(judged.filter(pa.compute.greater(judged["label"], 0))["qid"].to_pylist())
            most = self.queries_kept if split == "test" else self.training_queries
            qids = sorted(relevant, key=self._rank)[:most]
            kept = judged.filter(pa.compute.is_in(judged["qid"], pa.array(qids, pa.string())))
            self._memory[variety, split] = kept
        judgements: pa.Table = self._memory[variety, split]
        return judgements

    def queries(self, variety: str, split: str) -> pa.Table:
        """The kept queries of a split: those judged over the passages of their own variety, or of its relative's."""
        table = self.whole.queries(variety, split)
        relative = varieties()[variety].high if variety in varieties() else None
        over = [code for code in (variety, relative) if code in self.varieties][:1] or self.varieties
        kept = {qid for code in over for qid in self._kept(code, split)["qid"].to_pylist()}
        return table.filter(pa.compute.is_in(table["qid"], pa.array(sorted(kept), pa.string())))

    def qrels(self, variety: str, split: str) -> pa.Table:
        """The judgements of the kept queries."""
        return self._kept(variety, split)

    def passages(self, variety: str) -> Iterator[pa.RecordBatch]:
        """The passages judged for kept queries, and as many others as were asked for: read twice, never held."""
        splits = ("test", "train") if self.training_queries else ("test",)
        wanted = {docno for split in splits for docno in self._kept(variety, split)["docno"].to_pylist()}
        hashes = [
            np.fromiter((self._rank(d) for d in batch["docno"].to_pylist() if d not in wanted), np.uint64)
            for batch in self.whole.passages(variety)
        ]
        ranks = np.concatenate(hashes) if hashes else np.empty(0, np.uint64)
        most = np.partition(ranks, self.others - 1)[self.others - 1] if 0 < self.others < len(ranks) else None
        del hashes, ranks
        for batch in self.whole.passages(variety):
            docnos = batch["docno"].to_pylist()
            keep = [d in wanted or (self.others > 0 and (most is None or self._rank(d) <= int(most))) for d in docnos]
            kept = batch.filter(pa.array(keep))
            if len(kept):
                yield kept

    @property
    def judged(self) -> bool:
        """As the whole."""
        return self.whole.judged

    def held_out(self, variety: str) -> bool:
        """A sample is of training and test queries."""
        return False

    def by_variety(self) -> bool:
        """As the whole."""
        return self.whole.by_variety()

    def has_queries(self, variety: str) -> bool:
        """As the whole."""
        return self.whole.has_queries(variety)

    def distinguish(self, varieties: Iterable[str]) -> None:
        """As the whole."""
        self.whole.distinguish(varieties)

    def downloads(self, part: str, variety: str, split: str) -> list[Download]:
        """As of the whole, which is read to be sampled."""
        return self.whole.downloads(part, variety, split)

    def passages_extent(self, variety: str) -> Extent:
        """One or two judged passages a query, as MS MARCO has them, and the others."""
        whole = self.whole.passages_extent(variety)
        kept = round(1.07 * (self.queries_kept + self.training_queries)) + self.others
        return replace(whole, texts=min(kept, whole.texts or kept))

    def queries_extent(self, variety: str, split: str) -> Extent:
        """The kept ones."""
        whole = self.whole.queries_extent(variety, split)
        kept = self.queries_kept if split == "test" else self.training_queries
        return replace(whole, texts=min(kept, whole.texts or kept), samples=())

    def repeated(self, variety: str, docno: str) -> LswError:
        """As the whole says it."""
        return self.whole.repeated(variety, docno)
