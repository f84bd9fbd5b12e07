"""The screens, driven by their keys over real stores."""

import csv
import io
import json
import shutil
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console
from textual.pilot import Pilot
from textual.widgets import Input

from store import Store
from store.events import host
from store.query import rows, runs
from store.schema import utc_now
from tests.tui.driving import compared, drive, go, ids, text, until
from tui.app import Workbench
from tui.comparing.queries import FILTERS
from tui.frame.bar import Bar
from tui.frame.help import Help
from tui.frame.listing import Listing
from tui.frame.pick import Pick
from tui.frame.remembered import Remembered
from tui.page import Page
from tui.pages import PAGES
from tui.pages.compare import Compare
from tui.pages.plots import Plots, plots
from tui.pages.provenance import Provenance
from tui.pages.published import Published
from tui.pages.runs import Runs
from tui.pages.translations import ALL, Translations
from tui.picture import Picture
from tui.study import partner
from workbench.comparison.runs import compare_runs
from workbench.significance.outcomes import Method

# Runs.


def test_runs_are_listed_filtered_sorted_and_compared(finished: Store) -> None:
    async def steps(pilot: Pilot[Any], app: Workbench) -> None:
        page = await go(pilot, app, "runs")
        assert isinstance(page, Runs)
        listed = {line["run_id"] for line in page.lines if not isinstance(line, str)}
        assert listed == {r["run_id"] for r in runs(finished)}
        for typed, fits in (
            # The recipe's name has `yue` in it, and its runs on other queries are not meant.
            ("colbert yue", lambda r: r["system"] == "colbert-xm" and r["query_variety"] == "yue"),
            ("queries:ca !bm25 trained:mixed", lambda r: r["query_variety"] == "ca" and r["trained_on"] == "mixed"),
            ("bge recipe:zero_shot", lambda r: "bge" in r["system"]),
        ):
            keys = {" ": "space", ":": "colon", "!": "exclamation_mark", "_": "underscore"}
            await pilot.press("slash", *(keys.get(c, c) for c in typed))
            left = {line["run_id"] for line in page.lines if not isinstance(line, str)}
            assert left == {r["run_id"] for r in runs(finished) if fits(r)}
            assert f"{len(left)} of {len(runs(finished))}" in text(page, "#hits")
            await pilot.press("escape")
        page.sort("nDCG@10")
        values = [r["means"].get("nDCG@10", -1.0) for r in page.lines]  # runs without it come last
        assert values == sorted(values, reverse=True)
        assert values[0] > 0
        await pilot.press("r", "g", "space", "space")
        values = [r["means"].get("nDCG@10", 2.0) for r in page.lines]
        assert values == sorted(values)
        assert page.marked == [page.lines[0]["run_id"], page.lines[1]["run_id"]]
        marked = tuple(page.marked)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, Compare))
        assert app.choice.run_ids == marked

    drive(finished, steps)


def test_enter_alone_compares_with_what_one_would_hold_it_against(finished: Store) -> None:
    everything = runs(finished)
    trained = next(r for r in everything if r["trained_on"] and r["query_variety"] == "yue")
    base = partner(trained, everything)
    assert base is not None
    assert (base["system"], base["trained_on"], base["query_variety"]) == (trained["system"], None, "yue")
    plain = next(r for r in everything if r["system"] == "bm25" and r["query_variety"] == "yue")
    twin = partner(plain, everything)
    assert twin is not None
    assert (twin["system"], twin["query_variety"], twin["document_variety"]) == ("bm25", "zh", "zh")


def test_a_recipe_at_work_shows_how_far_it_is_and_a_failed_one_why(made: Store, tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    shutil.copytree(made.folder, store.folder)
    with store.writing() as con:
        for name, status, error in (
            ("aa", "running", None),
            ("bb", "failed", "The disk is full."),
            ("cc", "running", None),
        ):
            con.execute(
                "INSERT INTO recipe_run VALUES (?, ?, 'A title', 'mini', ?, '{}', ?, NULL, ?, NULL)",
                [name, f"recipe_{name}", status, utc_now(), error],
            )
    gone = {"time": time.time() - 5, "event": "started", "stages": 9, "host": host(), "locked": True}
    (store.events.folder / "cc.jsonl").write_text(json.dumps(gone) + "\n", "utf-8")
    store.events.emit("aa", "started", stages=8)
    for i in range(3):
        store.events.emit("aa", "stage", status="running", label=f"stage {i}")
        store.events.emit("aa", "stage", status="done", label=f"stage {i}")
    store.events.emit("aa", "stage", status="running", label="rank yue over zh")
    store.events.emit("aa", "progress", done=30, total=60)

    async def steps(pilot: Pilot[Any], app: Workbench) -> None:
        page = await go(pilot, app, "runs")
        assert isinstance(page, Runs)
        await until(pilot, lambda: app.work_text)
        headings = " ".join(page._heading(line).plain for line in page.lines if isinstance(line, str))
        assert "3/8 rank yue over zh 50%" in headings
        assert "failed. The disk is full." in headings
        assert "stopped at 0/9; y copies the command that goes on" in headings  # at once: nobody holds its lock
        assert app.work_text == "recipe_aa 3/8"
        for name in PAGES.names():
            assert "recipe_aa 3/8" in str((await go(pilot, app, name)).query_one(Bar).render()), name
        page = await go(pilot, app, "runs")
        await pilot.press("g")
        for _ in page.lines:  # type: ignore[attr-defined]
            if page.recipe_run_id() == "cc":  # type: ignore[attr-defined]
                break
            await pilot.press("j")
        await pilot.press("y")
        assert app.clipboard == "lsw recipe run recipe_cc --scale mini"
        with store.writing() as con:
            con.execute("UPDATE recipe_run SET status = 'done' WHERE recipe_run_id = 'aa'")
        await until(pilot, lambda: any("recipe_aa (mini) is done" in n.message for n in app._notifications))

    drive(store, steps, (160, 48))


# Compare.


def test_the_strip_says_what_lsw_compare_says(made: Store) -> None:
    pair = ids(made, query_variety="zh") + ids(made, query_variety="yue")
    reference = compare_runs(made, pair, ["RR@10"], Method(), print).comparisons[0]

    async def steps(pilot: Pilot[Any], app: Workbench) -> None:
        page = await compared(pilot, app)
        assert page.comparison is not None
        row = page.comparison.rows[0]
        for name in ("delta", "ci_low", "ci_high", "p_corrected", "effect_size", "wins", "ties", "losses", "n"):
            assert row[name] == reference[name], name
        said = text(page, "#strip")
        assert f"[{reference['ci_low']:+.3f}".replace("0.", ".") in said
        way = "lower" if reference["delta"] < 0 else "higher"
        verdict = f"significantly {way}" if reference["p_corrected"] < 0.05 else f"{way} than A, not significantly"
        assert verdict in said
        assert "paired randomisation test, two-sided" in said and f"n {reference['n']} in" in said

    drive(made, steps, (160, 48), pair)


@pytest.mark.slow
def test_rankings_are_the_stores_and_the_same_passage_is_selected_in_both(made: Store) -> None:
    pair = ids(made, query_variety="zh") + ids(made, query_variety="yue")

    async def steps(pilot: Pilot[Any], app: Workbench) -> None:
        page = await compared(pilot, app)
        for _ in range(6):
            shown, found = page.shown, page.comparison
            assert shown and found
            for i, run_id in enumerate(pair):
                with made.reading() as con:
                    stored = rows(
                        con, "SELECT docno, rank FROM rankings WHERE run_id = ? AND qid = ? ORDER BY rank",
                        [run_id, shown.qid],
                    )  # fmt: skip
                    query = rows(
                        con, "SELECT query FROM scored_queries WHERE run_id = ? AND qid = ?", [run_id, shown.qid]
                    )
                    labels = dict(con.execute("SELECT docno, label FROM qrels WHERE qid = ?", [shown.qid]).fetchall())
                _, listed = page.query_one(f"#ranking{i}", Listing).rows.plain()
                assert [row[3] for row in listed] == [r["docno"] for r in stored]
                assert query[0]["query"] in text(page, f"#wording{i}")
                for row in listed:
                    label = labels.get(row[3])
                    assert row[1] == ("·" if label is None else "✓" if label > 0 else "✗")
            # Movement: of B's passages, against A.
            a, b = shown.rank
            for row in page.query_one("#ranking1", Listing).rows.plain()[1]:
                docno, said = row[3], row[2]
                moved = a.get(docno, -1) - b[docno]
                assert said == (
                    "new" if docno not in a else "=" if not moved else f"{'↑' if moved > 0 else '↓'}{abs(moved)}"
                )
            page.query_one("#ranking0", Listing).focus()
            await pilot.press("g", "j")
            docno = shown.docnos[0][1]
            assert page.docno == docno
            other = page.query_one("#ranking1", Listing)
            assert other.pointing == (docno in b)
            assert docno not in b or other.cursor == b[docno]
            assert docno in text(page, "#text")
            was = shown
            await pilot.press("n")
            await until(pilot, lambda was=was: page.shown is not was and page.shown and page.shown.filled)

    drive(made, steps, (160, 48), pair)


@pytest.mark.slow
def test_queries_are_sorted_filtered_and_searched(made: Store) -> None:
    pair = ids(made, query_variety="zh") + ids(made, query_variety="yue")

    async def steps(pilot: Pilot[Any], app: Workbench) -> None:
        page = await compared(pilot, app)
        found = page.comparison
        assert found
        deltas = found.deltas(1)
        assert [deltas[i] for i in page.order] == sorted(deltas)
        counts = {}
        for name in FILTERS:
            page.filter(name)
            counts[page.filter_by] = len(page.order)
        page.filter("all")
        row = found.rows[0]
        assert counts == {
            "all": row["n"], "won": row["wins"], "lost": row["losses"], "changed": row["wins"] + row["losses"]
        }  # fmt: skip
        page.sort("size of delta")
        sizes = np.abs(deltas[page.order])
        assert (np.diff(sizes) <= 0).all()
        qid = found.qids[5]
        await pilot.press("slash", *[{"-": "minus", ".": "full_stop"}.get(c, c) for c in qid])
        assert [found.qids[i] for i in page.order] == [q for q in found.qids if qid in q]
        assert text(page, "#hits") == f"{len(page.order)} of {row['n']}"
        await pilot.press("escape")
        assert len(page.order) == row["n"]
        await pilot.press("slash", *"nosuchquery")
        assert "No query is left" in text(page, "#text")

    drive(made, steps, (120, 40), pair)


def test_measure_test_and_correction_change_at_a_key(finished: Store) -> None:
    three = ids(finished, system="bm25", query_variety="yue", document_variety="zh")
    three += ids(finished, system="bge-m3", query_variety="yue", trained_on=None, document_variety="zh")
    three += ids(finished, system="colbert-xm", query_variety="yue", trained_on=None, document_variety="zh")

    async def steps(pilot: Pilot[Any], app: Workbench) -> None:
        page = await compared(pilot, app)

        async def press(*keys: str) -> None:
            was = page.comparison
            await pilot.press(*keys)
            await until(pilot, lambda: page.comparison is not was)

        await press("m", *"nd", "enter")
        assert page.comparison
        assert page.comparison.choice.measure == "nDCG@10"
        await press("t", *"t", "enter")
        expected = compare_runs(finished, three, ["nDCG@10"], Method(test="t"), print).comparisons
        assert [r["p_corrected"] for r in page.comparison.rows] == [r["p_corrected"] for r in expected]
        await press("c", *"bonf", "enter")
        assert page.comparison.rows[0]["correction"] == "bonferroni"
        await press("i", *"bca", "enter")
        assert page.comparison.rows[0]["interval"] == "bca"
        assert "Bonferroni" in text(page, "#strip")
        first = page.order[0]
        await pilot.press("d")
        assert (page.chosen == 2 and page.order[0] != first) or page.chosen == 2
        assert [page.comparison.deltas(2)[i] for i in page.order] == sorted(page.comparison.deltas(2))
        await press("b")
        assert list(page.comparison.choice.run_ids) == three[1:] + three[:1]
        await press("m", "A", "P", "enter")
        assert page.comparison.choice.measure == "AP"
        await pilot.press("m", *"nosuch", "enter")  # what is wrong stays, to be mended
        assert isinstance(app.screen, Pick)
        assert "nosuch" in str(app.screen.query_one("#wrong").render())  # type: ignore[attr-defined]
        assert app.screen.query_one(Input).value == "nosuch"
        await pilot.press("escape")
        assert page.comparison.choice.measure == "AP"

    drive(finished, steps, (160, 48), three)


# Every screen.


def test_every_key_of_every_screen_does_something_or_nothing_but_never_fails(finished: Store) -> None:
    pair = ids(finished, system="bm25", document_variety="zh")[:2]

    async def steps(pilot: Pilot[Any], app: Workbench) -> None:
        await compared(pilot, app)
        for page in PAGES.names():
            app.action_go(page)
            await pilot.pause(0.2)
            assert isinstance(app.screen, Page)
            shared = {"plus", "ctrl+e", "left", "right", "h", "question_mark"} if page != "compare" else set()
            keys = {b.key for b in app.screen._bindings.key_to_bindings.values() for b in b}
            for key in [*sorted(keys - shared), "j", "G", "pageup"]:
                here = app.screen
                await app._press_keys([key])
                while not isinstance(app.screen, Page):
                    app.pop_screen()
                    await pilot.pause()
                if app.screen is not here:
                    app.action_go(page)
                    await pilot.pause()

    drive(finished, steps, (80, 24), pair)


def test_published_figures_and_ours_on_other_collections_apart(finished: Store) -> None:
    """The same rows as `lsw compare --reference`; what the store has no run for is a dash."""
    from workbench.comparison.published import published

    async def steps(pilot: Pilot[Any], app: Workbench) -> None:
        app.action_go("published")
        await until(pilot, lambda: isinstance(app.screen, Published) and app.screen.lines)
        listing = app.screen.query_one(Listing)
        names, rows = listing.rows.plain()
        count = len(published())
        theirs, ours = rows[:count], rows[count:]
        assert ours
        assert {cell for row in theirs for cell in row[7:10]} == {"-"}  # nothing of mini beside mMARCO
        assert {cell for row in ours for cell in (*row[4:7], row[9])} == {"-"}  # and nothing was trained on af-nl
        at = {(r[0], r[2], r[3]): r for r in ours}
        assert at["bge-m3", "yue", "RR@10"][names.index("ours")] != "-"
        which = ("bge-m3", "yue", "RR@10")
        [figure] = [f for f in published() if (f["system"], f["query_variety"], f["measure"]) == which]
        [row] = [row for row in theirs if (row[0], row[2], row[3]) == which]
        assert row[names.index("base")] == f"{figure['base']:.4f}"
        headings = [i for i in range(listing.rows.count) if listing.rows.heading(i)]
        said = " ".join(listing.rows.cells(i)[0].plain for i in headings)
        assert "mini (mini), not comparable: texts of a folder, 196 queries and 496 passages against the 6,980" in said
        assert {str(cell.style) for cell in listing.rows.cells(headings[-1] + 1)} == {"dim"}

    drive(finished, steps, (80, 24))


def test_screens_bear_any_size(finished: Store) -> None:
    pair = ids(finished, system="bm25", document_variety="zh")[:2]

    async def steps(pilot: Pilot[Any], app: Workbench) -> None:
        await compared(pilot, app)
        for page in PAGES.names():
            app.action_go(page)
            for size in ((160, 48), (20, 6), (1, 1), (80, 24)):
                await pilot.resize_terminal(*size)
            assert isinstance(app.screen, Page)
            assert page == app.screen.PAGE

    drive(finished, steps, (160, 48), pair)


def test_help_names_every_key_and_the_palette_every_action(finished: Store) -> None:
    async def steps(pilot: Pilot[Any], app: Workbench) -> None:
        for name in PAGES.names():
            app.action_go(name)
            await pilot.pause(0.2)
            page = app.screen
            assert isinstance(page, Page)
            said = Help(page).text
            commands = " ".join(c.title for c in app.get_system_commands(page))
            for bindings in page._bindings.key_to_bindings.values():
                for binding in bindings:
                    if binding.description:
                        assert (binding.tooltip or binding.description) in said, (name, binding)
            for action in ("Quit", "Help", "Export", "Copy"):
                assert action in commands, (name, action)

    drive(finished, steps)


def seen(page: Plots) -> list[str]:
    """The lines of the picture."""
    picture = page.query_one(Picture)
    drawn = picture.render()
    if isinstance(drawn, str):
        return [drawn]
    console = Console(width=picture.content_size.width, file=io.StringIO(), color_system=None)
    return ["".join(part.text for part in line) for line in console.render_lines(drawn)]  # type: ignore[arg-type]


@pytest.mark.slow
def test_plots_are_drawn_and_a_point_opens_its_query(made: Store, tmp_path: Path) -> None:
    pair = ids(made, query_variety="zh") + ids(made, query_variety="yue")

    async def steps(pilot: Pilot[Any], app: Workbench) -> None:
        await compared(pilot, app)
        page = await go(pilot, app, "plots")
        assert isinstance(page, Plots)
        await until(pilot, lambda: page.comparison and page.models is not None)
        assert page.comparison
        values = np.stack([page.comparison.values(0), page.comparison.values(1)], axis=1)
        for kind in plots():
            assert page.kind == kind
            await until(pilot, lambda: not str(page.drawing()).startswith("reading"))
            drawn = "\n".join(seen(page))
            assert ("No model" in drawn) == (kind == "losses")
            columns, table = page.table()
            if kind == "cutoffs":
                at_ten = next(row for row in table if row[0] == "10")
                assert float(at_ten[1]) == pytest.approx(values[:, 0].mean(), abs=1e-9)
            elif kind != "losses":
                deltas = values[:, 1] - values[:, 0]
                won, tied = int((deltas > 1e-12).sum()), int((abs(deltas) <= 1e-12).sum())
                assert (f"won: {won}" in drawn and f"{tied} tied" in drawn) or f"tied: {tied}" in drawn
                assert columns[3] == "difference" and float(table[0][3]) == pytest.approx(deltas.min())
                written = page.exports()
                assert list(written) == [".svg", ".pdf", ".csv", ".md"]
                written[".svg"](tmp_path / f"{kind}.svg")
                assert f"won: {won}" in (tmp_path / f"{kind}.svg").read_text("utf-8")
                written[".csv"](tmp_path / f"{kind}.csv")
                with (tmp_path / f"{kind}.csv").open(encoding="utf-8", newline="") as file:
                    assert list(csv.reader(file)) == [columns, *table]
            await pilot.press("v")
        await pilot.press("v")  # the scatter
        assert page.kind == "scatter"
        await pilot.pause()
        worst = int(np.argmin(values[:, 1] - values[:, 0]))
        page.pointed(Picture.Pointed(*values[worst]))
        listing = page.query_one(Listing)
        same = {int(i) for i in np.flatnonzero((abs(values - values[worst]) < 1e-9).all(axis=1))}
        assert page.order[listing.cursor] in same
        pointed = set()
        for _ in same:  # one after the other
            page.pointed(Picture.Pointed(*values[worst]))
            pointed.add(page.order[listing.cursor])
        assert pointed == same
        qid = page.comparison.qids[page.order[listing.cursor]]
        await pilot.pause()
        await pilot.press("enter")
        after = await compared(pilot, app)
        await until(pilot, lambda: after.shown and after.shown.qid == qid)

    drive(made, steps, (160, 48), pair)


def test_plots_say_what_to_do_where_there_is_nothing(tmp_path: Path) -> None:
    async def steps(pilot: Pilot[Any], app: Workbench) -> None:
        page = await go(pilot, app, "plots")
        assert isinstance(page, Plots)
        for kind in plots():
            page.action_picture(kind)
            await pilot.pause()
            [said] = seen(page)
            assert said == page.drawing()
            assert "no store yet" in said if kind == "losses" else "mark two to four (space), then Enter" in said, said
            assert page.table() == ([], []) and list(page.exports()) == [".csv", ".md"]

    drive(Store(tmp_path / "none"), steps)


@pytest.mark.slow
def test_a_click_in_a_plot_finds_the_query_there(made: Store) -> None:
    pair = ids(made, query_variety="zh") + ids(made, query_variety="yue")

    async def steps(pilot: Pilot[Any], app: Workbench) -> None:
        await compared(pilot, app)
        page = await go(pilot, app, "plots")
        assert isinstance(page, Plots)
        await until(pilot, lambda: page.comparison)
        await pilot.pause()
        plot, listing = page.query_one(Picture), page.query_one(Listing)
        await pilot.click(Picture, offset=(plot.size.width - 3, plot.size.height // 2))  # the right end: the best
        await pilot.pause()
        assert listing.cursor >= 0.95 * (len(page.order) - 1)
        await pilot.click(Picture, offset=(9, plot.size.height // 2))
        await pilot.pause()
        assert listing.cursor <= 0.1 * (len(page.order) - 1)
        await pilot.click("#about", offset=(len(" differences ") + 3, 0))  # the name of another picture
        await pilot.pause()
        assert page.kind == "scatter"
        data = page.data()
        assert plot.frame
        column, line = plot.frame.cell(*data.values[page.order[-1]])
        await pilot.click(Picture, offset=(column + 1, line))  # where the best one's mark is
        await pilot.pause()
        found = data.values[page.order[listing.cursor]]
        assert plot.frame.cell(*found) == (column, line)
        width, at = plot.size.width, listing.cursor
        await pilot.press("z", "k")  # larger, and the list goes on
        await pilot.pause()
        assert plot.size.width > width and listing.cursor == at - 1
        await pilot.press("z", "k")
        assert listing.has_focus and listing.cursor == at - 2

    drive(made, steps, (160, 48), pair)


def test_translations_show_the_suspicious_first_with_their_cost(finished: Store) -> None:
    async def steps(pilot: Pilot[Any], app: Workbench) -> None:
        page = await go(pilot, app, "translations")
        assert isinstance(page, Translations)
        await until(pilot, lambda: page.shown)
        odd = [bool(r["signs"]) for r in page.shown]
        assert odd == sorted(odd, reverse=True)
        with finished.reading() as con:
            [expected] = con.execute(
                """
                WITH v AS (SELECT r.system, r.query_variety AS q, avg(m.value) AS value FROM measures m
                           JOIN runs r USING (run_id)
                           WHERE m.qid = 'food-05.1' AND m.measure = 'RR@10' AND r.trained_on IS NULL
                             AND r.document_variety = 'zh' GROUP BY ALL)
                SELECT avg(l.value - h.value) FROM v l JOIN v h USING (system) WHERE l.q = 'yue' AND h.q = 'zh'
                """
            ).fetchall()
        row = next(r for r in page.shown if r["qid"] == "food-05.1" and r["target_variety"] == "yue")
        assert row["cost"] == pytest.approx(expected[0], abs=1e-12)
        seen = set()
        for only in page.sets():
            page.filter(only)
            seen |= {(r["qid"], r["text"]) for r in page.shown}
            assert only in text(page, "#about")
        page.filter(ALL)
        assert seen == {(r["qid"], r["text"]) for r in page.shown}

    drive(finished, steps, (160, 48))


def test_provenance_goes_back_to_the_collection(finished: Store) -> None:
    tuned = ids(finished, system="bge-m3 >> mt5", trained_on="ca-fr", query_variety="yue")[0]

    async def steps(pilot: Pilot[Any], app: Workbench) -> None:
        app.remembered.put("provenance", tuned)
        page = await go(pilot, app, "provenance")
        assert isinstance(page, Provenance)
        await until(pilot, lambda: page.stages)
        kinds = {row["kind"] for row in page.stages}
        assert {"rerank", "retrieve", "finetune", "mined", "translate", "queries", "passages"} <= kinds
        for above, row in zip(page.stages, page.stages[1:], strict=False):
            assert 0 < row["depth"] <= above["depth"] + 1
        assert page.again.startswith("lsw recipe run zero_shot_yue_zh --scale mini")
        await pilot.press("y")
        assert app.clipboard == f"{page.again} --force {page.stages[0]['key'][:12]}"  # the run's own stage alone

    drive(finished, steps)


@pytest.mark.slow
def test_views_are_exported_and_copied(made: Store, tmp_path: Path) -> None:
    pair = ids(made, query_variety="zh") + ids(made, query_variety="yue")

    async def steps(pilot: Pilot[Any], app: Workbench) -> None:
        page = await compared(pilot, app)
        assert page.comparison
        for ending in ("csv", "md", "svg", "csv", "txt"):
            await pilot.press("ctrl+e")
            box = app.screen.query_one(Input)
            box.value = str(tmp_path / f"view.{ending}")
            await pilot.press("enter")
            await pilot.pause()
            if not isinstance(app.screen, Page):
                await pilot.press("escape")
        with (tmp_path / "view.csv").open(encoding="utf-8") as file:
            table = list(csv.DictReader(file))
        assert len(table) == len(page.comparison.qids)
        by_qid = dict(zip(page.comparison.qids, page.comparison.values(0), strict=True))
        assert all(float(row["A RR@10"]) == by_qid[row["qid"]] for row in table)
        assert (tmp_path / "view.md").read_text("utf-8").count("\n") == len(table) + 2
        assert "<svg" in (tmp_path / "view.svg").read_text("utf-8")
        assert not (tmp_path / "view.txt").exists()
        await pilot.press("y")
        assert page.shown
        assert app.clipboard.startswith(page.shown.qid)
        page.query_one("#ranking0", Listing).focus()
        await pilot.press("y")
        assert app.clipboard.startswith(page.docno + "\t")
        await pilot.press("Y")
        assert app.clipboard.startswith("| # | docno |")

    drive(made, steps, chosen=pair)


@pytest.mark.slow
def test_what_one_looked_at_is_remembered(made: Store) -> None:
    pair = ids(made, query_variety="zh") + ids(made, query_variety="yue")

    async def first(pilot: Pilot[Any], app: Workbench) -> None:
        page = await compared(pilot, app)
        await pilot.press("s", *"gain", "enter", "m", *"nd", "enter", "n", "n", "ctrl+t")
        await until(pilot, lambda: page.comparison and page.comparison.choice.measure == "nDCG@10")
        seen["qid"] = page.keep
        seen["theme"] = app.theme

    async def second(pilot: Pilot[Any], app: Workbench) -> None:
        page = await compared(pilot, app)
        assert page.comparison
        assert list(page.comparison.choice.run_ids) == pair
        assert page.comparison.choice.measure == "nDCG@10"
        assert page.sort_by == "gain first"
        assert page.keep == seen["qid"]
        assert app.theme == seen["theme"] == "textual-light"

    async def third(pilot: Pilot[Any], app: Workbench) -> None:
        assert app.choice.method == Method(test="wilcoxon", correction="bh")

    seen: dict[str, Any] = {}
    drive(made, first, chosen=pair)
    drive(made, second)
    kept = {"run_ids": pair, "measure": "RR@10", "how": {"test": "wilcoxon", "correction": "bh"}}
    before = Remembered(made.folder)
    before.put("choice", kept)  # as it was called before
    before.save()
    drive(made, third)


@pytest.mark.slow
@pytest.mark.skipif(version("textual") != "8.2.8", reason="the pictures were made with textual 8.2.8")
@pytest.mark.parametrize(("page", "size"), [("compare", (80, 24)), ("compare", (160, 48)), ("plots", (120, 36))])
def test_screens_look_as_they_did(made: Store, snap_compare: Any, page: str, size: tuple[int, int]) -> None:
    """Pictures of what is the same on every machine; `pytest --snapshot-update` after a change that was meant."""
    app = Workbench(Store(made.folder), ids(made, query_variety="zh") + ids(made, query_variety="yue"))

    async def before(pilot: Pilot[Any]) -> None:
        await compared(pilot, app)
        app.action_go(page)
        await until(pilot, lambda: app.screen.comparison)  # type: ignore[attr-defined]
        if page == "compare":
            await until(pilot, lambda: app.screen.shown.words)  # type: ignore[attr-defined]
        await pilot.pause(0.3)

    assert snap_compare(app, terminal_size=size, run_before=before)
