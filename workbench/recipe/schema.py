"""The recipe language: what a TOML file may say, checked strictly."""

from functools import cache
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, SerializeAsAny, model_validator

from store import LswError, nearest
from workbench.collections.base import collection_name
from workbench.evaluation.measures import DEFAULT, parsed
from workbench.registry import LOCAL, Section, told
from workbench.significance.outcomes import Method
from workbench.significance.paired_tests import TESTS
from workbench.stages._ranking import Depth
from workbench.stages.triples import TRIPLES
from workbench.stages.triples.base import Negatives
from workbench.systems import SYSTEMS
from workbench.systems._encoding import Computing, Positive
from workbench.systems.base import System
from workbench.text import known_script
from workbench.training.steps import STEPS
from workbench.training.steps.base import Step
from workbench.training.tuning import Share, Tuning
from workbench.translation import TRANSLATORS
from workbench.translation.base import Translator
from workbench.translation.collection import ParallelQueries
from workbench.varieties import pair, variety

RERANK = " >> "
"""Between the stages of a pipeline, as PyTerrier writes it."""
USUAL = "collection"
"""The translator of a recipe that names none."""

MANY = 100_000_000
"""Resamples at most: they take hours."""

PairName = Annotated[str, AfterValidator(told(lambda text: str(pair(text))))]
VarietyName = Annotated[str, AfterValidator(told(lambda code: variety(code).code))]


def _measure(name: str) -> str:
    parsed(name)
    return name


def _translator_back(value: Any) -> Any:
    """A translator that can translate back, by its name or with its settings."""
    if value is None or isinstance(value, Translator):
        return value
    settings = {"translator": value} if isinstance(value, str) else value
    translator = TRANSLATORS.read("translator").func(settings)  # type: ignore[call-arg]

    def makes(translator: Translator) -> Translator:
        if not translator.makes:
            makers = [name for name in TRANSLATORS.names() if TRANSLATORS.part(name).makes]
            title = f"The translator '{translator.translator}' translates nothing itself."
            raise LswError(title, cure=f"Known: {', '.join(makers)}.")
        return translator

    return told(makes)(translator)


def _one_by_one(name: str) -> str:
    """A test that a recipe's contrasts, some of them of four runs, can be made by."""
    known = [test for test in TESTS.names() if not TESTS.part(test).family_wise]
    if name in known:
        return name
    if name in TESTS.names():
        raise LswError(f"The test '{name}' compares every pair of runs.", cure=f"Known: {', '.join(known)}.")
    raise LswError(f"Unknown test '{name}'.", cure=nearest(name, known))


Seed = Annotated[int, Field(ge=0, lt=2**32)]


def _distinct(seeds: list[int]) -> list[int]:
    if len(set(seeds)) < len(seeds):
        raise ValueError("a seed is given twice")
    return seeds


class Audit(Section):
    """Whether translations are good, and whether queries lose by bad ones.

    `back` translates them back, to compare with their sources: a translator's name, or a section with its settings.
    """

    back: Annotated[SerializeAsAny[Translator] | None, BeforeValidator(_translator_back)] = None
    measure: Annotated[str, AfterValidator(told(_measure))] = "RR@10"
    confidence: Annotated[float, Field(gt=0, lt=1)] = 0.95
    seed: int = 42


class FineTuning(Section):
    """What is fine-tuned, on which pair; each system's own settings may be given under its name.

    `steps` are done to the triples first, in their order.

    `seeds` train one model each, of every system: what is reported and compared is their mean. Without them each system
    has its own `seed`. With models = "published" nothing is trained: the models that the scale names under
    [published.PAIR] are tested.
    """

    model_config = ConfigDict(extra="allow", strict=True, frozen=True)
    pair: PairName
    systems: list[str]
    models: Literal["trained", "published"] = "trained"
    seeds: Annotated[list[Seed], Field(max_length=100), AfterValidator(_distinct)] = []
    steps: list[Annotated[SerializeAsAny[Step], STEPS.read("step")]] = []

    @model_validator(mode="after")
    def _seeds_train(self) -> Self:
        if self.seeds and self.models == "published":
            raise ValueError("published models are not trained: leave out `seeds`, or set models to 'trained'")
        return self

    def seeds_of(self, system: str) -> list[int] | list[None]:
        """The seeds that a system is trained with; of a published model nobody knows."""
        if self.models == "published":
            return [None]
        return list(self.seeds) or [self.tuning(system).seed]

    def tuning(self, system: str, seed: int | None = None) -> Tuning:
        """The settings of one system, with another seed than its own if one is given."""
        own = (self.model_extra or {}).get(system)
        if own is None:
            raise LswError(
                f"Nothing says how to fine-tune '{system}' at this scale.",
                cure=f"Add a section [fine-tuning.{system}] to the recipe or the scale.",
            )
        tuning = Tuning.model_validate(own)
        return tuning if seed is None else tuning.model_copy(update={"seed": seed})


class Retrieval(Section):
    """What is searched, by what, how deep, with which script.

    `collection` names one of the scale's other collections to test on; training stays with the first. `ask` says whose
    queries of each pair.
    """

    pairs: list[PairName]
    systems: Annotated[list[str], Field(min_length=1)]
    collection: str | None = None
    ask: Annotated[list[Literal["low", "high"]], Field(min_length=1)] = ["low", "high"]
    depth: Depth = 1000
    script: Annotated[str, AfterValidator(told(known_script))] = "as written"


class Reranking(Section):
    """How deep to rerank, and whose candidates a fine-tuned reranker gets."""

    depth: Depth = 100
    first_stage: Literal["base", "fine-tuned"] = "base"


class Measures(Section):
    """Measures by their ir_measures names."""

    names: Annotated[list[Annotated[str, AfterValidator(told(_measure))]], Field(min_length=1)] = DEFAULT


class Comparison(Method):
    """Which contrasts, by which test; `primary` is the one that the recipe was made for, the others are secondary."""

    resamples: Annotated[int, Field(gt=0, le=MANY)] = Method.model_fields["resamples"].default
    contrasts: list[Literal["gap", "gain", "closure"]] = ["gap", "gain", "closure"]
    primary: Literal["gap", "gain", "closure"] | None = None
    test: Annotated[str, AfterValidator(told(_one_by_one))] = Method.model_fields["test"].default


class Vocabulary(Section):
    """A shared vocabulary to make: chunks of words from their start, and so many pairs of Han characters."""

    size: Positive
    piece_length: Positive = 4
    han_pairs: Annotated[int, Field(ge=0)] = 0


class NewModel(Tuning):
    """A base model to train from nothing."""

    size: dict[str, int]
    examples: Positive


class PreTraining(Section):
    """Base models to train from nothing, on a collection's high-resource text."""

    model_config = ConfigDict(extra="allow", strict=True, frozen=True)
    varieties: Annotated[list[VarietyName], Field(min_length=1)]
    systems: Annotated[list[str], Field(min_length=1)]
    noise: Share = 0.3
    query_share: Share = 0.2
    across_share: Share = 0.2
    seed: int = 42

    def model(self, system: str) -> NewModel:
        """The settings of one new model."""
        own = (self.model_extra or {}).get(system)
        if own is None:
            raise LswError(f"Nothing says how to build '{system}'.", cure=f"Add a section [pre-training.{system}].")
        return NewModel.model_validate(own)


class Sample(Section):
    """A seeded part of a collection: all judged passages of some queries, and so many others."""

    queries: Positive
    training_queries: Annotated[int, Field(ge=0)] = 0
    passages: Positive
    seed: int = 42


class CollectionAt(Section):
    """Which collection stands behind a scale.

    A folder; or for each variety of passages a source (`irds:ID`, `beir:OWNER/NAME:CONFIG`, `mlqa:OWNER/NAME`), what
    that calls train and test, and where queries come from that it does not have.
    """

    name: Annotated[str, AfterValidator(told(collection_name))]
    folder: str | None = None
    sources: dict[str, str] = {}
    splits: dict[str, str] = {}
    queries: dict[str, dict[str, str | Annotated[list[str], Field(min_length=1)]]] = {}
    fields: list[str] = ["title"]
    sample: Sample | None = None
    pairs: list[str] | None = None


class ComputingAt(Computing):
    """How models compute.

    `processes` share a training (0: one for each GPU); `report_to` are trackers. Neither changes a key.
    """

    processes: Annotated[int, Field(ge=0), LOCAL] = 1
    report_to: Annotated[list[Literal["tensorboard", "wandb", "mlflow"]], LOCAL] = []


class NegativesAt(Negatives):
    """Where training negatives come from."""

    source: Annotated[str, TRIPLES.one] = Negatives.model_fields["source"].default


class Fidelity(Section):
    """How a scale stands to what was published: what, the published way and its source, ours, and why it differs.

    `setting` are the paths of the settings behind it: their values are shown as they are, whatever a recipe or the
    command line made of them; while they are those in `equals` it is as published. `here` says what no setting says.
    """

    what: str
    published: str
    source: str = ""
    setting: list[str] = []
    equals: list[str | int | float] = []
    here: str = ""
    why: str = ""


class Recipe(Section):
    """A whole recipe, its scale merged in."""

    title: str
    question: str = ""
    paper: str = ""
    collection: CollectionAt
    collections: dict[str, CollectionAt] = {}
    systems: dict[str, Annotated[SerializeAsAny[System], SYSTEMS.read("architecture")]] = {}
    vocabulary: Vocabulary | None = None
    pre_training: PreTraining | None = Field(default=None, alias="pre-training")
    translation: Annotated[SerializeAsAny[Translator], TRANSLATORS.read("translator", USUAL)] = ParallelQueries(
        translator=USUAL
    )
    negatives: NegativesAt = NegativesAt()
    fine_tuning: FineTuning | None = Field(default=None, alias="fine-tuning")
    retrieval: Retrieval | None = None
    reranking: Reranking = Reranking()
    computing: ComputingAt = ComputingAt()
    published: dict[str, dict[str, str]] = {}
    errata: list[str] = []
    fidelity: list[Fidelity] = []
    measures: Measures = Measures()
    comparison: Comparison = Comparison()
    audit: Audit | None = None

    @model_validator(mode="before")
    @classmethod
    def _there_and_back(cls, values: Any) -> Any:
        """The translator of the way there, named for the way back, has its settings: its checkpoint, its rate."""
        there, audit = values.get("translation"), values.get("audit")
        same = isinstance(there, dict) and isinstance(audit, dict) and audit.get("back") == there.get("translator", "")
        return {**values, "audit": {**audit, "back": there}} if same else values

    def system(self, name: str) -> System:
        """A system of the scale; or one that needs no settings, by the name of its architecture.

        Raises:
            LswError: there is no such system.
        """
        if name in self.systems:
            return self.systems[name]
        if name in bare():
            return SYSTEMS.part(name)(architecture=name)
        raise LswError(f"Unknown system '{name}'.", cure=nearest(name, [*bare(), *self.systems]))


@cache
def bare() -> list[str]:
    """Architectures that are systems by themselves: all their settings have defaults (`bm25`)."""
    return [
        name
        for name in SYSTEMS.names()
        if not any(
            field.is_required() for key, field in SYSTEMS.part(name).model_fields.items() if key != "architecture"
        )
    ]
