"""Stages that index and search."""

from workbench.graph import Stage
from workbench.plans import sources
from workbench.plans.planner import Planner
from workbench.stages.finetune import Finetune
from workbench.stages.index import Index
from workbench.stages.interpolate import Interpolate
from workbench.stages.search import Search
from workbench.systems.base import Retriever, System


def base_model(plan: Planner, system: str) -> dict[str, Stage]:
    """The base model of a system by the role `model`, if it has weights."""
    return {"model": sources.base_model(plan, system)} if plan.recipe.system(system).checkpoint else {}


def index(
    plan: Planner, system: str, model: dict[str, Stage], code: str, split: str = "test", windows: Stage | None = None,
    reader: System | None = None,
) -> Stage:  # fmt: skip
    """The index of a variety's passages for a system.

    Args:
        plan: what it is part of.
        system: its name in the recipe.
        model: its stage by the role `model`, if it has weights.
        code: the variety.
        split: whose collection.
        windows: that are indexed instead of pages (`plans.windows`).
        reader: the system, if it reads another part of a text than it is trained on.
    """
    ranker = reader or plan.recipe.system(system)
    assert isinstance(ranker, Retriever)
    ranker.suits(code)
    by = model["model"].work if "model" in model else None
    tuned = " (fine-tuned)" if isinstance(by, Finetune) else " (interpolated)" if isinstance(by, Interpolate) else ""
    work = Index(
        ranker=ranker, computing=ranker.heeded(plan.recipe.computing), document_variety=code, script=plan.script(code)
    )
    inputs = {"passages": windows or sources.passages(plan, code, split), **model}
    return plan.graph.add(work, f"index {code} {'windows' if windows else 'passages'} for {system}{tuned}", inputs)


def searched(plan: Planner, system: str, query: str, document: str, depth: int, asked: Stage) -> Stage:
    """What the base of a system finds for training queries; no run of its own."""
    ranker = plan.recipe.system(system)
    model = base_model(plan, system)
    work = Search(
        ranker=ranker,
        computing=ranker.heeded(plan.recipe.computing),
        query_variety=query,
        document_variety=document,
        depth=depth,
        script=plan.script(query, document),
    )
    inputs = {"index": index(plan, system, model, document, "train"), "queries": asked, **model}
    return plan.graph.add(work, f"search {document} training passages with {system}", inputs)
