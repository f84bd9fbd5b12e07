"""From a recipe to a plan: all its runs, their comparison, and whose they are."""

from pathlib import Path

from workbench.comparison.contrasts import RunName
from workbench.graph import Plan, Stage
from workbench.plans import ranking, translation
from workbench.plans.planner import Planner
from workbench.plans.pretraining import pretrained
from workbench.recipe.schema import RERANK, Recipe
from workbench.significance.outcomes import Method
from workbench.stages.audit import BothRuns
from workbench.stages.compare import Compare, ComparedRun


def compile_recipe(recipe: Recipe, name: str, scale: str, base: Path, fetch: bool = True) -> Plan:
    """Turn a recipe into stages.

    Args:
        recipe: checked, its scale merged in.
        name: of the recipe, for the record.
        scale: its name, for the record.
        base: folder that relative paths of the scale start from.
        fetch: whether a model that is not on this machine may be downloaded now.

    Raises:
        LswError: a collection or checkpoint that the recipe needs is not there.
    """
    plan = Planner(recipe, base, fetch)
    runs: dict[RunName, Stage] = {}
    if recipe.pre_training:
        pretrained(plan)
    if recipe.retrieval:
        runs = {run: ranking.run(plan, run) for run in _runs(plan)}
        _comparison(plan, name, scale, runs)
        if recipe.audit:
            _audits(plan, runs)
    return Plan(
        name=name,
        scale=scale,
        title=recipe.title,
        resolved=recipe.model_dump(mode="json", by_alias=True),
        collection=plan.tested,
        stages=plan.graph.stages,
        also=(plan.trained,),
        runs=tuple(runs.values()),
        measures=tuple(recipe.measures.names),
    )


def _runs(plan: Planner) -> list[RunName]:
    """Whose runs there are to be, in the order of the closing table."""
    retrieval, tuned = plan.recipe.retrieval, plan.recipe.fine_tuning
    assert retrieval
    names = []
    for on in plan.pairs:
        asked = [code for code, side in ((on.low, "low"), (on.high, "high")) if side in retrieval.ask]
        for system in retrieval.systems:
            # What is trained in a pipeline: its last stage.
            trains = tuned and system.split(RERANK)[-1] in tuned.systems
            for trained_on in (None, tuned.pair) if tuned and trains else (None,):
                names += [RunName(system, trained_on, query, on.high) for query in asked]
    return list(dict.fromkeys(names))


def _comparison(plan: Planner, name: str, scale: str, runs: dict[RunName, Stage]) -> Stage:
    how = plan.recipe.comparison
    work = Compare(
        recipe=name,
        scale=scale,
        pairs=[str(on) for on in plan.pairs],
        runs=[ComparedRun(**run._asdict(), run_id=stage.run_id) for run, stage in runs.items()],
        measures=list(plan.recipe.measures.names),
        contrasts=list(how.contrasts),
        method=Method(**{setting: getattr(how, setting) for setting in Method.model_fields}),
    )
    measured = {f"run.{stage.run_id}": ranking.measured(plan, stage) for stage in runs.values()}
    queries = translation.wording(plan, plan.pairs[0], "test")
    return plan.graph.add(work, f"compare {len(runs)} runs", {"queries": queries, **measured})


def _audits(plan: Planner, runs: dict[RunName, Stage]) -> None:
    """An audit of each pair's translations, over the base runs of every system that was asked both wordings."""
    for on in plan.pairs:
        both = []
        for run, stage in runs.items():
            high = run._replace(query_variety=on.high)
            if run[1:] == (None, on.low, on.high) and high in runs:
                both.append((run.system, stage, runs[high]))
        translation.audited(
            plan,
            on,
            [BothRuns(system=system, low=low.run_id, high=high.run_id) for system, low, high in both],
            {stage.run_id: ranking.measured(plan, stage) for _, *sides in both for stage in sides},
        )
