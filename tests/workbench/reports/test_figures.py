"""Pictures of a study: as many marks as effects, in a terminal's width, and the same bytes of the same effects."""

import io
import re
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import typer
from rich.console import Console
from typer.testing import CliRunner

from store import LswError, Store
from store.rows import EffectRow
from tests.workbench.reports.studies import DOSES, QUERIES, doses, effect, genres, grid, prediction, put_study
from tests.workbench.reports.test_study_reports import results
from workbench.cli import study_results
from workbench.reports.figures import FIGURES
from workbench.reports.figures._looks import COLOURS, ink, shade
from workbench.reports.figures._scales import steps
from workbench.reports.figures._terminal import drawn
from workbench.reports.figures._vector import written
from workbench.reports.figures.base import Axes, Cells, Drawing, Lines
from workbench.studies.results import StudyResults

LAYERS = {"systems.bge-m3.layers": [0, 1, 2], "varieties": [1, 2, 4], "related": ["yes", "no"]}
STUDIES: dict[str, tuple[list[EffectRow], dict[str, list[Any]]]] = {
    "doses": (doses(), {QUERIES: DOSES}),
    "grid": (grid(), LAYERS),
    "genres": (genres(), {"retrieval.cut": ["first", "MaxP", "FirstP"]}),
    "prediction": (prediction(-0.3), {"x": [1]}),
}
_SVG = "{http://www.w3.org/2000/svg}"


def drawing(kind: str, some: StudyResults, by: list[str] | None = None) -> Drawing:
    made = FIGURES.part(kind)().of(some, by)
    assert made
    return made


def text(some: Drawing, width: int = 80) -> str:
    console = Console(width=width, file=io.StringIO(), highlight=False, markup=False)
    console.print(drawn(some, width))
    return console.file.getvalue()  # type: ignore[attr-defined, no-any-return]


def marks(svg: ElementTree.Element) -> int:
    """Drawn points; matplotlib draws each as a use of one shape."""
    groups = [g for g in svg.iter(f"{_SVG}g") if g.get("id", "").startswith("points-")]
    return sum(len(list(group.iter(f"{_SVG}use"))) for group in groups)


def test_a_curve_has_a_point_for_each_dose_and_the_fitted_band() -> None:
    made = drawing("curve", results(*STUDIES["doses"]))
    assert [panel.title for panel in made.panels] == ["ca", "fr"]
    rows = {(r["query_variety"], r["trained_on"], r["dose"]): r for r in doses() if r["effect"] == "gain"}
    for panel in made.panels:
        assert isinstance(panel, Axes) and panel.below == "queries"
        assert [label for _, label in panel.ticks] == ["0", "31", "62", "124", "248"]
        for series in panel.series:
            at = [rows[panel.title, series.label, float(dose)] for dose in DOSES]
            assert series.y == [row["estimate"] for row in at]
            assert series.high == [row["ci_high"] for row in at]
            assert len(series.curve) == 25 and not series.joined
    first, second = made.panels
    assert isinstance(first, Axes) and isinstance(second, Axes)
    upright = [rule for rule in first.rules if rule.upright]
    assert [rule.label for rule in upright] == ["minimum effective dose 124"]
    assert upright[0].at == first.ticks[3][0] and upright[0].style == first.series[0].style
    assert not [rule for rule in second.rules if rule.upright]  # not reached there
    assert [rule.at for rule in second.rules] == [0.01]
    assert "there for 1 of 4" in made.caption


def test_effects_that_were_not_made_are_counted() -> None:
    rows = [effect("gain", why_not="no run", dose=500.0), *doses()]
    assert "could not be estimated and are not shown: 1" in drawing("curve", results(rows)).caption
    lines = drawing("forest", results(*STUDIES["prediction"])).panels[0]
    assert isinstance(lines, Lines)
    assert lines.values == [0.03, None] and lines.texts[1] == "the feature chrf is not there"


def test_a_heat_map_has_the_mean_of_each_cell() -> None:
    made = drawing("heat-map", results(*STUDIES["grid"]))
    assert [panel.title for panel in made.panels] == ["related yes", "related no"]
    panel = made.panels[0]
    assert isinstance(panel, Cells)
    assert (panel.below, panel.left, panel.columns, panel.rows) == (
        "layers",
        "varieties",
        ["0", "1", "2"],
        ["1", "2", "4"],
    )
    for y, count in enumerate((1, 2, 4)):
        for x in range(3):
            assert panel.values[y][x] == pytest.approx(0.2 + 0.05 * x + 0.01 * x * count)
    turned = drawing("heat-map", results(*STUDIES["grid"]), ["related", "layers"]).panels
    assert [(p.below, p.left) for p in turned] == [("related", "layers")] * 3
    with pytest.raises(LswError, match="Did you mean 'layers'"):
        drawing("heat-map", results(*STUDIES["grid"]), ["layer"])
    holes = drawing("heat-map", results(grid()[1:], LAYERS)).panels[0]
    assert isinstance(holes, Cells) and holes.values[0][0] is None and holes.texts[0][0] == ""


def test_an_interaction_has_a_line_for_each_level() -> None:
    made = drawing("interaction", results(*STUDIES["genres"]))
    [panel] = made.panels
    assert isinstance(panel, Axes)
    assert {series.label: series.y for series in panel.series} == {
        "base": [0.3, 0.4, 0.35], "ca-fr": [pytest.approx(v) for v in (0.32, 0.42, 0.37)]
    }  # fmt: skip
    assert [label for _, label in panel.ticks] == ["first", "MaxP", "FirstP"]


@pytest.mark.parametrize("study", STUDIES)
def test_every_figure_fits_a_terminal_of_80_columns(study: str) -> None:
    some = results(*STUDIES[study])
    fitting = [name for name in FIGURES.names() if FIGURES.part(name)().of(some)]
    assert fitting == {
        "doses": ["curve", "interaction", "heat-map", "forest"], "prediction": ["forest"],
    }.get(study, ["interaction", "heat-map", "forest"])  # fmt: skip
    for name in fitting:
        for width in (80, 120) if name == "curve" else (60,) if name == "forest" else (80,):
            printed = text(drawing(name, some), width).splitlines()
            assert max(map(len, printed)) <= width, (name, width)
            assert len(printed) > 3


def test_a_terminal_tells_series_apart_by_their_marks() -> None:
    printed = text(drawing("curve", results(*STUDIES["doses"])))
    assert "● ca-fr   ■ high-only" in printed and "│ minimum effective dose 124 (ca, ca-fr)" in " ".join(
        printed.split()
    )
    forest = text(drawing("forest", results(*STUDIES["prediction"])))
    assert "+.030 [+.020, +.040]*" in forest and "the feature chrf is not there" in forest


@pytest.mark.parametrize(
    ("study", "name"), [("doses", "curve"), ("grid", "interaction"), ("grid", "heat-map"), ("prediction", "forest")]
)
def test_files_have_every_point_and_are_the_same_twice(study: str, name: str, tmp_path: Path) -> None:
    made = drawing(name, results(*STUDIES[study]))
    for form in ("svg", "pdf"):
        one, two = (tmp_path / f"{i}.{form}" for i in range(2))
        written(made, one)
        assert one.read_bytes().startswith({"svg": b"<?xml", "pdf": b"%PDF"}[form])
        if form == "svg" or name == "curve":
            written(made, two)
            assert one.read_bytes() == two.read_bytes()
    svg = ElementTree.parse(tmp_path / "0.svg").getroot()
    words = "\n".join("".join(each.itertext()) for each in svg.iter(f"{_SVG}text"))
    points = 0
    for panel in made.panels:
        assert panel.title in words and panel.below in words
        if isinstance(panel, Axes):
            points += sum(len(series.x) for series in panel.series)
            assert all(series.label in words for series in panel.series)
        elif isinstance(panel, Lines):
            points += sum(value is not None for value in panel.values)
            assert all(label in words for label in (*panel.labels, *panel.texts))
        else:
            assert all(cell in words for line in panel.texts for cell in line)
    assert marks(svg) == points, name
    assert not list(svg.iter(f"{_SVG}image"))  # lines and letters, no pixels


def test_matplotlib_is_needed_for_files_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = drawing("curve", results(*STUDIES["doses"]))
    for name in [*(name for name in sys.modules if name.partition(".")[0] == "matplotlib"), "matplotlib"]:
        monkeypatch.setitem(sys.modules, name, None)
    assert "gain" in text(made)
    with pytest.raises(LswError, match="lsw-workbench\\[plots\\]"):
        written(made, tmp_path / "a.svg")
    with pytest.raises(LswError, match="not as 'png'"):
        written(made, tmp_path / "a.png")
    assert not list(tmp_path.glob("*.svg")) and not list(tmp_path.glob("*.part"))


def test_colours_of_cells_can_be_read() -> None:
    def luminance(rgb: tuple[int, int, int]) -> float:
        parts = [c / 255 / 12.92 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in rgb]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    for signed in (False, True):
        for i in range(21):
            ground = shade(i / 20 - 0.5, -0.5, 0.5, signed)
            light, dark = sorted((luminance(ground), luminance(ink(ground))), reverse=True)
            assert (light + 0.05) / (dark + 0.05) >= 4.5  # WCAG AA
    assert shade(0.0, -0.1, 0.5, True) == (247, 247, 247)
    assert len(set(COLOURS)) == len(COLOURS)
    assert steps(-0.02, 0.07, 8) == [-0.02, 0.0, 0.02, 0.04, 0.06] and steps(0, 1, 2) == [0.0, 0.5, 1.0]


def test_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path / "s")
    store.create()
    put_study(store, doses(), {QUERIES: DOSES})
    put_study(store, prediction(-0.3), {"x": [1]}, name="similarity", started="2026-01-02T00:00:00")
    monkeypatch.setenv("LSW_STORE", str(store.folder))
    app = typer.Typer()
    app.command()(study_results.results)
    app.command()(study_results.figure)

    def lsw(*words: str) -> Any:
        return CliRunner().invoke(app, words)

    assert "no prediction is shown" in " ".join(lsw("results").stdout.split())  # the latest
    assert lsw("results", "training_size", "--format", "csv").stdout.startswith("study_id,effect,measure")
    assert '"study": "training_size"' in lsw("results", "training_size", "--json").stdout
    curve = lsw("figure", "curve", "training_size", "--variety", "ca", "--training", "ca-fr").stdout
    assert "● ca-fr" in curve and "high-only" not in curve and "minimum effective dose 124" in curve
    assert lsw("figure", "curve", "training_size", "--to", str(tmp_path / "a.svg")).stdout == ""
    assert (tmp_path / "a.svg").read_text("utf-8").startswith("<?xml")
    refused = lsw("figure", "curve", "similarity").exception
    assert isinstance(refused, LswError)
    assert "cannot" not in refused.title and "can be drawn as 'curve'" in refused.title
    assert "coefficient, R squared" in refused.detail and refused.cure == "They can be drawn as: forest."
    for words, match in (
        (("figure", "curv"), "Unknown figure"), (("figure", "curve", "x"), "No study"), (("results", "--format", "pdf"), "Unknown format"),
        (("figure", "curve", "training_size", "--to", "a.png"), "not as 'png'"), (("figure", "forest", "--system", "mt5"), "no effect of system"),
    ):  # fmt: skip
        error = lsw(*words).exception
        assert isinstance(error, LswError) and re.search(match, error.title), words
