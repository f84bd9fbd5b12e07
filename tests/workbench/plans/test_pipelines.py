"""Pipelines in a plan: what is fused are runs of their own, and what is trained in them."""

from pathlib import Path
from typing import Any

import pytest

from store import LswError
from tests.conftest import Lsw
from workbench.graph import Plan, Stage
from workbench.plans.recipe import compile_recipe
from workbench.plans.retrieve import retrieval_plan
from workbench.recipe.load import load, recipe_path, scale_path
from workbench.stages.fuse import Fuse

FUSED = "rrf(bm25, bge-m3, bge-m3 >> mt5)"


def plan(*changes: str) -> Plan:
    scale = scale_path("mini")
    return compile_recipe(load(recipe_path("pair_ca_fr"), scale, list(changes)), "r", "mini", scale.parent)


def runs(of: Plan) -> dict[tuple[Any, ...], Stage]:
    named: Any = [(stage.work, stage) for stage in of.runs]
    return {(work.system, work.trained_on, work.query_variety, work.seed): stage for work, stage in named}


def parts(stage: Stage) -> list[tuple[str, str | None, int | None]]:
    works: Any = [stage.inputs[f"run.{i}"].work for i in range(len(stage.inputs) - 2)]
    return [(work.system, work.trained_on, work.seed) for work in works]


def test_of_a_fusion_those_parts_are_trained_that_the_recipe_trains() -> None:
    of = plan(f'retrieval.systems=["bm25", "bge-m3", "{FUSED}"]', "fine-tuning.mt5.seed=7")
    base, trained = (next(s for name, s in runs(of).items() if name[:3] == (FUSED, on, "ca")) for on in (None, "ca-fr"))
    assert parts(base) == [("bm25", None, None), ("bge-m3", None, None), ("bge-m3 >> mt5", None, None)]
    assert parts(trained) == [("bm25", None, None), ("bge-m3", "ca-fr", 42), ("bge-m3 >> mt5", "ca-fr", 7)]
    # Its parts are the runs that they are alone.
    assert {base.inputs["run.0"].key, trained.inputs["run.1"].key} <= {stage.key for stage in of.runs}
    assert isinstance(base.work, Fuse) and base.work.weights == [1.0] * 3


def test_with_several_seeds_the_parts_share_one() -> None:
    of = runs(plan(f'retrieval.systems=["{FUSED} >> mt5", "0.5 * {FUSED} + bm25"]', "fine-tuning.seeds=[1, 2]"))
    weighted = [stage for name, stage in of.items() if name[0].startswith("0.5") and name[1:3] == ("ca-fr", "ca")]
    assert [parts(stage) for stage in weighted] == [[(FUSED, "ca-fr", s), ("bm25", None, None)] for s in (1, 2)]
    reranked: Any = [s for name, s in of.items() if name[:3] == (f"{FUSED} >> mt5", "ca-fr", "ca")]
    assert [(s.work.seed, s.inputs["candidates"].work.trained_on) for s in reranked] == [(1, None), (2, None)]


def test_a_first_stage_that_is_not_trained_stays_as_it_is() -> None:
    of = runs(plan('retrieval.systems=["bm25 >> mt5"]', "reranking.first_stage=fine-tuned"))
    work: Any = of["bm25 >> mt5", "ca-fr", "ca", 42].inputs["candidates"].work
    assert (work.system, work.trained_on, work.seed) == ("bm25", None, None)


def test_spaces_change_no_key() -> None:
    one, other = (
        plan(f'retrieval.systems=["{text}"]') for text in ("rrf(bm25,bge-m3)>>mt5", " rrf( bm25, bge-m3 ) >> mt5")
    )
    assert [stage.key for stage in one.stages] == [stage.key for stage in other.stages]


def test_passages_that_a_system_cannot_index_are_refused_before_anything_is_done(small: Path) -> None:
    about = ("small", "bm25-analyzer", "ca", "ca", 10, "as written", "mini")
    with pytest.raises(LswError, match=r"no analyzer for Catalan \(ca\)"):
        retrieval_plan(small, *about)


def test_a_fused_run_is_recorded_like_any_other(lsw: Lsw, small: Path, tmp_path: Path) -> None:
    at = ("--query-variety", "ca", "--document-variety", "fr", "--store", tmp_path / "s")
    text = "rrf(bm25-4grams,0.5*bm25 + 2*bm25-analyzer)"
    run_id = lsw("retrieve", small, "--system", text, *at).stdout.split()[-1]
    name = "rrf(bm25-4grams, 0.5 * bm25 + 2 * bm25-analyzer)"
    told = lsw("sql", f"SELECT system, n_queries > 0 FROM runs WHERE run_id = '{run_id}'", "--format", "csv",
               "--store", tmp_path / "s").stdout.splitlines()  # fmt: skip
    assert told[1] == f'"{name}",True'
    # Each part is in the store, with its rows.
    rows = lsw("sql", "SELECT system, count(*) > 0 FROM runs JOIN rankings USING (run_id) GROUP BY ALL ORDER BY ALL",
               "--format", "csv", "--store", tmp_path / "s").stdout.splitlines()  # fmt: skip
    assert [row.rpartition(",")[0].strip('"') for row in rows[1:]] == [
        "0.5 * bm25 + 2 * bm25-analyzer", "bm25", "bm25-4grams", "bm25-analyzer", name,
    ]  # fmt: skip
    lsw("plan", recipe_path("pair_ca_fr"), f'retrieval.systems=["{text}"]', "fine-tuning.systems=[]",
        "--store", tmp_path / "s")  # fmt: skip
