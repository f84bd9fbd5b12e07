"""What tables print of comparisons, figure by figure, and what their captions have to say."""

import csv
import io
import json
from dataclasses import replace
from datetime import datetime
from typing import Any, cast

import numpy as np
import pytest
from rich.console import Console

from store.rows import ComparisonRow, RunRow
from tests.workbench.comparison.test_runs import evaluations
from workbench.comparison.compared import compared
from workbench.comparison.contrasts import RunName, combinations, declared
from workbench.comparison.results import Results, in_order
from workbench.comparison.words import basis, method_words, p_text, signed
from workbench.reports.csv import Csv
from workbench.reports.json import Json
from workbench.reports.latex import latex
from workbench.reports.table import comparison, tables
from workbench.significance.outcomes import Method

BASE, TUNED = (None, "ca-fr")


def made(
    seeds: int = 1, low: float = 0.2, high: float = 0.0, asked: int = 60, method: Method | None = None,
    primary: str | None = None,
) -> Results:  # fmt: skip
    """A system and what training did to it on ca-fr, over 60 topics, of which `asked` have a Catalan wording."""
    rng = np.random.default_rng(7)
    good = rng.random(60) / 4 + 0.5
    names = [RunName("bge-m3", trained, query, "fr") for trained in (BASE, TUNED) for query in ("ca", "fr")]
    columns: dict[str, list[float | None]] = {}
    ids: dict[RunName, list[str]] = {}
    for name in names:
        tuned = name.trained_on == TUNED
        for seed in range(seeds if tuned else 1):
            run_id = f"{'t' if tuned else 'b'}{name.query_variety}{seed}"
            is_low = name.query_variety == "ca"
            values = good - 0.3 * is_low + tuned * (low if is_low else high) + 0.02 * seed + rng.normal(0, 0.05, 60)
            columns[run_id] = [float(v) if not is_low or i < asked else None for i, v in enumerate(values)]
            ids.setdefault(name, []).append(run_id)
    how = method or Method(resamples=2_000)
    every = combinations(declared(names, ["ca-fr"], ["gap", "gain", "closure"]), ids, primary)
    result = compared(evaluations(columns), every, {}, how)
    runs = [
        RunRow(
            run_id=run_id, recipe="r", recipe_run_id="x", scale="mini", collection="c", system=name.system,
            trained_on=name.trained_on, query_variety=name.query_variety, document_variety="fr", depth=10,
            n_queries=60, status="done", started_at=datetime(2026, 1, 1), seconds=1.0, key=run_id, seed=None,
            judged=sum(v is not None for v in columns[run_id]),
            means=dict.fromkeys(
                ("RR@10", "AP"), float(np.mean([v for v in columns[run_id] if v is not None] or [0]))
            ),
        )
        for name, some in ids.items() for run_id in some
    ]  # fmt: skip
    return Results("A title", runs, result.rows, ["RR@10"], {"scale": "mini"}, result.not_made)


def printed(results: Results, whole: bool = True) -> str:
    console = Console(file=io.StringIO(), width=160, highlight=False, markup=False)
    console.print(tables(results) if whole else comparison(results))
    text: str = console.file.getvalue()  # type: ignore[attr-defined]
    return " ".join(text.split())


def row(results: Results, contrast: str, trained: str | None = TUNED, variety: str | None = None) -> Any:
    return next(
        r for r in results.comparisons
        if (r["contrast"], r["trained_on"]) == (contrast, trained) and variety in (None, r["variety"])
    )  # fmt: skip


def test_every_figure_of_a_comparison_is_printed() -> None:
    results = made()
    text, tex = printed(results), latex(results)
    for r in results.comparisons:
        figures = (
            f"{signed(r['delta'])} [{signed(r['ci_low'])}, {signed(r['ci_high'])}] {signed(r['effect_size'], 2)}"
            f" {signed(r['detectable']).removeprefix('+')}"
        )
        assert figures in text
        assert f"{r['wins']}/{r['ties']}/{r['losses']}" in text
        assert f"${r['delta']:+.3f}$ & $[{r['ci_low']:+.3f}, {r['ci_high']:+.3f}]$ & ${r['effect_size']:+.2f}$" in tex
    for run in results.runs:
        assert f"{run['means']['RR@10']:.3f}" in text and f"{run['means']['RR@10']:.3f}" in tex
    # The two means of a closure are the gains.
    closure = row(results, "closure")
    assert closure["mean"] == pytest.approx(row(results, "gain", variety="ca")["delta"])
    assert closure["mean_baseline"] == pytest.approx(row(results, "gain", variety="fr")["delta"])


def test_captions_say_test_family_correction_interval_and_unit() -> None:
    for text in (printed(made()), latex(made())):
        for words in (
            "2,000 resamples",
            "95% bootstrap interval, each by itself"
            if "tabular" not in text
            else r"95\% bootstrap interval, each by itself",
            "delta over its standard deviation, over queries",
            "Holm, families in one measure: gap on seen pairs (2), gain on seen pairs (2), closure on seen pairs (1)",
            "a bound: where others of the family hold, smaller ones are found",
            "n = 60 queries; 0 without result, 1 without relevant passage",
        ):
            assert words in text, words
    bonferroni = printed(made(method=Method(correction="bonferroni", test="t", confidence=0.9)))
    assert "90% bootstrap interval" in bonferroni and "paired t test, two-sided; Bonferroni" in bonferroni
    assert "a bound" not in bonferroni
    assert "freed from skew" not in bonferroni
    assert "uncorrected" in printed(made(method=Method(correction="none", test="t")))


def test_rows_over_other_queries_say_over_how_many() -> None:
    results = made(asked=45)
    text = printed(results)
    assert "n = 45 to 60 queries, each contrast over its own runs; 0 without result" in text
    assert "0 to 15 not in every run or never asked, left out" in text
    assert "each mean is over the run's own n judged queries" in text
    gains = {r["variety"]: r for r in results.comparisons if r["contrast"] == "gain"}
    assert (gains["ca"]["n"], gains["ca"]["left_out"], gains["fr"]["n"]) == (45, 0, 60)
    assert f"{gains['ca']['wins']}/0/{gains['ca']['losses']} 45 0" in text
    closure = row(results, "closure")
    assert (closure["n"], closure["left_out"]) == (45, 15)
    assert f"{closure['wins']}/0/{closure['losses']} 45 15" in text
    assert " n out" in text and " n out" not in printed(made())
    tex = latex(results)
    assert " & 45 & " in tex and " & 60 & " in tex


def test_what_holds_is_what_is_significant() -> None:
    results = made(low=0.2)
    text = printed(results)
    held = {(line["contrast"], line["variety"]): line for line in results.summary()}
    assert held["gap", "ca"]["lower"] == ["bge-m3", "bge-m3 (ca-fr)"]
    assert (held["gain", "ca"]["higher"], held["gain", "fr"]["neither"]) == (["bge-m3"], ["bge-m3"])
    gain = row(results, "gain", variety="ca")
    assert f"bge-m3 (ca-fr): gain on ca significant: {gain['delta']:+.3f}" in text
    share = row(results, "closure")
    words = f"the ca-fr gap is closed in part, by {share['share_closed']:.0%} [{share['share_low']:.0%}, "
    assert words in text
    assert "of gain and closure both" in text
    silent = printed(made(low=0.0))
    assert "bge-m3 (ca-fr): no gap is shown to close (ca-fr)" in silent and "closed in part" not in silent
    lost = printed(made(low=0.0, high=-0.2))
    assert "smaller by a loss on fr; a gain on ca is not shown" in lost
    assert "gain on ca not significant" in lost


def test_the_primary_contrast_comes_first_and_the_others_are_secondary() -> None:
    results = made(primary="gain")
    shuffled = [results.comparisons[i] for i in np.random.default_rng(1).permutation(len(results.comparisons))]
    results = replace(results, comparisons=in_order(shuffled))
    assert list(dict.fromkeys(r["contrast"] for r in results.comparisons)) == ["gain", "gap", "closure"]
    usual = in_order([cast("ComparisonRow", {**r, "primary": False}) for r in shuffled])
    assert list(dict.fromkeys(r["contrast"] for r in usual)) == ["gap", "gain", "closure"]
    text = printed(results)
    assert "Gain on seen pairs (primary) in RR@10" in text and "Gap on seen pairs in RR@10" in text
    assert "declared primary: gain, the others are secondary" in text
    assert "secondary" not in printed(made())


def test_models_of_several_seeds_are_a_mean_and_a_deviation() -> None:
    results = made(seeds=2)
    text, tex = printed(results), latex(results)
    tuned = next(s for s in results.systems() if s["trained_on"] and s["query_variety"] == "ca")
    mean, deviation = tuned["means"]["RR@10"], tuned["deviations"]["RR@10"]
    assert deviation is not None
    assert f"{mean:.3f} ±{deviation:.3f}".replace("±0.", "±.") in text
    assert rf"{mean:.3f} $\pm$ {deviation:.3f}" in tex
    assert "mean of 2 models of different seeds" in text and "mean of 2 models" in tex
    assert "trained systems: of the mean of 2 models, and p holds for these" in text
    assert "over topics and, of trained systems, 2 models" in text
    between = row(results, "gain", variety="ca")["model_deviation"]
    assert f"±{between:.3f}".replace("±0.", "±.") in text
    assert "seeds" not in printed(made()) and "±" not in printed(made()) and "models" not in printed(made())
    told = json.loads(Json().of(results))
    assert told["systems"][2]["deviations"]["RR@10"] == pytest.approx(deviation)
    assert [c["verdict"] for c in told["closings"]] == ["closed"]


def test_what_could_not_be_compared_is_said_everywhere() -> None:
    results = made(asked=0)
    gone = [r for r in results.not_made if r["contrast"] == "closure"]
    assert len(gone) == 1 and {r["contrast"] for r in results.comparisons} == {"gain"}
    words = "closure of the ca-fr gap not compared in RR@10: its runs have no judged query in common (60 left out)"
    assert words in printed(results) and words in latex(results)
    assert any(words in sentence for sentence in results.sentences())
    assert json.loads(Json().of(results))["not_made"][-1]["why_not"] == "its runs have no judged query in common"
    lines = list(csv.DictReader(io.StringIO(Csv().of(results))))
    assert len(lines) == len(results.comparisons) + len(results.not_made)
    assert [line["why_not"] != "" for line in lines] == [line["delta"] == "" for line in lines]
    assert sum(line["why_not"] != "" for line in lines) == len(results.not_made) == 4


def test_a_start_of_its_own_is_said() -> None:
    results = made()
    assert results.record is not None
    results.record["starts"] = {"bge-m3": "facebook/xmod-base", "mt5": "other"}
    for text in (printed(results), latex(results)):
        assert "bge-m3 was trained from facebook/xmod-base, so its gain compares two starts" in text
        assert "mt5" not in text


def test_a_comparison_of_runs_names_them() -> None:
    results = made()
    text = printed(results, whole=False)
    assert "tca0 bca0 " in text and "tca0 other gain " in text
    assert "The ca-fr gap is closed in part" in text
    assert text.count("delta: mean difference") == 1
    assert "each mean is over the run's own n judged queries" not in text
    own = made(asked=45)
    text = printed(own, whole=False)
    mean = next(run["means"]["RR@10"] for run in own.runs if run["run_id"] == "tca0")
    assert f"tca0 bge-m3 (ca-fr) ca fr {mean:.4f} 45" in text and "each mean is over the run's own n judged" in text


def test_numbers_are_written_as_papers_write_them() -> None:
    assert [signed(x) for x in (0.0121, -0.5, 1.0, -1.0, 2.5)] == ["+.012", "-.500", "+1.000", "-1.000", "+2.500"]
    assert (p_text(0.001), p_text(0.00099), p_text(0.0515)) == ("= 0.001", "< .001", "= 0.051")


def test_a_caption_holds_for_every_row_under_it() -> None:
    """Of the few: all flips, freed from skew; of the many neither."""
    few, many = made(asked=12).comparisons, made().comparisons
    rows = [row for row in few if row["n"] == 12][:1] + [row for row in many if row["n"] == 60][:1]
    for order in (rows, rows[::-1]):
        words = method_words(order)
        assert "2,000 resamples" in words and "freed from skew below 50 units" in words
        assert "n = 12 to 60 queries, each contrast over its own runs" in basis(order)
    assert "freed from skew (fewer than 50 units)" in method_words(rows[:1])
    assert "skew" not in method_words(rows[1:])
    exact = {**rows[0], "resamples": 4096}
    assert "exact: all 4,096 flips, 2,000 resamples" in method_words([exact, rows[1]])  # type: ignore[list-item]


def test_the_main_measure_is_the_first() -> None:
    results = made()
    second = [
        cast("ComparisonRow", {**row, "measure": "AP", "delta": 9.0, "p_corrected": 0.9}) for row in results.comparisons
    ]
    both = replace(results, measures=["RR@10", "AP"], comparisons=[*results.comparisons, *second])
    assert both.sentences() == results.sentences() and both.summary() == results.summary()
    assert both.closings() == results.closings()
    text = printed(both)
    assert "Gap on seen pairs in RR@10" in text and "in AP" not in text
    assert printed(both, whole=False).count("delta: mean difference") == 1
    assert "Differences in AP" in printed(both, whole=False)
