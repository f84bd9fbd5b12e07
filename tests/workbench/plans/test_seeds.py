"""Several seeds of one training: a model each, and their mean in what is compared."""

import json
from pathlib import Path

import pytest

from store import LswError
from tests.conftest import Lsw
from workbench.graph import Plan
from workbench.plans.recipe import compile_recipe
from workbench.recipe.load import load, recipe_path, scale_path
from workbench.stages.compare import Compare
from workbench.stages.finetune import Finetune


def plan(*changes: str) -> Plan:
    recipe = load(recipe_path("pair_ca_fr"), scale_path("mini"), list(changes))
    return compile_recipe(recipe, "pair_ca_fr", "mini", Path())


def comparison(of: Plan) -> Compare:
    [work] = [stage.work for stage in of.stages if isinstance(stage.work, Compare)]
    return work


def test_each_seed_is_a_model_and_runs_of_its_own() -> None:
    one, three = plan(), plan("fine-tuning.seeds=[42, 7, 8]")
    trained = [stage.work.tuning.seed for stage in three.stages if isinstance(stage.work, Finetune)]
    assert sorted(trained) == sorted([42, 7, 8] * 9)
    # What one seed made is what it makes among several.
    assert {stage.key for stage in one.runs} < {stage.key for stage in three.runs}
    tuned = [run for run in comparison(three).runs if run.trained_on]
    assert {(run.system, run.trained_on, run.query_variety, run.seed) for run in tuned} == {
        (system, training, query, seed) for training in ("ca-fr", "high-only", "mixed")
        for system in ("bge-m3", "colbert-xm", "bge-m3 >> mt5") for query in ("ca", "fr") for seed in (42, 7, 8)
    }  # fmt: skip
    assert all(run.seed is None for run in comparison(one).runs)
    assert all(run.seed is None for run in comparison(three).runs if not run.trained_on)
    assert len([stage.label for stage in three.stages if stage.label.endswith("seed 8")]) == 9


def test_the_first_stage_of_a_pipeline_is_the_run_it_is_alone() -> None:
    """Each system trains with its own seed; a pipeline's reranker does not choose that of its first stage."""
    own = (
        "fine-tuning.controls=[]",
        "fine-tuning.bge-m3.seed=1",
        "fine-tuning.mt5.seed=2",
        "reranking.first_stage=fine-tuned",
    )
    of = plan(*own)
    trained = {stage.work.system: stage.work.tuning.seed for stage in of.stages if isinstance(stage.work, Finetune)}
    assert trained == {"bge-m3": 1, "colbert-xm": 42, "mt5": 2}
    assert sum(isinstance(stage.work, Finetune) for stage in of.stages) == 3
    several = plan("fine-tuning.controls=[]", "fine-tuning.seeds=[5, 6]", "reranking.first_stage=fine-tuned")
    assert sum(isinstance(stage.work, Finetune) for stage in several.stages) == 6


def test_every_asked_query_has_its_topic_in_the_comparison() -> None:
    [stage] = [stage for stage in plan().stages if isinstance(stage.work, Compare)]
    assert {role for role in stage.inputs if role.startswith("queries.")} == {"queries.ca-fr", "queries.fr-fr"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("fine-tuning.seeds=[1, 1]", "given twice"),
        ("fine-tuning.seeds=[-1]", "fine-tuning.seeds"),
        ('comparison.primary="gains"', "comparison.primary"),
    ],
)
def test_odd_seeds_are_refused(change: str, words: str) -> None:
    with pytest.raises(LswError) as refused:
        plan(change)
    assert words in str(refused.value)
    with pytest.raises(LswError, match="published models are not"):
        plan("fine-tuning.models=published", "fine-tuning.seeds=[1]")


@pytest.mark.slow
def test_what_two_seeds_leave(lsw: Lsw, small_recipe: Path, small_scale: Path, tmp_path: Path) -> None:
    at = ("--scale", small_scale, "--store", tmp_path / "s")
    lsw("plan", small_recipe, "fine-tuning.seeds=[1, 2]", *at)
    told = json.loads(lsw("recipe", "run", small_recipe, "fine-tuning.seeds=[1, 2]", *at, "--json").stdout)
    gains = [row for row in told["comparisons"] if row["contrast"] == "gain" and row["measure"] == "RR@10"]
    assert {row["models"] for row in gains} == {2} and all(row["model_deviation"] is not None for row in gains)
    of = {(row["system"], row["trained_on"], row["query_variety"]): row for row in told["systems"]}
    system = of["bge-m3", "ca-fr", "ca"]
    values = [run["means"]["RR@10"] for run in told["runs"] if run["run_id"] in system["run_ids"]]
    assert len(values) == 2
    assert system["means"]["RR@10"] == pytest.approx(sum(values) / 2)
    assert system["deviations"]["RR@10"] == pytest.approx(abs(values[0] - values[1]) / 2**0.5)
    assert of["bge-m3", None, "ca"]["deviations"]["RR@10"] is None

    def asked(sql: str) -> list[str]:
        return lsw("sql", sql, "--format", "csv", "--store", tmp_path / "s").stdout.splitlines()[1:]

    assert asked("SELECT DISTINCT trained_on, seed FROM runs WHERE system = 'bge-m3' ORDER BY ALL") == [
        "ca-fr,1", "ca-fr,2", ",",
    ]  # fmt: skip
    assert asked("SELECT seed FROM finetunes ORDER BY 1") == ["1", "2"]
    shown = lsw("recipe", "run", small_recipe, "fine-tuning.seeds=[1, 2]", *at)
    assert "0 stages run" in shown.stderr
    assert "mean of 2 models" in " ".join(shown.stdout.split()) and "±" in shown.stdout
    assert "seed 1" in lsw("runs", "list", "--store", tmp_path / "s").stdout
