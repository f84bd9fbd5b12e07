"""What a recipe's names point to: every one must be there, and be of use where it is named."""

from typing import Any

from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from store import LswError, nearest
from workbench.evaluation.collapses.max import Max
from workbench.pipeline import Fused, Name, Pipeline, pipeline, shaped
from workbench.recipe.schema import Recipe, Retrieval, Similarity, bare
from workbench.recipe.trainings import CONTROL, FineTuning, Variant
from workbench.stages.triples import TRIPLES
from workbench.systems.base import Encoder, Reranker
from workbench.training.finetune import objective_of
from workbench.training.needs import TeacherOf
from workbench.varieties import MIXED, pair


def check_references(recipe: Recipe) -> None:
    """Refuse a recipe that names what its scale does not have, or has for something else.

    Raises:
        LswError: the first such name; the nearest known one is offered.
        ValidationError: settings of a system's training are wrong.
    """
    if recipe.retrieval:
        for text in recipe.retrieval.systems:
            _check_pipeline(recipe, text, pipeline(text))
        if recipe.retrieval.cut.whole and recipe.retrieval.collapse != Max(collapse="max"):
            raise LswError(
                f"retrieval.collapse: '{recipe.retrieval.collapse.name}' is of windows, and pages are shown whole.",
                cure="Cut them, as in retrieval.cut = { words = 150, stride = 75, most = 30 }.",
            )
    if recipe.fine_tuning:
        _check_training(recipe, recipe.fine_tuning)
        if recipe.retrieval:
            _check_fusions(recipe, recipe.retrieval)
    elif recipe.training:
        raise LswError("[training] needs a section [fine-tuning].", cure="Add one with the systems that are trained.")
    elif not recipe.retrieval and not recipe.pre_training:
        raise LswError("This recipe does nothing.", cure="Add a section [retrieval].")
    if recipe.pre_training and not recipe.vocabulary:
        raise LswError("[pre-training] needs a vocabulary.", cure="Add a section [vocabulary] with its size.")
    if recipe.audit and recipe.audit.measure not in recipe.measures.names:
        raise LswError(
            f"The audit's measure, {recipe.audit.measure}, is not measured.",
            cure="Add it to measures.names, or set audit.measure to one of them.",
        )
    if recipe.similarity:
        _check_similarity(recipe, recipe.similarity)


def _check_similarity(recipe: Recipe, how: Similarity) -> None:
    """Each pair has two wordings; each system that is named has a tokenizer; each feature is named once."""
    pairs = recipe.retrieval.pairs if recipe.retrieval else []
    if not pairs:
        raise LswError("[similarity] has no pairs to measure.", cure="Add a section [retrieval] with its pairs.")
    for text in pairs:
        on = pair(text)
        if on.low == on.high or MIXED in (on.low, on.high):
            raise LswError(
                f"'{on}' has no two wordings to hold against each other.",
                cure=f"Leave {on} out of retrieval.pairs, or [similarity] out of the recipe.",
            )
    for name in how.systems or ():
        if not recipe.system(name).checkpoint:
            title = f"The system '{name}' has no tokenizer of a model."
            raise LswError(title, cure="Name another in similarity.systems, or none.")
    names = [feature.feature for feature in how.features]
    for name in names:
        if names.count(name) > 1:
            raise LswError(f"The feature '{name}' is named twice in similarity.features.", cure="Name it once.")


def _check_pipeline(recipe: Recipe, text: str, of: Pipeline) -> None:
    """What stands first, or is fused, must find passages, after one that may rewrite queries; what follows `>>` must
    rerank them."""
    if isinstance(of, Name):
        _check_role(recipe, text, of, "retrieves")
    elif isinstance(of, Fused):
        for part in of.parts:
            _check_pipeline(recipe, text, part)
    else:
        first, *others = of.stages
        if isinstance(first, Name) and recipe.system(first.system).role == "rewrites":
            first, *others = others
        _check_pipeline(recipe, text, first)
        for stage in others:
            _check_role(recipe, text, stage, "reranks")


def _check_role(recipe: Recipe, text: str, of: Pipeline, role: str) -> None:
    if not isinstance(of, Name):
        raise LswError(
            f"'{text}' cannot be run: '{of}' does not rerank.",
            cure="Fuse what was reranked, as in 'rrf(bge-m3 >> mt5, bm25)'.",
        )
    own = recipe.system(of.system).role
    if own != role:
        raise LswError(
            f"'{text}' cannot be run: '{of}' {f'{own} only' if role == 'retrieves' else 'does not rerank'}.",
            cure="A pipeline is a retriever, or a retriever >> a reranker, as in 'bge-m3 >> mt5'; before them may "
            "stand one that rewrites queries, as in 'translate-test >> bge-m3'.",
        )


def _check_training(recipe: Recipe, tuned: FineTuning) -> None:
    recipe.system(recipe.negatives.system)
    known = [*recipe.systems, *bare()]
    for name in tuned.model_extra or {}:
        if name not in known:
            keys = [*recipe.systems, *(key for key in FineTuning.model_fields)]
            raise LswError(f"Unknown key '{name}' in [fine-tuning].", cure=nearest(name, keys))
    trainings = recipe.trainings()
    if not trainings:
        raise LswError("[fine-tuning] says nothing to train on.", cure='Set pair = "ca-fr", or add [training.NAME].')
    for training, variant in trainings.items():
        said = recipe.training.get(training, variant)
        for name in said.model_extra or {}:
            if name not in known:
                keys = [*recipe.systems, *(key for key in Variant.model_fields)]
                raise LswError(f"Unknown key '{name}' in [training.{training}].", cure=nearest(name, keys))
        if variant.model is not None:
            _check_model(recipe, tuned, training, variant, said)
            continue
        for name in recipe.trained(training):
            _check_trained(recipe, tuned, training, variant, name)
            _check_seeds(recipe, training, name)


def _check_model(recipe: Recipe, tuned: FineTuning, training: str, variant: Variant, said: Variant) -> None:
    """A training that uses another's models: these are there, of its systems, and can be used so; `said` is the
    section itself."""
    trainings, at = recipe.trainings(), f"training.{training}"
    trained = [name for name, other in trainings.items() if other.model is None]
    if variant.model not in trainings:
        raise LswError(
            f"{at}.model: no training is called '{variant.model}'.", cure=nearest(str(variant.model), trained)
        )
    if variant.model not in trained:
        raise LswError(
            f"{at}.model: '{variant.model}' trains nothing itself.", cure=nearest(str(variant.model), trained)
        )
    if said.model_extra:
        name = next(iter(said.model_extra))
        raise LswError(
            f"[{at}.{name}] changes how {name} is trained, and with `model` nothing is trained.",
            cure=f"Change it under [training.{variant.model}.{name}].",
        )
    for name in recipe.trained(training):
        system = recipe.system(name)
        if name not in recipe.trained(str(variant.model)):
            raise LswError(
                f"{at}.systems: '{variant.model}' does not train '{name}'.",
                cure=nearest(name, recipe.trained(str(variant.model))),
            )
        if variant.encodes != "both" and not isinstance(system, Encoder):
            apart = [other for other in recipe.trained(training) if isinstance(recipe.system(other), Encoder)]
            raise LswError(
                f"{at}.encodes: '{name}' does not encode queries and passages apart.",
                cure=f"Name those that do: systems = {apart}." if apart else "Leave this training out.",
            )
        if variant.encodes == "passages" and tuned.models == "trained":
            objective = objective_of(system, recipe.tuning(training, name), variant.objective)
            if objective.keeps_passages:
                raise LswError(
                    f"{at}.encodes: passages stay as they were in a training by '{objective.name}'.",
                    cure='Set encodes = "queries", or leave this training out.',
                )


def _check_fusions(recipe: Recipe, retrieval: Retrieval) -> None:
    """What is fused is trained alike in a training and in the control that it is held against."""
    trainings = recipe.trainings()
    for text in retrieval.systems if CONTROL in trainings else ():
        parts = shaped(pipeline(text))
        held = [part for part in parts if part in recipe.trained(CONTROL)]
        for training in trainings:
            trained = [part for part in parts if part in recipe.trained(training)]
            if trained and held and trained != held:
                raise LswError(
                    f"training.{training} trains {', '.join(trained)} of '{text}', the control '{CONTROL}' "
                    f"{', '.join(held)}.",
                    cure=f"Give both the same systems, or take '{text}' out of retrieval.systems.",
                )


def _check_seeds(recipe: Recipe, training: str, system: str) -> None:
    """A training has as many models as the control that it is held against, one by one."""
    if CONTROL not in recipe.trainings() or system not in recipe.trained(CONTROL):
        return
    seeds, held = len(recipe.seeds(training, system)), len(recipe.seeds(CONTROL, system))
    if seeds != held:
        raise LswError(
            f"training.{training}.seeds: {seeds} of {system}, and {held} of the control '{CONTROL}'.",
            cure="Give both as many, or set them once, as fine-tuning.seeds.",
        )


def _check_trained(recipe: Recipe, tuned: FineTuning, training: str, variant: Variant, name: str) -> None:
    """One system in one training."""
    system = recipe.system(name)
    if not system.checkpoint:
        where = f"training.{training}" if variant.systems else "fine-tuning"
        raise LswError(f"'{name}' has no weights to fine-tune.", cure=f"Take it out of {where}.systems.")
    if tuned.models == "published":
        if variant.steps or variant.objective or variant.seeds or (variant.model_extra or {}):
            title = f"The training '{training}' was never published."
            raise LswError(title, cure='Set fine-tuning.models = "trained".')
        if name not in recipe.published.get(str(variant.on), {}):
            raise LswError(
                f"No published model of '{name}' trained on {variant.on} is known.",
                cure=f"Name one under [published.{variant.on}], or train it.",
            )
        return
    try:
        tuning = recipe.tuning(training, name)
    except ValidationError as error:
        own = (variant.model_extra or {}).get(name, {})
        here = own and (not isinstance(own, dict) or any({*fault["loc"]} & {*own} for fault in error.errors()))
        raise _placed(error, *(("training", training) if here else ("fine-tuning",)), name) from None
    try:
        TRIPLES.known(tuning.negatives or recipe.negatives.source)
    except LswError as error:
        raise LswError(f"fine-tuning.{name}.negatives: {error.title}", cure=error.cure) from None
    try:
        objective = objective_of(system, tuning, variant.objective)
    except LswError as error:
        where = f"training.{training}: " if variant.objective else ""
        raise LswError(f"{where}'{name}' cannot be trained so. {error.title}", error.detail, error.cure) from None
    if variant.steps and not objective.reads_triples:
        raise LswError(
            f"The training '{training}' has steps, and '{objective.name}' reads no triples.",
            cure=f"Take steps out of [training.{training}], or name another objective.",
        )
    for step in [*tuned.steps, *variant.steps] if objective.reads_triples else []:
        step.needs(variant.on)
    for need in objective.needs(variant.on).values():
        if isinstance(need, TeacherOf) and not isinstance(recipe.system(need.system), Reranker):
            raise LswError(
                f"'{need.system}', which '{objective.name}' is to learn from, is no reranker.",
                cure="Name a system that reranks, as mt5.",
            )


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
