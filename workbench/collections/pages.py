"""A collection of pages: passages of one area joined by a seed, each page judged as its best passage."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pyarrow as pa

from store import LswError
from store.artifacts import canonical
from workbench.collections.base import Collection, Download, Extent
from workbench.collections.formats import batched

PARENT = pa.schema(
    [("docno", pa.string()), ("parent", pa.string()), ("position", pa.int32()), ("begins", pa.int32()),
     ("ends", pa.int32())]
)  # fmt: skip
"""What a passage of a page is: its docno, the page, its place there from 0, and the characters where it begins and
ends (the first that is not its own)."""
RELEVANT = pa.schema([("qid", pa.string()), ("docno", pa.string()), ("part", pa.string()), ("label", pa.int32())])
"""The relevant passages of pages: query, page, passage, label."""
BETWEEN = "\n"
"""Stands between two passages of a page."""
HELD = 2_000_000
"""Passages that are held at once to be joined, at most."""


class Page(NamedTuple):
    """A page: its docno, and the docnos and lengths in characters of its passages."""

    docno: str
    parts: list[tuple[str, int]]


def sizes(count: int, least: int, most: int, seed: str) -> list[int]:
    """How many passages each page has, so that they are `count` in all.

    Args:
        count: passages of an area.
        least, most: passages of a page.
        seed: of the draws.

    Returns:
        sizes from `least` to `most`; the last is smaller where the count cannot be divided so.
    """
    out: list[int] = []
    while count:
        whole = [
            size for size in range(least, min(most, count) + 1) if -(-(count - size) // most) * least <= count - size
        ]
        possible = whole or list(range(least, min(most, count) + 1)) or [count]
        out.append(possible[_hash(f"{seed}:{len(out)}") % len(possible)])
        count -= out[-1]
    return out


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


@dataclass(frozen=True)
class Pages:
    """A collection whose passages are joined to pages; queries are the same, and a page is as relevant as its best
    passage.

    Which passages stand together, and in which order, is drawn by the hashes of their docnos: varieties that have the
    same docnos have the same pages. A page's docno holds the hash of its passages' docnos, so that it never means
    another page.

    Args:
        whole: the collection.
        of: passages of a page, at least and at most.
        seed: of the draw.
        area: a docno's area is what stands before the last of this sign; passages of other areas are never joined.
    """

    whole: Collection
    of: tuple[int, int]
    seed: int
    area: str = "-"
    _memory: dict[str, list[Page]] = field(default_factory=dict, compare=False, repr=False)

    @property
    def name(self) -> str:
        """The name of the whole."""
        return self.whole.name

    @property
    def _said(self) -> dict[str, Any]:
        return {"of": list(self.of), "seed": self.seed, "area": self.area}

    @property
    def fingerprint(self) -> str:
        """Of the whole and the way it is joined."""
        return hashlib.sha256(canonical([self.whole.fingerprint, {"pages": self._said}]).encode()).hexdigest()

    @property
    def judged(self) -> bool:
        """As the whole."""
        return self.whole.judged

    def origin(self, part: str, variety: str, split: str) -> dict[str, Any]:
        """As the whole's; of passages and judgements also the way they are joined, which the passages decide."""
        own = self.whole.origin(part, variety, split)
        if part == "queries":
            return own
        joined = {"passages": self.whole.origin("passages", variety, split)} if part == "qrels" else {}
        return own | {"pages": self._said | joined}

    def _texts(self, variety: str) -> dict[str, str]:
        """Every passage by its docno."""
        texts: dict[str, str] = {}
        for batch in self.whole.passages(variety):
            for docno, text in zip(batch["docno"].to_pylist(), batch["text"].to_pylist(), strict=True):
                if docno in texts:
                    raise self.whole.repeated(variety, docno)
                texts[docno] = text
            if len(texts) > HELD:
                raise LswError(
                    f"'{self.name}' has more than {HELD:,} passages in '{variety}', too many to be joined to pages.",
                    cure="Take a sample of it, or a collection of long documents as it is.",
                )
        return texts

    def _joined(self, variety: str, texts: dict[str, str] | None = None) -> list[Page]:
        """The pages of a variety, by area, in the order in which they were drawn."""
        if variety not in self._memory:
            lengths = {docno: len(text) for docno, text in (texts or self._texts(variety)).items()}
            areas: dict[str, list[str]] = {}
            for docno in lengths:
                areas.setdefault(docno.rpartition(self.area)[0], []).append(docno)
            pages = []
            for area, docnos in sorted(areas.items()):
                left = iter(sorted(docnos, key=lambda docno: (_hash(f"{self.seed}:{docno}"), docno)))
                for number, size in enumerate(sizes(len(docnos), *self.of, f"{self.seed}:{area}"), 1):
                    parts = [next(left) for _ in range(size)]
                    mark = hashlib.blake2b("\n".join(parts).encode(), digest_size=3).hexdigest()
                    docno = f"{area}{self.area if area else ''}p{number}-{mark}"
                    pages.append(Page(docno, [(part, lengths[part]) for part in parts]))
            self._memory[variety] = pages
        return self._memory[variety]

    def passages(self, variety: str) -> Iterator[pa.RecordBatch]:
        """All pages of a variety in batches of docno, text.

        Raises:
            LswError: too many passages to be held, or a docno that occurs twice.
        """
        texts = self._texts(variety)
        rows = (
            (page.docno, BETWEEN.join(texts[docno] for docno, _ in page.parts)) for page in self._joined(variety, texts)
        )
        yield from batched(rows)

    def parts(self, variety: str) -> pa.Table:
        """The passages of all pages (`PARENT`)."""
        rows = []
        for page in self._joined(variety):
            begins = 0
            for position, (docno, length) in enumerate(page.parts):
                ends = begins + length
                rows.append(
                    {"docno": docno, "parent": page.docno, "position": position, "begins": begins, "ends": ends}
                )
                begins = ends + len(BETWEEN)
        return pa.Table.from_pylist(rows, schema=PARENT)

    def short(self, variety: str) -> int:
        """Pages with fewer passages than there should be, because an area has no more."""
        return sum(1 for page in self._joined(variety) if len(page.parts) < self.of[0])

    def queries(self, variety: str, split: str) -> pa.Table:
        """As the whole."""
        return self.whole.queries(variety, split)

    def _placed(self, variety: str, split: str) -> list[tuple[str, str, str, int]]:
        """Query, page, passage and label of each judgement.

        Raises:
            LswError: a passage is judged that is in no page.
        """
        page_of = {docno: page.docno for page in self._joined(variety) for docno, _ in page.parts}
        judged = self.whole.qrels(variety, split)
        columns = (judged[name].to_pylist() for name in ("qid", "docno", "label"))
        placed = []
        for qid, docno, label in zip(*columns, strict=True):
            if docno not in page_of:
                raise LswError(
                    f"Passage '{docno}' of '{self.name}' is judged and stands on no page.",
                    f"It is not among the '{variety}' passages.",
                    "Add it to them, or take its judgement out.",
                )
            placed.append((qid, page_of[docno], docno, label))
        return placed

    def qrels(self, variety: str, split: str) -> pa.Table:
        """The judgements of pages: each as high as that of its best passage."""
        best: dict[tuple[str, str], int] = {}
        for qid, page, _, label in self._placed(variety, split):
            best[qid, page] = max(label, best.get((qid, page), label))
        columns = {
            "qid": pa.array([qid for qid, _ in best], pa.string()),
            "docno": pa.array([page for _, page in best], pa.string()),
            "label": pa.array(best.values(), pa.int32()),
        }
        return pa.table(columns)

    def relevant(self, variety: str, split: str) -> pa.Table:
        """The relevant passages of pages (`RELEVANT`)."""
        found = [dict(zip(RELEVANT.names, row, strict=True)) for row in self._placed(variety, split) if row[3] > 0]
        return pa.Table.from_pylist(found, schema=RELEVANT)

    def repeated(self, variety: str, docno: str) -> LswError:
        """Two pages of one name, which areas may make that end as pages do."""
        return LswError(
            f"Two pages of '{self.name}' are called '{docno}'.", cure="Give pages.area another sign, or another seed."
        )

    def has_queries(self, variety: str) -> bool:
        """As the whole."""
        return self.whole.has_queries(variety)

    def distinguish(self, varieties: Iterable[str]) -> None:
        """As the whole."""
        self.whole.distinguish(varieties)

    def by_variety(self) -> bool:
        """Which pages are judged is decided by the passages of each variety."""
        return True

    def held_out(self, variety: str) -> bool:
        """As the whole."""
        return self.whole.held_out(variety)

    def downloads(self, part: str, variety: str, split: str) -> list[Download]:
        """Those of the whole; judgements need the passages too."""
        files = self.whole.downloads(part, variety, split)
        return files + (self.whole.downloads("passages", variety, split) if part == "qrels" else [])

    def passages_extent(self, variety: str) -> Extent:
        """So many times fewer, and longer, as a page has passages on average."""
        whole, size = self.whole.passages_extent(variety), sum(self.of) / 2
        some = whole.samples
        joined = tuple(BETWEEN.join(some[i : i + round(size)]) for i in range(0, len(some), round(size)))
        return Extent(whole.texts and round(whole.texts / size), whole.mean_bytes * size, whole.download, joined)

    def queries_extent(self, variety: str, split: str) -> Extent:
        """As the whole."""
        return self.whole.queries_extent(variety, split)
