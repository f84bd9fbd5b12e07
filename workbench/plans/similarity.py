"""Stages that measure how similar the varieties of a pair are."""

from store import LswError
from workbench.graph import Stage
from workbench.pipeline import pipeline, systems
from workbench.plans import sources, translation
from workbench.plans.planner import Planner
from workbench.recipe import schema
from workbench.stages.similarity import TOKENIZER, Similarity
from workbench.varieties import MIXED, Pair


def similarities(plan: Planner, on: Pair) -> Stage:
    """What is measured of a pair: its test queries in both wordings, under the tokenizer of each system that has one.

    Those systems are the ones that [similarity] names, else all of [retrieval] that have a checkpoint.

    Args:
        plan: what it is part of.
        on: the pair; of two varieties that have queries.

    Raises:
        LswError: it is no such pair; a system that [similarity] names is unknown, or has no tokenizer; a model is
            nowhere.
    """
    if on.low == on.high or MIXED in (on.low, on.high):
        raise LswError(
            f"'{on}' has no two wordings to hold against each other.",
            cure=f"Leave {on} out of retrieval.pairs, or [similarity] out of the recipe.",
        )
    how = plan.recipe.similarity or schema.Similarity()
    inputs = {"low": translation.wording(plan, on, "test"), "high": sources.queries(plan, on.high)}
    inputs |= {f"{TOKENIZER}{name}": sources.base_model(plan, name) for name in _systems(plan, how)}
    work = Similarity(low=on.low, high=on.high, features=list(how.features), script=plan.script(on.low, on.high))
    return plan.graph.add(work, f"measure how similar {on.low} and {on.high} are", inputs)


def _systems(plan: Planner, how: schema.Similarity) -> list[str]:
    """The systems whose tokenizers are looked at."""
    recipe = plan.recipe
    if how.systems is not None:
        for name in how.systems:
            if not recipe.system(name).checkpoint:
                title = f"The system '{name}' has no tokenizer of a model."
                raise LswError(title, cure="Name another in similarity.systems, or none.")
        return list(dict.fromkeys(how.systems))
    asked = [name for text in recipe.retrieval.systems for name in systems(pipeline(text))] if recipe.retrieval else []
    return [name for name in dict.fromkeys(asked) if recipe.system(name).checkpoint]
