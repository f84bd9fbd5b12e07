"""In how many passages a term occurs, from the index that PISA searches: the very counts that BM25 scores with."""

import math
import struct
from pathlib import Path

import numpy as np

from store import LswError

_TAIL = "<fQQ"
"""What stands between the counts and the largest weights: mean length, terms in all, passages."""
FLOOR = 1e-6
"""What PISA counts a term at least, be it in more than half of the passages."""


def idf(df: int, passages: int) -> float:
    """Robertson and Sparck Jones' weight of a term without relevance information, log((N - df + .5) / (df + .5)), as
    PISA has it: never below `FLOOR` (Robertson and Zaragoza 2009, eq. 3.2)."""
    return max(math.log((passages - df + 0.5) / (df + 0.5)), FLOOR)


class Frequencies:
    """The terms of an index of `bm25`, with their counts, memory-mapped.

    Args:
        folder: what BM25's `index` made.

    Attributes:
        passages: how many there are.
        length: terms of a passage, on average.

    Raises:
        LswError: it is not laid out as PISA 0.4 does it.
    """

    def __init__(self, folder: Path) -> None:
        self._text = np.memmap(folder / "fwd.terms", np.uint8, "r")
        self._ends = np.flatnonzero(self._text == ord("\n"))
        lengths = np.fromfile(folder / "inv.sizes", np.uint32)[1:]
        self.passages = len(lengths)
        self.length = float(np.float32(lengths.sum(dtype=np.int64) / self.passages))
        found = [path for path in sorted(folder.glob("bm25.*.bmw.*")) if not path.suffix.startswith(".block")]
        self._counts = self._read(found[0]) if len(found) == 1 else None
        if self._counts is None:
            raise LswError(
                f"The counts of terms in {folder} cannot be read.",
                "They are not laid out as pyterrier_pisa 0.4 does it.",
                "Install pyterrier_pisa 0.4 and index again: run the recipe with --force index.",
                exit_code=1,
            )

    def _read(self, path: Path) -> "np.memmap[tuple[int], np.dtype[np.uint32]] | None":
        """How many passages have each term; None if the file does not end as PISA's `wand_data` does.

        At its end stand, each list after its length (uint64): how often each term occurs, in how many passages
        (uint32); then `_TAIL`; then each term's largest weight (float32), and the largest of all.
        """
        terms = len(self._ends)
        block = 8 + 4 * terms
        size, tail = path.stat().st_size, struct.calcsize(_TAIL)
        weights = size - 4 - block
        counts = weights - tail - block
        if counts - block < 0:
            return None
        with path.open("rb") as file:
            said = []
            for at in (counts - block, counts, weights):
                file.seek(at)
                said.append(struct.unpack("<Q", file.read(8))[0])
            file.seek(weights - tail)
            passages = struct.unpack(_TAIL, file.read(tail))[2]
        if said != [terms] * 3 or passages != self.passages:
            return None
        return np.memmap(path, np.uint32, "r", offset=counts + 8, shape=(terms,))

    def __getitem__(self, term: str) -> int:
        """In how many passages a term occurs."""
        assert self._counts is not None
        wanted, low, high = term.encode(), 0, len(self._ends)
        while low < high:  # they stand in the order of their bytes
            middle = (low + high) // 2
            start = self._ends[middle - 1] + 1 if middle else 0
            here = self._text[start : self._ends[middle]].tobytes()
            if here == wanted:
                return int(self._counts[middle])
            low, high = (middle + 1, high) if here < wanted else (low, middle)
        return 0
