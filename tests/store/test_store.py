"""The store: schema from the first day, nothing twice, locks that say who, damage that is found."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest

from store import LswError, Store
from store.database import connect
from store.ingest import Context, collection_label, forget, ingest
from store.query import lineage, recipe_run, recipe_run_named, run, runs, select
from store.rebuild import rebuild
from store.record import open_recipe_run
from store.schema import LATEST, MIGRATIONS, VIEWS, migrate, version
from tests.store.conftest import a_run, artifact

CONTRACT = {
    "runs": "run_id recipe recipe_run_id scale collection system trained_on query_variety document_variety depth "
    "n_queries status started_at seconds key",
    "rankings": "run_id qid docno rank score",
    "queries": "collection variety qid query",
    "qrels": "collection qid docno label",
    "measures": "run_id measure qid value",
    "comparisons": "recipe_run_id contrast baseline_run_id run_id measure n mean_baseline mean delta ci_low ci_high "
    "effect_size test p_value correction p_corrected wins ties losses",
    "translations": "translation_id translator source_variety target_variety qid source_text text",
    "finetunes": "model_key system base trained_on examples steps learning_rate loss_first loss_last "
    "weights_changed seconds checkpoint",
    "stages": "key kind status parameters inputs environment started_at seconds error",
}


def test_views_keep_the_contract(store: Store) -> None:
    with store.reading() as con:
        for view, columns in CONTRACT.items():
            have = [r[0] for r in con.execute(f"DESCRIBE {view}").fetchall()]
            assert [c for c in columns.split() if c not in have] == [], view
        assert set(CONTRACT) <= set(VIEWS)
        assert con.execute("SELECT number, name, duckdb_version FROM migrations").fetchall() == [
            (n, name, duckdb.__version__) for n, name, _ in MIGRATIONS
        ]


def test_migrations_apply_once_and_refuse_the_future(store: Store) -> None:
    with connect(store.database, read_only=False) as con:
        assert migrate(con) == []
        assert version(con) == LATEST
        con.execute("INSERT INTO migrations VALUES (?, 'from tomorrow', '2030-01-01', '')", [LATEST + 1])
        with pytest.raises(LswError, match=r"Upgrade|schema"):
            migrate(con)


def test_an_older_store_says_what_to_type(store: Store) -> None:
    with connect(store.database, read_only=False) as con:
        con.execute("DELETE FROM migrations")
    with pytest.raises(LswError) as caught, store.reading():
        pass
    assert "lsw store upgrade" in caught.value.cure


def test_rows_come_in_once_and_leave_whole(store: Store) -> None:
    artifact(store, "k" * 64, **a_run("k" * 64))
    context = Context("c", "r", "x", "mini")
    with store.writing() as con:
        assert ingest(con, store, "k" * 64, context)
        assert not ingest(con, store, "k" * 64, context)
    assert len(runs(store)) == 1
    assert run(store, "kkkk")["collection"] == "c"
    assert run(store, "k" * 12)["seconds"] == 1.0
    with store.writing() as con:
        forget(con, "k" * 64)
    assert select(store, "SELECT (SELECT count(*) FROM rankings), (SELECT count(*) FROM runs)")[1] == [(0, 0)]


def test_a_failed_write_leaves_nothing(store: Store) -> None:
    with pytest.raises(RuntimeError), store.writing() as con:
        con.execute("INSERT INTO run (run_id) VALUES ('half')")
        raise RuntimeError
    assert runs(store) == []


def test_another_content_under_a_name_is_another_collection(store: Store) -> None:
    with store.writing() as con:
        assert collection_label(con, "mine", "a" * 64) == "mine"
        assert collection_label(con, "mine", "b" * 64) == "mine@bbbbbb"
        assert collection_label(con, "mine", "a" * 64) == "mine"


def test_the_database_can_be_rebuilt_from_artifacts(store: Store) -> None:
    artifact(store, "k" * 64, **a_run("k" * 64))
    assert rebuild(store).added == 1
    assert rebuild(store).added == 0
    store.database.unlink()
    assert rebuild(store).added == 1
    assert run(store, "kkk")["recipe"] == "r"


@pytest.mark.parametrize("damage", ["flip", "cut", "remove", "meta"])
def test_damage_is_found(store: Store, damage: str) -> None:
    key = "k" * 64
    artifact(store, key, **a_run(key))
    assert store.artifacts.check(key, thorough=True).state == "complete"
    file = store.artifacts.path(key) / "rows" / "ranking.parquet"
    data = bytearray(file.read_bytes())
    if damage == "flip":
        data[len(data) // 2] ^= 1
        file.write_bytes(data)
    elif damage == "cut":
        file.write_bytes(data[:-1])
    elif damage == "remove":
        file.unlink()
    else:
        (store.artifacts.path(key) / "meta.json").write_text("{", "utf-8")
    assert store.artifacts.check(key).state == "corrupt"


def test_damage_that_kept_size_and_time_is_found_when_asked(store: Store) -> None:
    key = "k" * 64
    artifact(store, key, **a_run(key))
    file = store.artifacts.path(key) / "rows" / "ranking.parquet"
    stat, data = file.stat(), bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert store.artifacts.check(key, thorough=True).state == "corrupt"


def test_a_failed_stage_leaves_no_artifact(store: Store) -> None:
    with pytest.raises(RuntimeError), store.artifacts.making("k" * 64, {}) as (out, _):
        (out / "half").write_text("", "utf-8")
        raise RuntimeError
    assert list(store.artifacts.folder.iterdir()) == []


def test_a_locked_store_says_who_holds_it(store: Store) -> None:
    code = (
        f"import duckdb, time; con = duckdb.connect({str(store.database)!r}); print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout and holder.stdout.readline()
        began = time.monotonic()
        with pytest.raises(LswError) as caught, connect(store.database, read_only=True, patience=0.3):
            pass
        assert time.monotonic() - began < 5
        assert f"process {holder.pid}" in caught.value.title
        assert caught.value.exit_code == 1
        holder.kill()


def test_a_reader_waits_for_a_writer(store: Store) -> None:
    code = (
        f"import duckdb, time; con = duckdb.connect({str(store.database)!r}); print('held', flush=True); time.sleep(1)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout and holder.stdout.readline()
        assert runs(store) == []


def test_no_database_is_said_plainly(tmp_path: Path) -> None:
    with pytest.raises(LswError, match="There is no store"):
        runs(Store(tmp_path / "none"))


def test_a_read_only_place_is_said_plainly() -> None:
    with pytest.raises(LswError, match="cannot be written"):
        Store(Path("/proc/lsw")).create()


def test_a_folder_that_is_a_file_is_said_plainly(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("", "utf-8")
    with pytest.raises(LswError, match="cannot be written"):
        Store(tmp_path / "f" / "s").create()


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM run",
        "CREATE TABLE x (a INT)",
        "COPY (SELECT 1) TO '/tmp/lsw-should-not-be.csv'",
        "SELECT * FROM read_csv('/etc/passwd')",
        "ATTACH '/tmp/lsw-other.duckdb'",
        "SELECT 1; SELECT 2",
        "SELECT * FROM nowhere",
        "INSTALL httpfs",
        "SELECT INTERVAL '99999999 years'",
    ],
)
def test_sql_reads_this_store_and_nothing_else(store: Store, sql: str) -> None:
    with pytest.raises(LswError):
        select(store, sql)


def test_sql_says_when_there_is_more(store: Store) -> None:
    names, found, more = select(store, "SELECT range AS n FROM range(5)", limit=3)
    assert (names, found, more) == (["n"], [(0,), (1,), (2,)], True)


def test_lineage_walks_to_the_sources(store: Store) -> None:
    with store.writing() as con:
        for key, inputs in (("c", {"model": "b", "q.x": "a"}), ("b", {"base": "a"}), ("a", {})):
            con.execute(
                "INSERT INTO stage (key, kind, version, status, parameters, inputs, environment, summary, started_at,"
                " seconds) VALUES (?, 'k', 1, 'done', '{}', ?, '{}', '{}', '2025-01-01', 1)",
                [key, json.dumps(inputs)],
            )
    assert [(r["key"], r["distance"]) for r in lineage(store, "c")] == [("c", 0), ("a", 1), ("b", 1)]


def test_what_trainings_started_from_is_told(store: Store) -> None:
    resolved = {
        "fine-tuning": {"pair": "ca-fr", "systems": ["colbert-xm"], "colbert-xm": {"start": "a/b"}, "mt5": {}},
        "training": {"other": {"pair": "oc-fr", "mt5": {"start": "c/d"}, "colbert-xm": {"epochs": 1.0}}},
    }
    for run_id, told in (("aa", resolved), ("ab", {"fine-tuning": None})):
        with store.writing() as con:
            open_recipe_run(con, store, run_id, "mine", "A title", "mini", json.dumps(told), [(run_id, "a stage")])
    assert recipe_run(store, "aa")[0]["starts"] == {"colbert-xm": "a/b", "mt5 (other)": "c/d"}
    assert recipe_run(store, "ab")[0]["starts"] == {}


def test_a_recipe_run_is_found_by_its_id_or_its_recipe(store: Store) -> None:
    with pytest.raises(LswError, match="No recipe has run"):
        recipe_run_named(store)
    for run_id, recipe in (("aab1", "pair_ca_fr"), ("aab2", "pair_ca_fr"), ("aac3", "robustness"), ("ab4", "mine")):
        with store.writing() as con:
            resolved = json.dumps({"measures": {"names": [f"P@{run_id[-1]}", "AP"]}})
            open_recipe_run(con, store, run_id, recipe, "A title", "mini", resolved, [(run_id, "a stage")])
        time.sleep(0.002)  # begun one after the other
    ids = {
        name: recipe_run_named(store, name)["recipe_run_id"]
        for name in (None, "pair_ca_fr", "aab1", "aac", "a/mine.toml")
    }
    assert ids == {None: "ab4", "pair_ca_fr": "aab2", "aab1": "aab1", "aac": "aac3", "a/mine.toml": "ab4"}
    assert recipe_run_named(store, "aac")["measures"] == ["P@3", "AP"]
    with pytest.raises(LswError, match="begins several") as several:
        recipe_run_named(store, "aab")
    assert several.value.detail == "aab2 (pair_ca_fr), aab1 (pair_ca_fr)"
    for unknown in ("robust", ""):
        with pytest.raises(LswError, match="No recipe run in") as none:
            recipe_run_named(store, unknown)
        assert ("Did you mean 'robustness'?" in none.value.cure) == bool(unknown)
