"""Stages that rank and measure: the runs of a recipe."""

from typing import Any

from workbench.comparison.contrasts import RunName
from workbench.graph import Stage
from workbench.pipeline import Fused, Name, Pipeline, Then, pipeline, shaped
from workbench.plans import indexing, rewriting, sources, training, translation, windows
from workbench.plans.planner import Planner
from workbench.recipe.schema import Recipe
from workbench.stages._ranking import Runs
from workbench.stages._windows import WINDOWS
from workbench.stages.fuse import PARTS, Fuse
from workbench.stages.measure import Measure
from workbench.stages.rerank import Rerank
from workbench.stages.retrieve import Retrieve


def trained(recipe: Recipe, of: Pipeline, training: str | None) -> list[str]:
    """The systems by whose training a pipeline becomes a trained one, as far as a training of the recipe has them."""
    return [name for name in shaped(of) if training and name in recipe.trained(training)]


def seeds(recipe: Recipe, systems: list[str], training: str) -> list[int] | list[None]:
    """The seeds of a pipeline in a training; of systems that are trained with different ones there is none to tell."""
    first, *others = (recipe.seeds(training, system) for system in systems)
    return first if all(other == first for other in others) else [None]


def run(plan: Planner, name: RunName, seed: int | None = None) -> Stage:
    """The run of one pipeline (`workbench.pipeline`).

    Args:
        plan: what it is part of.
        name: whose run.
        seed: of the training, of a trained one.
    """
    recipe, of = plan.recipe, pipeline(name.system)
    assert recipe.retrieval
    rewriter, rest = rewriting.parted(recipe, of)
    own = trained(recipe, of, name.trained_on)
    several = bool(own) and len(seeds(recipe, own, str(name.trained_on))) > 1
    on = f" ({name.trained_on}{f', seed {seed}' if several else ''})" if name.trained_on else ""
    label = f"rank {name.query_variety} over {name.document_variety} with {name.system}{on}"
    varieties = name.query_variety, name.document_variety
    asked = translation.asked(plan, *varieties)
    if rewriter:
        asked["queries"] = rewriting.rewritten(plan, str(rewriter), *varieties, asked["queries"])
    about: dict[str, Any] = {
        **name._asdict(),
        "seed": seed,
        "script": plan.script(*varieties),
        "depth": recipe.retrieval.depth,
    }
    if isinstance(rest, Fused):
        work = Fuse(**about, method=rest.method, weights=list(rest.weights))
        parts = [rewriting.after(rewriter, part) if rewriter else part for part in rest.parts]
        runs = {f"{PARTS}{i}": _part(plan, name, part, name.trained_on, seed) for i, part in enumerate(parts)}
        return plan.graph.add(work, label, runs | asked)
    last = str(rest.stages[-1]) if isinstance(rest, Then) else rest.system
    ranker = windows.reader(plan, last)
    about |= {"ranker": ranker, "computing": ranker.heeded(recipe.computing)}
    cut = windows.of(plan, name.document_variety)
    if isinstance(rest, Name):
        model, of_passages = _encoders(plan, last, name.trained_on, seed)
        index = indexing.index(plan, last, of_passages, name.document_variety, windows=cut, reader=ranker)
        inputs = {"index": index, **asked, **model}
        if cut:
            return windows.searched(plan, about, label, {**inputs, WINDOWS: cut})
        return plan.graph.add(Retrieve(**about), label, inputs)
    assert isinstance(of, Then)
    first_on = name.trained_on if recipe.reranking.first_stage == "fine-tuned" else None
    candidates = _part(plan, name, of.before, first_on, seed)
    model = _model(plan, last, name.trained_on, seed)
    if cut:
        return windows.reranked(plan, about, label, candidates, {**model, **asked, "passages": cut, WINDOWS: cut})
    passages = sources.passages(plan, name.document_variety)
    inputs = {"candidates": candidates, **model, "passages": passages, **asked}
    return plan.graph.add(Rerank(**about, rerank_depth=recipe.reranking.depth), label, inputs)


def _part(plan: Planner, name: RunName, of: Pipeline, trained_on: str | None, seed: int | None) -> Stage:
    """The run of a part of a pipeline; it is the run that this part is alone.

    With several seeds all parts share one; else each system has its own.
    """
    own = trained(plan.recipe, of, trained_on)
    if not own:
        return run(plan, name._replace(system=str(of), trained_on=None))
    known = seeds(plan.recipe, own, str(trained_on))
    name = name._replace(system=str(of), trained_on=trained_on)
    return run(plan, name, seed if seed in known else known[0])


def _model(plan: Planner, system: str, trained_on: str | None, seed: int | None) -> dict[str, Stage]:
    """Its stage by the role `model`, if the system has weights."""
    if trained_on:
        return {"model": training.finetuned(plan, trained_on, system, seed)}
    return indexing.base_model(plan, system)


def _encoders(
    plan: Planner, system: str, trained_on: str | None, seed: int | None
) -> tuple[dict[str, Stage], dict[str, Stage]]:
    """Of a retriever: what encodes its queries and what its passages, each by the role `model`, if it has weights."""
    if not trained_on:
        base = indexing.base_model(plan, system)
        return base, base
    asked, passages = training.encoders(plan, trained_on, system, seed)
    return {"model": asked}, {"model": passages}


def measured(plan: Planner, stage: Stage) -> Stage:
    """The measures of a run."""
    assert isinstance(stage.work, Runs)
    judgements = sources.qrels(plan, stage.work.document_variety)
    work = Measure(measures=list(plan.recipe.measures.names))
    return plan.graph.add(work, f"measure {stage.label.removeprefix('rank ')}", {"run": stage, "qrels": judgements})
