"""Stages that measure how similar the varieties of a pair are."""

from workbench.graph import Stage
from workbench.pipeline import pipeline, systems
from workbench.plans import sources, translation
from workbench.plans.planner import Planner
from workbench.recipe import schema
from workbench.stages.similarity import TOKENIZER, Similarity
from workbench.varieties import Pair


def similarities(plan: Planner, on: Pair) -> Stage:
    """What is measured of a pair: its test queries in both wordings, under the tokenizer of each system that has one.

    Those systems are the ones that [similarity] names, else all of [retrieval] that have a checkpoint.

    Args:
        plan: what it is part of.
        on: the pair; of two varieties that have queries.

    Raises:
        LswError: a model is nowhere, or the collection has no queries of one of the two.
    """
    how = plan.recipe.similarity or schema.Similarity()
    inputs = {"low": translation.wording(plan, on, "test"), "high": sources.queries(plan, on.high)}
    inputs |= {f"{TOKENIZER}{name}": sources.base_model(plan, name) for name in _systems(plan, how)}
    work = Similarity(low=on.low, high=on.high, features=list(how.features), script=plan.script(on.low, on.high))
    return plan.graph.add(work, f"measure how similar {on.low} and {on.high} are", inputs)


def _systems(plan: Planner, how: schema.Similarity) -> list[str]:
    """The systems whose tokenizers are looked at."""
    recipe = plan.recipe
    if how.systems is not None:
        return list(dict.fromkeys(how.systems))
    asked = [name for text in recipe.retrieval.systems for name in systems(pipeline(text))] if recipe.retrieval else []
    return [name for name in dict.fromkeys(asked) if recipe.system(name).checkpoint]
