"""A store of its own for each test, and artifacts to put into it."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from store import Store

RECIPE_RUN = "0123456789ab"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store(tmp_path / "s")
    made.create()
    return made


def artifact(
    store: Store, key: str, kind: str = "retrieve", started: str = "2025-01-01T00:00:00", **tables: pa.Table
) -> None:
    """A complete artifact with the given rows; `odd` is a table that the store does not know."""
    meta = {
        "kind": kind, "version": 1, "parameters": {}, "inputs": {}, "environment": {}, "started_at": started,
        "tables": list(tables), "context": {"name": "c", "fingerprint": "f" * 64, "recipe": "r", "recipe_run_id": RECIPE_RUN, "scale": "mini"},
    }  # fmt: skip
    with store.artifacts.making(key, meta) as (out, said):
        (out / "rows").mkdir()
        for name, table in tables.items():
            pq.write_table(table, out / "rows" / f"{name}.parquet")
        said["summary"], said["seconds"] = {}, 1.0


def a_run(key: str) -> dict[str, pa.Table]:
    return {
        "run": pa.table({"run_id": [key[:12]], "system": ["bm25"], "key": [key], "status": ["done"]}),
        "ranking": pa.table({"run_id": [key[:12]] * 2, "qid": ["q"] * 2, "docno": ["a", "b"], "rank": [0, 1], "score": [2.0, 1.0]}),
    }  # fmt: skip
