"""Recipes in real processes: killed anywhere, resumed, run twice at once; nothing lost, nothing doubled."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from store import Store, browse
from store.query import select
from tests.conftest import LSW, ROOT, Lsw

COUNTS = """
SELECT 'runs', count(*), count(DISTINCT run_id) FROM runs
UNION ALL SELECT 'rankings', count(*), count(DISTINCT (run_id, qid, docno)) FROM rankings
UNION ALL SELECT 'measures', count(*), count(DISTINCT (run_id, measure, qid)) FROM measures
UNION ALL SELECT 'comparisons', count(*), count(DISTINCT (contrast, system, trained_on, variety, pair, measure)) FROM comparisons
UNION ALL SELECT 'triples', count(*), count(DISTINCT (qid, docno_negative)) FROM triples
UNION ALL SELECT 'queries', count(*), count(DISTINCT (variety, qid)) FROM queries
UNION ALL SELECT 'qrels', count(*), count(DISTINCT (qid, docno)) FROM qrels
UNION ALL SELECT 'stages', count(*), count(DISTINCT key) FROM stages
UNION ALL SELECT 'recipe_runs', count(*), count(*) FROM recipe_runs
ORDER BY 1
"""


def heed_interrupts() -> None:
    """Tests that a shell started with `&` ignore SIGINT, and so would what they start."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def begin(recipe: Path, scale: Path, store: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [LSW, "recipe", "run", str(recipe), "--scale", str(scale), "--store", str(store)],
        cwd=ROOT, env={**os.environ, "HF_HUB_OFFLINE": "1"}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=heed_interrupts,
    )  # fmt: skip


def wait_for(store: Path, wanted: dict[str, object], process: subprocess.Popen[str], patience: float = 90) -> None:
    """Wait until the events say `wanted`."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        for file in (store / "events").glob("*.jsonl"):
            for line in file.read_text("utf-8").splitlines():
                event = json.loads(line)
                if event["pid"] == process.pid and all(event.get(k) == v for k, v in wanted.items()):
                    return
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    raise AssertionError(f"never saw {wanted}")


@pytest.mark.slow
@pytest.mark.parametrize("stop", [signal.SIGKILL])
def test_killed_anywhere_it_goes_on(small_recipe: Path, small_scale: Path, tmp_path: Path, lsw: Lsw, stop: int) -> None:
    store = tmp_path / "s"
    points: list[dict[str, object]] = [
        {"event": "stage", "kind": "index", "status": "running"},
        {"event": "stage", "kind": "mined", "status": "done"},
        {"event": "progress", "kind": "finetune", "done": 1},
        {"event": "stage", "kind": "retrieve", "label": "rank ca over fr with bge-m3 (ca-fr)", "status": "running"},
        {"event": "stage", "kind": "compare", "status": "running"},
    ]
    for point in points:
        process = begin(small_recipe, small_scale, store)
        wait_for(store, point, process)
        [at_work] = browse.recipe_runs(Store(store))
        assert browse.progress(Store(store), at_work["recipe_run_id"])["holder"] == "alive"
        process.send_signal(stop)
        process.wait()
        now = browse.progress(Store(store), at_work["recipe_run_id"])
        assert (at_work["status"], now["holder"]) == ("running", "gone")
    last = lsw("recipe", "run", small_recipe, "--scale", small_scale, "--store", store, "--json")
    now = browse.progress(Store(store), at_work["recipe_run_id"])
    assert (now["holder"], now["finished"], now["seconds_left"]) == ("ended", now["stages"], 0)
    counted = select(Store(store), COUNTS)[1]
    assert [row for row in counted if row[1] != row[2]] == []
    clean = tmp_path / "clean"
    lsw("recipe", "run", small_recipe, "--scale", small_scale, "--store", clean)
    assert counted == select(Store(clean), COUNTS)[1]
    assert Store(store).artifacts.complete() == Store(clean).artifacts.complete()
    left = [p.name for p in (store / "artifacts").iterdir() if p.name.startswith((".making", ".work", ".doomed"))]
    assert left == []
    assert json.loads(last.stdout)["recipe_run"]["status"] == "done"
    assert lsw("store", "check", "--store", store, "--json").returncode == 0


@pytest.mark.slow
def test_interrupted_it_says_how_to_go_on(small_recipe: Path, small_scale: Path, tmp_path: Path) -> None:
    store = tmp_path / "s"
    process = begin(small_recipe, small_scale, store)
    wait_for(store, {"event": "stage", "kind": "index", "status": "running"}, process)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130, told
    assert "type the same command to go on" in told
    assert "Traceback" not in told
    assert select(Store(store), "SELECT status FROM recipe_runs")[1] == [("interrupted",)]


@pytest.mark.slow
def test_two_at_once_do_it_once(small_recipe: Path, small_scale: Path, tmp_path: Path) -> None:
    store = tmp_path / "s"
    both = [begin(small_recipe, small_scale, store) for _ in range(2)]
    for process in both:
        _, told = process.communicate(timeout=240)
        assert process.returncode == 0, told
    counted = select(Store(store), COUNTS)[1]
    assert [row for row in counted if row[1] != row[2]] == []
    made = [
        json.loads(line)["stage"]
        for file in (store / "events").glob("*.jsonl")
        for line in file.read_text("utf-8").splitlines()
        if '"status": "done"' in line
    ]
    assert len(made) == len(set(made))


@pytest.mark.slow
def test_dry_run_damage_and_force(small_recipe: Path, small_scale: Path, tmp_path: Path, lsw: Lsw) -> None:
    store = tmp_path / "s"
    command = ("recipe", "run", small_recipe, 'retrieval.systems=["bm25"]', "fine-tuning.systems=[]",
               "--scale", small_scale, "--store", store)  # fmt: skip

    def foreseen(*more: object) -> dict[str, tuple[str, str]]:
        told = json.loads(lsw(*command, *more, "--dry-run", "--json").stdout)
        return {row["stage"]: (row["outcome"], row["reason"]) for row in told}

    assert {outcome for outcome, _ in foreseen().values()} == {"to run"}
    assert not store.exists()
    lsw(*command)
    assert {outcome for outcome, _ in foreseen().values()} == {"cached"}
    deeper = foreseen("retrieval.depth=30")
    assert deeper["rank ca over fr with bm25"] == ("to run", "depth was 20, is 30")
    assert deeper["index fr passages for bm25"] == ("cached", "")
    assert deeper["measure ca over fr with bm25"][1] == "after: rank ca over fr with bm25"

    ranking = select(Store(store), "SELECT * FROM rankings ORDER BY ALL")[1]
    key = str(select(Store(store), "SELECT key FROM stages WHERE kind = 'index'")[1][0][0])
    victim = next(p for p in (store / "artifacts" / key / "index").iterdir() if p.stat().st_size > 100)
    victim.write_bytes(victim.read_bytes()[:-1] + b"x")
    assert foreseen()["index fr passages for bm25"][1].startswith("corrupt: ")
    assert "damaged" in lsw(*command).stderr
    assert {outcome for outcome, _ in foreseen().values()} == {"cached"}
    (store / "artifacts" / key / "meta.json").write_text("{", "utf-8")
    assert foreseen()["index fr passages for bm25"][1] == "corrupt: meta.json cannot be read"
    lsw(*command)
    (store / "artifacts" / key / "meta.json").unlink()
    assert foreseen()["index fr passages for bm25"][1] == "corrupt: meta.json is missing"
    lsw(*command)
    [(measure,)] = select(Store(store), "SELECT key FROM stages WHERE kind = 'measure' ORDER BY ALL LIMIT 1")[1]
    Store(store).artifacts.discard(measure)
    with Store(store).writing() as con:
        con.execute("UPDATE measure SET value = -1 WHERE key = ?", [measure])
    assert "its artifact is gone" in lsw("store", "check", "--store", store, check=1).stderr
    lsw(*command)
    assert select(Store(store), "SELECT count(*) FROM measures WHERE value < 0")[1] == [(0,)]
    assert "0 faults" in lsw("store", "check", "--store", store).stderr
    assert select(Store(store), "SELECT * FROM rankings ORDER BY ALL")[1] == ranking
    forced = lsw(*command, "--force", "retrieve")
    assert "2 stages run" in forced.stderr
    assert select(Store(store), "SELECT * FROM rankings ORDER BY ALL")[1] == ranking
    assert {outcome for outcome, _ in foreseen().values()} == {"cached"}
    assert "Kinds here" in lsw(*command, "--force", "nothing", check=2).stderr


@pytest.mark.slow
def test_what_hangs_on_a_changed_remake_is_made_again(
    small_recipe: Path, small_scale: Path, tmp_path: Path, lsw: Lsw
) -> None:
    """An artifact made again under its key that came out otherwise: nothing made from the old one is believed."""
    store = Store(tmp_path / "s")
    command = ("recipe", "run", small_recipe, 'retrieval.systems=["bm25"]', "fine-tuning.systems=[]",
               "--scale", small_scale, "--store", store.folder)  # fmt: skip
    lsw(*command)
    kept = {
        kind: key for kind, key in select(store, "SELECT kind, key FROM stages WHERE kind IN ('index', 'measure')")[1]
    }
    meta = store.artifacts.path(kept["index"]) / "meta.json"
    said = json.loads(meta.read_text("utf-8"))
    meta.write_text(json.dumps({**said, "content": "other"}), "utf-8")
    told = {r["stage"]: r["reason"] for r in json.loads(lsw(*command, "--dry-run", "--json").stdout)}
    assert told["rank ca over fr with bm25"].startswith("stale: its input 'index' was made again")
    assert "2 stages run" in lsw(*command).stderr  # both rankings; they came out as before, so nothing after them
    assert [row for row in select(store, COUNTS)[1] if row[1] != row[2]] == []


@pytest.mark.slow
def test_a_missing_translation_stops_it_cleanly(
    small_recipe: Path, small_scale: Path, small: Path, tmp_path: Path, lsw: Lsw
) -> None:
    path = small / "queries.ca.tsv"
    lines = path.read_text("utf-8").splitlines()
    gone = next(line for line in lines if line.startswith("culture-03")).split("\t")[0]
    path.write_text("\n".join(line for line in lines if not line.startswith(gone + "\t")) + "\n", "utf-8")
    told = lsw("recipe", "run", small_recipe, "--scale", small_scale, "--store", tmp_path / "s", check=2).stderr
    assert f"Query '{gone}' is missing in 'ca'" in told
    assert "Traceback" not in told
    failed = select(Store(tmp_path / "s"), "SELECT kind FROM stages WHERE status = 'failed'")[1]
    assert failed == [("translate",)]
