"""Results of comparisons, whatever shape they come in: one object, so that all shapes say the same."""

import csv
import io
import json
import re
from dataclasses import replace
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pytest
from pydantic import ValidationError
from scipy import stats
from statsmodels.stats.multitest import multipletests

from store import LswError, Store
from store.query import select
from store.rows import ComparisonRow, RunRow
from tests.conftest import Lsw
from workbench.comparison.closing import Closing, closings
from workbench.comparison.compared import Combination, Sides, compared
from workbench.comparison.contrasts import RunName, combinations, declared
from workbench.comparison.paired import Evaluations
from workbench.comparison.results import Results
from workbench.comparison.runs import closures, compare_runs
from workbench.comparison.words import sentence, significant
from workbench.reports.latex import escaped, latex
from workbench.significance.outcomes import Method


def run_ids(store: Store, *, system: str = "bge-m3", document: str = "zh") -> dict[tuple[str, str | None], str]:
    """Run ids of a system by query variety and training pair."""
    rows = select(
        store,
        f"SELECT query_variety, trained_on, run_id FROM runs WHERE system = '{system}' AND document_variety = '{document}'",
    )
    return {(str(v), t if t is None else str(t)): str(r) for v, t, r in rows[1]}


def results(store: Store) -> Results:
    recipe_run_id = str(
        select(store, "SELECT recipe_run_id FROM recipe_runs WHERE recipe = 'zero_shot_yue_zh'")[1][0][0]
    )
    return Results.of_recipe(store, recipe_run_id, ["RR@10", "nDCG@10", "R@1000"])


def test_every_format_has_the_same_numbers(finished: Store, lsw: Lsw) -> None:
    ids = run_ids(finished)
    names = ids["yue", None], ids["yue", "ca-fr"], ids["zh", None]
    command = ("compare", *names, "--measure", "RR@10", "--measure", "AP@100", "--store", finished.folder)
    told = json.loads(lsw(*command, "--json").stdout)
    assert told == json.loads(lsw(*command, "--format", "json").stdout)
    lines = list(csv.DictReader(io.StringIO(lsw(*command, "--format", "csv").stdout)))
    assert len(lines) == len(told["comparisons"]) == 4
    for line, row in zip(lines, told["comparisons"], strict=True):
        assert {k: float(line[k]) for k in ("delta", "ci_low", "p_value", "p_corrected", "detectable")} == {
            k: row[k] for k in ("delta", "ci_low", "p_value", "p_corrected", "detectable")
        }
        assert line["run_id"] == row["run_id"]
    written = lsw(*command, "--format", "latex").stdout
    for row in told["comparisons"]:
        assert f"${row['delta']:+.3f}$ & $[{row['ci_low']:+.3f}, {row['ci_high']:+.3f}]$" in written
    table = lsw(*command).stdout
    assert "Holm, family of 2 comparisons" in " ".join(table.split())
    assert "Unknown format 'tex'" in lsw(*command, "--format", "tex", check=2).stderr


def test_latex_is_well_formed_and_says_what_was_done(finished: Store) -> None:
    closing = results(finished)
    written = latex(closing)
    assert written.count(r"\begin{table}") == written.count(r"\end{table}") == 1 + len(closing.measures)
    for text in re.findall(r"\\begin\{tabular\}\{(\w+)\}\n(.*?)\\end\{tabular\}", written, re.S):
        lines = [line for line in text[1].splitlines() if line.endswith(r"\\")]
        assert {len(line.split(" & ")) for line in lines} == {len(text[0])}
    assert written.count("{") - written.count(r"\{") == written.count("}") - written.count(r"\}")
    caption = re.findall(r"\\caption\{(.*)\}", written)[1]
    for words in (
        "paired randomisation test, two-sided, 100,000 resamples",
        "Holm",
        "gain on unseen pairs (18), gain on seen pairs (18)",
        "n = 196 queries in 98 topics",
    ):
        assert words in caption
    # A star for each significant comparison, and for each significant gain in the first table.
    stars = sum(map(significant, closing.comparisons))
    gains = sum(significant(r) for r in closing.comparisons if r["contrast"] == "gain")
    assert stars > 0
    captions = 1 + len(closing.measures)
    assert written.count("^{*}") == stars + gains + captions


def test_special_characters_are_escaped() -> None:
    assert escaped("bge_m3 >> mt5 & 5% {a}^b~c\\d") == (
        r"bge\_m3 $\gg$ mt5 \& 5\% \{a\}\textasciicircum{}b\textasciitilde{}c\textbackslash{}d"
    )


def test_closure_is_the_recipes(finished: Store, lsw: Lsw) -> None:
    ids = run_ids(finished)
    names = [ids["yue", None], ids["yue", "ca-fr"], ids["zh", None], ids["zh", "ca-fr"]]
    told = json.loads(lsw("compare", "--closure", *names, "--store", finished.folder, "--json").stdout)
    assert [r["contrast"] for r in told["comparisons"]] == ["gain", "gain", "closure"]
    row = told["comparisons"][2]
    theirs = next(
        r for r in results(finished).of("RR@10")
        if (r["contrast"], r["system"], r["pair"]) == ("closure", "bge-m3", "yue-zh")
    )  # fmt: skip
    for key in (
        "delta",
        "ci_low",
        "ci_high",
        "mean",
        "mean_baseline",
        "p_value",
        "wins",
        "ties",
        "losses",
        "effect_size",
    ):
        assert row[key] == pytest.approx(theirs[key], abs=1e-12), key
    assert row["family_size"] == 1
    assert row["p_corrected"] == row["p_value"]
    assert [c["pair"] for c in told["closings"]] == ["yue-zh"]
    refused = lsw("compare", "--closure", *names, "--test", "tukey", "--store", finished.folder, check=2).stderr
    assert "compares pairs of runs; a closure is made of four" in " ".join(refused.split())
    assert "takes four runs" in lsw("compare", "--closure", *names[:3], "--store", finished.folder, check=2).stderr


def test_all_pairs_and_tukey(finished: Store) -> None:
    ids = [run_id for (_, trained_on), run_id in run_ids(finished).items() if trained_on in (None, "ca-fr")]
    holm = compare_runs(finished, ids, ["RR@10"], Method(resamples=5_000), print, "pairs")
    hsd = compare_runs(finished, ids, ["RR@10"], Method(test="tukey", resamples=5_000), print)
    assert len(holm.comparisons) == len(hsd.comparisons) == 6
    for a, b in zip(holm.comparisons, hsd.comparisons, strict=True):
        assert (a["run_id"], a["delta"], a["ci_low"]) == (b["run_id"], b["delta"], b["ci_low"])
        assert b["p_corrected"] == b["p_value"] > a["p_value"] / 2
        assert (b["test"], b["correction"]) == ("tukey", "tukey")
    order = sorted(hsd.comparisons, key=lambda r: abs(r["delta"]))
    assert [r["p_value"] for r in order] == sorted((r["p_value"] for r in order), reverse=True)


def test_the_summary_says_what_holds_and_no_more(finished: Store) -> None:
    closing = results(finished)
    seen = 0
    for line in closing.summary():
        for side in ("higher", "lower", "neither"):
            for system in line[side]:
                row = next(
                    r for r in closing.of("RR@10")
                    if (r["pair"], r["contrast"], r["variety"]) == (line["pair"], line["contrast"], line["variety"])
                    and line["trained_on"] == (None if r["contrast"] == "gap" else r["trained_on"])
                    and system == r["system"] + (f" ({r['trained_on']})" if r["trained_on"] and r["contrast"] == "gap" else "")
                )  # fmt: skip
                seen += 1
                assert significant(row) == (side != "neither")
                if side != "neither":
                    assert (row["delta"] > 0) == (side == "higher")
                assert (" not significant" in sentence(row)) == (side == "neither")
    assert seen == len(closing.of("RR@10")) == 106


def evaluations(values: dict[str, list[float | None]], unasked: dict[str, list[str]] | None = None) -> Evaluations:
    """Values of one measure; None: the run was not judged on that query. In q0 nothing is relevant."""
    rows = [
        {"run_id": run_id, "measure": "RR@10", "qid": f"q{i}", "value": v}
        for run_id, column in values.items() for i, v in enumerate(column) if v is not None
    ]  # fmt: skip
    queries = [
        {"run_id": r["run_id"], "qid": r["qid"], "retrieved": 5 if r["value"] else 0, "highest": int(r["qid"] != "q0")}
        for r in rows
    ]
    never = [{"run_id": run_id, "qid": qid} for run_id, qids in (unasked or {}).items() for qid in qids]
    tables = (
        pa.Table.from_pylist(rows).take(np.random.default_rng(1).permutation(len(rows))),
        pa.Table.from_pylist(queries),
        pa.Table.from_pylist(never, schema=pa.schema([("run_id", pa.string()), ("qid", pa.string())])),
    )
    return Evaluations.of(*tables, list(values), ["RR@10"])


def difference_of(run: str, baseline: str, **about: Any) -> Combination:
    return Combination((Sides((run,), (baseline,)),), run, baseline, "bm25", **about)


def test_runs_are_paired_by_qid() -> None:
    of = evaluations({"b": [0, 1, 0, 0.5], "a": [0, 0.5, 1, None], "other": [1, 1, 1, 1]})
    paired = Evaluations.paired(evaluations({"b": [0, 1, 0, 0.5], "a": [0, 0.5, 1, None]}))
    assert paired.qids == ["q0", "q1", "q2"]
    assert paired.values[:, :, 0].tolist() == [[0, 0], [1, 0.5], [0, 1]]
    assert (paired.left_out, paired.no_relevant) == (1, [1])
    [row] = compared(of, [difference_of("b", "a")], {}, Method()).rows
    assert (row["contrast"], row["run_id"], row["baseline_run_id"]) == ("difference", "b", "a")
    assert (row["n"], row["delta"], row["wins"], row["ties"], row["losses"]) == (3, pytest.approx(-1 / 6), 1, 1, 1)
    assert (row["no_result"], row["no_relevant"], row["left_out"], row["p_value"]) == (2, 1, 1, 1)


def test_each_comparison_is_over_its_own_runs() -> None:
    """Fifty queries of one language and forty of another; those of a third have no qid in common with them."""
    rng = np.random.default_rng(2)
    long, short = (
        [[*rng.random(50).tolist(), *[None] * 10] for _ in range(2)],
        [[*rng.random(40).tolist(), *[None] * 20] for _ in range(2)],
    )
    apart = [[*[None] * 50, *rng.random(10).tolist()] for _ in range(2)]
    runs = {"a": long[0], "b": long[1], "c": short[0], "d": short[1], "e": apart[0], "f": apart[1]}
    wanted = [difference_of(*pair) for pair in (("b", "a"), ("d", "c"), ("f", "e"), ("c", "a"), ("e", "a"))]
    result = compared(evaluations(runs), wanted, {}, Method(test="t"))
    assert [(r["run_id"], r["n"], r["left_out"]) for r in result.rows] == [
        ("b", 50, 0), ("d", 40, 0), ("f", 10, 0), ("c", 40, 10),
    ]  # fmt: skip
    for row, (x, y) in zip(result.rows, ((long[1], long[0]), (short[1], short[0]), (apart[1], apart[0])), strict=False):
        both = [(i, j) for i, j in zip(x, y, strict=True) if i is not None and j is not None]
        assert row["p_value"] == pytest.approx(stats.ttest_rel(*zip(*both, strict=True)).pvalue)
    # What cannot be compared is said, and is no member of the family.
    [lacking] = result.not_made
    assert (lacking["run_id"], lacking["n"], lacking["left_out"]) == ("e", 0, 60)
    assert "no judged query in common" in lacking["why_not"]
    assert {r["family_size"] for r in result.rows} == {4}
    holm = multipletests([r["p_value"] for r in result.rows], method="holm")[1]
    assert [r["p_corrected"] for r in result.rows] == pytest.approx(holm)


def test_families_of_two_measures_are_corrected_apart() -> None:
    """Two families in two measures are four; a p-value of one never corrects another's."""
    rng = np.random.default_rng(9)
    one = evaluations({name: rng.random(40).tolist() for name in "abcd"})
    other = evaluations({name: rng.random(40).tolist() for name in "abcd"})
    both = replace(one, values=np.concatenate([one.values, other.values], axis=2), measures=["RR@10", "AP"])
    wanted = [difference_of(*pair, family=f) for f in ("x", "y") for pair in (("b", "a"), ("c", "a"), ("d", "a"))]
    rows = compared(both, wanted, {}, Method(test="t")).rows
    assert len(rows) == 12
    for measure in ("RR@10", "AP"):
        for family in ("x", "y"):
            some = [r for r in rows if (r["measure"], r["family"]) == (measure, family)]
            holm = multipletests([r["p_value"] for r in some], method="holm")[1]
            assert [r["p_corrected"] for r in some] == pytest.approx(holm)
            assert {r["family_size"] for r in some} == {3}


def test_a_query_that_was_never_asked_is_left_out_and_counted() -> None:
    """Ten of fifty judged topics have no wording in either variety: they count nowhere, and are said."""
    rng = np.random.default_rng(3)
    asked = {"af": rng.random(50).tolist()[:40], "nl": rng.random(50).tolist()[:40]}
    never = {run: [f"q{i}" for i in range(40, 50)] for run in asked}
    [row] = compared(evaluations(asked, never), [difference_of("af", "nl")], {}, Method()).rows
    assert (row["n"], row["left_out"]) == (40, 10)
    assert row["mean"] == pytest.approx(np.mean(asked["af"]))


def test_a_family_wise_test_shares_the_queries_of_its_family() -> None:
    rng = np.random.default_rng(4)
    runs = {"a": rng.random(30).tolist(), "b": rng.random(30).tolist(), "c": [*rng.random(20).tolist(), *[None] * 10]}
    pairs = [difference_of("b", "a"), difference_of("c", "a"), difference_of("c", "b")]
    result = compared(evaluations(runs), pairs, {}, Method(test="tukey", resamples=500))
    assert [(r["n"], r["left_out"]) for r in result.rows] == [(20, 10)] * 3
    assert [r["p_corrected"] for r in result.rows] == [r["p_value"] for r in result.rows]


def test_a_family_wise_test_takes_each_measure_by_itself() -> None:
    rng = np.random.default_rng(11)
    one, other = (evaluations({name: rng.random(25).tolist() for name in "abc"}) for _ in range(2))
    both = replace(one, values=np.concatenate([one.values, other.values], axis=2), measures=["RR@10", "AP"])
    pairs = [difference_of("b", "a"), difference_of("c", "a"), difference_of("c", "b")]
    method = Method(test="tukey", resamples=300)
    apart = [r["p_value"] for of in (one, other) for r in compared(of, pairs, {}, method).rows]
    assert [r["p_value"] for r in compared(both, pairs, {}, method).rows] == apart


def test_families_are_contrasts_and_equal_comparisons_count_once() -> None:
    pairs = ["oc-fr", "ca-fr", "af-nl"]
    runs = [
        RunName("bge-m3", trained, query, high)
        for low, high in (p.split("-") for p in pairs) for query in (low, high) for trained in (None, "ca-fr")
    ]  # fmt: skip
    every = declared(list(dict.fromkeys(runs)), pairs, ["gap", "gain", "closure"])
    # The gain on fr is one comparison, of the pair that was trained on.
    assert [(c.variety, c.pair) for c in every if c.name == "gain"] == [
        ("oc", "oc-fr"), ("ca", "ca-fr"), ("fr", "ca-fr"), ("af", "af-nl"), ("nl", "af-nl"),
    ]  # fmt: skip
    sizes = {name: sum(c.family == name for c in every) for name in dict.fromkeys(c.family for c in every)}
    assert sizes == {
        "gap on unseen pairs": 4, "gain on unseen pairs": 3, "closure on unseen pairs": 2,
        "gap on seen pairs": 2, "gain on seen pairs": 2, "closure on seen pairs": 1,
    }  # fmt: skip
    untrained = declared([r for r in runs if not r.trained_on], pairs, ["gap", "gain"])
    assert {c.family for c in untrained} == {"gap"}
    ids = {name: [f"{name}"] for name in runs}
    assert {(c.contrast, c.primary) for c in combinations(every, ids, "gain")} == {
        ("gap", False), ("gain", True), ("closure", False),
    }  # fmt: skip


def test_trainings_are_held_against_the_control() -> None:
    """What the low-resource wordings were good for: against as many steps on the high-resource ones."""
    trainings = {"ca-fr": ["ca-fr"], "high-only": ["ca-fr"], "switched": ["fr-fr"], "af-nl": ["af-nl"]}
    runs = [
        RunName("bge-m3", trained, query, high)
        for low, high in (("yue", "zh"), ("ca", "fr")) for trained in (None, *trainings) for query in (low, high)
    ]  # fmt: skip
    every = declared(runs, ["yue-zh", "ca-fr"], ["gain", "control"], trainings, "high-only")
    held = [c for c in every if c.name == "control"]
    assert {(c.trained_on, c.variety) for c in held} == {
        (trained, query) for trained in ("ca-fr", "switched", "af-nl") for query in ("yue", "zh", "ca", "fr")
    }  # fmt: skip
    for c in held:
        assert c.plus == (RunName("bge-m3", c.trained_on, str(c.variety), c.pair[-2:]),)
        assert c.minus == (RunName("bge-m3", "high-only", str(c.variety), c.pair[-2:]),)
    # Seen is what a training itself saw; one that is not of two varieties, what any of them saw.
    seen = {c.trained_on for c in every if c.family.endswith("on seen pairs")}
    assert seen == {"ca-fr", "high-only", "switched"}
    both = declared(runs, ["yue-zh", "ca-fr"], ["gain"], {**trainings, "af-nl": ["af-nl", "yue-zh", "ca-fr"]})
    assert {c.family for c in both if c.trained_on == "af-nl"} == {"gain on seen pairs"}
    assert not [c for c in declared(runs, ["ca-fr"], ["control"], trainings) if c.name == "control"]


def test_a_pair_of_one_variety_twice_has_no_gap() -> None:
    runs = [RunName("bge-m3", trained, "fr", "fr") for trained in (None, "ca-fr", "high-only")]
    every = declared(runs, ["fr-fr"], ["gap", "gain", "closure", "control"], {"high-only": ["ca-fr"]}, "high-only")
    assert [(c.name, c.trained_on) for c in every] == [("gain", "ca-fr"), ("control", "ca-fr"), ("gain", "high-only")]


def test_a_contrast_wants_its_runs_and_its_name() -> None:
    low, high = (RunName("bm25", None, query, "fr") for query in ("ca", "fr"))
    assert declared([low], ["ca-fr"], ["gap", "gain", "closure"]) == []
    assert declared([low, high], ["ca-fr"], ["gain", "closure"]) == []
    assert [c.name for c in declared([low, high], ["ca-fr"], ["gap"])] == ["gap"]
    tuned = [low._replace(trained_on="ca-fr"), high._replace(trained_on="ca-fr")]
    assert [c.name for c in declared([low, *tuned], ["ca-fr"], ["gain", "closure"])] == ["gain"]


def test_a_closure_looks_at_its_own_systems_loss() -> None:
    """Two systems of one recipe: one gains on low alone, the other's high loses too."""
    rows = closing_rows(0.1, -0.1)
    other = [
        cast("ComparisonRow", {**row, "system": "other", "run_id": f"o{row['run_id']}"})
        for row in closing_rows(0.15, 0.0)
    ]
    verdicts = {each["system"]: each["verdict"] for each in closings([*rows, *other])}
    assert verdicts == {"bge-m3": "closed, partly by a loss", "other": "closed"}
    verdicts = {each["system"]: each["verdict"] for each in closings([*other, *rows])}
    assert verdicts == {"bge-m3": "closed, partly by a loss", "other": "closed"}


def test_models_of_several_seeds_are_one_comparison() -> None:
    rng = np.random.default_rng(5)
    names = [RunName("bge-m3", trained, query, "fr") for trained in (None, "ca-fr") for query in ("ca", "fr")]
    base_low, base_high, low, high = names
    ids = {base_low: ["bl"], base_high: ["bh"], low: ["l1", "l2"], high: ["h1", "h2"]}
    values = {run_id: rng.random(30).tolist() for some in ids.values() for run_id in some}
    every = declared(names, ["ca-fr"], ["gap", "gain", "closure"])
    rows = compared(evaluations(values), combinations(every, ids), {}, Method()).rows  # type: ignore[arg-type]
    by = {(r["contrast"], r["trained_on"], r["variety"]): r for r in rows}
    v = {run_id: np.array(column) for run_id, column in values.items()}
    gain, gap = by["gain", "ca-fr", "ca"], by["gap", "ca-fr", "ca"]
    assert (gain["models"], by["gap", None, "ca"]["models"]) == (2, 1)
    assert gain["delta"] == pytest.approx(((v["l1"] + v["l2"]) / 2 - v["bl"]).mean())
    assert gain["model_deviation"] == pytest.approx(abs(v["l1"].mean() - v["l2"].mean()) / np.sqrt(2))
    assert by["gap", None, "ca"]["model_deviation"] is None
    assert (gain["mean"], gain["mean_baseline"]) == (
        pytest.approx((v["l1"].mean() + v["l2"].mean()) / 2), pytest.approx(v["bl"].mean())
    )  # fmt: skip
    assert gap["delta"] == pytest.approx((v["l1"] + v["l2"] - v["h1"] - v["h2"]).mean() / 2)
    closure = by["closure", "ca-fr", None]
    per_model = [(v[f"l{i}"] - v["bl"] - v[f"h{i}"] + v["bh"]).mean() for i in (1, 2)]
    assert closure["delta"] == pytest.approx(np.mean(per_model))
    assert closure["model_deviation"] == pytest.approx(np.std(per_model, ddof=1))
    # Its two means are the gains.
    gains = [by["gain", "ca-fr", code]["delta"] for code in ("ca", "fr")]
    assert (closure["mean"], closure["mean_baseline"]) == (pytest.approx(gains[0]), pytest.approx(gains[1]))


def closing_rows(low: float, high: float, gap: float = -0.3, noise: float = 0.05) -> list[ComparisonRow]:
    """Gap, gains and closure of so large gains on low and on high."""
    rng = np.random.default_rng(6)
    base = rng.random(120) / 2 + 0.3
    values = {
        "bl": base + gap + rng.normal(0, noise, 120), "bh": base,
        "l": base + gap + low + rng.normal(0, noise, 120), "h": base + high + rng.normal(0, noise, 120),
    }  # fmt: skip
    names = [RunName("bge-m3", trained, query, "fr") for trained in (None, "ca-fr") for query in ("ca", "fr")]
    ids = dict(zip(names, (["bl"], ["bh"], ["l"], ["h"]), strict=True))
    every = declared(names, ["ca-fr"], ["gap", "gain", "closure"])
    lists: dict[str, list[float | None]] = {run_id: [*map(float, column)] for run_id, column in values.items()}
    return compared(evaluations(lists), combinations(every, ids), {}, Method(resamples=2_000)).rows


def closing_of(low: float, high: float, gap: float = -0.3) -> tuple[Closing, ComparisonRow]:
    """What is said of a gap, and its closure."""
    rows = closing_rows(low, high, gap)
    [closing] = closings(rows)
    return closing, next(r for r in rows if r["contrast"] == "closure")


def test_neither_a_gain_nor_a_loss_is_said_that_is_not_shown() -> None:
    """A closure may be significant where the two gains that it is made of are not."""
    rows = closing_rows(0.1, -0.1)
    for row in rows:
        row["p_corrected"] = 0.01 if row["contrast"] == "closure" else 0.06
    [closing] = closings(rows)
    assert closing["verdict"] == "smaller" and closing["p_value"] == 0.01
    assert "neither a gain on ca nor a loss on fr is shown" in closing["words"]
    next(row for row in rows if row["variety"] == "fr")["p_corrected"] = 0.04
    [closing] = closings(rows)
    assert closing["verdict"] == "bought by a loss" and "a gain on ca is not shown" in closing["words"]


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.15, 0.0, "closed"),
        (0.1, -0.1, "closed, partly by a loss"),
        (0.0, -0.1, "bought by a loss"),
        (-0.05, -0.2, "bought by a loss"),
        (-0.15, 0.0, "widened"),
        (0.1, 0.1, "not shown"),
        (0.0, 0.0, "not shown"),
    ],
)
def test_a_gap_is_closed_by_a_gain_on_low_alone(low: float, high: float, verdict: str) -> None:
    closing, row = closing_of(low, high)
    assert closing["verdict"] == verdict
    assert ("is closed in part" in closing["words"]) == verdict.startswith("closed")
    assert ("by a loss on fr" in closing["words"]) == ("loss" in verdict)
    share = (low - high) / 0.3
    assert row["share_closed"] == pytest.approx(share, abs=0.08)
    assert row["share_low"] and row["share_high"] and row["share_low"] < row["share_closed"] < row["share_high"]
    assert closing["p_value"] >= row["p_corrected"] and (closing["p_value"] < 0.05) == (verdict != "not shown")


def test_no_share_is_given_of_a_gap_that_may_be_none() -> None:
    """Nor is anything called closed: low was as good, or better."""
    for gap in (0.0, 0.2):
        closing, row = closing_of(0.15, 0.0, gap=gap)
        assert (row["share_closed"], row["share_low"], row["share_high"]) == (None, None, None)
        assert closing["verdict"] == "low gained more" and "closed" not in closing["words"]
        closing, _ = closing_of(0.0, 0.15, gap=gap)
        assert closing["verdict"] == "high gained more" and "wider" not in closing["words"]


def test_a_gap_that_is_reversed_is_called_that() -> None:
    closing, row = closing_of(0.5, 0.0, gap=-0.2)
    assert row["share_low"] and row["share_low"] > 1
    assert "is closed and reversed, by 2" in closing["words"]
    closing, row = closing_of(0.3, 0.0)
    assert row["share_low"] and row["share_high"] and row["share_low"] < 1 < row["share_high"]
    assert "is closed, by" in closing["words"]


def test_a_loss_on_high_is_seen_whatever_its_run_is_called() -> None:
    """`lsw compare --closure` takes any four runs: those of high may be another's."""
    rng = np.random.default_rng(8)
    base = rng.random(120) / 2 + 0.3
    values = {
        "bl": base - 0.3, "l": base - 0.2 + rng.normal(0, 0.02, 120), "bh": base, "h": base - 0.1 + rng.normal(0, 0.02, 120)
    }  # fmt: skip
    lists: dict[str, list[float | None]] = {name: [*map(float, column)] for name, column in values.items()}
    runs = [
        cast("RunRow", {"run_id": run_id, "system": f"system of {run_id}", "trained_on": None, "query_variety": code,
                        "document_variety": "fr"})
        for run_id, code in (("bl", "ca"), ("l", "ca"), ("bh", "fr"), ("h", "fr"))
    ]  # fmt: skip
    rows = compared(evaluations(lists), closures(runs), {}, Method(resamples=2_000)).rows
    [closing] = closings(rows)
    assert closing["verdict"] == "closed, partly by a loss" and "some of it by a loss on fr" in closing["words"]


def test_a_single_topic_has_no_interval() -> None:
    of = evaluations({"a": [0.5, 0.6, 0.7], "b": [0.6, 0.7, 0.9]})
    [row] = compared(of, [difference_of("b", "a")], dict.fromkeys(("q0", "q1", "q2"), "t"), Method()).rows
    assert (row["n"], row["n_groups"], row["ci_low"], row["ci_high"], row["detectable"]) == (3, 1, None, None, None)
    assert "[-]" in sentence(row) and row["p_value"] == 1


def test_runs_that_differ_nowhere_could_not_have_shown_a_difference_of_0() -> None:
    of = evaluations({"a": [0.5] * 30, "b": [0.5] * 30})
    [row] = compared(of, [difference_of("b", "a")], {}, Method()).rows
    assert (row["delta"], row["detectable"], row["effect_size"]) == (0, None, None)


def test_bad_comparisons_are_refused(finished: Store, lsw: Lsw) -> None:
    ids = list(run_ids(finished).values())
    with pytest.raises(LswError, match="named twice"):
        compare_runs(finished, [ids[0], ids[0]], ["RR@10"], Method(), print)
    for what, name in (("test", "welch"), ("correction", "sidak"), ("interval", "bcaa")):
        with pytest.raises(ValidationError, match=f"Unknown {what} '{name}'"):
            Method(**{what: name})
        refused = lsw("compare", *ids, f"--{what}", name, "--store", finished.folder, check=2)
        assert f"Unknown {what} '{name}'" in refused.stderr
    both = lsw("compare", *ids, "--closure", "--all-pairs", "--store", finished.folder, check=2)
    assert "Choose one" in both.stderr
