"""Arrays that grow on disk, shard by shard; what was whole when a process stopped is there when it starts again."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

DOCNOS = "docnos.arrow"
SHARD = 4_096
"""Passages encoded before they are put on disk."""


class Appended:
    """Files of raw rows in a folder, all of them always at the same shard.

    Args:
        folder: that outlives an interruption.
        names: of the files.
    """

    def __init__(self, folder: Path, names: tuple[str, ...]) -> None:
        self.folder = folder
        self.names = names
        self._record = folder / "done.json"
        state: dict[str, Any] = {"rows": 0, "sizes": {}}
        if self._record.exists():
            state = json.loads(self._record.read_text("utf-8"))
        if any(_size(folder / name) < size for name, size in state["sizes"].items()):
            state = {"rows": 0, "sizes": {}}  # less than was recorded: not to be trusted
        self.rows: int = state["rows"]
        for name in names:  # what was written after the last whole shard is cut off
            with (folder / name).open("ab") as file:
                file.truncate(state["sizes"].get(name, 0))

    def add(self, rows: int, **arrays: NDArray[np.generic]) -> None:
        """Append one shard.

        Args:
            rows: passages (or pairs) that it holds.
            arrays: bytes to append to each file; a dot of its name is written `_`.
        """
        for name in self.names:
            with (self.folder / name).open("ab") as file:
                file.write(np.ascontiguousarray(arrays[name.replace(".", "_")]).tobytes())
                file.flush()
                os.fsync(file.fileno())
        self.rows += rows
        sizes = {name: (self.folder / name).stat().st_size for name in self.names}
        new = self._record.with_suffix(".new")
        new.write_text(json.dumps({"rows": self.rows, "sizes": sizes}), "utf-8")
        new.replace(self._record)

    def hand_over(self, out: Path) -> None:
        """Give the finished files to a folder as well: should the rest of a stage fail, they are not made again."""
        for name in self.names:
            try:
                os.link(self.folder / name, out / name)
            except OSError:  # a file system without hard links
                shutil.copyfile(self.folder / name, out / name)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def write_docnos(folder: Path, docnos: list[str]) -> None:
    """Leave the docnos of an index's rows, in order."""
    with pa.OSFile(str(folder / DOCNOS), "wb") as file:
        table = pa.table({"docno": pa.array(docnos, pa.string())})
        with pa.ipc.new_file(file, table.schema) as writer:
            writer.write_table(table)


class Docnos:
    """The docnos of an index's rows, memory-mapped.

    Args:
        folder: where `write_docnos` left them.
    """

    def __init__(self, folder: Path) -> None:
        self._column = pa.ipc.open_file(pa.memory_map(str(folder / DOCNOS))).read_all()["docno"].combine_chunks()

    def of(self, rows: NDArray[np.int64]) -> pa.Array:
        """The docno of each row."""
        return self._column.take(pa.array(rows))

    def rows(self, docnos: list[str]) -> NDArray[np.int64]:
        """The rows of these docnos, ascending."""
        import pyarrow.compute as pc

        rows: NDArray[np.int64] = np.flatnonzero(
            pc.is_in(self._column, value_set=pa.array(docnos, pa.string())).to_numpy(zero_copy_only=False)
        )
        return rows
