"""Stages that translate, there and back, and audit what came of it."""

import os
from pathlib import Path

from workbench.graph import Graph, Stage
from workbench.plans import sources
from workbench.plans.planner import Planner
from workbench.recipe import schema
from workbench.stages.audit import Audit, BothRuns
from workbench.stages.back import TranslateBack
from workbench.stages.translate import Translate
from workbench.translation.base import Translator
from workbench.varieties import MIXED, Pair


def translation(plan: Planner, on: Pair, split: str) -> Stage:
    """The low-resource wordings of one split's queries."""
    translator = plan.recipe.translation
    inputs = {"source": sources.queries(plan, on.high, split)}
    if translator.parallel:
        inputs["target"] = sources.queries(plan, on.low, split)
    work = Translate(translator=translator, source_variety=on.high, target_variety=on.low)
    label = f"translate {on.high} {split} queries into {on.low} ({translator.translator})"
    return plan.graph.add(work, label, inputs | _model(plan, translator))


def _model(plan: Planner, translator: Translator) -> dict[str, Stage]:
    """The model of a translator that has one: a folder of the user's own, not beside the scale, or on the hub."""
    if not translator.model:
        return {}
    folder = Path(os.path.expanduser(translator.model)).resolve()
    at = str(folder) if folder.is_dir() else translator.model
    return {"model": sources.model(plan, folder.name, at, "translation.checkpoint")}


def wording(plan: Planner, on: Pair, split: str) -> Stage:
    """Queries in the low-resource variety: the collection's own, or translated."""
    own = plan.recipe.translation.parallel or on.low == on.high
    return sources.queries(plan, on.low, split) if own else translation(plan, on, split)


def asked(plan: Planner, query: str, document: str) -> dict[str, Stage]:
    """The queries of a run and, where a recipe pairs the varieties, the translation they came by."""
    on = Pair(query, document)
    if on not in plan.pairs or document == MIXED:
        return {"queries": sources.queries(plan, query)}
    if not plan.recipe.translation.parallel:
        return {"queries": wording(plan, on, "test")}
    if plan.recipe.retrieval and "high" not in plan.recipe.retrieval.ask:  # nothing it was translated from
        return {"queries": sources.queries(plan, query)}
    return {"queries": sources.queries(plan, query), "translation": translation(plan, on, "test")}


def back(graph: Graph, translator: Translator, there: Stage, model: dict[str, Stage]) -> Stage:
    """Translations, translated back.

    Args:
        graph: where the stage is added.
        translator: that can translate any text.
        there: the translations.
        model: its stage, by the role `model`, if it has one.
    """
    assert isinstance(there.work, Translate)
    target = there.work.target_variety
    work = TranslateBack(translator=translator, source_variety=target, target_variety=there.work.source_variety)
    label = f"translate {target} back ({translator.translator})"
    return graph.add(work, label, {"translation": there, **model})


def audit(
    graph: Graph,
    there: Stage,
    extra: dict[str, Stage],
    runs: list[BothRuns],
    measured: dict[str, Stage],
    how: schema.Audit,
) -> Stage:
    """The audit of one set of translations.

    Args:
        graph: where the stage is added.
        there: the translations.
        extra: `reference` (queries) and `back`, where there are any.
        runs: of base systems with the translations and with their sources.
        measured: the measures of each run, by its id.
        how: measure, confidence and seed of the correlation.
    """
    assert isinstance(there.work, Translate)
    inputs = {"translation": there, "source": there.inputs["source"], **extra}
    inputs |= {f"measure.{run_id}": stage for run_id, stage in measured.items()}
    work = Audit(runs=runs, measure=how.measure, confidence=how.confidence, seed=how.seed)
    label = f"audit {there.work.target_variety} translations ({there.work.translator.translator})"
    return graph.add(work, label, inputs)


def audited(plan: Planner, on: Pair, runs: list[BothRuns], measured: dict[str, Stage]) -> Stage:
    """The audit of a pair's translations; the collection's own queries, where it has some, are the reference."""
    how = plan.recipe.audit
    assert how
    there = translation(plan, on, "test")
    extra: dict[str, Stage] = {}
    if not plan.recipe.translation.parallel and plan.tested.has_queries(on.low):
        extra["reference"] = sources.queries(plan, on.low, "test")
    if how.back:
        extra["back"] = back(plan.graph, how.back, there, _model(plan, how.back))
    return audit(plan.graph, there, extra, runs, measured, how)
