"""What a training reads besides triples, or instead of them; whose vectors its passages have."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from store import LswError, Store
from store.query import rows
from tests.conftest import Lsw
from tests.tui.driving import drive, text, until
from tui.pages.provenance import Provenance
from workbench.graph import Plan, Stage
from workbench.plans.recipe import compile_recipe
from workbench.recipe.load import load, recipe_path, scale_path
from workbench.stages.bitext import Bitext
from workbench.stages.finetune import Finetune
from workbench.stages.retrieve import Retrieve


def plan(*changes: str) -> Plan:
    recipe = load(recipe_path("pair_ca_fr"), scale_path("mini"), list(changes))
    return compile_recipe(recipe, "pair_ca_fr", "mini", Path())


def of_training(of: Plan, name: str) -> Stage:
    [stage] = [s for s in of.stages if isinstance(s.work, Finetune) and s.work.trained_on == name]
    return stage


def runs(of: Plan, name: str | None, system: str) -> list[Stage]:
    works = [(s, s.work) for s in of.stages if isinstance(s.work, Retrieve)]
    return [stage for stage, work in works if (work.trained_on, work.system) == (name, system)]


def test_other_pairs_bring_their_own_texts_in_the_declared_script() -> None:
    of = (
        "training.optical={pair='ca-fr',systems=['colbert-xm'],objective={objective='optical',also=['yue-zh','ca-fr']}}"
    )
    stage = of_training(plan(of, "retrieval.script=simplified"), "optical")
    other = stage.inputs["objective.bitext.yue-zh"]
    assert isinstance(other.work, Bitext) and (other.work.source_variety, other.work.target_variety) == ("yue", "zh")
    assert {role: s.work.variety for role, s in other.inputs.items()} == {"source": "yue", "target": "zh"}  # type: ignore[attr-defined]
    assert isinstance(stage.work, Finetune) and stage.work.script == "simplified"
    with pytest.raises(LswError, match="Unknown variety"):
        plan(of.replace("yue-zh", "yue-xx"))


def test_an_objective_of_parallel_texts_reads_no_triples() -> None:
    """Its key is the same however triples are made, and whatever is done to them."""
    of = "training.optical={pair='ca-fr',systems=['colbert-xm'],objective='optical'}"
    stage = of_training(plan(of), "optical")
    assert set(stage.inputs) == {"checkpoint", "passages", "dev_queries", "dev_qrels", "objective.bitext"}
    assert isinstance(stage.inputs["objective.bitext"].work, Bitext)
    other = of_training(plan(of, "negatives.depth=9", "fine-tuning.steps=[{step='sample',queries=5}]"), "optical")
    assert other.key == stage.key
    assert isinstance(other.work, Finetune) and isinstance(stage.work, Finetune)
    assert (stage.work.not_done, other.work.not_done) == ([], ["sample"])  # told when it is trained
    changed = of.replace("'optical'}", "{objective='optical',entropy=0.2}}")
    assert of_training(plan(changed), "optical").key != stage.key
    named = of.replace("objective='optical'", "colbert-xm={objective='optical'}")
    assert "objective.bitext" in of_training(plan(named), "optical").inputs


@pytest.mark.parametrize(
    ("objective", "system", "kept"),
    [
        ("'optical'", "colbert-xm", True),
        ("'mse'", "bge-m3", False),
        ("{objective='mse',passages='teacher'}", "bge-m3", True),
        ("'bitext-contrastive'", "colbert-xm", False),
        ("{objective='kl',reranker='mt5'}", "bge-m3", False),
    ],
)
def test_passages_are_encoded_by_whom_the_objective_says(objective: str, system: str, kept: bool) -> None:
    """Queries always by what was trained; an index that stays with the teacher is that of the base runs."""
    of = plan(f"training.new={{pair='ca-fr',systems=['{system}'],objective={objective}}}")
    base = {s.inputs["index"].key for s in runs(of, None, system)}
    trained = runs(of, "new", system)
    assert len(trained) == 2
    for stage in trained:
        assert stage.inputs["model"] is of_training(of, "new")
        assert (stage.inputs["index"].key in base) is kept


def test_a_reranker_is_learnt_from_by_its_settings_and_weights() -> None:
    of = "training.kl={pair='ca-fr',systems=['bge-m3'],objective={objective='kl',reranker='mt5'}}"
    stage = of_training(plan(of), "kl")
    assert {"objective.reranker", "objective.wordings", "triples"} <= set(stage.inputs)
    assert stage.parameters["teachers"]["objective.reranker"]["architecture"] == "mt5"
    assert of_training(plan(of, "systems.mt5.document_length=100"), "kl").key != stage.key
    own = of_training(plan(of.replace("'mt5'}", "'mt5',wording='own'}")), "kl")
    assert "objective.wordings" not in own.inputs


@pytest.mark.parametrize(
    ("training", "words"),
    [
        ("objective={objective='kl',reranker='colbert-xm'}", "'colbert-xm', which 'kl' is to learn from, is no rer"),
        ("objective={objective='kl',reranker='mt6'}", "Unknown system 'mt6'"),
        ("objective='mse',steps=[{step='sample',queries=5}]", "has steps, and 'mse' reads no triples"),
        ("objective='kl'", "reranker"),
        ("objective='optical'", "cannot train a bi-encoder"),
        ("objective={objective='mse',pairs=0}", "greater than 0"),
        ("objective={objective='optical',alignment='best'}", "argmax"),
    ],
)
def test_a_training_that_cannot_be_is_refused_when_it_is_read(training: str, words: str) -> None:
    with pytest.raises(LswError) as caught:
        load(
            recipe_path("pair_ca_fr"),
            scale_path("mini"),
            [f"training.new={{pair='ca-fr',systems=['bge-m3'],{training}}}"],
        )
    assert words in str(caught.value)


@pytest.mark.slow
def test_optical_from_a_recipe_to_the_screens(small: Path, lsw: Lsw, tmp_path: Path) -> None:
    """Its counts and its alignments are in the store, a command and a screen show them."""
    scale, recipe, store = tmp_path / "own.toml", tmp_path / "o.toml", tmp_path / "store"
    scale.write_text(
        '[collection]\nname = "small"\nfolder = "small"\n'
        '[systems.colbert-xm]\narchitecture = "multi-vector"\ncheckpoint = "package:models/colbert-xm"\n'
        "query_length = 32\ndocument_length = 64\n"
        "[fine-tuning.colbert-xm]\nepochs = 1\nlearning_rate = 1e-4\nbatch_size = 8\n",
        "utf-8",
    )
    recipe.write_text(
        'title = "Optical"\n[fine-tuning]\nsystems = ["colbert-xm"]\n'
        '[training.optical]\npair = "ca-fr"\nobjective = { objective = "optical", pairs = 12 }\n'
        '[training.plain]\npair = "ca-fr"\n'
        '[retrieval]\npairs = ["ca-fr"]\nsystems = ["colbert-xm"]\ndepth = 20\n[comparison]\nresamples = 1000\n',
        "utf-8",
    )
    lsw("recipe", "run", recipe, "--scale", scale, "--store", store)
    with Store(store).reading() as con:
        trained = {row["trained_on"]: row for row in rows(con, "SELECT * FROM finetunes")}
        sums = rows(con, "SELECT model_key, id, sum(weight) AS weight FROM alignments GROUP BY ALL")
    assert json.loads(trained["optical"]["counts"]) == {"pairs": 12, "words": 248, "pairs_without_token": 0}
    assert trained["optical"]["examples"] == 12
    key = trained["optical"]["model_key"]
    assert {row["model_key"] for row in sums} == {key} and len(sums) == 12
    assert [row["weight"] for row in sums] == pytest.approx([1.0] * 12, abs=1e-3)

    drawn = lsw("alignment", key[:8], "--store", store)
    [first, *_] = sorted(row["id"] for row in sums)
    assert f"{first} of {key[:12]}" in drawn.stderr
    told = json.loads(lsw("alignment", key[:8], first, "--json", "--store", store).stdout)
    lines = re.findall(r"^(\S+).* (\S+) ([01]\.\d\d)$", drawn.stdout, re.MULTILINE)
    best: dict[int, dict[str, Any]] = {}
    for row in told:
        best.setdefault(row["source_position"], row)
        if row["weight"] > best[row["source_position"]]["weight"]:
            best[row["source_position"]] = row
    expected = [(row["source_token"], row["target_token"]) for row in best.values()]
    assert [line[:2] for line in lines] == [tuple(t.replace("▁", "") or "▁" for t in pair) for pair in expected]
    assert "█" in drawn.stdout
    assert lsw("alignment", key[:8], first, "--before", "--store", store).stdout != drawn.stdout
    refused = lsw("alignment", key[:8], "nothing", "--store", store, check=2).stderr
    assert "No alignment of the text 'nothing'" in refused
    assert "No alignment of the model" in lsw(
        "alignment", trained["plain"]["model_key"], "--store", store, check=2
    ).stderr  # fmt: skip
    assert "There is no trained model 'zz'" in lsw("alignment", "zz", "--store", store, check=2).stderr

    async def steps(pilot: object, app: object) -> None:
        app.show_provenance(run["run_id"])  # type: ignore[attr-defined]
        await until(pilot, lambda: isinstance(app.screen, Provenance) and app.screen.stages)  # type: ignore[arg-type, attr-defined]
        page = app.screen  # type: ignore[attr-defined]
        at = next(i for i, row in enumerate(page.stages) if row["key"] == key)
        for _ in range(at):
            await pilot.press("j")  # type: ignore[attr-defined]
        await until(pilot, lambda: "alignment of" in text(page, "#said"))  # type: ignore[arg-type]
        seen = text(page, "#said").splitlines()[0]
        assert seen == f"alignment of {first}, 1 of 12 texts"
        await pilot.press("a")  # type: ignore[attr-defined]
        await until(pilot, lambda: "2 of 12 texts" in text(page, "#said"))  # type: ignore[arg-type]

    with Store(store).reading() as con:
        [run] = rows(con, "SELECT run_id FROM runs WHERE trained_on = 'optical' AND query_variety = 'ca'")
    drive(Store(store), steps)
