"""Opening the DuckDB file: bounded retries while another process has it, and an error that says who."""

import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from store.errors import Busy, LswError

PATIENCE = float(os.environ.get("LSW_LOCK_TIMEOUT", "30"))
"""Seconds to wait for another process before giving up."""

_RETRY = 0.025

_CONFINED: dict[str, str | bool | int | float | list[str]] = {
    "enable_external_access": "false",
    "lock_configuration": "true",
}
"""A reader reaches no file but the database. Set at opening: connections of one process share it."""


@contextmanager
def connect(path: Path, read_only: bool, patience: float | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to `path`, closed at the end of the block.

    Args:
        path: the database file; made if absent and `read_only` is false.
        read_only: readers exclude writers and the other way round, so open read-only wherever that will do.
        patience: seconds to keep trying while another process holds the file; default `PATIENCE`.

    Raises:
        Busy: the file stays locked.
        LswError: it is no DuckDB file, or cannot be opened.
    """
    deadline = time.monotonic() + (PATIENCE if patience is None else patience)
    while True:
        try:
            con = duckdb.connect(str(path), read_only=read_only, config=_CONFINED if read_only else {})
            break
        except duckdb.Error as error:
            text = str(error)
            # A reader and a writer within one process are refused with the second message.
            busy = "lock" in text or "different configuration" in text
            if not busy:
                full = "write" in text
                raise LswError(
                    f"The store {path} cannot be opened.",
                    text.splitlines()[0],
                    "Make room, or choose another with --store DIR."
                    if full
                    else "If it is damaged, move runs.duckdb away and type `lsw store upgrade`, which rebuilds it.",
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
    finally:
        con.close()
