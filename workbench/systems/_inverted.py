"""An inverted index on disk, as PISA reads it, made of term counts in bounded memory.

Not PyTerrier's `toks_indexer`: over more than one of its batches (100,000 passages), pyterrier_pisa 0.4.9 gives the
last passage of a batch to every term that the batch does not have.
"""

import json
from array import array
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

HELD = 10_000_000
"""Postings in memory at once: some 400 MB."""

Ints = NDArray[np.uint32]


def invert(counted: Iterable[tuple[str, dict[str, int]]], out: Path, held: int = HELD) -> int:
    """Write `inv.*`, `fwd.documents`, `fwd.terms` and their lexicons.

    Args:
        counted: docno and how often it has each term, in the order of the passages.
        out: folder to fill.
        held: postings in memory at once.

    Returns:
        how many postings there are; of none nothing is written that PISA could read.
    """
    out.mkdir(parents=True, exist_ok=True)
    lexicon: dict[str, int] = {}
    parts = _Parts(out, held)
    with (out / "fwd.documents").open("w", encoding="utf-8") as documents:
        for docno, counts in counted:
            documents.write(f"{docno}\n")
            parts.add([lexicon.setdefault(term, len(lexicon)) for term in counts], counts.values())
    parts.put_down()
    if not parts.postings:
        return 0
    ordered = sorted(lexicon)  # PISA looks terms up by bisection
    rank = np.empty(len(lexicon), np.uint32)
    rank[[lexicon[term] for term in ordered]] = np.arange(len(lexicon), dtype=np.uint32)
    (out / "fwd.terms").write_text("".join(f"{term}\n" for term in ordered), "utf-8")
    parts.merge(rank)
    _lexicons(out)
    return parts.postings


def _lexicons(out: Path) -> None:
    from pyterrier_pisa import _pisathon

    for names, lexicon in (("fwd.documents", "fwd.doclex"), ("fwd.terms", "fwd.termlex")):
        _pisathon.build_binlex(str(out / names), str(out / lexicon))
    about = {"type": "sparse_index", "format": "pisa", "package_hint": "pyterrier-pisa", "stemmer": "none"}
    (out / "pt_meta.json").write_text(json.dumps(about), "utf-8")


class _Parts:
    """Postings as they come, put down in files of `held` each, and merged by term."""

    def __init__(self, out: Path, held: int) -> None:
        self.out, self.held, self.postings = out, held, 0
        self._files: list[Path] = []
        self._terms, self._counts, self._sizes, self._lengths = (array("I") for _ in range(4))
        self._first = 0

    def add(self, terms: list[int], counts: Iterable[int]) -> None:
        """The terms of one more passage."""
        before = len(self._terms)
        self._terms.extend(terms)
        self._counts.extend(counts)
        self._sizes.append(len(terms))
        self._lengths.append(sum(self._counts[before:]))
        if len(self._terms) >= self.held:
            self.put_down()

    def put_down(self) -> None:
        """What is in memory becomes a file: term, passage and count of each posting, uint32."""
        if self._terms:
            docs = np.arange(self._first, len(self._lengths), dtype=np.uint32).repeat(np.asarray(self._sizes))
            path = self.out / f"part.{len(self._files)}"
            np.stack([np.asarray(self._terms), docs, np.asarray(self._counts)]).tofile(path)
            self._files.append(path)
            self.postings += len(docs)
        self._first = len(self._lengths)
        self._terms, self._counts, self._sizes = (array("I") for _ in range(3))

    def merge(self, rank: Ints) -> None:
        """Write `inv.docs`, `inv.freqs` and `inv.sizes`, by the rank of each term; the parts are deleted."""
        found = np.zeros(len(rank), np.int64)
        for path in self._files:
            part = np.fromfile(path, np.uint32).reshape(3, -1)
            part[0] = rank[part[0]]
            part[:, np.argsort(part[0], kind="stable")].tofile(path)
            found += np.bincount(part[0], minlength=len(rank))
        sorted_parts = [np.memmap(path, np.uint32, "r").reshape(3, -1) for path in self._files]
        starts = np.searchsorted(np.cumsum(found), np.arange(0, self.postings, self.held))
        with (self.out / "inv.docs").open("wb") as docs, (self.out / "inv.freqs").open("wb") as freqs:
            np.array([1, len(self._lengths)], np.uint32).tofile(docs)
            for first, end in pairwise([*dict.fromkeys(starts.tolist()), len(rank)]):
                slices = (slice(*np.searchsorted(part[0], [first, end])) for part in sorted_parts)
                rows = np.concatenate([part[:, s] for part, s in zip(sorted_parts, slices, strict=True)], axis=1)
                rows = rows[:, np.argsort(rows[0], kind="stable")]
                lists = found[first:end].astype(np.uint32)
                # Each list comes after how long it is.
                heads = np.concatenate([[0], np.cumsum(found[first:end] + 1)[:-1]])
                at = np.arange(rows.shape[1]) + (rows[0] - first) + 1
                for file, values in ((docs, rows[1]), (freqs, rows[2])):
                    written = np.empty(rows.shape[1] + len(lists), np.uint32)
                    written[heads], written[at] = lists, values
                    written.tofile(file)
        np.concatenate([[len(self._lengths)], self._lengths]).astype(np.uint32).tofile(self.out / "inv.sizes")
        for path in self._files:
            path.unlink()
