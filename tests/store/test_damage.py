"""A damaged store says so at once, names the cure, and the cure works."""

import os
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest

from store import Store
from store.database import connect
from store.errors import Busy, Damaged
from store.query import select


def spoil(file: Path, at: int, length: int = 64) -> None:
    data = bytearray(file.read_bytes())
    data[at : at + length] = bytes(255 - b for b in data[at : at + length])
    file.write_bytes(data)


@pytest.mark.parametrize("damage", ["empty", "garbage", "blocks", "header", "cut", "page", "log"])
def test_a_damaged_database_is_called_damaged_at_once(store: Store, damage: str) -> None:
    with connect(store.database, read_only=False) as con:
        con.execute(
            "INSERT INTO query SELECT 'c', 'fr', md5(range::TEXT), sha256(range::TEXT), '', '' FROM range(9000)"
        )
    size = store.database.stat().st_size
    if damage == "empty":
        store.database.write_bytes(b"")
    elif damage == "garbage":
        store.database.write_bytes(b"not a database" * 1000)
    elif damage == "blocks":
        store.database.write_bytes(b"a lock, a block, a clock" * 1000)
    elif damage == "header":
        spoil(store.database, 4096)
    elif damage == "cut":
        os.truncate(store.database, size // 2)
    elif damage == "page":
        for at in range(12288, size, 4096):
            spoil(store.database, at + 100)
    else:  # of a writer that was killed
        code = (
            f"import duckdb, os; con = duckdb.connect({str(store.database)!r}); con.execute('CREATE TABLE x (a INT)');"
            " con.execute('INSERT INTO x SELECT range FROM range(500)'); os._exit(1)"
        )
        subprocess.run([sys.executable, "-c", code], check=False)
        log = store.database.with_name("runs.duckdb.wal")
        spoil(log, log.stat().st_size // 2, 4)
    began = time.monotonic()
    for opened in (store.reading, store.writing):
        with pytest.raises(Damaged) as caught, opened() as con:
            con.execute("SELECT max(query) FROM query").fetchall()
        assert "is damaged" in caught.value.title
        assert "lsw store upgrade" in caught.value.cure
    assert time.monotonic() - began < 5


def test_a_damaged_page_is_found_in_the_middle_of_a_question(store: Store) -> None:
    with connect(store.database, read_only=False) as con:
        con.execute(
            "INSERT INTO query SELECT 'c', 'fr', md5(range::TEXT), sha256(range::TEXT), '', '' FROM range(9000)"
        )
        con.execute("CHECKPOINT")
        [(block,)] = con.execute(
            "SELECT max(block_id) FROM pragma_storage_info('query') WHERE column_name = 'query' AND persistent"
        ).fetchall()
    spoil(store.database, 12288 + block * 262_144 + 1000)
    assert select(store, "SELECT count(*) FROM queries")[1] == [(9000,)]
    with pytest.raises(Damaged):
        select(store, "SELECT max(query) FROM queries")


def test_a_locked_database_is_not_called_damaged(store: Store) -> None:
    with (
        connect(store.database, read_only=False),
        pytest.raises(Busy),
        connect(store.database, read_only=True, patience=0.1),
    ):
        pass


def test_a_database_that_another_error_concerns_is_not_called_damaged(store: Store, tmp_path: Path) -> None:
    cut = tmp_path / "cut.parquet"
    with store.writing() as con:
        con.execute(f"COPY (SELECT range FROM range(1000)) TO '{cut}'")
    os.truncate(cut, 100)
    with pytest.raises(duckdb.Error), store.writing() as con:
        con.execute("SELECT * FROM read_parquet(?)", [str(cut)]).fetchall()
