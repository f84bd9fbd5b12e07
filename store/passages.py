"""Passages of one variety in one file: Arrow, uncompressed, memory-mapped; read in order or by docno, never whole."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa

SCHEMA = pa.schema([("docno", pa.string()), ("text", pa.string())])
FILE = "passages.arrow"
BATCH = 65_536
"""Passages of one record batch; the unit in which they are read."""


def write(path: Path, batches: Iterable[pa.RecordBatch]) -> int:
    """Write passages as they come. Returns how many.

    Args:
        path: the file to make.
        batches: record batches of `SCHEMA`, of any size.
    """
    count = 0
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, SCHEMA) as writer:
        for batch in regrouped(batches, BATCH):
            writer.write_batch(batch)
            count += len(batch)
    return count


def regrouped(batches: Iterable[pa.RecordBatch], size: int) -> Iterator[pa.RecordBatch]:
    """The same rows in batches of `size`; the last may be smaller."""
    held: list[pa.RecordBatch] = []
    rows = 0
    for batch in batches:
        while len(batch):
            taken = batch.slice(0, size - rows)
            held.append(taken)
            rows += len(taken)
            batch = batch.slice(len(taken))
            if rows == size:
                yield pa.concat_batches(held)
                held, rows = [], 0
    if held:
        yield pa.concat_batches(held)


class Passages:
    """An open file of passages.

    Args:
        path: what `write` made.
    """

    def __init__(self, path: Path) -> None:
        self._reader = pa.ipc.open_file(pa.memory_map(str(path)))
        self._batches = [self._reader.get_batch(i) for i in range(self._reader.num_record_batches)]
        self.docnos: pa.ChunkedArray = pa.chunked_array([b["docno"] for b in self._batches], pa.string())

    def __len__(self) -> int:
        return len(self.docnos)

    def batches(self, start: int = 0, size: int = BATCH) -> Iterator[pa.RecordBatch]:
        """Rows from `start` on, `size` at a time."""
        for begin in range(start, len(self), size):
            yield self.rows(begin, begin + size)

    def rows(self, begin: int, end: int) -> pa.RecordBatch:
        """Rows `begin` to `end`, without the one at `end`."""
        parts = []
        for number, batch in enumerate(self._batches):
            low, high = max(begin - number * BATCH, 0), min(end - number * BATCH, len(batch))
            if low < high:
                parts.append(batch.slice(low, high - low))
        return pa.concat_batches(parts) if parts else pa.RecordBatch.from_pylist([], schema=SCHEMA)

    def texts(self, docnos: Iterable[str]) -> dict[str, str]:
        """The text of each docno that is there: one pass over the docnos (0.15 s for 8.8 million), no copy."""
        import numpy as np
        import pyarrow.compute as pc

        wanted = pa.array(dict.fromkeys(docnos), pa.string())
        if not len(wanted) or not len(self):
            return {}
        at = np.flatnonzero(pc.index_in(self.docnos, value_set=wanted).is_valid().to_numpy())
        texts: dict[str, str] = {}
        for number, batch in enumerate(self._batches):  # batch by batch: taking from all at once copies them all
            low, high = np.searchsorted(at, (number * BATCH, number * BATCH + len(batch)))
            if low < high:
                taken = batch.take(pa.array(at[low:high] - number * BATCH))
                texts.update(zip(taken["docno"].to_pylist(), taken["text"].to_pylist(), strict=True))
        return texts

    def twice(self) -> str | None:
        """A docno that occurs more than once, if one does."""
        import duckdb

        with duckdb.connect() as con:
            con.register("p", pa.table({"docno": self.docnos}))
            repeated = con.execute("SELECT docno FROM p GROUP BY docno HAVING count(*) > 1 LIMIT 1").fetchall()
        return str(repeated[0][0]) if repeated else None


def texts(files: list[str], docnos: Iterable[str]) -> dict[str, str]:
    """The text of each docno that one of the files has; later files win."""
    wanted = list(docnos)
    by_docno: dict[str, str] = {}
    for file in files:
        by_docno |= Passages(Path(file)).texts(wanted)
    return by_docno
