"""What an engine tells the store of its work beside the rows of artifacts: recipe runs and failed stages.

No artifact has the record of a recipe run, so each is kept as a small file too, from which a database that is made
again takes it.
"""

import json
from typing import Any

import duckdb

from store.artifacts import canonical, replace
from store.ingest import table_columns
from store.layout import Store
from store.query import rows
from store.rows import Row
from store.schema import utc_now


def open_recipe_run(
    con: duckdb.DuckDBPyConnection,
    store: Store,
    recipe_run_id: str,
    recipe: str,
    title: str,
    scale: str,
    resolved: str,
    stages: list[tuple[str, str]],
) -> None:
    """Record that a recipe run began, or was begun again, and which stages are its; one that was done stays done.

    Args:
        con: a connection in a transaction (`Store.writing`).
        store: whose.
        recipe_run_id: of the run.
        recipe, title, scale: whose it is.
        resolved: the recipe as JSON.
        stages: key and label of each, in order.
    """
    known = con.execute("SELECT status FROM recipe_run WHERE recipe_run_id = ?", [recipe_run_id]).fetchone()
    if known:
        con.execute("UPDATE recipe_run SET begun_at = ? WHERE recipe_run_id = ?", [utc_now(), recipe_run_id])
        con.execute(
            "UPDATE recipe_run SET status = 'running', error = NULL WHERE recipe_run_id = ? AND status <> 'done'",
            [recipe_run_id],
        )
        return
    con.execute(
        "INSERT INTO recipe_run (recipe_run_id, recipe, title, scale, status, resolved, started_at, begun_at)"
        " VALUES (?, ?, ?, ?, 'running', ?, ?, ?)",
        [recipe_run_id, recipe, title, scale, resolved, now := utc_now(), now],
    )
    con.executemany(
        "INSERT INTO recipe_stage (recipe_run_id, key, label, position) VALUES (?, ?, ?, ?)",
        [[recipe_run_id, key, label, position] for position, (key, label) in enumerate(stages)],
    )
    keep_all(con, store)


def close_recipe_run(
    con: duckdb.DuckDBPyConnection,
    store: Store,
    recipe_run_id: str,
    status: str,
    seconds: float | None,
    error: str | None = None,
) -> None:
    """Record how a recipe run ended: `done`, `failed` or `interrupted`.

    Args:
        con: a connection in a transaction.
        store: whose.
        recipe_run_id: of the run.
        status: how it ended.
        seconds: that it took; None keeps what is recorded.
        error: why it failed.
    """
    con.execute(
        "UPDATE recipe_run SET status = ?, seconds = coalesce(?, seconds), error = ? WHERE recipe_run_id = ?",
        [status, seconds, error, recipe_run_id],
    )
    keep(con, store, recipe_run_id)


_OF_RECIPE_RUN = {
    "recipe_run": "SELECT * FROM recipe_run WHERE recipe_run_id = $1",
    "recipe_stage": "SELECT * FROM recipe_stage WHERE recipe_run_id = $1 ORDER BY position",
    "source": "SELECT DISTINCT source.* FROM source JOIN recipe_stage USING (key) WHERE recipe_run_id = $1"
    " ORDER BY ALL",
    "collection": "SELECT DISTINCT collection.* FROM collection JOIN source USING (collection)"
    " JOIN recipe_stage USING (key) WHERE recipe_run_id = $1 ORDER BY ALL",
}
"""Rows that are in no artifact: the recipe run, its stages, and what their collections are called."""


def keep(con: duckdb.DuckDBPyConnection, store: Store, recipe_run_id: str) -> None:
    """Write a recipe run's record to its file, whole or not at all."""
    record = {table: rows(con, sql, [recipe_run_id]) for table, sql in _OF_RECIPE_RUN.items()}
    store.recipe_runs.mkdir(exist_ok=True)
    text = json.dumps(record, ensure_ascii=False, indent=1, default=str)
    replace(store.recipe_runs / f"{recipe_run_id}.json", text + "\n")


def kept(store: Store) -> dict[str, dict[str, list[Row]] | None]:
    """The records in files, by recipe run: rows of each table; None where a file cannot be read."""
    records: dict[str, dict[str, list[Row]] | None] = {}
    for path in sorted(store.recipe_runs.glob("[!.]*.json")):
        try:
            record = json.loads(path.read_text("utf-8"))
            whole = len(record["recipe_run"]) == 1 and all(isinstance(record[table], list) for table in _OF_RECIPE_RUN)
        except (ValueError, KeyError, TypeError):
            whole = False
        records[path.stem] = record if whole else None
    return records


def makers(store: Store, keys: set[str]) -> list[tuple[str, str]]:
    """Recipe and scale of those who made these stages, as far as the files of recipe runs say so."""
    recipes = set()
    for record in kept(store).values():
        if record and not keys.isdisjoint(row["key"] for row in record["recipe_stage"]):
            [run] = record["recipe_run"]
            recipes.add((run["recipe"], run["scale"]))
    return sorted(recipes)


def put_back(con: duckdb.DuckDBPyConnection, store: Store) -> list[str]:
    """Put recipe runs that the database lacks back into it, with what their collections were called.

    Returns:
        the ids of those that were put back.
    """
    known = recorded(con)
    columns = table_columns(con)
    lacking = {name: record for name, record in kept(store).items() if record and name not in known}
    for name, record in lacking.items():
        con.execute("DELETE FROM recipe_stage WHERE recipe_run_id = ?", [name])
        for table in ("collection", "recipe_run", "recipe_stage"):
            for row in record[table]:
                if (
                    table == "collection"
                    and con.execute(
                        "SELECT 1 FROM collection WHERE collection = $1 OR (name = $2 AND fingerprint = $3)",
                        [row["collection"], row["name"], row["fingerprint"]],
                    ).fetchone()
                ):
                    continue
                has = {column: value for column, value in row.items() if column in columns[table]}
                places = ", ".join("?" * len(has))
                con.execute(f"INSERT INTO {table} ({', '.join(has)}) VALUES ({places})", list(has.values()))
    return sorted(lacking)


def recorded(con: duckdb.DuckDBPyConnection) -> set[str]:
    """The ids of the recipe runs in the database."""
    return {recipe_run_id for (recipe_run_id,) in con.execute("SELECT recipe_run_id FROM recipe_run").fetchall()}


def keep_all(con: duckdb.DuckDBPyConnection, store: Store) -> None:
    """Write the files of recipe runs that have none: of an older lsw, or unreadable."""
    whole = {name for name, record in kept(store).items() if record}
    for recipe_run_id in recorded(con) - whole:
        keep(con, store, recipe_run_id)


def fail_stage(
    con: duckdb.DuckDBPyConnection,
    key: str,
    kind: str,
    version: int,
    parameters: dict[str, Any],
    inputs: dict[str, str],
    environment: dict[str, Any],
    error: str,
) -> None:
    """Record that a stage failed, so that the store says why a recipe stopped.

    Args:
        con: a connection in a transaction.
        key, kind, version, parameters, inputs, environment: of the stage.
        error: why.
    """
    con.execute("DELETE FROM stage WHERE key = ?", [key])
    con.execute(
        "INSERT INTO stage (key, kind, version, status, parameters, inputs, environment, summary, started_at, error)"
        " VALUES (?, ?, ?, 'failed', ?, ?, ?, '{}', ?, ?)",
        [key, kind, version, canonical(parameters), canonical(inputs), canonical(environment), utc_now(), error],
    )
