"""Where a recipe measures similarity: of which pairs, under whose tokenizers."""

from pathlib import Path
from typing import Any

import pytest

from store import LswError
from workbench.graph import Plan
from workbench.plans.recipe import compile_recipe
from workbench.recipe.load import checked, load, read_toml, recipe_path, scale_path

MINI = scale_path("mini")


def planned(**sections: Any) -> Plan:
    values = read_toml(MINI) | {"title": "x", **sections}
    del values["fine-tuning"]
    return compile_recipe(checked(values, MINI), "x", "mini", MINI.parent, fetch=False)


def measured(plan: Plan) -> list[dict[str, str]]:
    return [{role: stage.label for role, stage in s.inputs.items()} for s in plan.stages if s.kind == "similarity"]


def retrieval(*systems: str, pairs: tuple[str, ...] = ("ca-fr",)) -> dict[str, Any]:
    return {"pairs": list(pairs), "systems": list(systems)}


def test_each_pair_is_measured_under_every_tokenizer_of_its_systems() -> None:
    systems = retrieval("bm25", "rrf(bm25-4grams, bge-m3) >> mt5", pairs=("ca-fr", "yue-zh"))
    first, second = measured(planned(retrieval=systems, similarity={}))
    assert first == {
        "low": "read ca test queries", "high": "read fr test queries",
        "tokenizer.bge-m3": "read model bge-m3", "tokenizer.mt5": "read model mt5",
    }  # fmt: skip
    assert second["low"] == "read yue test queries"
    one = planned(retrieval=systems, similarity={"systems": ["colbert-xm"], "features": ["pieces"]})
    assert {role for role in measured(one)[0] if role.startswith("tok")} == {"tokenizer.colbert-xm"}
    assert not measured(planned(retrieval=systems))


def test_translations_are_measured_where_queries_are_translated(tmp_path: Path) -> None:
    (tmp_path / "t.tsv").write_text("q\ttext\n", "utf-8")
    by_file = {"translator": "file", "file": str(tmp_path / "t.tsv")}
    [one] = measured(planned(retrieval=retrieval("bm25"), similarity={}, translation=by_file))
    assert one["low"].startswith("translate fr test queries into ca")


@pytest.mark.parametrize(
    ("sections", "title"),
    [
        (
            {"retrieval": retrieval("bm25"), "similarity": {"features": ["gram"]}},
            "Unknown feature of similarity 'gram'",
        ),
        (
            {"retrieval": retrieval("bm25"), "similarity": {"features": [{"feature": "grams", "n": 4}]}},
            "Unknown key 'n'",
        ),
        ({"retrieval": retrieval("bm25"), "similarity": {"features": ["grams", "grams"]}}, "'grams' is named twice"),
        ({"retrieval": retrieval("bm25"), "similarity": {"systems": ["bge"]}}, "Unknown system 'bge'"),
        ({"retrieval": retrieval("bm25"), "similarity": {"systems": ["bm25"]}}, "'bm25' has no tokenizer"),
        ({"retrieval": retrieval("bm25", pairs=("en-mul",)), "similarity": {}}, "'en-mul' has no two wordings"),
        ({"retrieval": retrieval("bm25", pairs=()), "similarity": {}}, "no pairs to measure"),
    ],
)
def test_what_cannot_be_planned_is_refused(sections: dict[str, Any], title: str) -> None:
    with pytest.raises(LswError) as caught:
        planned(**sections)
    assert title in str(caught.value) and caught.value.cure


def test_the_shipped_recipe_measures_its_seven_pairs_and_shares_its_runs() -> None:
    plan = compile_recipe(load(recipe_path("similarity"), MINI), "similarity", "mini", MINI.parent, fetch=False)
    robust = compile_recipe(load(recipe_path("robustness"), MINI), "robustness", "mini", MINI.parent, fetch=False)
    assert len(measured(plan)) == 7
    assert {run.key for run in plan.runs} < {run.key for run in robust.runs}
