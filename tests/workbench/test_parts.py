"""What holds for every part, whoever adds it: keys are JSON, costs are there or said to be unknown."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic_core import PydanticUndefined

from store import LswError, Store
from store.ingest import BY_COLLECTION
from store.query import rows
from store.schema import VIEWS
from workbench.costs import stand_in, timing
from workbench.costs.estimator import Estimator
from workbench.engine.dry_run import foresee
from workbench.engine.forecast import forecast
from workbench.graph import GROUPS, Kind
from workbench.plans.recipe import compile_recipe
from workbench.recipe.load import FOLDER, load, names, read_toml, recipe_path, scale_path, scales
from workbench.significance.corrections import CORRECTIONS
from workbench.significance.paired_tests import TESTS
from workbench.significance.paired_tests.base import Paired
from workbench.stages import KINDS
from workbench.systems import SYSTEMS
from workbench.systems.base import Reranker, Retriever, Rewriter
from workbench.training.objectives import OBJECTIVES
from workbench.translation import TRANSLATORS


@pytest.mark.parametrize("name", KINDS.names())
def test_a_kind_of_stage_says_what_it_leaves(name: str) -> None:
    kind = KINDS.part(name)
    assert kind.version >= 1
    assert kind.group in GROUPS
    assert not set(kind.tables) & set(kind.files)
    assert all(field.annotation is not None for field in kind.model_fields.values())
    assert kind.cost is not Kind.cost and kind.run is not Kind.run


@pytest.mark.parametrize("name", SYSTEMS.names())
def test_a_system_has_a_key_without_places(name: str) -> None:
    part = SYSTEMS.part(name)
    settings: dict[str, Any] = {"architecture": name}
    required = {key for key, field in part.model_fields.items() if field.default is PydanticUndefined} - {
        "architecture"
    }
    settings |= {key: "folder/of/weights" if key == "checkpoint" else 64 for key in required}
    system = part.model_validate(settings)
    assert json.loads(json.dumps(system.key())) == system.key()
    assert "folder/of/weights" not in json.dumps(system.key())
    assert system.key()["architecture"] == name
    assert issubclass(part, {"reranks": Reranker, "rewrites": Rewriter, "retrieves": Retriever}[part.role])
    if part.objective:
        assert name in OBJECTIVES.part(part.objective).architectures
    with pytest.raises(ValueError, match="Extra inputs"):
        part.model_validate({**settings, "no_such_setting": 1})


@pytest.mark.parametrize("name", TRANSLATORS.names())
def test_a_translator_knows_how_long_it_takes_or_that_nobody_does(name: str, tmp_path: Path) -> None:
    (tmp_path / "t.tsv").write_text("q\ttext\n", "utf-8")
    settings = {"file": {"file": str(tmp_path / "t.tsv")}, "seq2seq": {"checkpoint": "c"}}.get(name, {})
    translator = TRANSLATORS.part(name).model_validate({"translator": name, **settings})
    seconds = translator.seconds(100)
    assert seconds is None or seconds >= 0
    assert json.loads(json.dumps(translator.key()))["translator"] == name
    assert translator.makes != (name in ("collection", "file"))


@pytest.mark.parametrize("name", CORRECTIONS.names())
def test_a_correction_makes_nothing_surer(name: str) -> None:
    p = np.array([0.001, 0.04, 0.03, 0.9])
    adjusted = CORRECTIONS.part(name)().adjusted(p)
    assert (adjusted >= p).all() and (adjusted <= 1).all()
    assert (adjusted == p).all() != CORRECTIONS.part(name).corrects


@pytest.mark.parametrize("name", TESTS.names())
def test_a_test_gives_a_p_value_for_each_comparison_and_never_0(name: str) -> None:
    rng = np.random.default_rng(1)
    sums = rng.normal(size=(30, 2)) + np.array([0.0, 50.0])
    weights, families = np.array([[1.0], [-1.0]]), np.zeros(1, np.int64)
    p, _ = TESTS.part(name)().p_values(Paired(sums, np.ones(30), weights, families, 1_000, 1))
    assert p.shape == (1,)
    assert 0 < p[0] < 0.01


def test_stages_leave_what_their_kind_declares(finished: Store) -> None:
    with finished.reading() as con:
        known = {row["table_name"] for row in rows(con, "SELECT table_name FROM duckdb_tables()")}
        recorded = {row["key"]: row for row in rows(con, "SELECT key, kind, tables FROM stages WHERE status = 'done'")}
    seen = set()
    for key, row in recorded.items():
        kind = KINDS.part(row["kind"])
        left = {file.stem for file in (finished.artifacts.path(key) / "rows").glob("*.parquet")}
        assert left <= set(kind.tables) | set(kind.files), row["kind"]
        assert set(row["tables"]) == left & set(kind.tables)
        assert set(kind.tables) <= known
        seen.add(row["kind"])
    assert {"passages", "queries", "qrels", "index", "retrieve", "rerank", "finetune", "mined", "compare"} <= seen
    assert set(BY_COLLECTION) <= known
    with finished.reading() as con:
        assert {
            row["view_name"] for row in rows(con, "SELECT view_name FROM duckdb_views() WHERE NOT internal")
        } == set(VIEWS)


ALL_SCALES = ("zero_shot_yue_zh", "code_switching", "budget_mlqa")
"""Between mini and paper scale these have every kind of stage; that all recipes compile there is tested elsewhere."""


OTHERS = ("cross_family", "cross_family_neuclir", "genre", "optical", "size_against_diversity", "transfer_ca_fr")
"""At paper scale these have what no other has."""
ALIKE = ("pair_af_nl", "transfer_af_nl", "zero_shot_ms_id", "zero_shot_oc_fr")
"""As others, of another pair."""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "scale"),
    [
        (name, scale)
        for name in names() for scale in scales()
        if name in ALL_SCALES or (name not in ALIKE and scale == "mini") or (name in OTHERS and scale == "paper")
    ],
)  # fmt: skip
def test_every_shipped_recipe_has_a_forecast(
    name: str, scale: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each stage has a cost, or says why not. How fast a model is, is tested elsewhere: here none is timed."""
    monkeypatch.setattr(timing, "until", lambda seconds, act: 1e-6)
    monkeypatch.setattr(timing, "training", lambda *_: 0.1)
    monkeypatch.setattr(timing, "updating", lambda: 1e-9)
    monkeypatch.setattr(Estimator, "_by_stand_in", lambda self, checkpoint, time: 1e-6)
    monkeypatch.setattr(SYSTEMS.part("bm25"), "seconds_to_index", lambda self, texts, variety: 1e-7)
    monkeypatch.setattr(Estimator, "_rate", lambda self, system, what, time: 1e-6)
    path, behind = recipe_path(name), scale_path(scale)
    plan = compile_recipe(load(path, behind), name, scale, behind.parent, fetch=False)
    told: list[str] = []
    prices = {k: float(v) for k, v in read_toml(FOLDER / "prices.toml").items()}
    estimates = forecast(foresee(plan, Store(tmp_path / "none")), Estimator(behind.parent, prices, told.append))
    assert len(plan.stages) > 20
    assert {stage.label for stage in plan.stages} <= {estimate.stage for estimate in estimates}
    for estimate in estimates:
        assert estimate.cost.seconds > 0 or estimate.cost.unknown, estimate.stage
    if scale == "mini" and name != "mini_models":
        assert not [e.cost.unknown for e in estimates if e.cost.unknown]
    assert all(shape["bytes"] > 0 for shape in stand_in.SHAPES.values())


def test_a_part_that_nobody_can_cost_is_said_to_be_so() -> None:
    plan = compile_recipe(
        load(recipe_path("mini_models"), scale_path("mini")), "mini_models", "mini", scale_path("mini").parent, False
    )
    estimator = Estimator(scale_path("mini").parent, {}, lambda text: None)
    unknown = {}
    for stage in plan.stages:
        try:
            stage.work.cost(stage, estimator)
        except LswError as error:
            unknown[stage.kind] = error.title
    assert set(unknown) == {"vocabulary", "initialise", "crops", "finetune"}
