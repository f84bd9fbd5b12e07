"""Questions that commands and screens ask the store; every answer is a list of plain rows."""

import json
from pathlib import Path
from typing import Any, cast

import duckdb

from store.asking import asked
from store.errors import LswError, nearest
from store.layout import Store
from store.rows import ComparisonRow, NotCompared, Row, RunRow, StageRow


def rows(con: duckdb.DuckDBPyConnection, sql: str, parameters: list[Any] | None = None) -> list[Row]:
    """The rows of a query as dictionaries."""
    cursor = con.execute(sql, parameters or [])
    names = [d[0] for d in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


_SEEDED = """
SELECT *, greatest(count(DISTINCT seed) OVER (
    PARTITION BY collection, scale, system, trained_on, query_variety, document_variety), 1) AS seeds FROM runs
"""


def runs(store: Store) -> list[RunRow]:
    """All runs, newest first, each with the means of its measures under `means`.

    `evaluated`, where a run has judgements, counts its queries, those without result and those without a relevant
    passage (these two count 0 in every measure), and those that it was never asked (which do not count).
    """
    with store.reading() as con:
        every = rows(con, f"{_SEEDED} ORDER BY started_at DESC, run_id")
        means = rows(con, "SELECT run_id, measure, avg(value) AS mean FROM measures GROUP BY ALL ORDER BY measure")
        counts = rows(
            con,
            """
            SELECT run_id, count(*) AS queries, count(*) FILTER (retrieved = 0) AS without_result,
                count(*) FILTER (relevant = 0) AS without_relevant,
                (SELECT count(*) FROM unasked_queries u WHERE u.run_id = e.run_id) AS not_asked
            FROM evaluated_queries e GROUP BY run_id
            """,
        )
        in_cells = rows(
            con,
            """
            SELECT r.run_id, c.study_id, c.levels, s.factors
            FROM study_cell c JOIN study s USING (study_id) JOIN recipe_stage t USING (recipe_run_id)
            JOIN run r ON r.key = t.key
            """,
        )
    levels = _common(in_cells)
    evaluated = {row.pop("run_id"): row for row in counts}
    by_run: dict[str, dict[str, float]] = {}
    for row in means:
        by_run.setdefault(row["run_id"], {})[row["measure"]] = row["mean"]
    return [
        cast(
            "RunRow",
            {
                **row, "means": by_run.get(row["run_id"], {}), "evaluated": evaluated.get(row["run_id"]),
                **({"levels": levels[row["run_id"]]} if row["run_id"] in levels else {}),
            },
        )
        for row in every
    ]  # fmt: skip


def _common(in_cells: list[Row]) -> dict[str, dict[str, Any]]:
    """By run, the levels that it has in all its cells, of the factors that have others too."""
    out: dict[str, dict[str, Any]] = {}
    for row in in_cells:
        own = json.loads(row["levels"])
        factors = json.loads(row["factors"])
        varied = {name: level for name, level in own.items() if len(factors[name]) > 1}
        before = out.get(row["run_id"])
        both = varied if before is None else {n: v for n, v in before.items() if varied.get(n, v) == v}
        out[row["run_id"]] = both
    return {run_id: levels for run_id, levels in out.items() if levels}


def run(store: Store, name: str) -> RunRow:
    """One run, by the beginning of its id.

    Raises:
        LswError: no run or several begin so.
    """
    with store.reading() as con:
        matching = rows(con, f"FROM ({_SEEDED}) WHERE starts_with(run_id, ?)", [name])
        known = [r["run_id"] for r in rows(con, "SELECT run_id FROM runs")] if not matching else []
    if not matching:
        hint = nearest(name, known) if len(known) <= 20 else ""
        raise LswError(f"There is no run '{name}' in {store.folder}.", cure=f"{hint} See `lsw runs list`.".strip())
    if len(matching) > 1:
        ids = ", ".join(r["run_id"] for r in matching)
        raise LswError(f"'{name}' begins several run ids.", ids, "Give more digits.")
    return cast("RunRow", matching[0])


def lineage(store: Store, key: str) -> list[StageRow]:
    """Every stage behind a key, the nearest first: its role and distance, and most of its row of `stages`."""
    with store.reading() as con:
        stages = rows(
            con,
            """
            WITH RECURSIVE behind(key, role, distance) AS (
                SELECT ?, 'this', 0
                UNION
                SELECT json_extract_string(s.inputs, '$."' || i.role || '"'), i.role, b.distance + 1
                FROM behind b JOIN stages s USING (key), unnest(json_keys(s.inputs)) AS i(role)
            )
            SELECT b.key, arg_min(b.role, b.distance) AS role, min(b.distance) AS distance, any_value(s.kind) AS kind,
                any_value(s.parameters) AS parameters, any_value(s.inputs) AS inputs, any_value(s.summary) AS summary,
                any_value(s.environment) AS environment, any_value(s.started_at) AS started_at,
                any_value(s.seconds) AS seconds
            FROM behind b JOIN stages s USING (key) GROUP BY b.key ORDER BY distance, kind, b.key
            """,
            [key],
        )
    return cast("list[StageRow]", stages)


def ranking(store: Store, run_id: str) -> Any:
    """The ranking of a run: an Arrow table with qid, docno, rank, score, ordered by qid and rank."""
    with store.reading() as con:
        return con.sql(
            "SELECT qid, docno, rank, score FROM rankings WHERE run_id = ? ORDER BY qid, rank", params=[run_id]
        ).to_arrow_table()


def select(store: Store, sql: str, limit: int | None = None) -> tuple[list[str], list[tuple[Any, ...]], bool]:
    """Run a user's read-only SQL.

    Args:
        store: where.
        sql: one statement.
        limit: rows at most.

    Returns:
        column names, rows, and whether there were more.

    Raises:
        LswError: the SQL is wrong, writes, or names an unknown table.
    """
    with asked(store, sql) as con:
        cursor = con.execute(sql)
        names = [d[0] for d in cursor.description or ()]
        if limit is None:
            return names, cursor.fetchall(), False
        fetched = cursor.fetchmany(limit + 1)
        return names, fetched[:limit], len(fetched) > limit


def recipe_run_named(store: Store, name: str | None = None) -> Row:
    """A recipe run: its recipe_run_id, recipe, scale, status, and the measures that it asked for.

    Args:
        store: where it is.
        name: its id, or how that begins; a recipe's name or file: the one begun last; None: the one begun last of all.

    Raises:
        LswError: there is none, or several ids begin so.
    """
    with store.reading() as con:
        known = rows(
            con,
            """
            SELECT recipe_run_id, recipe, scale, status, resolved->>'$.measures.names' AS measures
            FROM recipe_runs WHERE resolved->>'$.study' IS NULL OR resolved->>'$.retrieval' IS NOT NULL
            ORDER BY coalesce(begun_at, started_at) DESC, recipe_run_id
            """,
        )
    if not known:
        raise LswError(f"No recipe has run in {store.folder}.", cure="Begin with: lsw recipe run zero_shot_yue_zh")
    wanted = Path(name).stem if name and name.endswith(".toml") else name
    matching = [row for row in known if wanted in (None, row["recipe"], row["recipe_run_id"])][:1]
    matching = matching or [row for row in known if wanted and row["recipe_run_id"].startswith(wanted)]
    if not matching:
        hint = nearest(str(wanted), {row["recipe"] for row in known})
        cure = f"{hint} Or the beginning of a recipe run's id: lsw sql 'SELECT * FROM recipe_runs'.".strip()
        raise LswError(f"No recipe run in {store.folder} is called '{name}'.", cure=cure)
    if len(matching) > 1:
        ids = ", ".join(f"{row['recipe_run_id']} ({row['recipe']})" for row in matching)
        raise LswError(f"'{name}' begins several ids of recipe runs.", ids, "Give more digits.")
    return {**matching[0], "measures": json.loads(matching[0]["measures"] or "[]")}


def recipe_run(store: Store, recipe_run_id: str) -> tuple[Row, list[RunRow], list[ComparisonRow], list[NotCompared]]:
    """What a recipe run's results are made of: its record, its runs in order with means, its comparisons, and
    those that could not be made. The record's `starts` are trainings from another model than the base that they are
    compared with, by system (of a training that has its own, `SYSTEM (TRAINING)`)."""
    with store.reading() as con:
        record = rows(
            con,
            """
            SELECT * EXCLUDE (resolved, begun_at), resolved->'fine-tuning' AS starts, resolved->'training' AS trainings
            FROM recipe_runs WHERE recipe_run_id = ?
            """,
            [recipe_run_id],
        )
        runs_of_it = rows(
            con,
            """SELECT r.* FROM recipe_stages s JOIN runs r USING (key) WHERE s.recipe_run_id = ? ORDER BY s.position""",
            [recipe_run_id],
        )
        means = rows(
            con,
            """
            SELECT m.run_id, m.measure, avg(m.value) AS mean, count(*) AS judged
            FROM recipe_stages s JOIN runs r USING (key) JOIN measures m USING (run_id)
            WHERE s.recipe_run_id = ? GROUP BY ALL
            """,
            [recipe_run_id],
        )
        compared = rows(con, "SELECT * FROM comparisons WHERE recipe_run_id = ?", [recipe_run_id])
    for row in record:
        every, trainings = (json.loads(row[name] or "{}") or {} for name in ("starts", "trainings"))
        del row["trainings"]
        row["starts"] = _starts(every) | {
            f"{system} ({training})": start
            for training, own in trainings.items()
            for system, start in _starts(own).items()
        }
    by_run: dict[str, dict[str, float]] = {}
    judged: dict[str, int] = {}
    for row in means:
        by_run.setdefault(row["run_id"], {})[row["measure"]] = row["mean"]
        judged[row["run_id"]] = row["judged"]
    with_means = [
        cast("RunRow", {**row, "means": by_run.get(row["run_id"], {}), "judged": judged.get(row["run_id"], 0)})
        for row in runs_of_it
    ]
    with_figures = [row for row in compared if row["why_not"] is None]
    without = [row for row in compared if row["why_not"] is not None]
    return (
        record[0] if record else {}, with_means, cast("list[ComparisonRow]", with_figures),
        cast("list[NotCompared]", without),
    )  # fmt: skip


def _starts(section: Row) -> dict[str, str]:
    """The `start` of each system's training in a section, if it has one."""
    return {system: how["start"] for system, how in section.items() if isinstance(how, dict) and how.get("start")}


def topics(store: Store, collection: str) -> dict[str, str]:
    """The topic of each qid of a collection."""
    with store.reading() as con:
        pairs = rows(con, "SELECT DISTINCT qid, topic FROM queries WHERE collection = ?", [collection])
    return {row["qid"]: row["topic"] for row in pairs}
