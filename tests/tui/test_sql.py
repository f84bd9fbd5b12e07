"""The SQL screen, driven by its keys."""

import time
from pathlib import Path
from typing import Any

import pytest
from textual import events
from textual.pilot import Pilot

from store import Store
from store.query import runs
from tests.tui.driving import drive, text, until
from tui.app import Workbench
from tui.frame.remembered import Remembered
from tui.pages.compare import Compare
from tui.pages.provenance import Provenance
from tui.pages.sql import Sql
from tui.sql.answer import Answer
from tui.sql.catalogue import Catalogue, Names
from tui.sql.statement import Statement

DRAFT = ("SELECT 1,\n  2", (1, 1))


async def opened(pilot: Pilot[Any], app: Workbench, sql: str | None = None) -> tuple[Sql, Statement]:
    """The screen with its names read, and this in the editor."""
    app.CLICK_CHAIN_TIME_THRESHOLD = 60  # a double click is one however slow the machine is
    app.action_go("sql")
    await until(pilot, lambda: isinstance(app.screen, Sql) and app.screen.views)
    page = app.screen
    assert isinstance(page, Sql)
    area = page.query_one(Statement)
    if sql is not None:
        area.text = sql
        area.move_cursor(area.document.end)
        await pilot.pause()
    return page, area


def title(page: Sql) -> str:
    return str(page.outcome.border_title)


def key(character: str) -> events.Key:
    return events.Key({" ": "space", "\n": "enter"}.get(character, character), character)


def test_sql_is_read_only_errors_keep_the_text_and_what_takes_long_is_stopped(made: Store) -> None:
    with made.reading() as con:
        [[n]] = con.execute("SELECT count(DISTINCT qid) FROM rankings").fetchall()

    async def steps(pilot: Pilot[Any], app: Workbench) -> None:
        page, area = await opened(pilot, app)
        for statement, said in (
            ("CREATE TABLE x (a INT)", "read-only"),
            ("SELECT qid\nFROM runs", "Line 1, column 8"),
            ("SELECT 1;\nSELECT 2", "exactly one"),
        ):
            area.text = statement
            await pilot.press("f5")
            await until(pilot, lambda said=said: said in text(page, "#about"))
            assert area.text == statement
        area.text = "SELECT 1;\n  SELECT nothing"
        area.move_cursor((1, 2))
        await pilot.press("shift+end", "f5")  # only what is selected is run, and places are those of the whole text
        await until(pilot, lambda: "Line 2, column 10" in text(page, "#about"))
        assert area.cursor_location == (1, 9)
        area.text = "SELECT qid, count(*) AS n FROM rankings GROUP BY qid ORDER BY qid"
        await pilot.press("ctrl+r")
        await until(pilot, lambda: f"{n} rows" in title(page))
        assert not page.query_one("#about").display
        assert page.table()[0] == ["qid", "n"]
        assert len(page.table()[1]) == n
        area.text = "not yet run"
        await pilot.press("ctrl+up", "ctrl+up")
        assert area.text == "SELECT nothing"
        await pilot.press("ctrl+down", "ctrl+down")
        assert area.text == "not yet run"
        area.text = "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT max(n) FROM t"
        app.post_message(events.Key("f5", None))
        await until(pilot, lambda: "Running for" in title(page))
        began = time.monotonic()
        await pilot.press("escape")
        await until(pilot, lambda: "Stopped after" in title(page))
        assert time.monotonic() - began < 5
        assert page.running is None

    drive(made, steps)


def test_what_is_on_the_screen_is_run_however_fast_the_keys_come_and_files_have_all(
    made: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.pages.sql.LIMIT", 5)
    monkeypatch.chdir(tmp_path)
    sql = "SELECT range AS n FROM range(100)"

    async def steps(pilot: Pilot[Any], app: Workbench) -> None:
        page, area = await opened(pilot, app, "")
        # As a terminal sends them: none is waited for.
        for character in sql:
            app.post_message(key(character))
        app.post_message(events.Key("f5", None))
        for character in " -- and later":
            app.post_message(key(character))
        await until(pilot, lambda: page.answer is not None)
        assert page.ran == sql
        await until(pilot, lambda: area.text == sql + " -- and later")
        area.text = ""
        for character in "SELECT 1 AS\nrun":  # nor does a drop-down that none has seen take Enter
            app.post_message(key(character))
        await until(pilot, lambda: area.text == "SELECT 1 AS\nrun")
        assert "of more" in title(page)
        for name in ("lsw-sql.csv", "lsw-sql-2.csv"):
            await pilot.press("ctrl+e", "enter")
            await until(pilot, lambda name=name: (tmp_path / name).exists())
            assert len((tmp_path / name).read_text().splitlines()) == 101

    drive(made, steps)


def test_names_are_offered_never_in_the_way_and_listed_in_the_catalogue(made: Store) -> None:
    yesterday = Remembered(made.folder)
    yesterday.put("sql draft", {"text": DRAFT[0], "cursor": DRAFT[1]})
    yesterday.save()

    async def steps(pilot: Pilot[Any], app: Workbench) -> None:
        page, area = await opened(pilot, app)
        assert (area.text, area.cursor_location) == DRAFT  # of the day before
        offers = area.offers
        area.text = "SELECT document_v FROM runs"
        area.move_cursor((0, 17))
        await pilot.press("a")
        assert [one.text for one in offers.offered] == ["document_variety"]
        assert {b.binding.description for b in page.active_bindings.values() if b.enabled} >= {"Take", "Close", "Run"}
        await pilot.press("tab")
        assert area.text == "SELECT document_variety FROM runs"
        assert not offers.display
        area.text = "SELECT * FROM runs"
        area.move_cursor(area.document.end)
        await pilot.press("enter", *"WHERE")
        assert area.text == "SELECT * FROM runs\nWHERE"
        await pilot.press("space")
        assert offers.display and offers.chosen is None  # nothing is typed: Enter is a new line
        await pilot.press("enter", *"system", "space", *"= '")
        await until(pilot, lambda: [one.name for one in offers.offered] == ["bm25"])  # the store's values
        await pilot.press("enter")
        assert area.text == "SELECT * FROM runs\nWHERE \nsystem = 'bm25'"
        await pilot.press("enter", *"LIM")
        assert offers.display
        await pilot.press("escape", "enter")
        assert area.text.endswith("\nLIM\n") and area.has_focus
        area.text = "SELECT * FROM ru"
        area.move_cursor(area.document.end)
        await pilot.press("n")
        await pilot.click(offers, offset=(3, 0))
        assert area.text == "SELECT * FROM runs"
        names = page.query_one(Names)
        assert not page.query_one(Catalogue).display  # there is no room
        await pilot.press("f2")
        assert names.has_focus
        await pilot.press("right", "down", "enter")
        assert area.text == "SELECT * FROM runs run_id"
        assert area.has_focus
        area.text = "DESCRIBE "
        area.move_cursor(area.document.end)
        await pilot.click(names, offset=(4, 0), times=2)
        assert area.text == "DESCRIBE runs"
        await pilot.press("f2", "f5")
        assert not page.query_one(Catalogue).display
        await until(pilot, lambda: page.answer is not None)
        assert page.answer["column_name"].to_pylist()[0] == "run_id"

    drive(made, steps, (80, 24))


def test_cells_lead_to_runs_and_queries_and_the_screen_is_as_it_was_left(made: Store) -> None:
    both = [r["run_id"] for r in runs(made)]

    async def steps(pilot: Pilot[Any], app: Workbench) -> None:
        sql = "SELECT run_id, qid, value FROM measures WHERE measure = 'RR@10' ORDER BY qid DESC, run_id"
        page, _ = await opened(pilot, app, sql)
        await pilot.press("f5")
        await until(pilot, lambda: page.outcome.rows)
        await pilot.press("escape")
        run, qid = page.outcome.row()[:2]
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, Provenance) and app.screen.of)
        assert app.screen.of["run_id"] == run
        page, area = await opened(pilot, app)
        await pilot.press("pagedown", "pagedown", "right")
        kept = page.outcome.rows.scroll_offset, page.outcome.rows.cursor_coordinate
        area.text = DRAFT[0]
        area.move_cursor(DRAFT[1])
        await pilot.pause()
        app.action_go("runs")
        await pilot.pause()
        page, area = await opened(pilot, app)  # all is as it was
        assert (area.text, area.cursor_location) == DRAFT
        assert (page.outcome.rows.scroll_offset, page.outcome.rows.cursor_coordinate) == kept and kept[0].y > 0
        await pilot.press("pageup", "pageup", "enter")  # no runs are compared yet
        await pilot.pause()
        assert app.screen is page
        app.compare(both)
        page, _ = await opened(pilot, app)
        await pilot.click(Answer, offset=(16, 2), times=2)  # the second row's qid
        await until(pilot, lambda: isinstance(app.screen, Compare) and app.screen.shown and app.screen.shown.qid == qid)
        page, _ = await opened(pilot, app)
        await pilot.click(Answer, offset=(2, 0))  # the name of the first column
        await until(pilot, lambda: page.outcome.sorted_by == (0, False))
        assert page.answer["run_id"].to_pylist() == sorted(page.answer["run_id"].to_pylist())

    drive(made, steps)
    assert Remembered(made.folder).get("sql draft", {}) == {"text": DRAFT[0], "cursor": list(DRAFT[1])}
