"""What the database lacks, put back: rows from the artifacts, recipe runs from their files."""

from dataclasses import dataclass

import duckdb

from store.check import named_recipe_runs, row_faults
from store.ingest import (
    BY_COLLECTION,
    NO_ROWS,
    ROWS,
    Context,
    collection_label,
    file_under,
    forget,
    ingest,
    owner,
    table_columns,
)
from store.layout import Store
from store.record import keep_all, kept, put_back, recorded


@dataclass(frozen=True)
class Rebuilt:
    """How many artifacts were put back or mended, the collections that were, and the recipe runs that were put back.

    `unrecorded` are recipe runs that only their artifacts name, each with its recipe.
    """

    added: int
    mended: int
    collections: int
    recipe_runs: int
    unrecorded: dict[str, str]


def rebuild(store: Store) -> Rebuilt:
    """Make the database have what the artifacts and the files of recipe runs have, in one transaction."""
    checked = {key: store.artifacts.check(key, thorough=True, under=ROWS) for key in store.artifacts.all_keys()}
    whole = [key for key, verdict in checked.items() if verdict.state == "complete"]  # others the recipe makes again
    metas = {key: store.artifacts.meta(key) for key in whole}
    whole.sort(key=lambda key: (metas[key]["started_at"], key))
    with store.writing() as con:
        restored = put_back(con, store)
        contexts = {}
        for key in whole:  # the oldest first: the first content under a name has that name
            about = metas[key].get("context", {})
            label = collection_label(con, about["name"], about["fingerprint"]) if "fingerprint" in about else None
            contexts[key] = Context(label, about.get("recipe"), about.get("recipe_run_id"), about.get("scale"))
        faults = row_faults(con, store, whole)
        new = {fault.key for fault in faults if fault.new}
        odd = {fault.key for fault in faults if fault.key and not fault.new}
        if any(not fault.key and not fault.collection for fault in faults):
            _forget_of_no_run(con)
        for key in odd:
            forget(con, key)
        for key in reversed(whole):  # the newest first: what was measured last stays
            if key in new | odd:
                ingest(con, store, key, contexts[key], newest=False)
        for record in filter(None, kept(store).values()):
            # By its content: since the database was lost, another may have been given the name.
            labels = {
                its["collection"]: collection_label(con, its["name"], its["fingerprint"])
                for its in record["collection"]
            }
            for row in record["source"]:
                if row["key"] in metas and row["collection"] in labels:
                    file_under(con, store, row["key"], labels[row["collection"]])
        collections = {fault.collection for fault in row_faults(con, store, whole) if fault.collection}
        for collection in collections:
            _refile(con, store, collection)
        keep_all(con, store)
        known = recorded(con)
    unrecorded = {name: recipe for name, recipe in named_recipe_runs(store, whole).items() if name not in known}
    return Rebuilt(len(new), len(odd - new), len(collections), len(restored), unrecorded)


def _forget_of_no_run(con: duckdb.DuckDBPyConnection) -> None:
    """Remove rows whose run is not there: the run is read again with all that is its."""
    for table, names in table_columns(con).items():
        by = owner(names)
        if by in ("number", "run_id") and table not in NO_ROWS:
            con.execute(f"DELETE FROM {table} WHERE {by} NOT IN (SELECT {by} FROM run)")


def _refile(con: duckdb.DuckDBPyConnection, store: Store, collection: str) -> None:
    """Read a collection's queries and judgements again from the artifacts that are filed under it."""
    keys = con.execute("SELECT DISTINCT key FROM source WHERE collection = ?", [collection]).fetchall()
    for table in (*BY_COLLECTION, "source"):
        con.execute(f"DELETE FROM {table} WHERE collection = ?", [collection])
    for (key,) in keys:
        file_under(con, store, key, collection)
