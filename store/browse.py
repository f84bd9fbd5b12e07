"""Questions that screens ask: one query over several runs, its passages, what is running, what a model learnt."""

import json
from typing import cast

import pyarrow as pa

from store.artifacts import short
from store.errors import LswError, nearest
from store.following import Following
from store.layout import Store
from store.passages import FILE
from store.query import rows
from store.rows import ComparisonRow, Row

_ALIGNED = "SELECT DISTINCT id FROM alignments WHERE model_key = ? ORDER BY id"
Labels = dict[str, int]


def stamp(store: Store) -> tuple[int, int]:
    """Changes whenever the database may have changed; (0, 0) if there is none."""
    try:
        stat = store.database.stat()
    except FileNotFoundError:
        return 0, 0
    return stat.st_mtime_ns, stat.st_size


def rankings_of(store: Store, run_ids: list[str], qids: list[str]) -> dict[str, tuple[list[pa.Table], Labels]]:
    """What runs of one collection found for some queries.

    Returns:
        for each qid: of each run a table (docno, score) in the order of rank; and the label of each judged docno.
    """
    with store.reading() as con:
        judged = con.execute(
            "SELECT qid, docno, max(label) FROM qrels WHERE qid IN (SELECT unnest(?::TEXT[]))"
            " AND collection IN (SELECT collection FROM runs WHERE run_id = ?) AND (document_variety IS NULL OR"
            " document_variety IN (SELECT document_variety FROM runs WHERE run_id IN (SELECT unnest(?::TEXT[]))))"
            " GROUP BY ALL",
            [qids, run_ids[0], run_ids],
        ).fetchall()
        # As lists: a row for each query and run is all that Python sees, however deep the rankings are.
        ranked = con.sql(
            "SELECT qid, run_id, list(docno ORDER BY rank) AS docno, list(score ORDER BY rank) AS score FROM rankings"
            " WHERE run_id IN (SELECT unnest(?::TEXT[])) AND qid IN (SELECT unnest(?::TEXT[])) GROUP BY ALL",
            params=[run_ids, qids],
        ).to_arrow_table()
    labels: dict[str, Labels] = {qid: {} for qid in qids}
    for qid, docno, label in judged:
        labels[qid][docno] = label
    empty = pa.table({"docno": pa.array([], pa.string()), "score": pa.array([], pa.float32())})
    tables = {qid: dict.fromkeys(run_ids, empty) for qid in qids}
    keys = zip(ranked["qid"].to_pylist(), ranked["run_id"].to_pylist(), strict=True)
    for (qid, run_id), docnos, scores in zip(keys, ranked["docno"], ranked["score"], strict=True):
        tables[qid][run_id] = pa.table({"docno": docnos.values, "score": scores.values})
    return {qid: ([tables[qid][run_id] for run_id in run_ids], labels[qid]) for qid in qids}


def wordings(store: Store, run_ids: list[str]) -> dict[str, dict[str, str]]:
    """For each run the text of each qid: as the run scored it, else (an imported run) as its collection has it."""
    with store.reading() as con:
        table = con.sql(
            """
            SELECT run_id, qid, query FROM scored_queries WHERE run_id IN (SELECT unnest($ids::TEXT[]))
            UNION ALL
            SELECT r.run_id, q.qid, q.query
            FROM runs r JOIN queries q ON q.collection = r.collection AND q.variety = r.query_variety
            WHERE r.run_id IN (SELECT unnest($ids::TEXT[]))
              AND r.run_id NOT IN (SELECT run_id FROM scored_queries)
            """,
            params={"ids": run_ids},
        ).to_arrow_table()
    out: dict[str, dict[str, str]] = {r: {} for r in run_ids}
    columns = (table[c].to_pylist() for c in ("run_id", "qid", "query"))
    for run_id, qid, query in zip(*columns, strict=True):
        out[run_id][qid] = query
    return out


def passage_files(store: Store, collection: str, variety: str | None) -> list[str]:
    """Files (`store.passages`) of a collection's passages; none if they are not in the store."""
    with store.reading() as con:
        stages = rows(
            con,
            """
            SELECT DISTINCT s.key FROM stage s LEFT JOIN source c USING (key)
            WHERE s.kind = 'passages' AND coalesce(c.collection, s.parameters->>'collection') = ?
              AND s.parameters->>'variety' = ?
            """,
            [collection, variety],
        )
    paths = (store.artifacts.path(row["key"]) / FILE for row in stages)
    return [str(path) for path in paths if path.exists()]


def recipe_runs(store: Store) -> list[Row]:
    """All recipe runs, newest first; `cell` is the place of one in the grid of a study: `queries 31, regime steps`."""
    with store.reading() as con:
        found = rows(con, "SELECT * EXCLUDE (resolved) FROM recipe_runs ORDER BY started_at DESC")
        places = rows(con, "SELECT recipe_run_id, levels FROM study_cell ORDER BY recipe_run_id, cell DESC")
    cells = {row["recipe_run_id"]: json.loads(row["levels"]) for row in places}
    for row in found:
        levels = cells.get(row["recipe_run_id"], {})
        row["cell"] = ", ".join(f"{name.rpartition('.')[2]} {level}" for name, level in levels.items())
    return found


def progress(store: Store, recipe_run_id: str) -> Row:
    """How far a recipe run is, who is at work on it and how long it will take, from its events and its lock, without
    the database: see `store.following.Following.now`, one of which is kept by who asks again and again."""
    return Following(store.events, recipe_run_id).now()


def recorded(store: Store, run_ids: list[str]) -> dict[tuple[str, str, str], ComparisonRow]:
    """The comparisons of two of these runs that recipes declared and recorded, each with its own family.

    Keyed by both run ids, in either order, and the measure; of several the one with the largest corrected p. One over
    several trained models (`models`) is of any two of their runs.
    """
    with store.reading() as con:
        declared = rows(
            con,
            """
            WITH own AS (SELECT run_id, (system, trained_on, query_variety, document_variety, collection, scale) AS of
                         FROM runs),
            pairs AS (SELECT b.run_id AS b, b.of AS b_of, r.run_id AS r, r.of AS r_of FROM own b, own r
                      WHERE b.run_id <> r.run_id
                        AND b.run_id IN (SELECT unnest($1::TEXT[])) AND r.run_id IN (SELECT unnest($1::TEXT[])))
            SELECT c.*, s.recipe, pairs.b, pairs.r
            FROM comparisons c JOIN own cb ON cb.run_id = c.baseline_run_id JOIN own cr ON cr.run_id = c.run_id
            JOIN pairs ON pairs.b_of IS NOT DISTINCT FROM cb.of AND pairs.r_of IS NOT DISTINCT FROM cr.of
                AND (c.models > 1 OR (pairs.b = c.baseline_run_id AND pairs.r = c.run_id))
            LEFT JOIN recipe_runs s USING (recipe_run_id)
            WHERE c.contrast <> 'closure' AND c.why_not IS NULL
            ORDER BY c.p_corrected
            """,
            [run_ids],
        )
    out: dict[tuple[str, str, str], ComparisonRow] = {}
    for row in declared:
        first, second = row.pop("b"), row.pop("r")
        for one, other in ((second, first), (first, second)):
            out[one, other, row["measure"]] = cast("ComparisonRow", row)
    return out


def finetunes(store: Store) -> list[Row]:
    """All fine-tuned models, each with its logged steps and losses as two lists."""
    with store.reading() as con:
        return rows(
            con,
            """
            SELECT f.*, l.at, l.losses FROM finetunes f
            JOIN (SELECT model_key, list(step ORDER BY step) AS at, list(loss ORDER BY step) AS losses
                  FROM losses WHERE loss IS NOT NULL GROUP BY model_key) l USING (model_key)
            ORDER BY f.system, f.trained_on
            """,
        )


def aligned(store: Store, model: str) -> tuple[str, list[str]]:
    """A model whose alignments are kept, and the ids of the texts they are of.

    Args:
        store: where.
        model: its key, or how that begins.

    Raises:
        LswError: no model or several begin so, or none of its alignments are kept.
    """
    with store.reading() as con:
        trained = rows(con, "SELECT model_key, trained_on FROM finetunes WHERE starts_with(model_key, ?)", [model])
        kept = [row["model_key"] for row in rows(con, "SELECT DISTINCT model_key FROM alignments ORDER BY ALL")]
    have = f"It is kept of: {', '.join(map(short, kept))}." if kept else "Train one with the objective optical."
    if not trained:
        raise LswError(
            f"There is no trained model '{model}' in {store.folder}.", cure=f"See the view finetunes. {have}"
        )
    if len(trained) > 1:
        keys = ", ".join(short(row["model_key"]) for row in trained)
        raise LswError(f"'{model}' begins several keys of models.", keys, "Give more digits.")
    key = trained[0]["model_key"]
    if key not in kept:
        raise LswError(f"No alignment of the model {short(key)} ({trained[0]['trained_on']}) is kept.", cure=have)
    return key, alignments_of(store, key)


def alignments_of(store: Store, model_key: str) -> list[str]:
    """The ids of the texts whose alignment by a model is kept; none of most models."""
    with store.reading() as con:
        return [row["id"] for row in rows(con, _ALIGNED, [model_key])]


def alignment(store: Store, model_key: str, text: str) -> list[Row]:
    """The alignment of one text, a row for each token of the low-resource one and each of the other.

    Raises:
        LswError: none of this id is kept; the nearest is offered.
    """
    with store.reading() as con:
        found = rows(
            con,
            "SELECT * FROM alignments WHERE model_key = ? AND id = ? ORDER BY source_position, target_position",
            [model_key, text],
        )
    if not found:
        raise LswError(
            f"No alignment of the text '{text}' is kept.", cure=nearest(text, alignments_of(store, model_key))
        )
    return found


def wording_pairs(store: Store) -> list[Row]:
    """Every low-resource wording beside the one it renders: translations, and parallel queries that runs were asked.

    Rows have translator, source_variety, target_variety, qid, source_text, text, collection.
    """
    with store.reading() as con:
        return rows(
            con,
            """
            SELECT t.translator, t.source_variety, t.target_variety, t.qid, t.source_text, t.text,
                any_value(q.collection) AS collection
            FROM translations t
            LEFT JOIN queries q ON q.qid = t.qid AND q.variety = t.source_variety AND q.query = t.source_text
            GROUP BY ALL
            UNION ALL
            SELECT 'parallel queries', h.variety, l.variety, l.qid, h.query, l.query, l.collection
            FROM (SELECT DISTINCT collection, query_variety AS low, document_variety AS high FROM runs
                  WHERE query_variety <> document_variety) p
            JOIN queries l ON l.collection = p.collection AND l.variety = p.low
            JOIN queries h ON h.collection = p.collection AND h.variety = p.high AND h.qid = l.qid
            ANTI JOIN translations t ON t.target_variety = l.variety AND t.qid = l.qid AND t.text = l.query
            """,
        )


def wording_costs(store: Store, measure: str) -> dict[tuple[str, str, str, str], float]:
    """What a low-resource wording costs: value on it minus value on the high-resource one, mean over base systems.

    Keyed by collection, low variety, high variety and qid; in a recorded measure.
    """
    with store.reading() as con:
        costs = con.execute(
            """
            WITH v AS (SELECT r.collection, r.system, r.query_variety, r.document_variety, m.qid, avg(m.value) AS value
                       FROM measures m JOIN runs r USING (run_id)
                       WHERE m.measure = ? AND r.trained_on IS NULL GROUP BY ALL)
            SELECT l.collection, l.query_variety, l.document_variety, l.qid, avg(l.value - h.value)
            FROM v l JOIN v h ON h.collection = l.collection AND h.system = l.system AND h.qid = l.qid
                AND h.document_variety = l.document_variety AND h.query_variety = h.document_variety
            WHERE l.query_variety <> l.document_variety GROUP BY ALL
            """,
            [measure],
        ).fetchall()
    return {(c, low, high, qid): value for c, low, high, qid, value in costs}


def views(store: Store) -> dict[str, dict[str, str]]:
    """The columns of each view with their types, in order."""
    with store.reading() as con:
        columns = con.execute(
            "SELECT c.table_name, list(c.column_name ORDER BY c.column_index),"
            " list(c.data_type ORDER BY c.column_index) FROM duckdb_columns() c"
            " JOIN duckdb_views() v ON v.view_name = c.table_name WHERE NOT v.internal GROUP BY ALL ORDER BY ALL"
        ).fetchall()
    return {view: dict(zip(names, map(str.lower, types), strict=True)) for view, names, types in columns}


def resolved(store: Store, recipe_run_id: str | None) -> Row:
    """A recipe run's record with its recipe as it was resolved, as a dictionary under `resolved`."""
    with store.reading() as con:
        records = rows(con, "SELECT * FROM recipe_runs WHERE recipe_run_id = ?", [recipe_run_id])
    if not records:
        return {}
    return {**records[0], "resolved": json.loads(records[0]["resolved"] or "{}")}
