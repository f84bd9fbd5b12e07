"""What all screens share: keys, searching, picking, the footer, going back, panes, colours, files."""

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console
from textual.events import Key
from textual.pilot import Pilot
from textual.theme import BUILTIN_THEMES
from textual.widgets import OptionList

from store import LswError, Store
from tests.tui.driving import compared, drive, go, ids, text, until
from tui.app import Workbench
from tui.comparing.rankings import LEAST, Rankings
from tui.frame.export import free, written
from tui.frame.folding import folded
from tui.frame.listing import Listing
from tui.frame.looks import RUNS, styles
from tui.frame.panes import Reading
from tui.frame.pick import Pick
from tui.frame.rows import shortened
from tui.frame.search import parsed
from tui.page import Page
from tui.pages.runs import Runs

FIELDS = ("system", "queries", "status")


def pair_of(store: Store) -> list[str]:
    return ids(store, query_variety="zh") + ids(store, query_variety="yue")


# Searching.


@given(st.text(max_size=40))
def test_a_search_is_understood_or_refused_with_the_fields(typed: str) -> None:
    refused = ""
    try:
        search = parsed(typed, FIELDS)
    except LswError as error:
        refused, search = error.cure, parsed("", FIELDS)
    assert not refused or all(name in refused for name in FIELDS)
    assert all(term.word for term in search.terms)
    row = dict.fromkeys(FIELDS, "")
    assert search.fits(row, "") == all(not term.wanted for term in search.terms)


def test_fields_quotes_and_what_is_not_wanted() -> None:
    row = {"system": "bge-m3 >> mt5", "queries": "yue", "status": "done"}
    anywhere = " ".join(row.values())
    for typed, fits in (
        ("queries:yue", True), ("q:yue", True), ("queries:zh", False), ("!queries:zh", True), ("!bge", False),
        ("BGE mt5", True), ("'bge-m3 >> mt5'", True), ("'mt5 bge'", False), ("'mt5", True), ("system:", True), ("", True),
    ):  # fmt: skip
        assert parsed(typed, FIELDS).fits(row, anywhere) is fits, typed
    with pytest.raises(LswError, match="No field 's' here"):
        parsed("s:x", FIELDS)  # two begin so


def test_script_case_and_accents_are_no_difference() -> None:
    assert folded("點解Ŝĉióà") == folded("点解ŝcioà") == "点解scioa"


def test_letters_typed_at_once_after_the_key_are_a_search(made: Store) -> None:
    """`/bm25` typed quickly landed on another screen: `2` and `5` acted as commands."""

    async def steps(pilot: Pilot[Any], app: Workbench) -> None:
        page = await go(pilot, app, "runs")
        for key in ("slash", *"bm25"):
            app.post_message(Key(key, "/" if key == "slash" else key))
        await until(pilot, lambda: page.search)
        assert isinstance(page, Runs) and app.screen is page
        assert page.search.text == "bm25" and text(page, "#hits") == "2 of 2"
        await pilot.press("escape", "slash", *"nofield", "colon", "x")
        assert "No field 'nofield' here" in text(page, "#hits")

    drive(made, steps)


# The footer, pickers, the palette.


def test_the_footer_tells_the_keys_that_work_now(made: Store) -> None:
    async def steps(pilot: Pilot[Any], app: Workbench) -> None:
        for name in ("runs", "translations", "compare"):
            page = await go(pilot, app, name)
            before = {key for key, active in page.active_bindings.items() if active.binding.show}
            assert {"slash", "q", "question_mark"} <= before and "ctrl+p" in page.active_bindings
            await pilot.press("slash")
            now = page.active_bindings
            shown = {key: active.binding.description for key, active in now.items() if active.binding.show}
            assert shown["enter"] == "Keep the search" and shown["escape"] == "End the search"
            assert not {"slash", "q", "s", "question_mark", "1", "n"} & set(now)
            await pilot.press("q", "escape")  # a letter of the search; the screens are still there
            assert {key for key, active in page.active_bindings.items() if active.binding.show} == before

    drive(made, steps)


def test_a_picker_marks_the_present_one_and_keeps_what_is_wrong(made: Store) -> None:
    async def steps(pilot: Pilot[Any], app: Workbench) -> None:
        page = await compared(pilot, app)
        await pilot.press("t")
        assert isinstance(app.screen, Pick)
        options = app.screen.query_one(OptionList)
        prompts = [str(options.get_option_at_index(i).prompt) for i in range(options.option_count)]
        assert [p for p in prompts if p.startswith("●")] == [p for p in prompts if " randomisation" in p]
        assert options.highlighted == prompts.index(next(p for p in prompts if p.startswith("●")))
        await pilot.press(*"zzz", "enter")
        assert isinstance(app.screen, Pick) and "'zzz'" in str(app.screen.query_one("#wrong").render())  # type: ignore[attr-defined]
        await pilot.press(*["backspace"] * 3)
        for key in (*"wil", "enter"):  # as fast as they come
            app.post_message(Key(key, key if len(key) == 1 else None))
        await until(pilot, lambda: page.comparison and page.comparison.choice.method.test == "wilcoxon")
        await pilot.press("T", *"nord", "enter")
        assert app.theme == "nord"

    drive(made, steps, chosen=pair_of(made))


def test_the_palette_has_every_action_once_and_goes_to_queries_and_runs(made: Store) -> None:
    async def steps(pilot: Pilot[Any], app: Workbench) -> None:
        page = await compared(pilot, app)
        names = [command.title for command in app.get_system_commands(page)]
        assert len(names) == len(set(names)) and any(name.startswith("Export (") for name in names)
        assert page.comparison
        qid = page.comparison.qids[7]
        keys = [{"-": "minus", ".": "full_stop"}.get(c, c) for c in qid]
        await pilot.press("ctrl+p", *"go", "space", *"to", "space", *keys)
        await pilot.pause(0.6)
        await pilot.press("enter")
        await until(pilot, lambda: page.shown and page.shown.qid == qid)
        await pilot.press("ctrl+p", *"provenance", "space", *"zh")
        await pilot.pause(0.6)
        await pilot.press("down", "enter")
        await until(pilot, lambda: isinstance(app.screen, Page) and app.screen.PAGE == "provenance")

    drive(made, steps, chosen=pair_of(made))


# State, and going back.


def test_a_screen_is_as_one_left_it(made: Store) -> None:
    async def steps(pilot: Pilot[Any], app: Workbench) -> None:
        page = await compared(pilot, app)
        await pilot.press("f", *"lost", "enter", "s", *"size", "enter", "slash", "f", "enter", "n", "n")
        order, keep = page.order, page.keep
        first = ids(made, query_variety="zh")[0]
        await pilot.press("p")  # the provenance of the run in focus: B, the chosen one
        await until(pilot, lambda: isinstance(app.screen, Page) and app.screen.PAGE == "provenance")
        assert app.remembered.get("provenance") == page.comparison.runs[1]["run_id"]  # type: ignore[union-attr]
        await pilot.press("backspace")
        assert app.screen is page
        assert (page.filter_by, page.sort_by, page.search.text) == ("lost", "size of delta", "f")
        assert (page.order, page.keep) == (order, keep)
        page.query_one("#ranking0", Listing).focus()
        await pilot.press("p")
        await until(pilot, lambda: isinstance(app.screen, Page) and app.screen.PAGE == "provenance")
        assert app.remembered.get("provenance") == first
        visited = ["sql", "runs", "published"]
        for name in visited:
            await go(pilot, app, name)
        for name in reversed(visited[:-1]):
            await pilot.press("backspace")
            await until(pilot, lambda name=name: name == app.screen.PAGE)

    drive(made, steps, chosen=pair_of(made))


def test_what_comes_late_is_of_another_choice_and_is_left(finished: Store) -> None:
    """Another measure is computed while one goes back to the first, or opens two other runs of four."""
    four = ids(finished, query_variety="yue", document_variety="zh", trained_on=None)[:4]

    async def steps(pilot: Pilot[Any], app: Workbench) -> None:
        page = await compared(pilot, app)
        compare = app.study.compare

        def slow(*arguments: Any) -> Any:
            time.sleep(0.4)
            return compare(*arguments)

        app.study.compare = slow  # type: ignore[method-assign]
        page.measure("nDCG@10")
        await pilot.pause(0.1)
        page.measure("RR@10")
        await pilot.pause(0.8)
        assert page.comparison and page.comparison.choice.measure == app.choice.measure == "RR@10"
        app.compare(four[2:])
        await pilot.press("d", "d")  # of the four, which are still on the screen
        await until(pilot, lambda: page.comparison and len(page.comparison.runs) == 2)
        assert page.chosen == 1
        # What cannot be compared leaves nothing of what was before beside the reason.
        page.failed(LswError("No such comparison."))
        assert "No such comparison." in text(page, "#strip")
        assert page.comparison is None and page.shown is None
        assert not any(listing.rows.count for listing in page.query(Listing).results(Listing))
        before = app.choice
        app.compare([four[0], four[0]])
        assert app.choice == before

    drive(finished, steps, (120, 40), four)


def test_a_query_that_a_search_hides_is_gone_to(made: Store) -> None:
    async def steps(pilot: Pilot[Any], app: Workbench) -> None:
        page = await compared(pilot, app)
        assert page.comparison
        first, other = page.comparison.qids[0], page.comparison.qids[9]
        await pilot.press("w", "slash", *[{"-": "minus", ".": "full_stop"}.get(c, c) for c in first], "enter")
        page.go_to(other)
        await until(pilot, lambda: page.shown and page.shown.qid == other)
        assert not page.search and page.has_class("-why")

    drive(made, steps, chosen=pair_of(made))


# Room.


def test_the_focused_pane_is_enlarged_and_every_pane_is_reached_by_keys(made: Store) -> None:
    async def steps(pilot: Pilot[Any], app: Workbench) -> None:
        page = await compared(pilot, app)
        reached = []
        for _ in range(4):
            reached.append(page.focused.id or type(page.focused).__name__)  # type: ignore[union-attr]
            await pilot.press("l")
        assert reached == ["queries", "ranking0", "ranking1", "Reading"]
        passage = page.query_one("#passage Reading", Reading)
        assert passage.has_focus
        small = page.query_one("#passage").size.height
        await pilot.press("z")
        await pilot.pause()
        assert page.query_one("#passage").size.height >= 24 - 4 > small
        await pilot.press("escape")
        await pilot.pause()
        assert page.query_one("#passage").size.height == small
        for _ in range(30):
            await pilot.press("j")
        assert passage.scroll_offset.y == passage.max_scroll_y

    drive(made, steps, (80, 24), pair_of(made))


def test_a_divider_is_dragged(made: Store) -> None:
    async def steps(pilot: Pilot[Any], app: Workbench) -> None:
        page = await compared(pilot, app)
        left, at = page.query_one("#left"), page.query_one("#divider").region.offset
        was = left.size.width
        await pilot.mouse_down(offset=(at.x, at.y + 3))
        await pilot.hover(offset=(at.x + 20, at.y + 3))
        await pilot.mouse_up(offset=(at.x + 20, at.y + 3))
        await pilot.pause()
        assert left.size.width == was + 20
        await pilot.hover(offset=(at.x, at.y + 3))
        assert left.size.width == was + 20  # it was let go
        await pilot.click("#strip", offset=(at.x // 3, 1))  # the label of B
        assert isinstance(app.screen, Pick) and app.screen.present == pair_of(made)[1]

    drive(made, steps, (140, 40), pair_of(made))


def test_of_four_runs_as_many_are_shown_as_have_room_and_figures_are_whole(finished: Store) -> None:
    four = ids(finished, query_variety="yue", document_variety="zh", trained_on=None)[:4]

    async def steps(pilot: Pilot[Any], app: Workbench) -> None:
        page = await compared(pilot, app)
        rankings = page.query_one(Rankings)
        for size, room in (((80, 24), 2), ((120, 36), 2), ((220, 48), 4)):
            await pilot.resize_terminal(*size)
            await pilot.pause(0.3)
            seen = set()
            for _ in range(3):
                assert len(rankings.runs) == room
                for place, run in enumerate(rankings.runs):
                    listing = rankings.listing(place)
                    assert listing.size.width >= LEAST and run not in rankings.runs[:place]
                    names = [c.name for c, w in zip(listing.rows.columns, listing.widths(), strict=True) if w]
                    assert "passage" in names and "#" in names
                    seen.add(run)
                assert page.chosen in rankings.runs
                await pilot.press("d")
                await pilot.pause(0.1)
            assert seen == {0, 1, 2, 3}
            strip = text(page, "#strip")
            means = [f"{page.comparison.values(i).mean():.4f}" for i in range(4)]  # type: ignore[union-attr]
            assert all(mean in strip for mean in means)

    drive(finished, steps, (80, 24), four)


def test_lines_lead_from_a_passage_to_itself(made: Store) -> None:
    async def steps(pilot: Pilot[Any], app: Workbench) -> None:
        from tui.comparing.links import SELECTED, Links

        page = await compared(pilot, app)
        links, shown = page.query_one("#links1", Links), page.shown
        assert shown
        tops = [round(links.sides[i].scroll_offset.y) for i in range(2)]
        both = {(shown.rank[0][d] - tops[0], shown.rank[1][d] - tops[1]) for d in shown.rank[0] if d in shown.rank[1]}
        lines = links.linked()
        assert lines and {(left, right) for left, right, _ in lines} <= both
        assert [look for *_, look in lines].count(SELECTED) == (
            page.docno in shown.rank[0] and page.docno in shown.rank[1]
        )

    drive(made, steps, (160, 48), pair_of(made))


@given(st.text(max_size=30).filter(lambda t: t.isprintable()), st.integers(2, 20))
def test_a_name_keeps_its_beginning_and_its_end(name: str, width: int) -> None:
    short = shortened(name, width)
    assert cell_len(short) <= width
    if cell_len(name) <= width:
        assert short == name
    elif name.isascii() and width > 3:
        assert "…" in short and name.startswith(short.split("…")[0]) and name.endswith(short.split("…")[1])


# Colours.


def linear(hex_colour: str) -> np.ndarray:  # type: ignore[type-arg]
    rgb = np.array([int(hex_colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


SEEN = {  # Machado, Oliveira and Fernandes 2009, severity 1
    "all": np.eye(3),
    "protanopia": np.array([[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]),
    "deuteranopia": np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]]),
    "tritanopia": np.array([[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]]),
}  # fmt: skip


def lab(rgb: np.ndarray) -> np.ndarray:  # type: ignore[type-arg]
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    ratio = to_xyz @ np.clip(rgb, 0, 1) / np.array([0.9505, 1.0, 1.089])
    f = np.where(ratio > 0.008856, np.cbrt(ratio), 7.787 * ratio + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("theme", ["textual-dark", "textual-light"])
def test_colours_are_told_apart_by_every_eye_and_read_on_their_ground(theme: str) -> None:
    """CIE76 of 10 is seen at a glance; a contrast of 3 is WCAG's for signs and large letters."""
    named = styles(BUILTIN_THEMES[theme])
    console = Console(theme=named)
    hues = {name: console.get_style(name).color.get_truecolor().hex for name in (*RUNS, "won", "lost")}  # type: ignore[union-attr]
    for eye, seen in SEEN.items():
        labs = {name: lab(seen @ linear(hue)) for name, hue in hues.items()}
        for one, other in [("won", "lost"), *((run, of) for run in RUNS for of in ("won", "lost")),
                           *((a, b) for i, a in enumerate(RUNS) for b in RUNS[:i])]:  # fmt: skip
            assert np.linalg.norm(labs[one] - labs[other]) > 25, (eye, one, other)
    ground = 0.0122 if "dark" in theme else 0.745  # $surface of the two
    for name, hue in hues.items():
        luminance = float(np.array([0.2126, 0.7152, 0.0722]) @ linear(hue))
        high, low = max(luminance, ground), min(luminance, ground)
        assert (high + 0.05) / (low + 0.05) > 3, name


# Files.


def test_a_file_is_whole_or_not_there_and_none_is_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "view.csv"
    written(lambda to: to.write_text("a,b\n") and None, path)
    assert free(path).name == "view-2.csv" and free(free(path)).name == "view-2.csv"
    with pytest.raises(FileExistsError):
        written(lambda to: to.write_text("other\n") and None, path)
    assert path.read_text() == "a,b\n"

    def fails(to: Path) -> None:
        to.write_text("x")
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        written(fails, tmp_path / "full.csv")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["view.csv"]
