"""Results of comparisons, whatever shape they come in: one object, so that all shapes say the same."""

import csv
import io
import json
import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pydantic import ValidationError

from store import LswError, Store
from store.query import select
from tests.conftest import Lsw
from workbench.comparison.paired import Combination, Paired, compared
from workbench.comparison.published import beside
from workbench.comparison.results import Results, sentence, significant
from workbench.comparison.runs import compare_runs
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
        "family of 32",
        "n = 196 queries in 98 topics",
    ):
        assert words in caption
    # A star for each significant comparison, and for each significant gain in the first table.
    stars = sum(map(significant, closing.comparisons))
    gains = sum(significant(r) for r in closing.comparisons if r["contrast"] == "gain")
    assert gains > 0
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
    row = told["comparisons"][0]
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
    assert "takes four runs" in lsw("compare", "--closure", *names[:3], "--store", finished.folder, check=2).stderr


def test_all_pairs_and_tukey(finished: Store) -> None:
    ids = list(run_ids(finished).values())
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
                    and system == r["system"] + (f" ({r['trained_on']})" if r["trained_on"] and r["contrast"] == "gap" else "")
                )  # fmt: skip
                seen += 1
                assert significant(row) == (side != "neither")
                if side != "neither":
                    assert (row["delta"] > 0) == (side == "higher")
                assert (" not significant" in sentence(row)) == (side == "neither")
    assert seen == len(closing.of("RR@10")) == 32


def table(values: dict[str, list[float | None]], retrieved: int = 5) -> tuple[pa.Table, pa.Table]:
    """Values of one measure and evaluated queries of runs; None: the run was not evaluated on that query."""
    rows = [
        {"run_id": run_id, "measure": "RR@10", "qid": f"q{i}", "value": v}
        for run_id, column in values.items() for i, v in enumerate(column) if v is not None
    ]  # fmt: skip
    queries = [
        {
            "run_id": r["run_id"],
            "qid": r["qid"],
            "retrieved": retrieved if r["value"] else 0,
            "highest": int(r["qid"] != "q0"),
        }
        for r in rows
    ]
    return pa.Table.from_pylist(rows), pa.Table.from_pylist(queries)


def test_runs_are_paired_by_qid() -> None:
    values, queries = table({"a": [0, 0.5, 1, None], "b": [0, 1, 0, 0.5], "unasked": [1, 1, 1, 1]})
    shuffled = values.take(np.random.default_rng(1).permutation(len(values)))
    paired = Paired.of(shuffled, queries, ["b", "a"], ["RR@10"])
    assert paired.qids == ["q0", "q1", "q2"]
    assert paired.values[:, :, 0].tolist() == [[0, 0], [1, 0.5], [0, 1]]
    assert (paired.left_out, paired.no_relevant) == (1, [1])
    combination = Combination(plus=("b",), minus=("a",), run_id="b", baseline_run_id="a", system="bm25")
    row = compared(paired, [combination], {}, Method())[0]
    assert (row["contrast"], row["run_id"], row["baseline_run_id"]) == ("difference", "b", "a")
    assert (row["n"], row["delta"], row["wins"], row["ties"], row["losses"]) == (3, pytest.approx(-1 / 6), 1, 1, 1)
    assert (row["no_result"], row["no_relevant"], row["p_value"]) == (2, 1, 1)


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


def test_published_figures_stand_beside_ours(finished: Store, tmp_path: Path, lsw: Lsw) -> None:
    told = json.loads(lsw("compare", "--reference", "--store", finished.folder, "--json").stdout)
    assert len(told["figures"]) == 55
    by = {(r["system"], r["query_variety"], r["measure"]): r for r in told["figures"]}
    row = by["bge-m3", "yue", "RR@10"]
    with finished.reading() as con:
        [[ours]] = con.execute(
            "SELECT avg(value) FROM measures JOIN runs USING (run_id) WHERE measure = 'RR@10' AND system = 'bge-m3'"
            " AND trained_on IS NULL AND query_variety = 'yue' AND document_variety = 'zh'"
        ).fetchall()
    assert row["our_base"] == pytest.approx(ours, abs=1e-12)
    assert row["our_finetuned"] is None and row["our_gain"] is None  # nothing was trained on af-nl
    assert row["gain"] == pytest.approx(row["finetuned"] - row["base"])
    assert "mmarco/v2 dev/small" in told["note"] and "mini (mini)" in told["note"]
    runs = [
        {"system": "bge-m3", "trained_on": on, "query_variety": "yue", "document_variety": "zh", "collection": "c",
         "scale": None, "means": {"RR@10": value}}
        for on, value in ((None, 0.5), ("af-nl", 0.25), (None, 0.1))
    ]  # fmt: skip
    [newest] = beside([row], runs)
    assert (newest["our_base"], newest["our_finetuned"], newest["our_gain"]) == (0.5, 0.25, -0.25)  # the newest base
    [apart] = beside([row], [{**runs[0], "collection": "other"}, *runs[1:]])
    assert (apart["our_base"], apart["our_finetuned"]) == (0.1, 0.25)  # never the base of another collection
    assert "no such run" in lsw("compare", "--reference", "--store", tmp_path / "none").stderr
    assert "takes no runs" in lsw("compare", "--reference", "aa", "--store", finished.folder, check=2).stderr
