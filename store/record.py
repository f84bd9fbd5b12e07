"""What an engine tells the store of its work beside the rows of artifacts: recipe runs and failed stages."""

from typing import Any

import duckdb

from store.artifacts import canonical
from store.schema import utc_now


def open_recipe_run(
    con: duckdb.DuckDBPyConnection,
    recipe_run_id: str,
    recipe: str,
    title: str,
    scale: str,
    resolved: str,
    stages: list[tuple[str, str]],
) -> None:
    """Record that a recipe run began, and which stages are its; one that was done stays done.

    Args:
        con: a connection in a transaction (`Store.writing`).
        recipe_run_id: of the run.
        recipe, title, scale: whose it is.
        resolved: the recipe as JSON.
        stages: key and label of each, in order.
    """
    known = con.execute("SELECT status FROM recipe_run WHERE recipe_run_id = ?", [recipe_run_id]).fetchone()
    if known:
        con.execute(
            "UPDATE recipe_run SET status = 'running', error = NULL WHERE recipe_run_id = ? AND status <> 'done'",
            [recipe_run_id],
        )
        return
    con.execute(
        "INSERT INTO recipe_run (recipe_run_id, recipe, title, scale, status, resolved, started_at)"
        " VALUES (?, ?, ?, ?, 'running', ?, ?)",
        [recipe_run_id, recipe, title, scale, resolved, utc_now()],
    )
    con.executemany(
        "INSERT INTO recipe_stage (recipe_run_id, key, label, position) VALUES (?, ?, ?, ?)",
        [[recipe_run_id, key, label, position] for position, (key, label) in enumerate(stages)],
    )


def close_recipe_run(
    con: duckdb.DuckDBPyConnection, recipe_run_id: str, status: str, seconds: float | None, error: str | None = None
) -> None:
    """Record how a recipe run ended: `done`, `failed` or `interrupted`.

    Args:
        con: a connection in a transaction.
        recipe_run_id: of the run.
        status: how it ended.
        seconds: that it took; None keeps what is recorded.
        error: why it failed.
    """
    con.execute(
        "UPDATE recipe_run SET status = ?, seconds = coalesce(?, seconds), error = ? WHERE recipe_run_id = ?",
        [status, seconds, error, recipe_run_id],
    )


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
