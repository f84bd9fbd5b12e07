"""Two languages in one training, on an encoder of new layers: from a recipe to the record, through the real stages."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from store import LswError, Store
from tests.conftest import Lsw, cut
from tests.workbench.training.test_finetune import MODELS
from tests.workbench.training.test_triples import job
from workbench.graph import Plan, Stage
from workbench.plans.recipe import compile_recipe
from workbench.pretraining.layers import with_layers
from workbench.recipe.load import load, recipe_path, scale_path
from workbench.stages.finetune import Finetune
from workbench.stages.measure import Measure
from workbench.systems._encoding import Computing
from workbench.systems.bi_encoder import encode
from workbench.systems.bi_encoder import load as opened

RECIPE = """
title = "Two languages"

[systems.bge-m3]
layers = 0

[fine-tuning]
systems = ["bge-m3"]

[training.several]
pair = "ca-fr"
steps = [{ step = "beside", pairs = ["it-it"], total = 9, apart = 0.8 }]
bge-m3 = { epochs = 1 }

[retrieval]
pairs = ["ca-fr"]
systems = ["bge-m3"]
depth = 20

[comparison]
contrasts = ["gain"]
resamples = 1000
"""


def test_two_languages_from_a_recipe_to_the_record(small_scale: Path, lsw: Lsw, tmp_path: Path) -> None:
    cut(tmp_path / "both", ("fr", "it"), ("ca", "fr", "it"), 24)
    small_scale.write_text(small_scale.read_text("utf-8").replace('folder = "small"', 'folder = "both"'), "utf-8")
    (tmp_path / "two.toml").write_text(RECIPE, "utf-8")
    at = tmp_path / "store"
    lsw("recipe", "run", tmp_path / "two.toml", "--scale", small_scale, "--store", at)
    with Store(at).reading() as con:
        [[counts, examples]] = con.execute("SELECT counts, examples FROM finetunes").fetchall()
        [[given]] = con.execute("SELECT inputs FROM stages WHERE kind = 'finetune'").fetchall()
        measured = con.execute("SELECT DISTINCT trained_on FROM measures JOIN runs USING (run_id)").fetchall()
    counts, roles = json.loads(counts), json.loads(given)
    assert (counts["pairs"], counts["pairs_ca-fr"], counts["pairs_it-it"]) == (9, 5, 4)
    assert counts["triples"] == examples and counts["exact_duplicates"] == counts["near_duplicates"] == 0
    assert {role for role in roles if role.startswith("step.0.")} == {
        "step.0.it-it", "step.0.it-it.passages", *(f"step.0.tested.{c}.{s}" for c in ("ca", "fr", "it") for s in ("test", "dev")),
    }  # fmt: skip
    assert set(measured) == {(None,), ("several",)}


def plan(*changes: str) -> Plan:
    recipe = load(recipe_path("size_against_diversity"), scale_path("mini"), ["fine-tuning.seeds=[1]", *changes])
    return compile_recipe(recipe, "size_against_diversity", "mini", Path())


def trained(of: Plan) -> Stage:
    [stage] = [s for s in of.stages if isinstance(s.work, Finetune) and s.work.trained_on == "several"]
    return stage


def test_a_cell_trains_alike_whatever_is_tested_and_anew_where_languages_differ() -> None:
    usual, elsewhere = trained(plan()), trained(plan("retrieval.pairs=['oc-fr']"))
    assert usual.key == elsewhere.key
    other = "training.several.beside.languages=2"
    assert trained(plan(other)).key != usual.key
    larger = trained(plan("systems.encoder.layers=2"))
    assert larger.key != usual.key and larger.inputs["triples"] is not None
    assert larger.inputs["triples"].key == usual.inputs["triples"].key


def test_the_pair_of_the_training_itself_is_refused_where_it_stands() -> None:
    with pytest.raises(LswError, match="'fr-fr' is the pair of the training itself") as caught:
        plan("training.several.beside.pairs=['it-it','en-en','fr-fr']")
    assert "command line" in caught.value.detail


def test_encoders_of_new_layers_begin_alike(tmp_path: Path) -> None:
    texts = ["quan surt el tren cap a Barcelona", "où est la bibliothèque", "谁发明了柔道"]
    vectors = []
    for layers in (0, 2):
        with_layers(MODELS / "bge-m3", None, layers, 42, tmp_path / str(layers))
        model = opened(tmp_path / str(layers), Computing())
        assert len(model[0].model.encoder.layer) == model[0].model.config.num_hidden_layers == layers
        vectors.append(encode(model, texts, 32, 4_000, query=True))
    for some in vectors[1:]:
        assert np.einsum("ij,ij->i", vectors[0], some).min() > 0.95
        assert not np.array_equal(vectors[0], some)


def test_queries_of_which_none_is_judged_are_refused(tmp_path: Path) -> None:
    run = {
        "run": pa.table({"run_id": ["r"]}),
        "ranking": pa.table({"run_id": ["r"], "qid": ["1"], "docno": ["d"], "rank": pa.array([0], pa.int32()), "score": [1.0]}),
        "scored_query": pa.table({"qid": ["1"]}),
    }  # fmt: skip
    qrels = {"qrel": pa.table({"qid": ["2", "3"], "docno": ["d", "d"], "label": pa.array([1, 1], pa.int32())})}
    with pytest.raises(LswError, match="None of the 1 queries asked is judged") as caught:
        Measure(measures=["RR@10"]).run(job(tmp_path, run=run, qrels=qrels))
    assert caught.value.detail == "2 other queries are."
