"""Bitexts and lexicons as stages: what they read, what they refuse, what their keys are made of."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from store import LswError
from tests.conftest import cut
from tests.workbench.training.test_triples import job
from workbench.collections.budgets import part
from workbench.graph import Job, Stage
from workbench.lexicons import named
from workbench.plans import needs
from workbench.plans.planner import Planner
from workbench.recipe.load import load
from workbench.stages.bitext import BITEXT, Bitext
from workbench.stages.lexicon import MakeLexicon
from workbench.training.needs import BitextOf, LexiconOf, Need
from workbench.varieties import Pair


def asked(code: str, split: str, texts: dict[str, str]) -> dict[str, pa.Table]:
    n = len(texts)
    columns = {"variety": [code] * n, "qid": list(texts), "query": list(texts.values()), "split": [split] * n}
    return {"query": pa.table(columns)}


def read(path: Path, **inputs: dict[str, pa.Table]) -> tuple[Bitext, Job]:
    work = Bitext(source_variety="ca", target_variety="fr", contents={"source": {"sha256": "0"}}, at=(str(path),))
    return work, job(path.parent / "job", **inputs)


def test_training_queries_are_paired_and_no_others(tmp_path: Path) -> None:
    work = Bitext(source_variety="ca", target_variety="fr")
    ca, fr = asked("ca", "train", {"1": "aigua", "2": "pa"}), asked("fr", "train", {"2": "pain", "3": "sel"})
    at = job(tmp_path, source=ca, target=fr)
    assert work.run(at) == {"pairs": 1, "left_out": 2}
    with pytest.raises(LswError, match="Queries of test were given to train on"):
        work.run(job(tmp_path / "again", source=asked("ca", "test", {"1": "aigua"}), target=fr))


def test_a_text_that_is_tested_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.tsv"
    path.write_text("Bon dia\tBonjour\nD'on ve l'aigua\td'où vient l'eau\n", "utf-8")
    work, at = read(path, **{"tested.fr.test": asked("fr", "test", {"7": "D’où vient l’EAU ?"})})
    with pytest.raises(LswError, match="test query '7'") as fault:
        work.run(at)
    assert fault.value.detail.endswith("t.tsv, line 2")
    work, at = read(path, **{"tested.ca.dev": asked("ca", "dev", {"9": "d'on ve la sal"})})
    assert work.run(at) == {"pairs": 2, "uneven": 0, "tested_queries": 1}


def made(lexicon: Any, texts: list[tuple[str, str]], folder: Path) -> tuple[dict[str, Any], Job]:
    rows = [list(column) for column in zip(*((str(i), a, b) for i, (a, b) in enumerate(texts)), strict=True)]
    at = job(folder, bitext={"bitext": pa.table(rows, schema=BITEXT)})
    return MakeLexicon(lexicon=named(lexicon), source_variety="fr", target_variety="ca").run(at), at


def test_a_lexicon_leaves_its_entries_with_sizes_and_coverage(tmp_path: Path) -> None:
    texts = [("la maison", "la casa"), ("la mer", "la mar"), ("une maison", "una casa"), ("une mer", "una mar")]
    summary, at = made({"lexicon": "bitext", "iterations": 40}, texts, tmp_path)
    assert summary | {"entries": 4, "sources": 4, "targets": 4, "coverage": 1.0, "texts": 4} == summary
    at = Job(at.key, {"lexicon": at.out}, at.out, at.work, at.progress, at.note)
    table = at.read("lexicon", "lexicon")
    assert dict(zip(table["source"].to_pylist(), table["target"].to_pylist(), strict=True)) == {
        "la": "la", "maison": "casa", "mer": "mar", "une": "una",
    }  # fmt: skip
    assert table.schema.metadata == {b"source": b"fr", b"target": b"ca"}


def test_a_lexicon_of_a_budget_is_learnt_from_so_many_texts(tmp_path: Path) -> None:
    """The very texts that other methods have of the same budget and seed."""
    texts = [(f"mot{i}", f"paraula{i}") for i in range(12)]
    summary, at = made({"lexicon": "bitext", "pairs": 5, "seed": 7}, texts, tmp_path / "few")
    assert summary | {"entries": 5, "pairs": 5, "words": 10, "texts": 5} == summary
    at = Job(at.key, {"lexicon": at.out}, at.out, at.work, at.progress, at.note)
    bitext = pa.table([list(map(str, range(12))), *map(list, zip(*texts, strict=True))], schema=BITEXT)
    assert set(at.read("lexicon", "lexicon")["source"].to_pylist()) == set(
        part(bitext, 5, None, 0.0, 7)[0]["source"].to_pylist()
    )
    summary, _ = made({"lexicon": "bitext", "words": 9, "noise": 0.5}, texts, tmp_path / "noisy")
    assert summary | {"entries": 4, "pairs": 4, "words": 8, "noisy": 2} == summary
    with pytest.raises(LswError, match="There are 12 parallel texts, and 13 are asked for"):
        made({"lexicon": "bitext", "pairs": 13}, texts, tmp_path / "many")


def test_an_empty_lexicon_is_refused(tmp_path: Path) -> None:
    texts = [(f"a{i} b{i} c{i} d{i} e{i}", f"v{i} w{i} x{i} y{i} z{i}") for i in range(4)]
    with pytest.raises(LswError, match="The lexicon of fr words in ca is empty"):
        made("bitext", texts, tmp_path)


@pytest.fixture
def plan(tmp_path: Path, small_recipe: Path, small_scale: Path) -> Planner:
    cut(tmp_path / "wider", ("fr", "it"), ("ca", "fr", "it"), 24)
    scale = tmp_path / "wider.toml"
    scale.write_text(small_scale.read_text("utf-8").replace('"small"', '"wider"'), "utf-8")
    return Planner(load(small_recipe, scale), tmp_path)


def planned(plan: Planner, need: Need) -> Stage:
    return needs.stage(plan, need, Pair("fr", "fr"))


def test_a_bitext_is_held_against_the_queries_that_are_tested(plan: Planner, tmp_path: Path) -> None:
    path = tmp_path / "t.tsv"
    path.write_text("Bon dia\tBonjour\n", "utf-8")
    stage = planned(plan, BitextOf("ca", "oc", str(path)))
    assert set(stage.inputs) == {"tested.ca.test", "tested.ca.dev"}  # there are no Occitan queries here
    moved = tmp_path / "moved.tsv"
    moved.write_text(path.read_text("utf-8"), "utf-8")
    assert planned(plan, BitextOf("ca", "oc", str(moved))).key == stage.key
    assert stage.parameters["contents"]["source"]["origin"] == "t.tsv"
    assert planned(plan, BitextOf("ca", "oc", f"{path}#2,1")).key != stage.key
    moved.write_text("Bon dia\tBonsoir\n", "utf-8")
    assert planned(plan, BitextOf("ca", "oc", str(moved))).key != stage.key
    with pytest.raises(LswError, match="There is no file"):
        planned(plan, BitextOf("ca", "oc", str(tmp_path / "none.tsv")))


def test_the_stage_of_a_lexicon_reads_what_it_is_made_of(plan: Planner, tmp_path: Path) -> None:
    words = tmp_path / "words.tsv"
    words.write_text("aigua\teau\n", "utf-8")
    of_queries = planned(plan, LexiconOf("fr", "ca", named("bitext")))
    assert {s.parameters["split"] for s in of_queries.inputs["bitext"].inputs.values()} == {"train"}
    of_passages = planned(plan, LexiconOf("fr", "it", named("documents")))
    assert {role: s.kind for role, s in of_passages.inputs.items()} == {
        "source": "passages", "target": "passages", "qrels": "qrels",
    }  # fmt: skip
    assert of_passages.inputs["qrels"].parameters["split"] == "train"
    of_file = planned(plan, LexiconOf("fr", "ca", named({"lexicon": "file", "files": {"ca-fr": str(words)}})))
    assert not of_file.inputs and of_file.parameters["contents"]["words turned"]["origin"] == "words.tsv"
    turned = named({"lexicon": "bitext", "bitext": {"ca-fr": str(words)}})
    assert planned(plan, LexiconOf("fr", "ca", turned)).inputs["bitext"].parameters["columns"] == [1, 0]
    assert planned(plan, LexiconOf("ca", "fr", turned)).inputs["bitext"].parameters["columns"] == [0, 1]
