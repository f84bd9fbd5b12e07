"""Stages that rank and measure: the runs of a recipe."""

from typing import Any

from workbench.comparison.contrasts import RunName
from workbench.graph import Stage
from workbench.plans import indexing, sources, training, translation
from workbench.plans.planner import Planner
from workbench.recipe.schema import RERANK
from workbench.stages._ranking import Runs
from workbench.stages.measure import Measure
from workbench.stages.rerank import Rerank
from workbench.stages.retrieve import Retrieve


def run(plan: Planner, name: RunName, seed: int | None = None) -> Stage:
    """The run of one pipeline: a retriever, or a retriever and a reranker.

    Args:
        plan: what it is part of.
        name: whose run.
        seed: of the training, of a trained one.
    """
    recipe = plan.recipe
    assert recipe.retrieval
    first, _, second = name.system.partition(RERANK)
    ranker = recipe.system(second or first)
    about: dict[str, Any] = {
        **name._asdict(),
        "seed": seed,
        "script": plan.script(name.query_variety, name.document_variety),
        "depth": recipe.retrieval.depth,
        "ranker": ranker,
        "computing": ranker.heeded(recipe.computing),
    }
    several = bool(name.trained_on and len(recipe.seeds(name.trained_on, second or first)) > 1)
    trained = f" ({name.trained_on}{f', seed {seed}' if several else ''})" if name.trained_on else ""
    label = f"rank {name.query_variety} over {name.document_variety} with {name.system}{trained}"
    asked = translation.asked(plan, name.query_variety, name.document_variety)
    model = _model(plan, second or first, name.trained_on, seed)
    if not second:
        kept = training.of_passages(plan, name.trained_on, first) if name.trained_on else None
        index = indexing.index(plan, first, {"model": kept} if kept else model, name.document_variety)
        return plan.graph.add(Retrieve(**about), label, {"index": index, **asked, **model})
    trained_first = name.trained_on if recipe.reranking.first_stage == "fine-tuned" else None
    # With several seeds a pipeline's stages share one; else each has its own, and the first is the run it is alone.
    first_seed = None
    if trained_first and first in recipe.trained(trained_first):
        own = recipe.seeds(trained_first, first)
        first_seed = seed if seed in own else own[0]
    candidates = run(plan, name._replace(system=first, trained_on=trained_first), first_seed)
    passages = sources.passages(plan, name.document_variety)
    inputs = {"candidates": candidates, **model, "passages": passages, **asked}
    return plan.graph.add(Rerank(**about, rerank_depth=recipe.reranking.depth), label, inputs)


def _model(plan: Planner, system: str, trained_on: str | None, seed: int | None) -> dict[str, Stage]:
    """Its stage by the role `model`, if the system has weights."""
    if trained_on:
        return {"model": training.finetuned(plan, trained_on, system, seed)}
    return indexing.base_model(plan, system)


def measured(plan: Planner, stage: Stage) -> Stage:
    """The measures of a run."""
    assert isinstance(stage.work, Runs)
    judgements = sources.qrels(plan, stage.work.document_variety)
    work = Measure(measures=list(plan.recipe.measures.names))
    return plan.graph.add(work, f"measure {stage.label.removeprefix('rank ')}", {"run": stage, "qrels": judgements})
