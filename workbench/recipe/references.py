"""What a recipe's names point to: every one must be there, and be of use where it is named."""

from typing import Any

from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from store import LswError, nearest
from workbench.recipe.schema import RERANK, FineTuning, Recipe, Retrieval, bare
from workbench.stages.triples import TRIPLES
from workbench.training.finetune import objective_of


def check_references(recipe: Recipe) -> None:
    """Refuse a recipe that names what its scale does not have, or has for something else.

    Raises:
        LswError: the first such name; the nearest known one is offered.
        ValidationError: settings of a system's training are wrong.
    """
    if recipe.retrieval:
        _check_pipelines(recipe, recipe.retrieval)
    if recipe.fine_tuning:
        _check_training(recipe, recipe.fine_tuning)
    elif not recipe.retrieval and not recipe.pre_training:
        raise LswError("This recipe does nothing.", cure="Add a section [retrieval].")
    if recipe.pre_training and not recipe.vocabulary:
        raise LswError("[pre-training] needs a vocabulary.", cure="Add a section [vocabulary] with its size.")
    if recipe.audit and recipe.audit.measure not in recipe.measures.names:
        raise LswError(
            f"The audit's measure, {recipe.audit.measure}, is not measured.",
            cure="Add it to measures.names, or set audit.measure to one of them.",
        )


def _check_pipelines(recipe: Recipe, retrieval: Retrieval) -> None:
    for pipeline in retrieval.systems:
        stages = pipeline.split(RERANK)
        for position, stage in enumerate(stages):
            reranks = recipe.system(stage).reranks
            if reranks != (position > 0):
                raise LswError(
                    f"'{pipeline}' cannot be run: '{stage}' {'reranks only' if reranks else 'does not rerank'}.",
                    cure="A pipeline is a retriever, or a retriever >> a reranker, as in 'bge-m3 >> mt5'.",
                )
        if len(stages) > 2:
            raise LswError(f"'{pipeline}' has more than two stages.", cure="Write 'retriever >> reranker'.")


def _check_training(recipe: Recipe, tuned: FineTuning) -> None:
    recipe.system(recipe.negatives.system)
    known = [*recipe.systems, *bare()]
    for name in tuned.model_extra or {}:
        if name not in known:
            keys = [*recipe.systems, *(key for key in FineTuning.model_fields)]
            raise LswError(f"Unknown key '{name}' in [fine-tuning].", cure=nearest(name, keys))
    for name in tuned.systems:
        system = recipe.system(name)
        if not system.checkpoint:
            raise LswError(f"'{name}' has no weights to fine-tune.", cure="Take it out of fine-tuning.systems.")
        if tuned.models == "published":
            if name not in recipe.published.get(tuned.pair, {}):
                raise LswError(
                    f"No published model of '{name}' trained on {tuned.pair} is known.",
                    cure=f"Name one under [published.{tuned.pair}], or train it.",
                )
            continue
        try:
            tuning = tuned.tuning(name)
        except ValidationError as error:
            raise _placed(error, "fine-tuning", name) from None
        try:
            TRIPLES.known(tuning.negatives or recipe.negatives.source)
        except LswError as error:
            raise LswError(f"fine-tuning.{name}.negatives: {error.title}", cure=error.cure) from None
        try:
            objective_of(system, tuning)
        except LswError as error:
            raise LswError(f"'{name}' cannot be trained so. {error.title}", error.detail, error.cure) from None


def _placed(error: ValidationError, *path: str) -> ValidationError:
    """The same faults, placed where they stand in the recipe, so that their lines can be found."""
    faults: list[Any] = [
        {
            "type": PydanticCustomError(e["type"], e["msg"], e.get("ctx")),
            "loc": (*path, *e["loc"]),
            "input": e["input"],
        }
        for e in error.errors()
    ]
    return ValidationError.from_exception_data("Recipe", faults)
