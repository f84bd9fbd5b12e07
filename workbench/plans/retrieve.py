"""`lsw retrieve`: one system over one folder."""

from pathlib import Path

from workbench.comparison.contrasts import RunName
from workbench.graph import Plan, Stage
from workbench.plans import ranking
from workbench.plans.alone import RETRIEVE
from workbench.plans.planner import Planner
from workbench.recipe.load import checked, read_toml, scale_path
from workbench.varieties import variety

NAME = RETRIEVE


def retrieval_plan(
    folder: Path,
    name: str,
    system: str,
    query_variety: str,
    document_variety: str,
    depth: int,
    script: str,
    scale: str,
) -> tuple[Plan, Stage]:
    """One run, measured if the folder has judgements.

    Args:
        folder: a collection.
        name: what the store is to call it.
        system: a system or pipeline of the scale.
        query_variety, document_variety: whose queries, whose passages.
        depth: results a query.
        script: one of `workbench.text.SCRIPTS`.
        scale: its name, or a file.

    Returns:
        the plan, and the stage that makes the run.

    Raises:
        LswError: an unknown name, or no such collection.
    """
    query, document = variety(query_variety).code, variety(document_variety).code
    behind = scale_path(scale)
    values = read_toml(behind)
    values.pop("fine-tuning", None)
    values |= {
        "title": f"{system}: {query} queries over {document} passages of {name}",
        "collection": {"name": name, "folder": str(folder.resolve())},
        "retrieval": {"pairs": [], "systems": [system], "depth": depth, "script": script},
    }
    recipe = checked(values, behind)
    plan = Planner(recipe, behind.parent)
    assert recipe.retrieval
    run = ranking.run(plan, RunName(recipe.retrieval.systems[0], None, query, document))
    if plan.tested.judged:
        ranking.measured(plan, run)
    resolved = recipe.model_dump(mode="json", by_alias=True)
    return Plan(NAME, scale, recipe.title, resolved, plan.tested, plan.graph.stages, runs=(run,)), run
