"""The screens over stores as they may be: none, empty, old, busy, changing, odd."""

import asyncio
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from store import Store
from tests.conftest import run_lsw
from tests.tui.driving import compared, drive, go, ids, text, until
from tui.app import Workbench
from tui.pages import PAGES
from tui.pages.runs import Runs


@pytest.mark.slow
def test_no_store_an_empty_one_and_an_old_one_say_what_to_type(tmp_path: Path) -> None:
    import duckdb

    none, empty, old = (Store(tmp_path / name) for name in ("none", "empty", "old"))
    empty.create()
    old.create()
    with duckdb.connect(str(old.database)) as con:
        con.execute("DELETE FROM migrations WHERE number > 1")
    said = {}

    async def steps(pilot: Pilot[Any], app: Workbench) -> None:
        await until(pilot, lambda: text(app.screen, "#about"))  # type: ignore[arg-type]
        said[app.store.folder.name] = text(app.screen, "#about")  # type: ignore[arg-type]
        for key in "23456":
            await pilot.press(key)
            await pilot.pause(0.1)

    for store in (none, empty, old):
        drive(store, steps)
    assert "lsw recipe run zero_shot_yue_zh" in said["none"]
    assert "lsw recipe run zero_shot_yue_zh" in said["empty"]
    assert "lsw store upgrade" in said["old"]


def test_one_run_alone_and_passages_that_are_gone(made: Store, tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    shutil.copytree(made.folder, store.folder)
    for file in (store.folder / "artifacts").glob("*/passages.arrow"):
        file.unlink()
    pair = ids(store, query_variety="zh") + ids(store, query_variety="yue")

    async def gone(pilot: Pilot[Any], app: Workbench) -> None:
        page = await compared(pilot, app)
        assert "not in the store" in text(page, "#text")

    async def alone(pilot: Pilot[Any], app: Workbench) -> None:
        await go(pilot, app, "runs")
        await pilot.press("enter")
        await pilot.pause(0.2)
        assert isinstance(app.screen, Runs)

    drive(store, gone, chosen=pair)
    with store.writing() as con:
        con.execute("DELETE FROM run WHERE run_id = ?", [pair[0]])
    Path(tmp_path / "state" / "tui.json").unlink()
    drive(store, alone)


@pytest.mark.slow
def test_a_store_that_changes_is_followed_and_one_that_is_busy_waited_for(made: Store, tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    shutil.copytree(made.folder, store.folder)
    pair = ids(store, query_variety="zh") + ids(store, query_variety="yue")
    run = tmp_path / "theirs.trec"
    run.write_bytes(run_lsw("export", pair[0], "--store", store.folder).stdout.encode())
    holder = (
        "import duckdb, sys, time\n"
        f"con = duckdb.connect({str(store.database)!r}); con.execute('BEGIN'); print('held', flush=True); sys.stdin.read()"
    )

    async def steps(pilot: Pilot[Any], app: Workbench) -> None:
        page = await compared(pilot, app)
        was = page.shown
        # Someone else writes while the screens are open: nothing here may be in the way.
        done = await asyncio.to_thread(
            run_lsw, "import", run, "--system", "theirs", "--query-variety", "zh", "--document-variety", "zh",
            "--collection", "small", "--store", store.folder, LSW_LOCK_TIMEOUT="5",
        )  # fmt: skip
        new = done.stdout.strip()
        await until(pilot, lambda: any(r["run_id"] == new for r in app.runs))
        assert page.shown is was  # and what one looks at stays
        held = subprocess.Popen([sys.executable, "-c", holder], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert held.stdout and held.stdin
        held.stdout.readline()
        app.study._pairs.clear()
        page.measure("P@5")
        await until(pilot, lambda: "in use" in app.note_text)
        assert page.comparison and page.comparison.choice.measure == "RR@10"
        held.stdin.close()
        held.wait()
        await until(pilot, lambda: page.comparison.choice.measure == "P@5")
        assert app.note_text == ""

    drive(store, steps, chosen=pair)


def test_the_command_wants_a_terminal_and_two_to_four_runs(made: Store) -> None:
    one = ids(made, query_variety="zh")[0]
    assert "need a terminal" in run_lsw("tui", "--store", made.folder, check=2).stderr
    assert "two to four" in run_lsw("tui", one, "--store", made.folder, check=2).stderr
    assert "There is no run" in run_lsw("tui", "nope", one, "--store", made.folder, check=2).stderr


def test_state_that_is_damaged_is_as_good_as_none(made: Store, tmp_path: Path) -> None:
    path = tmp_path / "state" / "tui.json"
    path.parent.mkdir(parents=True)
    for damage in (
        "{",
        '{"stores": 3, "theme": 7}',
        json.dumps({"stores": {str(made.folder.resolve()): {"choice": {"method": {"test": "x"}}, "page": "nowhere"}}}),
    ):
        path.write_text(damage, "utf-8")

        async def steps(pilot: Pilot[Any], app: Workbench) -> None:
            assert isinstance(app.screen, Runs)

        drive(made, steps)


@pytest.mark.slow
def test_odd_texts_ids_and_runs_are_shown_as_they_are(tmp_path: Path) -> None:
    folder = tmp_path / "odd"
    folder.mkdir()
    docs = {
        "d[1]": "[bold]no markup[/bold] [/]",
        "d2": "\x1b[31mcontrol\x07 \ttab\nline",
        "d3": "x" * 50_000,
        "d4": "שלום عربى 👨‍👩‍👧",
    }
    (folder / "corpus.zh.jsonl").write_text("".join(json.dumps({"_id": d, "text": t}) + "\n" for d, t in docs.items()))
    (folder / "queries.yue.tsv").write_text("q[a]\t[red]what[/red] [/nothing]\n7\t" + "长" * 900 + "\nq3\tno result\n")
    (folder / "qrels.tsv").write_text("q[a] 0 d[1] 3\nq[a] 0 d2 -1\n7 0 d4 1\nq3 0 nowhere 1\n")
    (tmp_path / "a.trec").write_text("q[a] Q0 d[1] 0 2 x\nq[a] Q0 d2 0 2 x\n7 Q0 d3 0 1e30 x\n")
    (tmp_path / "b.trec").write_text("q[a] Q0 d2 0 2 x\n7 Q0 d4 0 -5 x\n7 Q0 other 0 -5 x\n")
    at = ("--query-variety", "yue", "--collection", folder, "--store", tmp_path / "store")
    pair = [run_lsw("import", tmp_path / f"{r}.trec", "--system", f"[{r}] [/x]", *at).stdout.strip() for r in "ab"]
    bm25 = run_lsw("retrieve", folder, "--system", "bm25", "--document-variety", "zh", *at[:2], *at[4:]).stdout.strip()
    seen = []

    async def steps(pilot: Pilot[Any], app: Workbench) -> None:
        page = await compared(pilot, app)
        for _ in range(3):
            seen.append(text(page, "#wording0") + text(page, "#text"))
            await pilot.press("l", "l", "j", "h", "h", "n")
            await pilot.pause(0.2)
        for name in PAGES.names():
            app.action_go(name)
            await pilot.pause(0.2)
        app.compare([*pair, bm25])
        await pilot.pause(0.5)

    drive(Store(tmp_path / "store"), steps, (100, 30), pair)
    whole = "".join(seen)
    assert "[a] [/x]" in whole
    assert "[red]what[/red] [/nothing]" in whole
    assert "not in the store" in whole  # an imported run does not say which passages it ranked


def test_names_with_escape_sequences_are_shown_and_not_obeyed(tmp_path: Path) -> None:
    store = Store(tmp_path / "odd")
    store.create()
    with store.writing() as con:
        con.execute(
            "INSERT INTO run (run_id, system, collection, query_variety, depth, n_queries, status, started_at, number)"
            " VALUES ('r', ?, 'c', 'fr', 1, 1, 'done', '2025-01-01', 1)",
            ["bm\x1b[31m25\x1b]0;x\x07\x9b2J"],
        )
    seen = []

    async def steps(pilot: Pilot[Any], app: Workbench) -> None:
        strips = app.screen._compositor.render_strips()
        seen.append("".join(strip.text for strip in strips))

    drive(store, steps)
    assert "bm[31m25]0;x" in seen[0]
    assert not {"\x1b", "\x9b", "\x07"} & set(seen[0])
