"""Whether the database has what the artifacts have: rows counted by artifact and table, and every page read."""

from collections.abc import Collection
from dataclasses import dataclass

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from store.ingest import BY_COLLECTION, NO_ROWS, REPLACED, ROWS, owner, row_files, table_columns
from store.layout import Store
from store.record import kept, recorded

Written = dict[tuple[str, str], int]
"""Rows that each artifact has for each table, by key and table."""


@dataclass(frozen=True)
class Fault:
    """What is not as it was written.

    Args:
        fault: in words.
        key: of the artifact that it is about, if it is about one.
        collection: whose rows it is about, if it is about those.
        new: the database has nothing of it.
        again: the command that made it heals it, typed again; else `lsw store upgrade` does.
    """

    fault: str
    key: str = ""
    collection: str = ""
    new: bool = False
    again: bool = False


def database_faults(store: Store, whole: Collection[str]) -> list[Fault]:
    """Read every page of the database, and hold it against the artifacts and the files of recipe runs.

    Args:
        store: to be checked.
        whole: keys of its complete artifacts.

    Raises:
        Damaged: a page is not what was written.
    """
    with store.reading() as con:
        for table in table_columns(con):
            con.execute(f"SELECT bit_xor(hash(t)) FROM {table} AS t").fetchall()
        faults = row_faults(con, store, whole)
        done = {key for (key,) in con.execute("SELECT key FROM stage WHERE status = 'done'").fetchall()}
        known = recorded(con)
    faults += [
        Fault("in the database, but its artifact is gone", key, again=True)
        for key in sorted(done.difference(whole))
        if not store.artifacts.path(key).exists()
    ]
    files = kept(store)
    named = {name: recipe for name, recipe in named_recipe_runs(store, whole).items() if name not in known}
    return [
        *faults,
        *(Fault(f"recipe run {name} is not in the database") for name in files if files[name] and name not in known),
        *(
            Fault(f"recipe run {name} ({recipe}) is in no record", again=True)
            for name, recipe in named.items()
            if not files.get(name)
        ),
        *(Fault(f"the file of recipe run {name} cannot be read") for name in known if files.get(name, {}) is None),
    ]


def named_recipe_runs(store: Store, whole: Collection[str]) -> dict[str, str]:
    """The recipe runs that artifacts say they were made for, each with its recipe."""
    contexts = (store.artifacts.meta(key).get("context", {}) for key in whole)
    return {about["recipe_run_id"]: about.get("recipe", "") for about in contexts if about.get("recipe_run_id")}


def row_faults(con: duckdb.DuckDBPyConnection, store: Store, whole: Collection[str]) -> list[Fault]:
    """What the database lacks of the artifacts, or has twice: `lsw store upgrade` heals it.

    Args:
        con: a connection to the store's database.
        store: that store.
        whole: keys of its complete artifacts; no others can be counted.
    """
    columns = table_columns(con)
    done = {key for (key,) in con.execute("SELECT key FROM stage WHERE status = 'done'").fetchall()}
    files = [(key, file) for key in whole for file in row_files(store, key, columns)]
    written = {(key, file.stem): pq.read_metadata(file).num_rows for key, file in files}
    counted = _counted(con, columns)
    own = [about for about in written if about[0] in done and about[1] not in BY_COLLECTION]
    odd = {about for about in own if about[1] not in REPLACED and counted.get(about, 0) != written[about]}
    odd |= _unreplaced(con, store, [about for about in own if about[1] in REPLACED])
    return [
        *(Fault("not in the database", key, new=True) for key in whole if key not in done),
        *(
            Fault(
                f"the database lacks rows in {about[1]}, or has them twice"
                if about[1] in REPLACED
                else f"the database has {counted.get(about, 0)} rows in {about[1]}, {written[about]} were made",
                about[0],
            )
            for about in sorted(odd)
        ),
        *(
            Fault(f"the database has {n} rows in {table}, but not the stage that made them", key)
            for (key, table), n in counted.items()
            if key in whole and key not in done
        ),
        *(Fault(f"the database has {n} rows in {table} of no run") for (key, table), n in counted.items() if not key),
        *_collection_faults(con, done, written),
    ]


def _counted(con: duckdb.DuckDBPyConnection, columns: dict[str, list[str]]) -> Written:
    """How many rows of each artifact each table has; under the key '' what belongs to no run."""
    selects = ["SELECT key, name, count(*) FROM extra GROUP BY ALL"]
    for table, names in columns.items():
        by = owner(names)
        if table in (*BY_COLLECTION, *NO_ROWS, "extra") or by is None:
            continue
        if by in ("key", "model_key"):
            selects.append(f"SELECT {by}, '{table}', count(*) FROM {table} GROUP BY ALL")
        else:
            selects.append(
                f"SELECT coalesce(r.key, ''), '{table}', sum(n)::BIGINT FROM"
                f" (SELECT {by}, count(*) AS n FROM {table} GROUP BY ALL) LEFT JOIN run r USING ({by}) GROUP BY ALL"
            )
    return {(key, table): n for key, table, n in con.execute(" UNION ALL ".join(selects)).fetchall()}


def _unreplaced(
    con: duckdb.DuckDBPyConnection, store: Store, filled: Collection[tuple[str, str]]
) -> set[tuple[str, str]]:
    """Which of these (key, table) lack rows that no other artifact has replaced, or have them twice."""
    odd = set()
    for table, same in REPLACED.items():
        keys = [key for key, its_table in filled if its_table == table]
        if not keys:
            continue
        files = {str(store.artifacts.path(key) / ROWS / f"{table}.parquet"): key for key in keys}
        there = con.sql(f"SELECT key, {same}, count(*) AS n FROM {table} GROUP BY ALL").to_arrow_table()
        with duckdb.connect() as counting:
            counting.register("there", there)
            counting.register("artifact", pa.table({"filename": list(files), "artifact": list(files.values())}))
            lacking = counting.execute(
                f"""
                SELECT DISTINCT artifact FROM (
                    SELECT artifact, {same}, count(*) AS n FROM read_parquet(?, filename = true, union_by_name = true)
                    JOIN artifact USING (filename) GROUP BY ALL
                ) written LEFT JOIN there USING ({same})
                GROUP BY artifact, {same}
                HAVING count(*) FILTER (there.key <> artifact OR there.n = written.n) = 0
                """,
                [list(files)],
            ).fetchall()
        odd |= {(key, table) for (key,) in lacking}
    return odd


def _collection_faults(con: duckdb.DuckDBPyConnection, done: set[str], written: Written) -> list[Fault]:
    """Collections that have not the queries or judgements of the artifacts filed under them."""
    filed: dict[str, set[str]] = {}
    for key, collection in con.execute("SELECT key, collection FROM source WHERE collection NOT NULL").fetchall():
        filed.setdefault(collection, set()).add(key)
    readable = {key for key, _ in written}
    faults = []
    for table in BY_COLLECTION:
        counting = f"SELECT collection, count(*) FROM {table} WHERE collection NOT NULL GROUP BY ALL"
        counted = dict(con.execute(counting).fetchall())
        for collection in sorted(filed.keys() | counted.keys()):
            keys = filed.get(collection, set())
            if not keys <= readable:
                continue  # an artifact is gone: nobody knows how many there were
            have, wanted = counted.get(collection, 0), sum(written.get((key, table), 0) for key in keys)
            if have != wanted:
                words = f"the database has {have} rows in {table} of {collection}, {wanted} were made"
                faults.append(Fault(words, collection=collection))
    nowhere = {key for key, table in written if table in BY_COLLECTION and key in done} - set().union(*filed.values())
    return faults + [Fault("its rows are filed under no collection", key) for key in sorted(nowhere)]
