"""What is printed of a study: every number, no star without a correction, nothing that is not shown is called found."""

import csv
import io
import json
import re
from typing import Any

import pytest
from rich.console import Console

from store import LswError
from store.rows import EffectRow
from tests.workbench.reports.studies import DOSES, QUERIES, after, doses, effect, genres, grid, prediction, studied
from workbench.reports.figures import FIGURES
from workbench.reports.study import STUDY_REPORTS
from workbench.studies.findings import findings
from workbench.studies.results import StudyResults


def results(effects: list[EffectRow], factors: dict[str, list[Any]] | None = None, **more: Any) -> StudyResults:
    return studied(effects, factors or {QUERIES: DOSES}, **more)


def printed(some: StudyResults, form: str, width: int = 80) -> str:
    report = STUDY_REPORTS.part(form)().of(some)
    if isinstance(report, str):
        return report
    console = Console(width=width, file=io.StringIO(), highlight=False, markup=False)
    console.print(report)
    return console.file.getvalue()  # type: ignore[attr-defined, no-any-return]


def flat(text: str) -> str:
    return " ".join(text.split())


def test_csv_has_every_effect_unrounded() -> None:
    rows = [*doses(), *grid()]
    back = list(csv.DictReader(io.StringIO(printed(results(rows), "csv"))))
    assert len(back) == len(rows)
    for row, line in zip(rows, back, strict=True):
        for column, value in row.items():
            read = line[column]
            assert (float(read) == value) if isinstance(value, int | float) else read == (value or ""), column
    assert {line["why_not"] for line in back} == {"", "not reached", "flat"}
    assert {line["analysis"] for line in back} == {"dose-response"}


def test_json_has_study_cells_effects_and_findings() -> None:
    some = results(grid(), {"systems.bge-m3.layers": [0, 1, 2]}, done=3, analysis="factorial")
    read = json.loads(printed(some, "json"))
    assert read["study"]["study_id"] == some.study["study_id"]
    assert [cell["status"] for cell in read["cells"]] == ["done", "done", "done", "waiting"]
    assert [row["estimate"] for row in read["effects"]] == [row["estimate"] for row in grid()]
    assert read["effects"][0]["levels"] == {"systems.bge-m3.layers": 0, "varieties": 1, "related": "yes"}
    assert read["findings"] == findings(some)
    assert read["progress"] == "3 of 4 cells done, 1 waiting; the effects are of 3 cells"


def test_latex_is_whole_and_escaped() -> None:
    text = printed(results([*doses(), *grid(), *prediction(0.1)], name="a_b"), "latex")
    assert text.count(r"\begin{table}") == text.count(r"\end{table}") == text.count(r"\begin{tabular}") == 9
    assert text.count("{") == text.count("}")
    assert r"What a\_b finds" in text and "a_b" not in text.replace(r"a\_b", "")
    labels = re.findall(r"\\label\{(.*?)\}", text)
    assert len(set(labels)) == len(labels)
    for table in text.split(r"\begin{tabular}")[1:]:
        columns = re.match(r"\{([lr]+)\}", table)
        assert columns
        lines = [line for line in table.splitlines() if line.endswith(r"\\")]
        assert lines and {line.count("&") for line in lines} == {len(columns[1]) - 1}
    assert r"ca-fr & ca & 248 & $+.049$$^{*}$ & $[+.034, +.064]$ & $.001$ \\" in text
    assert "100 points of fitted curves" in text and "--: not reached" in text


def test_tables_have_every_estimate_and_say_why_not() -> None:
    text = printed(results([*doses(), *grid(), *genres()]), "table")
    assert max(map(len, text.splitlines())) <= 80
    for row in [*grid(), *genres()]:
        assert f"{row['estimate']:.3f}".replace("0.", ".", 1) in text
    line = next(line for line in text.splitlines() if line.startswith("ca-fr") and " 248 " in line)
    assert line.split() == ["ca-fr", "ca", "248", "+.049", "[+.034,", "+.064]", ".001*"]
    assert "-: not reached" in text and "-: flat" in text
    assert "100 points of fitted curves" in text
    assert "paired randomisation test, Holm over 4" in flat(text)


def test_a_star_needs_a_correction() -> None:
    raw = {"test": "randomisation", "p_value": 0.001, "family_size": 9}
    some = results([effect("gain", 0.1, 0.01, dose=1.0, **raw), effect("main", 0.1, 0.01, **after(0.04, 2))])
    for form in ("table", "screen", "latex"):
        text = printed(some, form)
        gain, main = text.split("Main in" if form != "screen" else "main of")[:2]
        assert ("*" in re.sub(r"after correction|\*: p|\$\^\{\*\}\$: ", "", gain)) is False, form
        assert "significant" not in gain
        assert ("*" in main) or form == "screen"
    assert "(.001)" in printed(some, "table") and "uncorrected" in printed(some, "table")


def test_findings_say_no_more_than_the_numbers() -> None:
    told = findings(results(doses()))
    assert told[0] == (
        "minimum effective dose of bge-m3 (ca-fr): 124 (62, 186] on ca; not reached (largest tested 248) on fr"
    )
    assert told[1] == "minimum effective dose of bge-m3 (high-only): not reached (largest tested 248) on ca, fr"
    assert told[2].startswith(
        "gain of bge-m3 (ca-fr): significant in 2 of 8; the largest +.049 [+.034, +.064], p = 0.001"
    )
    assert told[3].startswith("gain of bge-m3 (high-only): none of 8 significant")
    assert told[-1] == "not estimated (3): G: flat"


def test_a_dose_whose_smaller_ones_are_not_run_is_told_as_an_upper_bound() -> None:
    lacking = {"ci_low": None, "detail": json.dumps({"at_most": "31, 62 are not run"})}
    some = results(
        [
            {**row, **lacking} if row.get("effect", "").startswith("minimum") and row.get("estimate") else row
            for row in doses()
        ]
    )  # type: ignore[list-item]
    assert findings(some)[0].startswith(
        "minimum effective dose of bge-m3 (ca-fr): at most 124: 31, 62 are not run on ca"
    )
    table = printed(some, "table")
    assert "at most 124\n" in table and "at most: 31, 62 are not run" in flat(table)
    latex = printed(some, "latex")
    assert r"& $\le 124$ \\" in latex and "at most: 31, 62 are not run" in latex
    drawing = FIGURES.part("curve")().of(some)
    assert drawing is not None and "at most, as smaller doses are not there: 1" in drawing.caption
    assert "minimum effective dose at most 124" in [rule.label for panel in drawing.panels for rule in panel.rules]


def test_gains_of_several_curves_are_not_pooled_silently() -> None:
    """A test that fails in one of twenty curves where nothing is true fails in a third of eight."""
    rows = [
        {**row, "correction": "fixed sequence", "family": f"gain: {row['query_variety']} {row['trained_on']}"}
        if row.get("test") else row for row in doses()
    ]  # fmt: skip
    told = findings(results(rows))  # type: ignore[arg-type]
    assert told[2].startswith("gain of bge-m3 (ca-fr): significant in 2 of 8, in 2 curves, each corrected by itself;")
    screen = flat(printed(results(rows), "screen"))  # type: ignore[arg-type]
    assert "fixed sequence over 4 in 4 curves, each corrected by itself" in screen
    alone = [row for row in rows if row["query_variety"] == "ca" and row["trained_on"] == "ca-fr"]
    assert "each corrected" not in printed(results(alone), "screen")  # type: ignore[arg-type]


@pytest.mark.parametrize(("low", "words"), [(0.05, "predicts"), (-0.05, "no prediction is shown"), (-0.4, "no prediction is shown")])  # fmt: skip
def test_prediction_is_said_of_a_lower_bound_above_0_alone(low: float, words: str) -> None:
    rows = prediction(low)
    told = " ".join(findings(results(rows, {"x": [1]}, analysis="prediction")))
    assert words in told and (words == "predicts") == ("predicts" in told)
    unsure = [{**row, **after(0.2, 2)} if row["effect"].startswith("R squared") else row for row in rows]
    assert "predicts" not in " ".join(findings(results(unsure, {"x": [1]})))  # type: ignore[arg-type]


def test_a_correlation_of_few_pairs_is_told_with_what_it_takes() -> None:
    few = effect("rho", 0.6, at={"feature": "4-gram Jaccard"}, n=6, detail={"needed": 0.886}, unit="")
    none = effect("rho", 1.0, at={"feature": "chrf"}, n=3, detail={"needed": None}, unit="")
    told = findings(results([few, none], {"x": [1]}))
    assert told[0].endswith("+.600: of 6 pairs it takes 0.89") and told[1].endswith("of 3 pairs none could be shown")
    worse = {
        **prediction(-0.4)[-1],
        "detail": json.dumps({"finding": "the features do worse than the mean of other pairs"}),
    }
    levels = {**prediction(0.4)[-1], "effect": "R squared (leave one pair out, with levels)"}
    words = findings(results([worse, levels], {"x": [1]}))  # type: ignore[list-item]
    assert words[0].endswith("no prediction is shown: the features do worse than the mean of other pairs")
    assert "predict" not in words[1]


def test_pairs_are_not_told_as_queries() -> None:
    at = [{"feature": "chrf"}, {"feature": "4-gram Jaccard"}]
    rho = [effect("rho", 0.6, at=where, n=n, n_groups=n, unit="") for where, n in zip(at, (4, 7), strict=True)]
    for form in ("table", "latex"):
        text = flat(printed(results(rho, {"x": [1]}), form))
        assert "n = 4 to 7 pairs, 3 models" in text and "queries" not in text and "topics" not in text
    text = flat(printed(results([*prediction(0.1), *rho], {"x": [1]}), "screen"))
    assert "n = 196 queries in 98 topics" in text


def test_the_screen_fits_and_counts_what_it_leaves_out() -> None:
    varieties = ("ca", "fr", "oc", "scn", "it", "af", "nl", "yue", "zh", "ms", "id", "gd", "en")
    many = doses(varieties, tuple(f"training-{i}" for i in range(12)))
    text = printed(results(many, done=2), "screen")
    lines = text.splitlines()
    assert len(lines) <= 44 and max(map(len, lines)) <= 80
    assert "2 of 4 cells done, 2 waiting; the effects are of 2 cells" in flat(text)
    assert re.search(r"- and \d+ more in the tables", text)
    few = printed(results(doses()), "screen")
    assert len(few.splitlines()) <= 44 and "●" in few and "panel 1 of 2" in flat(few)
    none = printed(results([], done=1), "screen")
    assert "1 of 4 cells done, 3 waiting; not analysed yet" in none and "No effect has been estimated" in none
    behind = printed(results(doses(), done=4, analysed=2), "screen")
    assert "effects are of 2 cells; analyse the others too: lsw study analyse" in flat(behind)


def test_unknown_names_are_refused_with_the_nearest() -> None:
    some = results(doses())
    assert {row["query_variety"] for row in some.only(query_variety="ca").effects} == {"ca"}
    with pytest.raises(LswError, match="Did you mean 'gain'"):
        some.only(effect="gains")
    with pytest.raises(LswError, match="Known: ca, fr"):
        some.only(query_variety="oc")
    with pytest.raises(LswError, match="Did you mean 'latex'"):
        STUDY_REPORTS.part("latx")


def test_units_that_differ_by_row_have_a_column() -> None:
    rows = [effect("main", 0.1, 0.01, at={"a": "per unit"}, unit="RR@10 per unit of a"), effect("main", 0.2, 0.01, at={"b": "no - yes"})]  # fmt: skip
    assert "Main in RR@10: system bge-m3" in printed(results(rows), "table")
    assert "unit " not in printed(results(rows), "table").replace("per unit ", "")
    mixed = [{**rows[0], "unit": "share"}, rows[1]]
    assert "share" in printed(results(mixed), "table")  # type: ignore[arg-type]
    assert "Main in RR@10 (share)" in printed(results(mixed[:1]), "table")  # type: ignore[arg-type]
