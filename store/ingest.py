"""From artifact folders into the tables: whole Parquet files, one short transaction, nothing twice."""

from pathlib import Path
from typing import Any

import duckdb

from store.artifacts import canonical
from store.layout import Store
from store.schema import utc_now

ROWS = "rows"
"""Sub-folder of an artifact with `<table>.parquet`, the rows that the artifact adds to each table."""


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
    con.execute("INSERT INTO collection VALUES (?, ?, ?, ?)", [label, name, fingerprint, utc_now()])
    return label


def ingest(con: duckdb.DuckDBPyConnection, store: Store, key: str, context: dict[str, Any]) -> bool:
    """Add one complete artifact's stage record and rows. Returns False when it was there already.

    Args:
        con: a connection in a transaction (`Store.writing`).
        store: the store that holds the artifact.
        key: the artifact.
        context: columns the artifact cannot know, added to the tables that have them: collection, recipe,
            recipe_run_id, scale.
    """
    meta = store.artifacts.meta(key)
    rows = store.artifacts.path(key) / ROWS
    done = con.execute("SELECT 1 FROM stage WHERE key = ? AND status = 'done'", [key]).fetchone()
    # Source rows are kept once per collection label, all others once.
    source = meta["kind"] in ("queries", "qrels")
    if source:
        collection = context["collection"]
        if not con.execute("SELECT 1 FROM source WHERE key = ? AND collection = ?", [key, collection]).fetchone():
            con.execute("INSERT INTO source VALUES (?, ?)", [key, collection])
            _append(con, rows, context)
    if done:
        return False
    con.execute("DELETE FROM stage WHERE key = ?", [key])
    con.execute(
        "INSERT INTO stage VALUES (?, ?, ?, 'done', ?, ?, ?, ?, ?::TIMESTAMP, ?, NULL)",
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
        ],
    )
    if not source:
        _append(con, rows, {**context, "key": key, "started_at": meta["started_at"], "seconds": meta["seconds"]})
    return True


def _append(con: duckdb.DuckDBPyConnection, rows: Path, context: dict[str, Any]) -> None:
    # A run before its ranking, which is filed under the run's number.
    for file in sorted(rows.glob("*.parquet"), key=lambda f: (f.stem != "run", f.stem)):
        table = file.stem
        if table == "ranking":
            con.execute(
                """INSERT INTO ranking SELECT (SELECT number FROM run WHERE key = ?), qid, docno, rank, score
                   FROM read_parquet(?)""",
                [context["key"], str(file)],
            )
            continue
        if table == "run":
            context = {**context, "number": _next_number(con)}
        wanted = [
            r[0]
            for r in con.execute(
                "SELECT column_name FROM duckdb_columns() WHERE table_name = ? AND NOT internal", [table]
            ).fetchall()
        ]
        if not wanted:  # read by later stages only
            continue
        has = [r[0] for r in con.execute("SELECT name FROM parquet_schema(?)", [str(file)]).fetchall()]
        # A run measured again, for other measures: what is new replaces what it repeats.
        same = {"measure": "run_id, measure", "judged": "run_id", "evaluated": "run_id"}.get(table)
        if same:
            con.execute(f"DELETE FROM {table} WHERE ({same}) IN (SELECT ({same}) FROM read_parquet(?))", [str(file)])
        extra = {k: v for k, v in context.items() if k in wanted and k not in has}
        columns = "".join(f", ? AS {name}" for name in extra)
        con.execute(f"INSERT INTO {table} BY NAME SELECT *{columns} FROM read_parquet(?)", [*extra.values(), str(file)])


def _next_number(con: duckdb.DuckDBPyConnection) -> int:
    row = con.execute("SELECT coalesce(max(number), 0) + 1 FROM run").fetchone()
    return int(row[0]) if row else 1


def forget(con: duckdb.DuckDBPyConnection, key: str) -> None:
    """Remove a stage's record and every row it added, before it is computed anew.

    Source rows stay: the same key is the same content.
    """
    con.execute("DELETE FROM stage WHERE key = ?", [key])
    for table, column in (("ranking", "number"), ("scored_query", "run_id")):
        con.execute(f"DELETE FROM {table} WHERE {column} IN (SELECT {column} FROM run WHERE key = ?)", [key])
    for table in (
        "run",
        "triple",
        "translation",
        "measure",
        "judged",
        "evaluated",
        "comparison",
        "audit",
        "translation_cost",
    ):
        con.execute(f"DELETE FROM {table} WHERE key = ?", [key])
    for table in ("finetune", "loss"):
        con.execute(f"DELETE FROM {table} WHERE model_key = ?", [key])


def rebuild(store: Store) -> int:
    """Put every complete artifact that the database lacks back into it. Returns how many were added."""
    added = 0
    with store.writing() as con:
        for key in store.artifacts.complete():
            if store.artifacts.check(key).state != "complete":
                continue  # the recipe will make it again
            context = dict(store.artifacts.meta(key).get("context", {}))
            if "fingerprint" in context:
                context["collection"] = collection_label(con, context.pop("name"), context.pop("fingerprint"))
            added += ingest(con, store, key, context)
    return added
