"""Opening the DuckDB file: bounded retries while another process has it, and an error that says who."""

import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from store.errors import Busy, Damaged, LswError

PATIENCE = float(os.environ.get("LSW_LOCK_TIMEOUT", "30"))
"""Seconds to wait for another process before giving up."""

_RETRY = 0.025

_CONFINED: dict[str, str | bool | int | float | list[str]] = {
    "enable_external_access": "false",
    "lock_configuration": "true",
}
"""A reader reaches no file but the database. Set at opening: connections of one process share it."""


def in_use(error: duckdb.Error) -> bool:
    """Whether another process has the file, or this one has it in the other mode: the same again may do."""
    text = str(error)
    if isinstance(error, duckdb.IOException):
        return "Could not set lock on file" in text
    return isinstance(error, duckdb.ConnectionException) and "different configuration than existing" in text


def damage(path: Path, error: duckdb.Error) -> Damaged | None:
    """The error that says that the database file is damaged, if that is what DuckDB found."""
    text = str(error)
    if type(error) is duckdb.Error:  # checksums of pages, segments and the write-ahead log have no type of their own
        damaged = text.startswith(("Corrupt", "Failure while replaying WAL"))
    elif isinstance(error, duckdb.IOException):  # of this file: a Parquet file may be cut too
        damaged = path.name in text and ("not a valid DuckDB database" in text or "Could not read enough bytes" in text)
    else:
        damaged = isinstance(error, duckdb.SerializationException) or "Failed to load metadata pointer" in text
    if not damaged:
        return None
    return Damaged(
        f"The database {path} is damaged.",
        text.splitlines()[0],
        f"Move {path.name} away, then type `lsw store upgrade`: it makes it again from the artifacts.",
        exit_code=1,
    )


@contextmanager
def connect(path: Path, read_only: bool, patience: float | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to `path`, closed at the end of the block.

    Args:
        path: the database file; made if absent and `read_only` is false.
        read_only: readers exclude writers and the other way round, so open read-only wherever that will do.
        patience: seconds to keep trying while another process holds the file; default `PATIENCE`.

    Raises:
        Busy: the file stays locked.
        Damaged: it is no DuckDB file, or a page of it is not what was written, found at once or within the block.
        LswError: it cannot be opened.
    """
    deadline = time.monotonic() + (PATIENCE if patience is None else patience)
    while True:
        try:
            con = duckdb.connect(str(path), read_only=read_only, config=_CONFINED if read_only else {})
            break
        except duckdb.Error as error:
            text = str(error)
            if not in_use(error):
                raise damage(path, error) or LswError(
                    f"The store {path} cannot be opened.",
                    text.splitlines()[0],
                    "Make room, or choose another with --store DIR."
                    if "Could not write" in text
                    else "Check its rights and its disk, and that duckdb is as new as the one that wrote it.",
                ) from None
            if time.monotonic() > deadline:
                holder = re.search(r"PID (\d+)", text)
                who = f"process {holder[1]}" if holder else "another process"
                raise Busy(
                    f"The store {path} is in use by {who}.",
                    cure="Wait for it to finish, or set LSW_LOCK_TIMEOUT to more seconds.",
                    exit_code=1,
                ) from None
            time.sleep(_RETRY)
    try:
        yield con
    except duckdb.Error as error:
        if damaged := damage(path, error):
            raise damaged from None
        raise
    finally:
        con.close()
