"""A model that is trained, mixed and looked at: the whole way, over a few topics."""

import json
from pathlib import Path
from typing import Any

import pytest

from store import LswError, Store
from store.query import rows
from tests.conftest import cut
from workbench.cli.inspect import inspect
from workbench.engine.dry_run import foresee
from workbench.engine.execute import execute
from workbench.graph import Plan
from workbench.plans.recipe import compile_recipe
from workbench.recipe.load import load

SCALE = """
[collection]
name = "small"
folder = "small"

[collections.other]
name = "other"
folder = "other"

[systems.bge-m3]
architecture = "bi-encoder"
checkpoint = "package:models/bge-m3"
query_length = 32
document_length = 64

[systems.mt5]
architecture = "mt5"
checkpoint = "package:models/mt5"
query_length = 32
document_length = 64

[fine-tuning.bge-m3]
epochs = 2
learning_rate = 1e-4
batch_size = 4
"""
RECIPE = """
title = "A small one"

[fine-tuning]
pair = "ca-fr"
systems = ["bge-m3"]
controls = []

[training.half]
model = "ca-fr"
share = 0.5

[training.asked]
model = "ca-fr"
encodes = "queries"

[training.read]
model = "ca-fr"
encodes = "passages"

[retrieval]
pairs = ["ca-fr"]
ask = ["low"]
systems = ["bge-m3"]
depth = 20

[comparison]
resamples = 1000
"""


class Silent:
    """An observer that keeps what it is told."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def begin(self, *_: Any) -> None: ...
    def progress(self, *_: Any) -> None: ...
    def end(self, *_: Any) -> None: ...
    def note(self, text: str) -> None:
        self.notes.append(text)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, Plan, Path]:
    """A recipe that has run: a training, and three uses of its model."""
    folder = tmp_path_factory.mktemp("inspect")
    cut(folder / "small", ("fr", "en"), ("ca", "fr", "en"), 24)
    cut(folder / "other", ("fr",), ("ca",), 6)
    (folder / "own.toml").write_text(SCALE, "utf-8")
    (folder / "small.toml").write_text(RECIPE, "utf-8")
    plan = compile_recipe(load(folder / "small.toml", folder / "own.toml"), "small", "own", folder)
    store = Store(folder / "store")
    execute(plan, store, Silent())
    return store, plan, folder / "own.toml"


def model(plan: Plan, kind: str) -> str:
    [key] = [stage.key for stage in plan.stages if stage.kind == kind]
    return key


@pytest.mark.slow
def test_uses_of_a_model_are_runs_and_contrasts_of_their_own(run: tuple[Store, Plan, Path]) -> None:
    store, plan, _ = run
    with store.reading() as con:
        tops = rows(con, "SELECT trained_on, list(docno ORDER BY qid) AS best, list(score ORDER BY qid) AS scores"
                    " FROM rankings JOIN runs USING (run_id) WHERE rank = 0 GROUP BY ALL")  # fmt: skip
        gains = rows(con, "SELECT trained_on FROM comparisons WHERE contrast = 'gain' AND measure = 'RR@10'")
    scores = {row["trained_on"]: tuple(row["scores"]) for row in tops}
    assert len(set(scores.values())) == 5 == len(scores)  # no two of base, ca-fr, half, asked and read rank alike
    assert {row["trained_on"] for row in gains} == {"ca-fr", "half", "asked", "read"}
    assert all(fate.outcome == "cached" for fate in foresee(plan, store))


@pytest.mark.slow
def test_two_models_stand_beside_each_other(run: tuple[Store, Plan, Path], capfd: pytest.CaptureFixture[str]) -> None:
    store, plan, scale = run
    tuned, half = model(plan, "finetune"), model(plan, "interpolate")
    inspect("bge-m3", tuned[:9], scale=str(scale), store=store.folder, as_json=True)
    found = json.loads(capfd.readouterr().out)
    assert found["summary"]["queries_varieties"] == 3 and found["summary"]["passages_varieties"] == 2
    by = {(r["aspect"], r["texts"], r["layer"], r["module"], r["variety"], r["model_b"]): r for r in found["rows"]}
    assert {r["model_a"] for r in found["rows"]} == {"bge-m3", tuned[:12]}
    assert {a for a, *_ in by} == {
        "weight-change", "weight-cosine", "cka", "alignment", "translation", "translation-back", "probe",
    }  # fmt: skip
    change = by["weight-change", None, 1, "attention", None, tuned[:12]]
    assert 0 < change["value"] < 1
    layer = by["alignment", "queries", 1, None, "ca", tuned[:12]]
    assert layer["against"] == "fr" and layer["ci_low"] < layer["value"] < layer["ci_high"]
    inspect("bge-m3", half, scale=str(scale), store=store.folder, texts="queries", form="csv")
    lines = capfd.readouterr().out.splitlines()
    [own] = [line.split(",") for line in lines if "weight-change" in line and "attention" in line]
    columns = lines[0].split(",")
    assert float(own[columns.index("value")]) == pytest.approx(change["value"] / 2, rel=1e-3)  # half of the way
    with store.reading() as con:
        kept = rows(con, "SELECT DISTINCT collection, model_b FROM inspections WHERE model_b IS NOT NULL ORDER BY ALL")
    assert [row["model_b"] for row in kept] == sorted([tuned[:12], half[:12]])
    assert {row["collection"] for row in kept} == {"small"}


@pytest.mark.slow
def test_runs_name_what_encodes_their_queries(run: tuple[Store, Plan, Path], capfd: pytest.CaptureFixture[str]) -> None:
    """A run whose queries the base encodes is the base; and on the screen stands what the figures are."""
    store, plan, scale = run
    ids = {stage.work.trained_on: stage.run_id for stage in plan.runs}  # type: ignore[attr-defined]
    inspect(ids["read"], ids["asked"], scale=str(scale), store=store.folder, texts="queries", varieties="ca,fr")
    told = capfd.readouterr()
    assert f"A is bge-m3, B is {model(plan, 'finetune')[:12]}." in told.err
    assert "a guess\nis right in 0.500 of queries" in told.err
    assert "|B - A| / |A|" in told.out and "Queries: " in told.out and "in each of 2 varieties" in told.out
    with pytest.raises(LswError, match="are the same model"):
        inspect(ids["read"], "bge-m3", scale=str(scale), store=store.folder)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("second", "options", "words"),
    [
        ("bge-m4", {}, "no model 'bge-m4'.*Did you mean 'bge-m3'"),
        ("mt5", {}, "'mt5' is a mt5 system.*Name a bi-encoder"),
        ("", {}, "begins several keys"),
        ("TUNED", {"collection": "othr"}, "no collection 'othr'.*Did you mean 'other'"),
        ("TUNED", {"collection": "other"}, "'other' has no parallel queries or passages in two varieties"),
        ("TUNED", {"varieties": "ca,gd"}, "no parallel queries or passages in gd"),
        ("TUNED", {"varieties": "ca,xx"}, "Unknown variety 'xx'"),
        ("TUNED", {"texts": "query"}, "Unknown kind of texts 'query'.*queries"),
        ("TUNED", {"form": "latex"}, "Unknown format"),
    ],
)
def test_what_cannot_be_inspected_is_refused(
    second: str, options: dict[str, str], words: str, run: tuple[Store, Plan, Path]
) -> None:
    import re

    store, plan, scale = run
    name = second.replace("TUNED", model(plan, "finetune"))
    with pytest.raises(LswError) as refused:
        inspect("bge-m3", name, scale=str(scale), store=store.folder, **options)  # type: ignore[arg-type]
    assert re.search(words, str(refused.value), re.DOTALL), refused.value


@pytest.mark.slow
def test_a_model_whose_files_are_gone_is_not_used(run: tuple[Store, Plan, Path], tmp_path: Path) -> None:
    import shutil

    store, plan, scale = run
    copy = Store(Path(shutil.copytree(store.folder, tmp_path / "store")))
    key = model(plan, "finetune")
    shutil.rmtree(copy.artifacts.path(key))
    with pytest.raises(LswError, match=f"files of the model {key[:12]} are not whole"):
        inspect("bge-m3", key, scale=str(scale), store=copy.folder)
