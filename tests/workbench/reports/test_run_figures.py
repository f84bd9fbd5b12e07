"""Pictures of runs: every query is in them, where a click finds it, in a terminal's cells and in files."""

import io
import re
import warnings
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from math import log10
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from store import LswError
from tests.workbench.reports.test_reports import made
from workbench.comparison.results import Results
from workbench.comparison.words import signed, significant
from workbench.reports.figures._canvas import Canvas, Frame
from workbench.reports.figures._looks import LOST, RUNS, TIED, WON, Ground, colour
from workbench.reports.figures._terminal import fitted, pictured
from workbench.reports.figures._vector import written
from workbench.reports.figures.base import Axes, Drawing, Lines, Series
from workbench.reports.figures.of_runs import RUN_FIGURES
from workbench.reports.figures.of_runs.base import AtCutoffs, Compared, Losses, cutoffs, ladder

_SVG = "{http://www.w3.org/2000/svg}"
VALUES = st.lists(st.tuples(*[st.sampled_from([0.0, 0.1, 1 / 3, 0.5, 1.0])] * 2), min_size=1, max_size=60)


def of(values: Sequence[tuple[float, float]], here: int | None = None) -> Compared:
    return Compared("RR@10", ("A bm25", "B bge-m3"), [f"q{i}" for i in range(len(values))], np.array(values), here=here)


def panel(name: str, data: object) -> Axes:
    [drawn] = drawing(name, data).panels
    assert isinstance(drawn, Axes)
    return drawn


def drawing(name: str, data: object) -> Drawing:
    drawn = RUN_FIGURES.part(name)().of(data)
    assert drawn
    return drawn


def lines(some: Drawing, width: int = 100, height: int = 40) -> list[str]:
    console = Console(width=width, file=io.StringIO(), color_system=None)
    return ["".join(s.text for s in line) for line in console.render_lines(pictured(some, width, height)[0])]


SOME = of([(0.0, 0.5)] * 3 + [(0.5, 0.0)] * 2 + [(1.0, 1.0)] * 40 + [(0.2, 0.25)], here=1)
RANKS = [1, 2, 3, 5, 7, 10, 20]
DATA: dict[str, object] = {
    "differences": SOME, "scatter": SOME,
    "cutoffs": AtCutoffs("RR", ["A bm25", "B bge-m3"], RANKS, np.array([[k / 40 for k in RANKS], [0.3] * 7])),
    "losses": Losses("bge-m3 trained on ca-fr", [1, 2, 3], [2.0, 1.0, 0.5], "12 examples"), "contrasts": made(),
}  # fmt: skip


@given(VALUES)
def test_sorted_differences_have_every_query_once_and_a_click_finds_it(values: list[tuple[float, float]]) -> None:
    data, deltas = of(values), sorted(round(b - a, 12) for a, b in values)
    drawn = panel("differences", data)
    bars = {series.style: series for series in drawn.series}
    assert (bars[LOST].y if LOST in bars else []) == [d for d in deltas if d < 0]
    assert (bars[WON].y if WON in bars else []) == [d for d in deltas if d > 0]
    tied = deltas.count(0.0)
    assert [note.text for note in drawn.notes] == ([f" {tied} tied "] if tied else [])
    x = [at for style in (LOST, WON) if style in bars for at in bars[style].x]
    assert all(b - a >= 1 - 1e-9 for a, b in pairwise(x))  # none over another
    assert drawn.widths and drawn.heights
    if x:
        assert drawn.widths[1] - drawn.widths[0] - len(x) <= len(x) / 3 + 1e-9  # ties: a quarter of all, at most
    sorts = RUN_FIGURES.part("differences")()
    for series in drawn.series:
        for at, y in zip(series.x, series.y, strict=True):
            [found] = sorts.queries(data, at + 0.2, 0.0, list(range(len(values))))
            assert data.deltas[found] == y
    assert drawn.heights[0] < 0 < drawn.heights[1]
    for at, label in drawn.ticks:
        assert drawn.widths[0] < at < drawn.widths[1] and label.isdigit()


@given(VALUES)
def test_equal_points_are_one_that_says_how_many(values: list[tuple[float, float]]) -> None:
    data, drawn = of(values), panel("scatter", of(values))
    counted = Counter((round(a, 9), round(b, 9)) for a, b in values)
    found = {}
    for series in drawn.series:
        for x, y, count in zip(series.x, series.y, series.counts, strict=True):
            assert {WON: y > x, LOST: y < x, TIED: y == x}[series.style]
            found[x, y] = count
    assert found == counted
    assert drawn.square and drawn.widths == drawn.heights
    everyone = list(range(len(values)))
    for point, count in counted.items():
        there = RUN_FIGURES.part("scatter")().queries(data, *point, everyone)
        assert len(there) == count and all(np.allclose(data.values[i], point) for i in there)
        assert RUN_FIGURES.part("scatter")().queries(data, *point, there[:1]) == there[:1]  # of a search's alone


@given(
    st.integers(4, 200), st.integers(4, 60), st.floats(0, 1), st.floats(0, 1),
    st.tuples(st.floats(-5, 5), st.floats(0.01, 10)),
)  # fmt: skip
def test_a_cell_is_where_its_place_is(columns: int, rows: int, x: float, y: float, axis: tuple[float, float]) -> None:
    frame = Frame(5, 1, columns, rows, (axis[0], axis[0] + axis[1]), (-1.0, 1.0))
    at = axis[0] + x * axis[1], 2 * y - 1
    column, line = frame.cell(*at)
    assert 5 <= column < 5 + columns and 1 <= line < 1 + rows
    back = frame.place(column, line)
    assert back and abs(back[0] - at[0]) <= axis[1] / columns and abs(back[1] - at[1]) <= 2 / rows
    assert frame.place(4, line) is None and frame.place(column, 1 + rows) is None


def test_a_terminal_shows_what_was_lost_and_won_by_place_and_by_words() -> None:
    drawn = lines(drawing("differences", SOME))
    zero = next(i for i, line in enumerate(drawn) if line.lstrip().startswith("0┤"))
    assert " 40 tied " in drawn[zero]
    above, below = "".join(drawn[1:zero]), "".join(drawn[zero + 1 : zero + 15])
    assert "█" in above and "█" in below and above.count("█") > below.count("█")  # three won, two lost
    assert drawn[1].index("│") < next(line for line in drawn if "█" in line).index("█") > 50  # won is at the right
    legend = next(i for i, line in enumerate(drawn) if "▲ won: 4" in line and "▼ lost: 2" in line)
    assert legend > max(i for i, line in enumerate(drawn) if "┴" in line)  # below the axes
    scatter = lines(drawing("scatter", SOME))
    marks = "\n".join(scatter)
    assert "▼2" in marks and "●40" in marks and "◉" in marks
    heights = [line for line in scatter if line.lstrip().startswith(("0┤", "1┤"))]
    assert "●40" in heights[0] and "▼2" in heights[1]


def test_axes_have_round_ticks() -> None:
    curve = panel("cutoffs", DATA["cutoffs"])
    assert curve.ticks == [(log10(k), f"{k}") for k in (1, 2, 5, 10, 20)]
    assert curve.heights and curve.heights[0] == 0
    assert [series.style for series in curve.series] == list(RUNS[:2])
    assert ladder(1000) == [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000] and cutoffs(30)[-3:] == [10, 20, 30]
    loss = panel("losses", DATA["losses"])
    assert [label for _, label in loss.ticks] == ["0", "1", "2", "3"] and loss.heights and loss.heights[0] == 0
    flat = panel("losses", Losses("m", [100, 200], [0.7, 0.69], ""))
    assert flat.heights and flat.heights[0] > 0.6  # far from 0: what changed is seen
    assert all(label.replace(",", "").isdigit() for _, label in flat.ticks)


def test_a_forest_has_every_contrast_of_a_recipe() -> None:
    results = made(asked=50)
    drawn = drawing("contrasts", results)
    rows = {row["contrast"]: [r for r in results.comparisons if r["contrast"] == row["contrast"]]
            for row in results.comparisons}  # fmt: skip
    assert [p.title.partition(":")[0] for p in drawn.panels] == ["gap", "gain", "closure"]
    for each in drawn.panels:
        assert isinstance(each, Lines)
        own = rows[each.title.partition(":")[0]]
        assert each.values == [row["delta"] for row in own] and each.groups == ["ca-fr"] * len(own)
        assert each.holds == [significant(row) for row in own] and any(each.holds)
        for row, text in zip(own, each.texts, strict=True):
            assert text.startswith(signed(row["delta"])) and text.endswith("*") == significant(row)
    printed = lines(drawn)
    assert sum("●" in line or "○" in line for line in printed) == len(results.comparisons)
    assert "Holm" in "".join(printed) and "p < .05" in " ".join(printed)
    assert RUN_FIGURES.part("contrasts")().of(Results("", [], [], ["RR@10"])) is None


@pytest.mark.parametrize("name", RUN_FIGURES.names())
def test_every_picture_fits_its_place(name: str) -> None:
    some = drawing(name, DATA[name])
    for width, height in ((160, 48), (52, 20), (40, 12)):
        drawn = lines(some, width, height)
        assert all(len(line) <= width for line in drawn), (width, height)
        assert len(drawn) <= height or name == "contrasts"
    assert lines(some, 3, 2)  # no room is no error
    columns, rows = RUN_FIGURES.part(name)().plain(DATA[name])
    assert rows and all(len(row) == len(columns) for row in rows)


@pytest.mark.parametrize("name", RUN_FIGURES.names())
def test_files_are_of_the_same_drawing(name: str, tmp_path: Path) -> None:
    some = drawing(name, DATA[name])
    for file in ("a.svg", "b.svg", "a.pdf"):
        assert written(some, tmp_path / file) == ""
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF")
    svg = ElementTree.parse(tmp_path / "a.svg").getroot()
    assert not list(svg.iter(f"{_SVG}image"))
    words = ["".join(each.itertext()).strip() for each in svg.iter(f"{_SVG}text")]
    groups = {g.get("id", ""): g for g in svg.iter(f"{_SVG}g")}
    for each in some.panels:
        assert each.below in words
        if isinstance(each, Lines):
            assert not set([*each.labels, *each.groups, *(text.strip() for text in each.texts)]) - set(words)
            continue
        assert isinstance(each, Axes)
        for i, series in enumerate(each.series):
            assert not series.label or series.label in words
            if series.filled:
                assert f"bars-{i}" in groups
            else:
                drawn = [
                    each for each in groups[f"points-{i}"].iter() if each.get("clip-path") or each.tag == f"{_SVG}use"
                ]
                assert len([each for each in drawn if each.tag != f"{_SVG}g"]) == len(series.x)
            assert not {str(count) for count in series.counts if count > 1} - set(words)
        assert not {note.text.strip() for note in each.notes} - set(words)


def test_han_characters_are_no_boxes_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from matplotlib import font_manager

    from workbench.reports.figures import _fonts

    some = Drawing("", "", "", [Axes("粵語", "k", "", [Series("點解", 0, [1.0], [1.0])], [(1.0, "一")])])
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a glyph that is missing
        said = written(some, tmp_path / "a.pdf")
        assert written(some, tmp_path / "a.svg") == said
    fonts, _ = _fonts.families("點")
    assert bool(said) == (fonts == [_fonts.USUAL])
    assert "點解" in (tmp_path / "a.svg").read_text("utf-8")
    usual = [entry for entry in font_manager.fontManager.ttflist if entry.name == _fonts.USUAL]
    monkeypatch.setattr(font_manager.fontManager, "ttflist", usual)
    monkeypatch.setattr(font_manager, "findSystemFonts", list)
    assert re.search("boxes in PDF.*fonts-noto-cjk", written(some, tmp_path / "b.pdf"))
    assert written(drawing("losses", DATA["losses"]), tmp_path / "c.pdf") == ""


def test_nothing_is_left_of_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(LswError, match="cannot be written"):
        written(drawing("scatter", SOME), tmp_path / "no folder" / "a.svg")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("ground", "rgb"), [("dark", (0x12, 0x12, 0x12)), ("light", (0xE0, 0xE0, 0xE0))])
def test_runs_gains_and_losses_are_seen_on_either_ground(ground: Ground, rgb: tuple[int, int, int]) -> None:
    def luminance(of: tuple[int, int, int]) -> float:
        parts = [c / 255 / 12.92 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in of]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    seen = [colour(style, ground) for style in (*RUNS, WON, LOST)]
    assert len(set(seen)) == len(seen)
    for each in seen:
        dark, light = sorted((luminance(each), luminance(rgb)))
        assert (light + 0.05) / (dark + 0.05) >= 3  # WCAG, of graphics


def test_a_canvas_has_letters_over_dots_and_wide_ones_twice() -> None:
    canvas = Canvas(6, 1)
    for x in range(12):
        canvas.dot(x, 0, "")
    canvas.write(2, 0, "點")
    canvas.write(5, 0, "解")  # no room
    assert canvas.text().plain == "⠉⠉點⠉⠉"
    assert len(fitted("colbert-xm (high-only)", 12)) == 12 and fitted("bm25", 6) == "bm25  "
    assert fitted("colbert-xm (high-only)", 12).endswith("only)")
