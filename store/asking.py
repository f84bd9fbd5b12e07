"""A user's own SQL: one read-only statement, which can be stopped, and what is wrong with it, and where."""

import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Lock
from typing import Any

import duckdb

from store.database import damage
from store.errors import LswError
from store.layout import Store
from store.schema import VIEWS

_LINE = re.compile(r"\n(LINE (\d+): )(.*)\n( *)\^")


class Refused(LswError):
    """SQL that could not be run.

    Attributes:
        place: the line and the column that are at fault, both from 1; None if DuckDB does not say.
    """

    def __init__(self, detail: str, cure: str, place: tuple[int, int] | None = None) -> None:
        super().__init__("The SQL could not be run.", detail, cure)
        self.place = place


class Stopped(LswError):
    """SQL that was stopped on demand."""


class Running:
    """A statement at work, which another thread may stop."""

    def __init__(self) -> None:
        self.stopped = False
        self._con: duckdb.DuckDBPyConnection | None = None
        self._lock = Lock()

    def stop(self) -> None:
        """Stop it. DuckDB forgets an interruption that comes just before it begins: ask again until it has ended."""
        with self._lock:
            self.stopped = True
            if self._con is not None:
                self._con.interrupt()

    @contextmanager
    def on(self, con: duckdb.DuckDBPyConnection) -> Iterator[None]:
        """Let `stop` reach a connection within the block."""
        with self._lock:
            self._con = con
        try:
            self.check()
            yield
        finally:
            with self._lock:
                self._con = None

    def check(self) -> None:
        """Raise `Stopped` if it was stopped."""
        if self.stopped:
            raise Stopped("The SQL was stopped.")


def place(sql: str, message: str) -> tuple[int, int] | None:
    """The line and column (both from 1, in characters) that an error of DuckDB points at; None if at none.

    Its message has a line `LINE 2: ...part of that line...`, and under it a caret, which counts cells, not characters.
    """
    found = _LINE.search(message)
    lines = sql.split("\n")
    if not found or not 1 <= int(found[2]) <= len(lines):
        return None
    cells = len(found[4]) - len(found[1])
    before = ""
    for char in found[3]:
        if cells <= 0:
            break
        cells -= 0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        before += char
    line, shown = lines[int(found[2]) - 1], found[3]
    if shown.startswith("...") and not line.startswith("..."):  # a long line is cut on both sides
        shown, before = shown[3:], before[3:]
    if not line.startswith(shown):
        shown = shown.removesuffix("...")
    return int(found[2]), max(0, line.find(shown)) + len(before) + 1


def _bound(con: duckdb.DuckDBPyConnection, sql: str) -> tuple[int, int] | None:
    """Where binding a statement fails. A relation's error does not say; that of the same in EXPLAIN does."""
    try:
        con.execute("EXPLAIN\n" + sql)
    except duckdb.Error as error:
        at = place("\n" + sql, str(error))
        return (at[0] - 1, at[1]) if at else None
    return None


@contextmanager
def asked(store: Store, sql: str, running: Running | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection for a user's one statement; what is wrong with it becomes an error in words.

    Raises:
        Refused: the SQL is wrong, writes, or names an unknown table.
        Stopped: `running` was stopped.
    """
    running = running or Running()
    with store.reading() as con:
        try:
            if len(con.extract_statements(sql)) != 1:
                raise LswError("Give exactly one SQL statement.")
            with running.on(con):
                yield con
        except (duckdb.Error, OverflowError, OSError) as error:
            # An overflow: a value that Python's types cannot hold. Errors of reading Arrow are OSErrors.
            if running.stopped:
                raise Stopped("The SQL was stopped.") from None
            if isinstance(error, duckdb.Error) and damage(store.database, error):
                raise  # said by the connection
            if isinstance(error, OSError) and type(error) is not OSError:
                raise
            text = str(error).split("\nLINE")[0].rstrip()
            readonly = "read-only" in text or "disabled" in text
            cure = "The store is read-only here." if readonly else f"Views: {', '.join(VIEWS)}."
            raise Refused(text, cure, place(sql, str(error)) or _bound(con, sql)) from None


@contextmanager
def batches(store: Store, sql: str, running: Running | None = None, size: int = 50_000) -> Iterator[Any]:
    """The rows of a statement as a reader of Arrow batches, each of about `size` rows; None if it has no rows."""
    with asked(store, sql, running) as con:
        relation = con.sql(sql)
        # A statement without rows, which a read-only store lets pass, has no relation.
        yield None if relation is None else relation.to_arrow_reader(size)


def select_arrow(store: Store, sql: str, limit: int, running: Running | None = None) -> tuple[Any, bool]:
    """The rows of a user's statement as an Arrow table, and whether there were more than `limit`.

    Raises:
        Refused: the SQL is wrong, writes, or names an unknown table.
        Stopped: `running` was stopped.
    """
    import pyarrow as pa

    with batches(store, sql, running, limit + 1) as reader:
        if reader is None:
            return pa.table({}), False
        kept, count = [], 0
        while count <= limit and (batch := next(reader, None)) is not None:
            kept.append(batch)
            count += len(batch)
        return pa.Table.from_batches(kept, reader.schema).slice(0, limit), count > limit


def values(store: Store, view: str, column: str, begins: str = "", most: int = 200) -> tuple[list[str], bool]:
    """Different values of a column that begin so (capitals or not), in order, and whether there are more than `most`.

    An unknown view or column has none.
    """
    name = column.replace('"', '""')
    sql = f"""SELECT DISTINCT "{name}"::TEXT AS value FROM "{view.replace('"', '""')}" WHERE "{name}" IS NOT NULL
              AND starts_with(lower("{name}"::TEXT), lower(?)) LIMIT ?"""
    with store.reading() as con, suppress(duckdb.Error):
        found = sorted(value for [value] in con.execute(sql, [begins, most + 1]).fetchall())
        return found[:most], len(found) > most
    return [], False
