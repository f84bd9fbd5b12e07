"""The command behind a run, pasted, makes it again."""

import shlex
from typing import Any

import pytest

from store import Store, browse
from store.query import lineage, runs
from tests.conftest import run_lsw
from workbench.plans.rerun import command, going_on
from workbench.recipe.load import load, recipe_path, scale_path

RUN: Any = {
    "recipe": "zero_shot_yue_zh", "scale": "mini", "document_variety": "zh", "query_variety": "yue", "system": "bm25",
    "trained_on": None, "collection": "mini", "depth": 9,
}  # fmt: skip
PLAIN = ["lsw", "recipe", "run", "zero_shot_yue_zh", "--scale", "mini"]


def words(resolved: dict[str, Any], stages: Any = (), **changes: Any) -> list[str]:
    return shlex.split(command({**RUN, **changes}, {"resolved": resolved}, list(stages)), comments=True)


def resolved(*changes: str) -> dict[str, Any]:
    return load(recipe_path("zero_shot_yue_zh"), scale_path("mini"), list(changes)).model_dump(
        mode="json", by_alias=True
    )


@pytest.mark.parametrize(
    "change",
    [
        "retrieval.depth=77", "fine-tuning.bge-m3.epochs=5", "translation.translator=apertium", "audit.back=apertium",
        'audit.back={translator="seq2seq", checkpoint="m"}', "fine-tuning.steps=[{step='sample', queries=9}]",
        'fine-tuning.colbert-xm.frozen=["embeddings"]', "comparison.test=t",
    ],
)  # fmt: skip
def test_what_was_changed_is_changed_again(change: str) -> None:
    changed = resolved(change)
    assert words(changed)[:6] == PLAIN and len(words(changed)) > 6
    assert resolved(*words(changed)[6:]) == changed


def test_what_an_older_store_or_one_with_plug_ins_has() -> None:
    """Older stores have the settings of all translators; what is not here cannot be checked, and is passed on."""
    old = resolved()
    assert words(old) == PLAIN
    assert words({**old, "translation": {**old["translation"], "rate": 2.0, "checkpoint": None, "beams": 4}}) == PLAIN
    gone = words({**old, "translation": {"translator": "glosses", "tone": 2}})
    assert gone == [*PLAIN, 'translation.translator="glosses"', "translation.tone=2"]
    assert words(old, recipe="moved.toml")[3] == "moved.toml"


def test_of_runs_that_no_recipe_made() -> None:
    about = ["--system", "bm25", "--query-variety", "yue", "--document-variety", "zh"]
    stages = [{"parameters": '{"sha256": "0123456789abcdef"}'}]
    assert words({}, stages, recipe="import") == ["lsw", "import", "RUN.trec", *about, "--collection", "mini"]
    assert "sha256 0123456789ab" in command({**RUN, "recipe": "import"}, {}, stages)  # type: ignore[arg-type]
    assert words({}, stages, recipe="import", trained_on="ca-fr")[-4:-2] == ["--trained-on", "ca-fr"]
    own = {"collection": {"folder": "/c"}, "retrieval": {"script": "simplified"}}
    searched = ["lsw", "retrieve", "/c", *about, "--depth", "9"]
    assert words(own, recipe="retrieve") == [*searched, "--script", "simplified", "--name", "mini", "--scale", "mini"]
    own["retrieval"]["script"] = "as written"
    assert words(own, recipe="retrieve") == [*searched, "--name", "mini", "--scale", "mini"]


def test_nothing_has_to_be_made(finished: Store, made: Store) -> None:
    for store in (finished, made):
        before = runs(store)
        row = before[-1]
        typed = shlex.split(command(row, browse.resolved(store, row["recipe_run_id"]), lineage(store, row["key"])))
        run_lsw(*typed[1:], "--store", store.folder)
        assert runs(store) == before


def test_of_a_cell_of_a_study() -> None:
    assert words(resolved(), recipe="training_size") == ["lsw", "study", "run", "training_size", "--scale", "mini"]


def test_how_to_go_on_with_a_recipe_run() -> None:
    changed = {"recipe": "zero_shot_yue_zh", "scale": "mini", "resolved": resolved("retrieval.depth=77")}
    assert shlex.split(going_on(changed)) == [*PLAIN, "retrieval.depth=77"]
    analysis = {"recipe": "training_size (study)", "scale": "mini", "resolved": {"study": "training_size"}}
    assert going_on(analysis) == "lsw study run training_size --scale mini"
    for no_recipe in ("import", "retrieve", "audit", "inspect"):
        assert going_on({"recipe": no_recipe, "scale": "-", "resolved": {}}) == ""
