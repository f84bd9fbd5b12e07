"""From artifact folders into the tables: whole Parquet files, one short transaction, nothing twice."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb

from store.artifacts import canonical
from store.layout import Store
from store.schema import utc_now

ROWS = "rows"
"""Sub-folder of an artifact with `<table>.parquet`, the rows that the artifact adds to each table."""
BY_COLLECTION = ("query", "qrel")
"""Tables whose rows are filed under a collection, once under each."""
REPLACED = {"measure": "run_id, measure", "judged": "run_id", "evaluated": "run_id", "unasked": "run_id"}
"""A run measured again, for other measures: what is new replaces what it repeats, by these columns."""
NO_ROWS = ("stage", "source", "collection", "recipe_run", "recipe_stage", "migrations")
"""Tables that no artifact adds to."""


def collection_label(con: duckdb.DuckDBPyConnection, name: str, fingerprint: str) -> str:
    """The name under which a collection's rows are kept.

    The first content recorded under a name has that name; other content under the same name is another collection,
    `name@` and six digits of its fingerprint, so that old runs keep the texts and labels they were made with.
    """
    row = con.execute(
        "SELECT collection FROM collection WHERE name = ? AND fingerprint = ?", [name, fingerprint]
    ).fetchone()
    if row:
        return str(row[0])
    taken = con.execute("SELECT 1 FROM collection WHERE collection = ?", [name]).fetchone()
    label = f"{name}@{fingerprint[:6]}" if taken else name
    con.execute(
        "INSERT INTO collection (collection, name, fingerprint, first_seen) VALUES (?, ?, ?, ?)",
        [label, name, fingerprint, utc_now()],
    )
    return label


@dataclass(frozen=True)
class Context:
    """Columns that an artifact cannot know, added to the rows of tables that have them.

    `collection` is the label that rows of collections are filed under.
    """

    collection: str | None
    recipe: str | None = None
    recipe_run_id: str | None = None
    scale: str | None = None


def ingest(con: duckdb.DuckDBPyConnection, store: Store, key: str, context: Context, newest: bool = True) -> bool:
    """Add one complete artifact's stage record and rows. Returns False when it was there already.

    What its kind of stage declares goes into the tables of those names; a table that the store does not know (of a
    plug-in) goes to `extra`, row by row as JSON. Other files under `rows/` are for later stages.

    Args:
        con: a connection in a transaction (`Store.writing`).
        store: the store that holds the artifact.
        key: the artifact.
        context: columns the artifact cannot know.
        newest: its rows replace what they repeat (`REPLACED`); else what is there stays.
    """
    meta = store.artifacts.meta(key)
    columns = table_columns(con)
    files = row_files(store, key, columns)
    if context.collection is not None:
        file_under(con, store, key, context.collection)
    if known(con, key):
        return False
    con.execute("DELETE FROM stage WHERE key = ?", [key])
    con.execute(
        "INSERT INTO stage (key, kind, version, status, parameters, inputs, environment, summary, started_at, seconds,"
        " tables) VALUES (?, ?, ?, 'done', ?, ?, ?, ?, ?::TIMESTAMP, ?, ?)",
        [
            key,
            meta["kind"],
            meta["version"],
            canonical(meta["parameters"]),
            canonical(meta["inputs"]),
            canonical(meta["environment"]),
            canonical(meta["summary"]),
            meta["started_at"],
            meta["seconds"],
            [file.stem for file in files],
        ],
    )
    values = {**asdict(context), "key": key, "started_at": meta["started_at"], "seconds": meta["seconds"]}
    _append(con, [file for file in files if file.stem not in BY_COLLECTION], columns, values, newest)
    return True


def known(con: duckdb.DuckDBPyConnection, key: str) -> bool:
    """Whether the database has the rows of a stage."""
    return bool(con.execute("SELECT 1 FROM stage WHERE key = ? AND status = 'done'", [key]).fetchone())


def settled(con: duckdb.DuckDBPyConnection, stages: list[tuple[str, str]]) -> dict[str, Any]:
    """Which of some stages have all their rows in the database; those of a collection under its label.

    Args:
        con: a connection.
        stages: key of each, and the label that its rows are to be filed under.

    Returns:
        the summary of each that has, by key.
    """
    found = con.execute(
        """
        SELECT s.key, s.summary FROM (SELECT unnest($1::TEXT[]) AS key, unnest($2::TEXT[]) AS label) w
        JOIN stage s USING (key) LEFT JOIN source f ON f.key = w.key AND f.collection = w.label
        WHERE s.status = 'done' AND s.tables IS NOT NULL
          AND (f.key IS NOT NULL OR NOT list_has_any(s.tables, $3::TEXT[]))
        """,
        [[key for key, _ in stages], [label for _, label in stages], list(BY_COLLECTION)],
    ).fetchall()
    return {key: json.loads(summary or "{}") for key, summary in found}


def file_under(con: duckdb.DuckDBPyConnection, store: Store, key: str, collection: str) -> None:
    """Add an artifact's queries or judgements to those of a collection, if they are not there."""
    columns = table_columns(con)
    shared = [file for file in row_files(store, key, columns) if file.stem in BY_COLLECTION]
    filed = con.execute("SELECT 1 FROM source WHERE key = ? AND collection = ?", [key, collection]).fetchone()
    if shared and not filed:
        con.execute("INSERT INTO source (key, collection) VALUES (?, ?)", [key, collection])
        _append(con, shared, columns, {"collection": collection})


def row_files(store: Store, key: str, columns: Iterable[str]) -> list[Path]:
    """The files of an artifact whose rows the database has; `columns` are its tables."""
    declared = store.artifacts.meta(key).get("tables")
    wanted = columns if declared is None else declared
    return [file for file in (store.artifacts.path(key) / ROWS).glob("*.parquet") if file.stem in wanted]


def owner(columns: list[str]) -> str | None:
    """By which of its columns a table's rows belong to an artifact: its key, or the number or id of its run."""
    return next((name for name in ("key", "model_key", "number", "run_id") if name in columns), None)


def table_columns(con: duckdb.DuckDBPyConnection) -> dict[str, list[str]]:
    """The columns of each table."""
    return dict(
        con.execute(
            "SELECT table_name, list(column_name ORDER BY column_index) FROM duckdb_columns()"
            " WHERE NOT internal AND table_name IN (SELECT table_name FROM duckdb_tables()) GROUP BY ALL"
        ).fetchall()
    )


def _append(
    con: duckdb.DuckDBPyConnection,
    files: list[Path],
    columns: dict[str, list[str]],
    values: dict[str, Any],
    newest: bool = True,
) -> None:
    # A run before its ranking, which is filed under the run's number.
    for file in sorted(files, key=lambda f: (f.stem != "run", f.stem)):
        table = file.stem
        if table not in columns:
            con.execute(
                "INSERT INTO extra (key, name, row) SELECT ?, ?, to_json(r) FROM read_parquet(?) AS r",
                [values["key"], table, str(file)],
            )
            continue
        if table == "ranking":
            con.execute(
                """INSERT INTO ranking (number, qid, docno, rank, score)
                   SELECT (SELECT number FROM run WHERE key = ?), qid, docno, rank, score FROM read_parquet(?)""",
                [values["key"], str(file)],
            )
            continue
        if table == "run":
            values = {**values, "number": _next_number(con)}
        has = [r[0] for r in con.execute("SELECT name FROM parquet_schema(?)", [str(file)]).fetchall()]
        missing = ""
        if same := REPLACED.get(table):
            repeated = f"({same}) IN (SELECT ({same}) FROM read_parquet(?))"
            if newest:
                con.execute(f"DELETE FROM {table} WHERE {repeated}", [str(file)])
            else:
                missing = f" WHERE ({same}) NOT IN (SELECT ({same}) FROM {table})"
        unknown = {name: value for name, value in values.items() if name in columns[table] and name not in has}
        added = "".join(f", ? AS {name}" for name in unknown)
        rows = f"SELECT *{added} FROM read_parquet(?){missing}"
        con.execute(f"INSERT INTO {table} BY NAME {rows}", [*unknown.values(), str(file)])


def _next_number(con: duckdb.DuckDBPyConnection) -> int:
    row = con.execute("SELECT coalesce(max(number), 0) + 1 FROM run").fetchone()
    return int(row[0]) if row else 1


def forget(con: duckdb.DuckDBPyConnection, key: str) -> None:
    """Remove a stage's record and every row it added, before it is computed anew.

    Rows that are filed under a collection stay: the same key is the same content.
    """
    columns = table_columns(con)
    row = con.execute("SELECT tables FROM stage WHERE key = ?", [key]).fetchone()
    filled = (
        list(columns) if row is None or row[0] is None else [name if name in columns else "extra" for name in row[0]]
    )
    # Rows under a run's number or id before the run itself.
    for table in sorted(filled, key=lambda name: name == "run"):
        if table in BY_COLLECTION or table in NO_ROWS:
            continue
        by = owner(columns[table])
        if by in ("key", "model_key"):
            con.execute(f"DELETE FROM {table} WHERE {by} = ?", [key])
        elif by:
            con.execute(f"DELETE FROM {table} WHERE {by} IN (SELECT {by} FROM run WHERE key = ?)", [key])
    con.execute("DELETE FROM stage WHERE key = ?", [key])
