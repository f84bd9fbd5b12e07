"""Rows of artifacts in the database: what is there already, and what is put back."""

import shutil
from pathlib import Path

import pytest

from store import Store
from store.ingest import forget, settled
from tests.conftest import run_lsw


@pytest.mark.slow
def test_what_lacks_rows_is_not_settled_and_gets_them_again(made: Store, tmp_path: Path) -> None:
    store = Store(Path(shutil.copytree(made.folder, tmp_path / "store")))
    with store.reading() as con:
        stages = con.execute("SELECT key, kind FROM stage").fetchall()
        label = con.execute("SELECT collection FROM collection").fetchall()[0][0]
        counts = {name: con.execute(f"SELECT count(*) FROM {name}").fetchall() for name in ("ranking", "query", "run")}
        there = settled(con, [(key, label) for key, _ in stages])
        elsewhere = settled(con, [(key, "another") for key, _ in stages])
    assert set(there) == {key for key, _ in stages}
    shared = {key for key, kind in stages if kind in ("queries", "qrels")}
    assert shared and set(elsewhere) == set(there) - shared
    lost = next(key for key, kind in stages if kind == "retrieve")
    with store.writing() as con:
        forget(con, lost)
        assert set(settled(con, [(key, label) for key, _ in stages])) == set(there) - {lost}
    for variety in ("yue", "zh"):
        run_lsw(
            "retrieve", made.folder.parent / "small", "--system", "bm25", "--query-variety", variety,
            "--document-variety", "zh", "--store", store.folder,
        )  # fmt: skip
    with store.reading() as con:
        assert {name: con.execute(f"SELECT count(*) FROM {name}").fetchall() for name in counts} == counts
