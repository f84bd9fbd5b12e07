"""Published figures: ours beside them on the same collection only, else apart, with the reason."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from store import Store
from tests.conftest import Lsw
from workbench.comparison.published import COLLECTIONS, Grounds, apart, beside, every, grounds, published, why_not

THEIRS = COLLECTIONS["mmarco/v2 dev/small"]
WORDINGS = "hf://datasets/andreaschari/mmarco-lt/queries/dev_small"
PAPER: dict[str, Any] = {
    "name": "c", "folder": None, "sources": {"nl": "irds:mmarco/v2/dt", "zh": "irds:mmarco/v2/zh"}, "sample": None,
    "splits": {"test": "dev/small"}, "pages": None, "queries": {"test": {"yue": f"{WORDINGS}/yue.tsv"}},
    "translator": "collection",
}  # fmt: skip
RUN: dict[str, Any] = {
    "system": "bge-m3", "trained_on": None, "query_variety": "yue", "document_variety": "zh", "collection": "c",
    "scale": "paper", "recipe": "r", "recipe_run_id": "a", "n_queries": 6980, "depth": 1000, "means": {"RR@10": 0.5},
}  # fmt: skip
[FIGURE] = [
    row for row in published() if (row["system"], row["query_variety"], row["measure"]) == ("bge-m3", "yue", "RR@10")
]


def known(passages: int | None = THEIRS.passages, **changes: Any) -> Grounds:
    sizes = {} if passages is None else {("c", "zh"): passages}
    return Grounds({("c", "a"): {**PAPER, **changes}}, sizes)


@pytest.mark.parametrize(
    ("grounds", "run", "reason"),
    [
        (known(), {}, ""),
        (known(passages=None), {}, ""),
        (known(queries={}), {"query_variety": "zh"}, ""),
        (known(), {"recipe_run_id": "b"}, ""),  # imported: measured against a collection that is known
        (Grounds(), {}, "nothing says where its texts are from, 6,980 queries against the 6,980 and 8,841,823 of mmarco/v2 dev/small"),
        (known(folder="package:collection"), {}, "texts of a folder"),
        (known(sample={"queries": 6980}), {}, "a sample"),
        (known(pages={"of": [4, 8]}), {}, "passages joined"),
        (known(splits={"test": "dev"}), {}, "another split"),
        (known(splits={}), {}, "another split"),
        (known(sources={"zh": "irds:mmarco/zh"}), {}, "other passages"),
        (known(), {"document_variety": "mul"}, "other passages"),
        (known(sources={**PAPER["sources"], "yue": "beir:a/b:c"}), {}, "other queries"),
        (known(queries={"test": {"yue": "mine.tsv"}}), {}, "queries translated otherwise"),
        (known(translator="nllb"), {}, "queries translated otherwise"),
        (known(), {"n_queries": 6979}, "not all of its queries, 6,979 queries and 8,841,823 passages against"),
        (known(passages=200_000), {}, "not all of its passages"),
        (known(), {"depth": 9}, "ranked to 9 only, which RR@10 does not bear"),
    ],
)  # fmt: skip
def test_only_the_same_collection_is_comparable(grounds: Grounds, run: dict[str, Any], reason: str) -> None:
    ours: Any = {**RUN, **run}
    said = why_not(FIGURE, ours, grounds)
    assert said.startswith(reason) and bool(said) == bool(reason)
    figure = {**FIGURE, "query_variety": ours["query_variety"], "document_variety": ours["document_variety"]}
    [row] = beside([figure], [ours], grounds)
    others = apart([figure], [ours], grounds)
    if reason:
        assert (row["our_base"], row["comparable"]) == (None, None)
        [other] = others
        assert (other["our_base"], other["comparable"], other["why_not"]) == (0.5, False, said)
        assert (other["base"], other["finetuned"], other["gain"]) == (None, None, None)
    else:
        assert (row["our_base"], row["comparable"], others) == (0.5, True, [])


def test_the_newest_of_one_collection() -> None:
    trained = {"trained_on": "af-nl", "means": {"RR@10": 0.25}}
    runs: list[Any] = [RUN, {**RUN, **trained}, {**RUN, "means": {"RR@10": 0.1}}]
    [row] = beside([FIGURE], runs, known())
    assert (row["our_base"], row["our_finetuned"], row["our_gain"]) == (0.5, 0.25, -0.25)
    elsewhere: list[Any] = [{**runs[0], "collection": "other"}, *runs[1:]]
    [row] = beside([FIGURE], elsewhere, known())
    assert (row["our_base"], row["our_finetuned"]) == (0.1, 0.25)  # never the base of another collection
    [other] = apart([FIGURE], elsewhere, known())
    assert (other["our_base"], other["our_gain"], other["our_data"]) == (0.5, None, "other (paper)")


def test_beside_published_figures_ours_are_of_one_recipe_and_the_mean_over_seeds() -> None:
    row = {
        "system": "minilm", "query_variety": "ar", "document_variety": "it", "measure": "RR@10", "before": "high-only",
        "trained_on": "code-switched", "collection": "mmarco dev/small", "base": 0.077, "finetuned": 0.156,
    }  # fmt: skip
    runs: list[Any] = [  # newest first; another recipe may call another training so
        {"system": "minilm", "trained_on": on, "query_variety": "ar", "document_variety": "it", "collection": "c",
         "scale": None, "recipe": recipe, "seed": seed, "means": {"RR@10": value}, "n_queries": 6980, "depth": 10,
         "recipe_run_id": "a"}
        for recipe, on, seed, value in (
            ("other", "high-only", 42, 0.9),
            ("own", "code-switched", 2, 0.5), ("own", "code-switched", 1, 0.25), ("own", "code-switched", 1, 0.0),
            ("own", "high-only", 2, 0.25), ("own", "high-only", 1, 0.125),
        )
    ]  # fmt: skip
    sources = {"it": "irds:mmarco/it", "ar": "irds:mmarco/ar"}
    same = Grounds({("c", "a"): {**PAPER, "sources": sources}})
    [ours] = beside([row], runs, same)
    assert (ours["our_base"], ours["our_finetuned"], ours["our_gain"]) == (0.1875, 0.375, 0.1875)
    [alone] = beside([row], runs[:4], same)
    assert (alone["our_base"], alone["our_finetuned"], alone["our_gain"]) == (None, 0.375, None)


def test_those_of_mini_stand_apart(finished: Store, tmp_path: Path, lsw: Lsw) -> None:
    command = ("compare", "--reference", "--store", finished.folder)
    told = json.loads(lsw(*command, "--json").stdout)
    assert len(told["figures"]) == len(every()) == 57
    for row in told["figures"]:
        assert row["gain"] == pytest.approx(row["finetuned"] - row["base"])
        assert [row[name] for name in ("our_base", "our_finetuned", "our_gain", "comparable")] == [None] * 4
    by = {(r["system"], r["query_variety"], r["measure"]): r for r in told["apart"]}
    row = by["bge-m3", "yue", "RR@10"]
    with finished.reading() as con:
        [[ours]] = con.execute(
            "SELECT avg(value) FROM measures JOIN runs USING (run_id) WHERE measure = 'RR@10' AND system = 'bge-m3'"
            " AND trained_on IS NULL AND query_variety = 'yue' AND document_variety = 'zh'"
        ).fetchall()
        [[passages]] = con.execute(
            "SELECT DISTINCT summary->>'passages' FROM stages WHERE kind = 'passages'"
        ).fetchall()
        [[queries]] = con.execute("SELECT DISTINCT n_queries FROM runs WHERE query_variety = 'yue'").fetchall()
    assert row["our_base"] == pytest.approx(ours, abs=1e-12)
    assert row["our_finetuned"] is None and row["our_gain"] is None  # nothing was trained on af-nl
    assert grounds(finished).passages["mini", "zh"] == int(passages)
    sizes = f"{queries} queries and {passages} passages against the 6,980 and 8,841,823 of mmarco/v2 dev/small"
    assert row["why_not"] == f"texts of a folder, {sizes}"
    assert "mmarco/v2 dev/small" in told["note"] and "cannot be compared: mini (mini)" in told["note"]
    written = list(csv.DictReader(io.StringIO(lsw(*command, "--format", "csv").stdout)))
    assert len(written) == 57 + len(told["apart"])
    assert not any(row["gain"] and row["our_base"] for row in written)
    assert {row["why_not"] for row in written if row["comparable"] == "False"} == {r["why_not"] for r in told["apart"]}
    shown = lsw(*command).stdout
    assert "Ours on mini (mini), not comparable: texts of a folder" in " ".join(shown.split())
    none = lsw("compare", "--reference", "--store", tmp_path / "none").stderr
    assert "no such run" in " ".join(none.split())
    assert "takes no runs" in lsw("compare", "--reference", "aa", "--store", finished.folder, check=2).stderr
