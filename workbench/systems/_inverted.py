"""An inverted index on disk, as PISA reads it, made of terms in bounded memory.

Not PyTerrier's `toks_indexer`: over more than one of its batches (100,000 passages), pyterrier_pisa 0.4.9 gives the
last passage of a batch to every term that the batch does not have.
"""

import json
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from workbench.terms.many import Many

HELD = 4_000_000
"""Terms in memory at once, each as often as it occurs: some 250 MB, with the part that is being made."""
_BYTES = 16
"""Bytes of text that count as a term held: few terms are so long."""

Ints = NDArray[np.uint32]


def invert(made: Iterable[tuple[list[str], Many]], out: Path, held: int = HELD) -> int:
    """Write `inv.*`, `fwd.documents`, `fwd.terms` and their lexicons.

    What is written does not depend on how the passages came, or on `held`. Memory grows with the longest list of
    postings alone, 8 bytes each.

    Args:
        made: docnos and the terms of these passages, in the order of the passages.
        out: folder to fill.
        held: terms in memory at once.

    Returns:
        how many postings there are; of none nothing is written that PISA could read.
    """
    out.mkdir(parents=True, exist_ok=True)
    with (
        _Parts(out, held) as parts,
        (out / "fwd.documents").open("w", encoding="utf-8") as documents,
        (out / "inv.sizes").open("wb") as sizes,
    ):
        np.zeros(1, np.uint32).tofile(sizes)
        for docnos, some in made:
            documents.write("".join(f"{docno}\n" for docno in docnos))
            sizes.write(np.bincount(some.rows, minlength=some.texts).astype(np.uint32).tobytes())
            parts.add(some)
        parts.end()
        sizes.seek(0)
        np.array([parts.passages], np.uint32).tofile(sizes)
    if parts.postings:
        parts.merge()
        _lexicons(out)
    return parts.postings


def _lexicons(out: Path) -> None:
    from pyterrier_pisa import _pisathon

    for names, lexicon in (("fwd.documents", "fwd.doclex"), ("fwd.terms", "fwd.termlex")):
        _pisathon.build_binlex(str(out / names), str(out / lexicon))
    about = {"type": "sparse_index", "format": "pisa", "package_hint": "pyterrier-pisa", "stemmer": "none"}
    (out / "pt_meta.json").write_text(json.dumps(about), "utf-8")


class _Part:
    """Postings of some passages that follow one another, by term, in two files that are mapped.

    Attributes:
        terms: in the order of their bytes.
        ends: where the list of each ends, int64.
        loads: `ends`, with bytes of long terms counted as `_BYTES` says.
    """

    def __init__(self, path: Path) -> None:
        self.files = path.with_suffix(".terms"), path.with_suffix(".postings")

    def make(self, every: list[pa.StringArray], rows: list[Ints], first: int, end: int) -> int:
        """Count the terms of the passages `first` to `end`, without the last. Returns how many postings they have.

        Args:
            every: terms, each as often as it occurs.
            rows: in which passage each is, counted from the first of them.
        """
        from scipy import sparse

        terms, ranks = _ranked(pa.concat_arrays(every))
        docs = np.concatenate(rows)
        every.clear()
        rows.clear()
        ones = np.ones(len(ranks), np.uint32)
        counted = sparse.coo_array((ones, (ranks, docs)), (len(terms), end - first)).tocsr()
        counted.sum_duplicates()  # sorts the passages of each term, too
        ends = counted.indptr[1:].astype(np.int64)
        loads = ends + np.cumsum(pc.binary_length(terms).to_numpy(), dtype=np.int64) // _BYTES
        table = pa.table({"term": terms, "end": ends, "load": loads})
        with pa.OSFile(str(self.files[0]), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
            writer.write_table(table)
        with self.files[1].open("wb") as postings:
            (counted.indices.astype(np.uint32) + np.uint32(first)).tofile(postings)
            counted.data.tofile(postings)
        return int(counted.nnz)

    def open(self) -> None:
        mapped = np.memmap(self.files[0], np.uint8, "r")  # unlike Arrow's own, it keeps no file open
        batch = pa.ipc.open_file(pa.py_buffer(mapped)).get_batch(0)
        self.terms: pa.StringArray = batch["term"]
        self.ends: NDArray[np.int64] = batch["end"].to_numpy()
        self.loads: NDArray[np.int64] = batch["load"].to_numpy()
        self.postings = np.memmap(self.files[1], np.uint32, "r").reshape(2, -1)

    def place(self, term: str) -> int:
        """How many of its terms come before this one."""
        return bisect_left(range(len(self.terms)), term, key=lambda i: str(self.terms[i].as_py()))

    def start(self, at: int) -> int:
        """Where the postings of the term at this place begin."""
        return int(self.ends[at - 1]) if at else 0


class _Parts:
    """Terms as they come, put down in parts of `held` each, and merged by term.

    A part is made beside the work, in a thread; never more than one.
    """

    def __init__(self, out: Path, held: int) -> None:
        self.out, self.held, self.postings, self.passages = out, held, 0, 0
        self._parts: list[_Part] = []
        self._thread = ThreadPoolExecutor(1)
        self._made: Future[int] | None = None
        self._clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self._thread.shutdown()

    def _clear(self) -> None:
        self._terms: list[pa.StringArray] = []
        self._docs: list[Ints] = []
        self._load, self._first = 0, self.passages

    def add(self, some: Many) -> None:
        """The terms of some more passages."""
        self._terms.append(some.terms)
        self._docs.append((some.rows + (self.passages - self._first)).astype(np.int32))
        self.passages += some.texts
        self._load += max(len(some.terms), some.terms.nbytes // _BYTES)
        if self._load >= self.held:
            self.put_down()

    def put_down(self) -> None:
        """What is in memory becomes a part."""
        self._wait()
        if any(map(len, self._terms)):
            part = _Part(self.out / f"part-{len(self._parts)}")
            self._made = self._thread.submit(part.make, self._terms, self._docs, self._first, self.passages)
            self._parts.append(part)
        self._clear()

    def _wait(self) -> None:
        if self._made:
            self.postings += self._made.result()
            self._made = None

    def end(self) -> None:
        """Nothing more comes."""
        self.put_down()
        self._wait()

    def merge(self) -> None:
        """Write `inv.docs`, `inv.freqs` and `fwd.terms`; the parts are deleted."""
        for part in self._parts:
            part.open()
        with (
            (self.out / "inv.docs").open("wb") as docs,
            (self.out / "inv.freqs").open("wb") as freqs,
            (self.out / "fwd.terms").open("w", encoding="utf-8") as names,
        ):
            np.array([1, self.passages], np.uint32).tofile(docs)
            for slices in self._ranges():
                names.write("".join(f"{term}\n" for term in self._write(slices, docs, freqs)))
        for part in self._parts:
            for path in part.files:
                path.unlink()

    def _ranges(self) -> Iterator[list[tuple[int, int]]]:
        """Where in each part the terms begin and end that are merged together, over and over.

        Each part says a term at every so many of its postings; of all these, in order, every so many begins a range: no
        range has more than twice `held` postings beyond those of its longest list.
        """
        step = max(self.held // len(self._parts), 1)
        said: list[str] = []
        for part in self._parts:
            at = np.searchsorted(part.loads, np.arange(step, part.loads[-1], step))
            said += part.terms.take(pa.array(np.unique(at))).to_pylist()
        starts = [0] * len(self._parts)
        for pivot in dict.fromkeys(sorted(said)[:: len(self._parts)]):
            ends = [part.place(pivot) for part in self._parts]
            yield list(zip(starts, ends, strict=True))
            starts = ends
        yield list(zip(starts, (len(part.terms) for part in self._parts), strict=True))

    def _write(self, slices: list[tuple[int, int]], docs: BinaryIO, freqs: BinaryIO) -> list[str]:
        """The lists of a range of terms; returns these."""
        some = [part.terms[start:end] for part, (start, end) in zip(self._parts, slices, strict=True)]
        terms, ranks = _ranked(pa.concat_arrays(some))
        each = np.split(ranks, np.cumsum([len(array) for array in some])[:-1])
        sizes, found = np.zeros(len(terms), np.int64), []
        for part, (start, end), here in zip(self._parts, slices, each, strict=True):
            lists = np.diff(part.ends[start:end], prepend=part.start(start))
            found.append((here, lists))
            sizes[here] += lists  # no term is twice in a part
        # Each list comes after how long it is.
        at = np.cumsum(sizes + 1) - sizes
        written = np.empty((2, len(terms) + int(sizes.sum())), np.uint32)
        written[:, at - 1] = sizes
        for part, (start, end), (here, lists) in zip(self._parts, slices, found, strict=True):
            first, last = part.start(start), part.start(end)
            places = np.repeat(at[here] - np.cumsum(lists) + lists, lists)
            places += np.arange(last - first)
            written[:, places] = part.postings[:, first:last]
            at[here] += lists
        written[0].tofile(docs)
        written[1].tofile(freqs)
        ordered: list[str] = terms.to_pylist()
        return ordered


def _ranked(terms: pa.StringArray) -> tuple[pa.StringArray, NDArray[np.int32]]:
    """Each term once, in the order of their bytes, as PISA wants them; and which of these each term is."""
    coded = terms.dictionary_encode()
    order = pc.array_sort_indices(coded.dictionary)
    rank = np.empty(len(order), np.int32)
    rank[order.to_numpy()] = np.arange(len(order))
    return coded.dictionary.take(order), rank[coded.indices.to_numpy()]
