"""What a recipe's names point to: every one must be there, and be of use where it is named."""

from typing import Any

from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from store import LswError, nearest
from workbench.pipeline import Fused, Name, Pipeline, pipeline
from workbench.recipe.schema import FineTuning, Recipe, bare
from workbench.stages.triples import TRIPLES
from workbench.training.finetune import objective_of


def check_references(recipe: Recipe) -> None:
    """Refuse a recipe that names what its scale does not have, or has for something else.

    Raises:
        LswError: the first such name; the nearest known one is offered.
        ValidationError: settings of a system's training are wrong.
    """
    if recipe.retrieval:
        for text in recipe.retrieval.systems:
            _check_pipeline(recipe, text, pipeline(text))
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


def _check_pipeline(recipe: Recipe, text: str, of: Pipeline) -> None:
    """What stands first, or is fused, must find passages; what follows `>>` must rerank them."""
    if isinstance(of, Name):
        _check_role(recipe, text, of, "retrieves")
    elif isinstance(of, Fused):
        for part in of.parts:
            _check_pipeline(recipe, text, part)
    else:
        first, *others = of.stages
        _check_pipeline(recipe, text, first)
        for stage in others:
            _check_role(recipe, text, stage, "reranks")


def _check_role(recipe: Recipe, text: str, of: Pipeline, role: str) -> None:
    if not isinstance(of, Name):
        raise LswError(
            f"'{text}' cannot be run: '{of}' does not rerank.",
            cure="Fuse what was reranked, as in 'rrf(bge-m3 >> mt5, bm25)'.",
        )
    if recipe.system(of.system).role != role:
        raise LswError(
            f"'{text}' cannot be run: '{of}' {'reranks only' if role == 'retrieves' else 'does not rerank'}.",
            cure="A pipeline is a retriever, or a retriever >> a reranker, as in 'bge-m3 >> mt5'.",
        )


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
