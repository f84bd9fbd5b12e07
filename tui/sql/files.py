"""A whole answer as a file, batch by batch: CSV, JSON, Markdown, Parquet."""

import csv
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from store import LswError, Store
from store.asking import batches

Writer = Callable[[Path, list[str], Any, Iterable[Any]], int]
"""Writes (path, names, Arrow schema, batches), and returns how many rows there were."""


def _rows(parts: Iterable[Any]) -> Iterator[tuple[Any, ...]]:
    for part in parts:
        yield from zip(*(column.to_pylist() for column in part.columns), strict=True)


def _plain(value: Any) -> Any:
    """A value as text files have it: lists and structs as JSON, nothing for NULL."""
    if value is None:
        return ""
    return json.dumps(value, ensure_ascii=False, default=str) if isinstance(value, list | dict) else value


def _csv(path: Path, names: list[str], _: Any, parts: Iterable[Any]) -> int:
    count = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(names)
        for row in _rows(parts):
            writer.writerow([_plain(value) for value in row])
            count += 1
    return count


def _markdown(path: Path, names: list[str], _: Any, parts: Iterable[Any]) -> int:
    count = 0

    def line(cells: Iterable[Any]) -> str:
        said = (str(cell).replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ") for cell in cells)
        return f"| {' | '.join(said)} |\n"

    with path.open("w", encoding="utf-8") as file:
        file.write(line(names) + line("---" for _ in names))
        for row in _rows(parts):
            file.write(line(_plain(value) for value in row))
            count += 1
    return count


def _json(path: Path, names: list[str], _: Any, parts: Iterable[Any]) -> int:
    count = 0
    with path.open("w", encoding="utf-8") as file:
        file.write("[")
        for row in _rows(parts):
            values = (None if isinstance(v, float) and v - v != 0 else v for v in row)  # JSON has no NaN, no infinity
            record = dict(zip(names, values, strict=True))
            file.write((",\n" if count else "\n") + json.dumps(record, ensure_ascii=False, default=str))
            count += 1
        file.write("\n]\n")
    return count


def _parquet(path: Path, names: list[str], schema: Any, parts: Iterable[Any]) -> int:
    import pyarrow as pa
    import pyarrow.parquet as pq

    count = 0
    schema = pa.schema([field.with_name(name) for field, name in zip(schema, names, strict=True)])
    with pq.ParquetWriter(path, schema) as writer:
        for part in parts:
            writer.write_batch(pa.RecordBatch.from_arrays(part.columns, schema=schema))
            count += len(part)
    return count


WRITERS: dict[str, Writer] = {".csv": _csv, ".parquet": _parquet, ".json": _json, ".md": _markdown}


def _apart(names: Iterable[str]) -> list[str]:
    """Names of columns, each another one: a second `qid` is `qid_2`."""
    out: list[str] = []
    for name in names:
        free, n = name, 2
        while free in out:
            free, n = f"{name}_{n}", n + 1
        out.append(free)
    return out


def write(table: Any, ending: str, path: Path) -> int:
    """Write an Arrow table that is at hand; returns its rows.

    Raises:
        OSError: it cannot be written. What was begun is taken away.
    """
    return _whole(WRITERS[ending], path, table.schema, table.to_batches())


def write_all(store: Store, sql: str, ending: str, path: Path) -> int:
    """Ask again and write every row, never holding more than some; returns how many.

    Raises:
        LswError: the SQL cannot be run any more.
        OSError: it cannot be written. What was begun is taken away.
    """
    with batches(store, sql) as reader:
        return _whole(WRITERS[ending], path, reader.schema, reader)


def _whole(writer: Writer, path: Path, schema: Any, parts: Iterable[Any]) -> int:
    import pyarrow as pa

    try:
        return writer(path, _apart(schema.names), schema, parts)
    except pa.ArrowException as error:
        path.unlink(missing_ok=True)
        raise LswError(f"The answer cannot be written as {path.suffix}.", str(error), "Try another ending.") from None
    except BaseException:
        path.unlink(missing_ok=True)
        raise
