"""The database against the artifacts: every row counted, every fault named, and healed."""

import json
import os

import pyarrow as pa
import pytest

from store import Store
from store.check import database_faults
from store.ingest import Context, collection_label, file_under, forget, ingest
from store.query import run, select
from store.rebuild import rebuild
from store.record import close_recipe_run, open_recipe_run
from store.schema import VIEWS
from tests.conftest import Lsw
from tests.store.conftest import RECIPE_RUN, a_run, artifact

RUN, QUERIES, OLD, NEW, TUNED, OWN = (digit * 64 for digit in "abcdef")


def measured(key: str, *measures: str) -> dict[str, pa.Table]:
    values = [(RUN[:12], measure, qid, 0.5) for measure in measures for qid in ("1", "2")]
    return {
        "measure": pa.table(dict(zip(("run_id", "measure", "qid", "value"), zip(*values, strict=True), strict=True))),
        "judged": pa.table({"run_id": [RUN[:12]], "qid": ["1"], "docno": ["a"], "rank": [0], "label": [1]}),
        "evaluated": pa.table({"run_id": [RUN[:12]] * 2, "qid": ["1", "2"], "retrieved": [2, 0], "labelled": [1, 1]}),
    }


@pytest.fixture
def full(store: Store) -> Store:
    """Rows in every kind of table: of a run, measured twice, a collection filed twice, a model, a plug-in."""
    scored = pa.table({"run_id": [RUN[:12]] * 2, "qid": ["1", "2"], "query": ["un", "deux"]})
    artifact(store, RUN, started="2025-01-01T00:00:01", **a_run(RUN), scored_query=scored)
    artifact(
        store, QUERIES, "queries", "2025-01-01T00:00:00",
        query=pa.table({"variety": ["fr"] * 2, "qid": ["1", "2"], "query": ["un", "deux"]}),
        qrel=pa.table({"qid": ["1", "2"], "docno": ["a", "z"], "label": [1, 1]}),
    )  # fmt: skip
    artifact(store, OLD, "measure", "2025-01-01T00:00:02", **measured(OLD, "RR@10", "P@1"))
    artifact(store, NEW, "measure", "2025-01-01T00:00:03", **measured(NEW, "RR@10", "AP"))
    artifact(
        store, TUNED, "finetune", "2025-01-01T00:00:04",
        finetune=pa.table({"model_key": [TUNED], "system": ["bge-m3"]}),
        loss=pa.table({"model_key": [TUNED] * 3, "step": [1, 2, 3], "loss": [3.0, 2.0, 1.0]}),
    )  # fmt: skip
    artifact(store, OWN, "signs", "2025-01-01T00:00:05", odd=pa.table({"qid": ["1", "2"]}))
    with store.writing() as con:
        stages = [(key, "a stage") for key in (QUERIES, RUN, OLD, NEW, TUNED, OWN)]
        open_recipe_run(con, store, RECIPE_RUN, "r", "A recipe", "mini", '{"title":"A recipe"}', stages)
        label = collection_label(con, "c", "f" * 64)
        for key in (QUERIES, RUN, OLD, NEW, TUNED, OWN):
            ingest(con, store, key, Context(label, "r", RECIPE_RUN, "mini"))
        file_under(con, store, QUERIES, collection_label(con, "c", "e" * 64))
        close_recipe_run(con, store, RECIPE_RUN, "done", 1.5)
    return store


def whole(store: Store) -> list[str]:
    return store.artifacts.complete()


def content(store: Store) -> dict[str, list[object]]:
    """All rows of all views."""
    with store.reading() as con:
        return {view: con.execute(f"SELECT * FROM {view} ORDER BY ALL").fetchall() for view in VIEWS}


def test_a_whole_store_has_no_faults(full: Store) -> None:
    assert database_faults(full, whole(full)) == []
    newest = select(full, f"SELECT DISTINCT measure, key = '{NEW}' FROM measure ORDER BY ALL")[1]
    assert newest == [("AP", True), ("P@1", False), ("RR@10", True)]


@pytest.mark.parametrize(
    "damage",
    [
        "DELETE FROM ranking",
        "DELETE FROM ranking WHERE rank = 1",
        "INSERT INTO ranking SELECT * FROM ranking",
        "DELETE FROM run",
        "DELETE FROM scored_query WHERE qid = '1'",
        "DELETE FROM measure",
        "DELETE FROM measure WHERE measure = 'P@1'",
        "DELETE FROM measure WHERE measure = 'RR@10' AND qid = '1'",
        "INSERT INTO measure SELECT * FROM measure WHERE measure = 'P@1'",
        "DELETE FROM judged",
        "DELETE FROM evaluated WHERE qid = '2'",
        "DELETE FROM query",
        "DELETE FROM qrel WHERE qid = '2' AND collection = 'c'",
        "INSERT INTO qrel SELECT * FROM qrel",
        "DELETE FROM source",
        "DELETE FROM loss WHERE step = 2",
        "DELETE FROM extra WHERE row->>'qid' = '1'",
        "DELETE FROM stage WHERE kind = 'retrieve'",
        "DELETE FROM stage",
        "DELETE FROM recipe_run; DELETE FROM recipe_stage",
        "DELETE FROM run; DELETE FROM measure; DELETE FROM query; DELETE FROM stage",
    ],
)
def test_rows_that_are_lost_or_doubled_are_named_and_healed(full: Store, damage: str) -> None:
    before = content(full)
    with full.writing() as con:
        con.execute(damage)
    assert database_faults(full, whole(full))
    rebuild(full)
    assert database_faults(full, whole(full)) == []
    assert content(full) == before


def test_a_database_made_again_has_all_that_was_in_it(full: Store) -> None:
    before = content(full)
    full.database.rename(full.database.with_suffix(".damaged"))
    again = rebuild(full)
    assert (again.added, again.recipe_runs, again.unrecorded) == (6, 1, {})
    assert content(full) == before
    assert select(full, "SELECT collection, first_seen IS NULL FROM collection ORDER BY ALL")[1] == [
        ("c", False),
        ("c@eeeeee", False),
    ]


def test_a_name_that_was_given_anew_since_is_not_shared(full: Store) -> None:
    """The database was lost, and before it was made again a recipe recorded another content under the same name."""
    full.database.unlink()
    with full.writing() as con:
        assert collection_label(con, "c", "0" * 64) == "c"
        con.execute("INSERT INTO query (collection, qid, query) VALUES ('c', '1', 'another')")
        con.execute("INSERT INTO source VALUES ('0', 'c')")
    rebuild(full)
    assert select(full, "SELECT query FROM queries WHERE collection = 'c'")[1] == [("another",)]
    filed = select(full, "SELECT collection, count(*) FROM queries WHERE collection <> 'c' GROUP BY ALL ORDER BY ALL")[
        1
    ]
    assert filed == [("c@eeeeee", 2), ("c@ffffff", 2)]
    assert run(full, RUN[:12])["collection"] == "c@ffffff"


def test_a_recipe_run_without_a_file_is_given_one_or_said(full: Store) -> None:
    file = full.recipe_runs / f"{RECIPE_RUN}.json"
    text = file.read_text("utf-8")
    for broken in (None, "{", "[]", '{"recipe_run": []}'):
        if broken is None:
            file.unlink()
        else:
            file.write_text(broken, "utf-8")
            assert [fault.again for fault in database_faults(full, whole(full))] == [False]
        rebuild(full)
        assert json.loads(file.read_text("utf-8")) == json.loads(text)
    file.unlink()
    full.database.unlink()
    assert rebuild(full).unrecorded == {RECIPE_RUN: "r"}
    assert [(fault.fault, fault.again) for fault in database_faults(full, whole(full))] == [
        (f"recipe run {RECIPE_RUN} (r) is in no record", True)
    ]


def test_nothing_is_read_again_from_a_damaged_artifact(full: Store) -> None:
    file = full.artifacts.path(RUN) / "rows" / "ranking.parquet"
    stat, data = file.stat(), bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    with full.writing() as con:
        forget(con, RUN)
    assert rebuild(full).added == 0


def test_rows_whose_artifact_is_gone_stay(full: Store) -> None:
    before = content(full)
    for key in (RUN, QUERIES, NEW):
        full.artifacts.discard(key)
    assert {fault.key for fault in database_faults(full, whole(full))} == {RUN, QUERIES, NEW}
    rebuild(full)
    assert content(full) == before


def test_check_names_the_faults_and_upgrade_heals_them(full: Store, lsw: Lsw) -> None:
    at = ("--store", full.folder)
    assert "6 artifacts, 0 faults" in lsw("store", "check", *at).stderr
    with full.writing() as con:
        con.execute("DELETE FROM ranking")
    told = lsw("store", "check", *at, check=1).stderr
    assert f"{RUN[:12]}: the database has 0 rows in ranking, 2 were made" in told
    assert "lsw store upgrade" in told
    assert "0 artifacts put back, 1 artifacts read again." in lsw("store", "upgrade", *at).stderr
    (full.artifacts.path(RUN) / "meta.json").unlink()
    told = lsw("store", "check", *at, check=1).stderr
    assert f"{RUN[:12]}: meta.json is missing" in told
    assert "`lsw recipe run r --scale mini`" in told
    full.database.write_bytes(b"block" * 9000)
    told = json.loads(lsw("store", "check", *at, "--json", check=1).stdout)
    assert ["is damaged" in fault["fault"] for fault in told["faults"]] == [False, True]
    assert "Move runs.duckdb away" in told["cures"][0]
    full.database.unlink()
    assert "lsw store upgrade" in lsw("runs", "list", *at, check=2).stderr
