"""Several trainings in one recipe: a pair, its controls, and others by name."""

import json
import re
from pathlib import Path

import pytest

from store import LswError, Store
from tests.conftest import Lsw
from workbench.graph import Plan, Stage
from workbench.plans.recipe import compile_recipe
from workbench.recipe.load import load, names, read_toml, recipe_path, scale_path
from workbench.stages.compare import Compare
from workbench.stages.finetune import Finetune
from workbench.stages.retrieve import Retrieve

PUBLISHED = (
    "fine-tuning.models=published", "fine-tuning.controls=[]", "published.ca-fr={bge-m3='a/b',colbert-xm='a/b',mt5='a/b'}",
)  # fmt: skip


def plan(*changes: str, name: str = "pair_ca_fr") -> Plan:
    return compile_recipe(load(recipe_path(name), scale_path("mini"), list(changes)), name, "mini", Path())


def trainings(of: Plan) -> dict[tuple[str, str], Stage]:
    """By training and system."""
    return {(s.work.trained_on, s.work.system): s for s in of.stages if isinstance(s.work, Finetune)}


def test_controls_see_the_same_triples_for_as_many_steps() -> None:
    of = trainings(plan())
    assert {name for name, _ in of} == {"ca-fr", "high-only", "mixed"}
    for (name, system), stage in of.items():
        low = of["ca-fr", system]
        assert isinstance(stage.work, Finetune) and isinstance(low.work, Finetune)
        assert stage.work.tuning == low.work.tuning
        for role in ("triples", "checkpoint", "passages", "dev_queries"):
            assert stage.inputs[role] is low.inputs[role]
        shares = [step.share for step in stage.work.steps]  # type: ignore[attr-defined]
        assert shares == {"ca-fr": [], "high-only": [1.0], "mixed": [0.5]}[name]


def test_a_pair_alone_is_what_it_was() -> None:
    """A recipe without controls has the models of one with them, under the same keys."""
    alone, whole = trainings(plan("fine-tuning.controls=[]")), trainings(plan())
    assert {name for name, _ in alone} == {"ca-fr"}
    assert all(whole[about].key == stage.key for about, stage in alone.items())


def test_every_recipe_that_trains_has_controls() -> None:
    trained = {name for name in names() if "fine-tuning" in read_toml(recipe_path(name))}
    assert len(trained) >= 8
    for name in trained:
        loaded = load(recipe_path(name), scale_path("mini"))
        assert "high-only" in loaded.trainings(), name
        assert "control" in loaded.comparison.contrasts, name


def test_others_have_names_of_their_own() -> None:
    other = "training.other={pair='oc-fr',systems=['bge-m3'],bge-m3={epochs=3.0},steps=[{step='sample',queries=9}]}"
    of = plan(other, "fine-tuning.steps=[{step='sample',queries=50}]", "fine-tuning.controls=['high-only']")
    stages = trainings(of)
    assert {about for about in stages if about[0] == "other"} == {("other", "bge-m3")}
    work = stages["other", "bge-m3"].work
    assert isinstance(work, Finetune)
    assert (work.query_variety, work.tuning.epochs) == ("oc", 3)
    assert [step.queries for step in work.steps] == [50, 9]  # type: ignore[attr-defined]
    [compare] = [stage.work for stage in of.stages if isinstance(stage.work, Compare)]
    assert compare.trainings == {"ca-fr": ["ca-fr"], "high-only": ["ca-fr"], "other": ["oc-fr"]}
    assert compare.control == "high-only"
    assert {run.system for run in compare.runs if run.trained_on == "other"} == {"bge-m3"}


def test_what_was_translated_for_a_training_was_seen_by_it() -> None:
    translated = "{pair='fr-fr',steps=[{step='translated',query_to=['ca','oc']}]}"
    of = plan(f"training.translated={translated}", "training.french={pair='fr-fr'}", "fine-tuning.pair='fr-fr'")
    [compare] = [stage.work for stage in of.stages if isinstance(stage.work, Compare)]
    assert compare.trainings["translated"] == ["fr-fr", "ca-fr", "oc-fr"]
    assert compare.trainings["french"] == ["fr-fr"]


def test_high_resource_queries_alone_are_a_training_too() -> None:
    of = trainings(plan("training.french={pair='fr-fr'}", "fine-tuning.controls=[]"))
    stage = of["french", "bge-m3"]
    assert isinstance(stage.work, Finetune) and stage.work.query_variety == "fr"
    assert "translation" not in stage.inputs["triples"].inputs


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ([*PUBLISHED, "training.other={pair='ca-fr',seeds=[1,2]}"], "'other' was never published"),
        ([*PUBLISHED, "training.other={pair='ca-fr',mt5={epochs=2.0}}"], "'other' was never published"),
        ([*PUBLISHED, "fine-tuning.steps=[{step='sample',queries=9}]"], "not trained: leave out `steps`"),
        (["fine-tuning.models=published", "fine-tuning.controls=['mixed']"], "published models have no controls"),
        (["training.x={pair='ca-fr',seeds=[1,2]}"], "training.x.seeds: 2 of bge-m3, and 1 of the control"),
        (["training.x={pair='ca-fr',seeds=[1,1]}"], "given twice"),
        (["training.X={pair='ca-fr'}"], "training.X"),
    ],
)
def test_trainings_that_cannot_be_are_refused(changes: list[str], words: str) -> None:
    with pytest.raises(LswError) as refused:
        plan(*changes)
    assert words in str(refused.value)


def test_a_fusion_is_held_against_one_that_is_trained_alike() -> None:
    both = "retrieval.systems=['rrf(bge-m3, colbert-xm)', 'rrf(bm25, bge-m3)']"
    assert plan(both).stages
    with pytest.raises(
        LswError, match=r"training.half trains bge-m3 of 'rrf\(bge-m3, colbert-xm\)', the control"
    ) as no:
        plan(both, "training.half={pair='ca-fr',systems=['bge-m3']}")
    assert "retrieval.systems" in no.value.cure
    alone = "retrieval.systems=['rrf(bm25, bge-m3)']"  # what is never trained does not count
    assert plan(alone, "training.half={pair='ca-fr',systems=['bge-m3']}").stages


def test_a_recipe_that_trains_nothing_by_name_says_so(tmp_path: Path) -> None:
    path = tmp_path / "r.toml"
    text = 'title = "x"\n[fine-tuning]\nsystems = ["bge-m3"]\n[retrieval]\npairs = ["ca-fr"]\nsystems = ["bge-m3"]\n'
    path.write_text(text, "utf-8")
    with pytest.raises(LswError, match="says nothing to train on"):
        load(path, scale_path("mini"))
    path.write_text(text.replace("systems", 'controls = ["mixed"]\nsystems', 1), "utf-8")
    with pytest.raises(LswError, match="`controls` are of a `pair`"):
        load(path, scale_path("mini"))
    path.write_text(text.replace('[fine-tuning]\nsystems = ["bge-m3"]', '[training.ca-fr]\npair = "ca-fr"'), "utf-8")
    with pytest.raises(LswError, match=r"\[training\] needs a section \[fine-tuning\]"):
        load(path, scale_path("mini"))


@pytest.mark.slow
def test_what_a_control_leaves(lsw: Lsw, small_recipe: Path, small_scale: Path, tmp_path: Path) -> None:
    """As many examples and steps, other queries; and what is said of the pair is held against it."""
    at = ("--scale", small_scale, "--store", tmp_path / "s")
    told = json.loads(
        lsw("recipe", "run", small_recipe, 'fine-tuning.controls=["high-only","mixed"]', *at, "--json").stdout
    )
    assert {row["trained_on"] for row in told["runs"]} == {None, "ca-fr", "high-only", "mixed"}
    held = {(r["trained_on"], r["variety"]) for r in told["comparisons"] if r["contrast"] == "control"}
    assert held == {(name, query) for name in ("ca-fr", "mixed") for query in ("ca", "fr")}
    sql = "SELECT trained_on, examples, steps FROM finetunes ORDER BY 1"
    rows = [line.split(",") for line in lsw("sql", sql, "--format", "csv", *at[2:]).stdout.splitlines()[1:]]
    assert [row[0] for row in rows] == ["ca-fr", "high-only", "mixed"]
    assert len({tuple(row[1:]) for row in rows}) == 1
    store = Store(tmp_path / "s")
    summaries = {}
    for meta in store.folder.glob("artifacts/*/meta.json"):
        about = json.loads(meta.read_text("utf-8"))
        if about["kind"] == "finetune":
            summaries[about["parameters"]["trained_on"]] = about["summary"]
    examples = summaries["high-only"]["examples"]
    assert summaries["high-only"]["replayed"] == examples
    assert 0.3 * examples < summaries["mixed"]["replayed"] < 0.7 * examples
    assert "replayed" not in summaries["ca-fr"]


USES = (
    "training.asked={model='ca-fr',encodes='queries',systems=['bge-m3','colbert-xm']}",
    "training.read={model='ca-fr',encodes='passages',systems=['bge-m3','colbert-xm']}",
    "training.half={model='ca-fr',share=0.5}",
)


def of_run(of: Plan, system: str, trained_on: str | None) -> tuple[Stage, Stage]:
    """What encodes the queries of a retriever's run, and what its passages."""
    [run] = [
        stage for stage in of.runs
        if isinstance(stage.work, Retrieve) and stage.work.query_variety == "ca"
        and (stage.work.system, stage.work.trained_on) == (system, trained_on)
    ]  # fmt: skip
    return run.inputs["model"], run.inputs["index"].inputs["model"]


@pytest.mark.parametrize("system", ["bge-m3", "colbert-xm"])
def test_a_model_that_is_trained_once_is_used_in_several_ways(system: str) -> None:
    of = plan(*USES)
    assert {name for name, _ in trainings(of)} == {"ca-fr", "high-only", "mixed"}
    base, tuned = of_run(of, system, None)[0], trainings(of)["ca-fr", system]
    assert of_run(of, system, "ca-fr") == (tuned, tuned)
    assert of_run(of, system, "asked") == (tuned, base)
    assert of_run(of, system, "read") == (base, tuned)
    half, same = of_run(of, system, "half")
    assert half is same and half.inputs == {"base": base, "tuned": tuned}
    [compare] = [stage.work for stage in of.stages if isinstance(stage.work, Compare)]
    assert compare.trainings["asked"] == compare.trainings["half"] == ["ca-fr"]


def test_at_its_ends_a_share_is_one_of_the_two_models() -> None:
    of = plan("training.none={model='ca-fr',share=0.0}", "training.whole={model='ca-fr',share=1.0}")
    base, tuned = of_run(of, "bge-m3", None)[0], trainings(of)["ca-fr", "bge-m3"]
    assert of_run(of, "bge-m3", "none") == (base, base)
    assert of_run(of, "bge-m3", "whole") == (tuned, tuned)
    assert not [stage for stage in of.stages if stage.kind == "interpolate"]


def test_each_seed_has_its_models() -> None:
    of = plan(*USES, "fine-tuning.seeds=[1,2]", "retrieval.systems=['bge-m3']")
    mixed = [stage for stage in of.stages if stage.kind == "interpolate"]
    seeds = [stage.inputs["tuned"].work.tuning.seed for stage in mixed]  # type: ignore[attr-defined]
    assert seeds == [1, 2]
    assert sum(isinstance(s.work, Retrieve) and s.work.trained_on == "asked" for s in of.runs) == 4


def test_uses_of_a_training_change_no_key() -> None:
    assert {stage.key for stage in plan().stages if stage.kind != "compare"} <= {s.key for s in plan(*USES).stages}


def test_published_models_are_used_so_too(tmp_path: Path) -> None:
    published = (*PUBLISHED[:2], "published.ca-fr={bge-m3='package:models/bge-m3'}", "fine-tuning.systems=['bge-m3']")
    of = plan(*published, "retrieval.systems=['bge-m3']", USES[2])
    assert of_run(of, "bge-m3", "half")[0].kind == "interpolate"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("{model='ca-f'}", "no training is called 'ca-f'.*Did you mean 'ca-fr'"),
        ("{model='x'}", "'x' trains nothing itself"),
        ("{model='ca-fr',pair='ca-fr'}", "leave out `pair`"),
        ("{model='ca-fr',seeds=[1]}", "leave out `seeds`"),
        ("{model='ca-fr',queries=9}", "leave out `queries`"),
        ("{pair='ca-fr',share=0.5}", "leave out `share`"),
        ("{share=0.5}", "name the `pair` to train on"),
        ("{model='ca-fr',share=1.5}", "less than or equal to 1"),
        ("{model='ca-fr',encodes='query'}", "should be 'both', 'queries' or 'passages'"),
        ("{model='ca-fr',encodes='queries'}", "'mt5' does not encode queries and passages apart.*'colbert-xm'"),
        ("{model='ca-fr',shar=0.5}", "Unknown key 'shar'.*Did you mean 'share'"),
        ("{model='ca-fr',bge-m3={epochs=2.0}}", "with `model` nothing is trained.*training.ca-fr.bge-m3"),
        ("{model='other',systems=['colbert-xm']}", "'other' does not train 'colbert-xm'"),
        ("{model='moved',encodes='passages'}", "passages stay as they were in a training by 'optical'"),
    ],
)
def test_uses_that_cannot_be_are_refused(change: str, words: str) -> None:
    others = (
        "training.other={pair='oc-fr',systems=['bge-m3']}",
        "training.moved={pair='ca-fr',systems=['colbert-xm'],objective='optical'}",
    )
    with pytest.raises(LswError) as refused:
        plan(*others, f"training.x={change}", "fine-tuning.controls=[]")
    assert re.search(words, str(refused.value), re.DOTALL), refused.value
