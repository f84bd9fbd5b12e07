"""From a recipe to a plan: all its runs, their comparison, and whose they are."""

from collections import Counter
from pathlib import Path

from workbench.comparison.contrasts import RunName
from workbench.graph import Plan, Stage
from workbench.pipeline import pipeline
from workbench.plans import ranking, similarity, translation
from workbench.plans.planner import Planner
from workbench.plans.pretraining import pretrained
from workbench.recipe.schema import Recipe
from workbench.recipe.trainings import CONTROL
from workbench.significance.outcomes import Method
from workbench.stages._measured import QUERIES
from workbench.stages.audit import BothRuns
from workbench.stages.compare import Compare, ComparedRun
from workbench.stages.rewrite import Rewrite
from workbench.varieties import MIXED

Trained = tuple[RunName, int | None]
"""Whose run, and the seed of its training."""


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
    runs: dict[Trained, Stage] = {}
    if recipe.pre_training:
        pretrained(plan)
    if recipe.retrieval:
        runs = {asked: ranking.run(plan, *asked) for asked in _runs(plan)}
        _comparison(plan, name, scale, runs)
        if recipe.audit:
            _audits(plan, runs)
        for on in plan.pairs if recipe.similarity else ():
            similarity.similarities(plan, on)
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


def _runs(plan: Planner) -> list[Trained]:
    """Whose runs there are to be, one for each seed of a training, in the order of the closing table."""
    recipe, retrieval = plan.recipe, plan.recipe.retrieval
    assert retrieval
    trainings = recipe.trainings()
    names: list[Trained] = []
    for on in plan.pairs:
        sides = (("low", on.low), ("high", on.high))
        asked = [code for side, code in sides if side in retrieval.ask and code != MIXED]
        for system in retrieval.systems:
            of = pipeline(system)
            for trained_on in (None, *(name for name in trainings if ranking.trained(recipe, of, name))):
                own = ranking.trained(recipe, of, trained_on)
                seeds = ranking.seeds(recipe, own, trained_on) if trained_on else [None]
                names += [(RunName(system, trained_on, query, on.high), seed) for query in asked for seed in seeds]
    return list(dict.fromkeys(names))


def _comparison(plan: Planner, name: str, scale: str, runs: dict[Trained, Stage]) -> Stage:
    how, trainings = plan.recipe.comparison, plan.recipe.trainings()
    by_name: dict[RunName, int] = Counter(run for run, _ in runs)
    work = Compare(
        recipe=name,
        scale=scale,
        pairs=[str(on) for on in plan.pairs],
        runs=[
            ComparedRun(**run._asdict(), run_id=stage.run_id, seed=seed if by_name[run] > 1 else None)
            for (run, seed), stage in runs.items()
        ],
        measures=list(plan.recipe.measures.names),
        trainings={name: plan.recipe.saw(name) for name in trainings},
        control=CONTROL if CONTROL in trainings else None,
        contrasts=list(how.contrasts),
        primary=how.primary,
        method=Method(**{setting: getattr(how, setting) for setting in Method.model_fields}),
    )
    measured = {f"run.{stage.run_id}": ranking.measured(plan, stage) for stage in runs.values()}
    queries = {
        f"{QUERIES}{run.query_variety}-{run.document_variety}": _as_asked(stage.inputs["queries"])
        for (run, _), stage in runs.items()
    }
    return plan.graph.add(work, f"compare {len(runs)} runs", {**queries, **measured})


def _as_asked(queries: Stage) -> Stage:
    """The queries before a system rewrote them."""
    return queries.inputs["source"] if isinstance(queries.work, Rewrite) else queries


def _audits(plan: Planner, runs: dict[Trained, Stage]) -> None:
    """An audit of each pair's translations, over the base runs of every system that was asked both wordings."""
    for on in plan.pairs:
        both = []
        for (run, _), stage in runs.items():
            high = run._replace(query_variety=on.high), None
            if run[1:] == (None, on.low, on.high) and high in runs:
                both.append((run.system, stage, runs[high]))
        translation.audited(
            plan,
            on,
            [BothRuns(system=system, low=low.run_id, high=high.run_id) for system, low, high in both],
            {stage.run_id: ranking.measured(plan, stage) for _, *sides in both for stage in sides},
        )
