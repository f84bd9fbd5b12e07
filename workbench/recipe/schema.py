"""The recipe language: what a TOML file may say, checked strictly."""

from functools import cache
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    SerializeAsAny,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from store import LswError, nearest
from workbench.collections import cuts
from workbench.collections.base import collection_name
from workbench.collections.cuts.base import Cut
from workbench.collections.cuts.first import First
from workbench.evaluation import collapses
from workbench.evaluation.collapses.base import Collapse
from workbench.evaluation.collapses.max import Max
from workbench.evaluation.measures import DEFAULT, parsed
from workbench.lexicons import named
from workbench.lexicons.base import Lexicon
from workbench.pipeline import pipeline
from workbench.recipe.study import Study
from workbench.recipe.trainings import FineTuning, PairName, Variant
from workbench.registry import LOCAL, Section, told
from workbench.significance.outcomes import Method
from workbench.significance.paired_tests import TESTS
from workbench.similarity import named as feature_named
from workbench.similarity import usual
from workbench.similarity.base import Feature
from workbench.stages._ranking import Depth
from workbench.stages.triples import TRIPLES
from workbench.stages.triples.base import Negatives
from workbench.systems import SYSTEMS
from workbench.systems._encoding import Computing, Positive
from workbench.systems.base import System
from workbench.text import known_script
from workbench.training.tuning import Share, Tuning
from workbench.translation import TRANSLATORS
from workbench.translation.base import Translator
from workbench.translation.collection import ParallelQueries
from workbench.varieties import variety

USUAL = "collection"
"""The translator of a recipe that names none."""

MANY = 100_000_000
"""Resamples at most: they take hours."""

VarietyName = Annotated[str, AfterValidator(told(lambda code: variety(code).code))]
PipelineName = Annotated[str, AfterValidator(told(lambda text: str(pipeline(text))))]


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


Contrasted = Literal["gap", "gain", "closure", "control"]


class Audit(Section):
    """Whether translations are good, and whether queries lose by bad ones.

    `back` translates them back, to compare with their sources: a translator's name, or a section with its settings.
    """

    back: Annotated[SerializeAsAny[Translator] | None, BeforeValidator(_translator_back)] = None
    measure: Annotated[str, AfterValidator(told(_measure))] = "RR@10"
    confidence: Annotated[float, Field(gt=0, lt=1)] = 0.95
    seed: int = 42


class Similarity(Section):
    """How similar the varieties of each pair are: which `features`, under the tokenizers of which `systems`.

    A feature is its name, or a section with its settings. Without `systems`: all of [retrieval] that have a checkpoint.
    """

    features: Annotated[
        list[Annotated[SerializeAsAny[Feature], BeforeValidator(feature_named)]], Field(min_length=1)
    ] = Field(default_factory=usual)
    systems: list[str] | None = None


class Retrieval(Section):
    """What is searched, by what, how deep, with which script.

    `systems` are pipelines (`workbench.pipeline`), kept in the one form in which they are recorded.
    `collection` names one of the scale's other collections to test on; training stays with the first. `ask` says whose
    queries of each pair. `cut` says how a long page is shown to a ranker (`workbench.collections.cuts`), and `collapse`
    how the scores of its windows become its own (`workbench.evaluation.collapses`).
    """

    pairs: list[PairName]
    systems: Annotated[list[PipelineName], Field(min_length=1)]
    collection: str | None = None
    ask: Annotated[list[Literal["low", "high"]], Field(min_length=1)] = ["low", "high"]
    depth: Depth = 1000
    script: Annotated[str, AfterValidator(told(known_script))] = "as written"
    cut: Annotated[SerializeAsAny[Cut], BeforeValidator(cuts.named)] = First(cut="first")
    collapse: Annotated[SerializeAsAny[Collapse], BeforeValidator(collapses.named)] = Max(collapse="max")


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
    contrasts: list[Contrasted] = ["gap", "gain", "closure", "control"]
    primary: Contrasted | None = None
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


class PagesAt(Section):
    """Pages made of a collection's passages: `of` so many at least and at most, joined by a `seed`; a docno's `area` is
    what stands before the last of this sign, and a page is of one area."""

    of: Annotated[list[Positive], Field(min_length=2, max_length=2)] = [4, 8]
    seed: int = 42
    area: Annotated[str, Field(min_length=1)] = "-"

    @field_validator("of")
    @classmethod
    def _ascending(cls, of: list[int]) -> list[int]:
        if of[0] > of[1]:
            raise PydanticCustomError("of", "Input should be the fewest passages of a page, then the most")
        return of


class CollectionAt(Section):
    """Which collection stands behind a scale.

    A folder; or for each variety of passages a source (`irds:ID`, `beir:OWNER/NAME:CONFIG`, `mlqa:OWNER/NAME`), what
    that calls train and test, and where queries come from that it does not have. `mixed` are varieties of parallel
    passages: under the code `mul` each docno has its passage in one of them, as in the pair `en-mul`. `pages` joins
    passages to pages.
    """

    name: Annotated[str, AfterValidator(told(collection_name))]
    folder: str | None = None
    sources: dict[str, str] = {}
    splits: dict[str, str] = {}
    queries: dict[str, dict[str, str | Annotated[list[str], Field(min_length=1)]]] = {}
    fields: list[str] = ["title"]
    sample: Sample | None = None
    pages: PagesAt | None = None
    mixed: Annotated[list[VarietyName], Field(min_length=2)] | None = None
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
    equals: list[bool | str | int | float] = []
    here: str = ""
    why: str = ""


class Recipe(Section):
    """A whole recipe, its scale merged in."""

    title: str
    question: str = ""
    paper: str = ""
    collection: CollectionAt
    collections: dict[str, CollectionAt] = {}
    lexicons: dict[str, Annotated[SerializeAsAny[Lexicon], BeforeValidator(named)]] = {}
    systems: dict[str, Annotated[SerializeAsAny[System], SYSTEMS.read("architecture")]] = {}
    vocabulary: Vocabulary | None = None
    pre_training: PreTraining | None = Field(default=None, alias="pre-training")
    translation: Annotated[SerializeAsAny[Translator], TRANSLATORS.read("translator", USUAL)] = ParallelQueries(
        translator=USUAL
    )
    negatives: NegativesAt = NegativesAt()
    fine_tuning: FineTuning | None = Field(default=None, alias="fine-tuning")
    training: dict[Annotated[str, Field(pattern="^[a-z0-9][a-z0-9-]*$")], Variant] = {}
    retrieval: Retrieval | None = None
    reranking: Reranking = Reranking()
    computing: ComputingAt = ComputingAt()
    published: dict[str, dict[str, str]] = {}
    errata: list[str] = []
    fidelity: list[Fidelity] = []
    measures: Measures = Measures()
    comparison: Comparison = Comparison()
    audit: Audit | None = None
    study: Study | None = None
    similarity: Similarity | None = None

    @model_validator(mode="before")
    @classmethod
    def _there_and_back(cls, values: Any) -> Any:
        """The translator of the way there, named for the way back, has its settings: its checkpoint, its rate."""
        there, audit = values.get("translation"), values.get("audit")
        same = isinstance(there, dict) and isinstance(audit, dict) and audit.get("back") == there.get("translator", "")
        return {**values, "audit": {**audit, "back": there}} if same else values

    @model_validator(mode="before")
    @classmethod
    def _lexicons_by_name(cls, values: Any) -> Any:
        """What stands under [lexicons.NAME] is meant wherever `lexicon` is that name."""
        known = values.get("lexicons") if isinstance(values, dict) else None
        if not isinstance(known, dict):
            return values

        def filled(value: Any) -> Any:
            if isinstance(value, list):
                return [filled(item) for item in value]
            if not isinstance(value, dict):
                return value
            return {
                key: known[item] if key == "lexicon" and isinstance(item, str) and item in known else filled(item)
                for key, item in value.items()
            }

        return {name: value if name == "lexicons" else filled(value) for name, value in values.items()}

    def trainings(self) -> dict[str, Variant]:
        """All trainings by name: of the pair that [fine-tuning] names, its controls, and each [training.NAME].

        One that uses another's models has all that was said of the other.
        """
        said = (self.fine_tuning.trainings() if self.fine_tuning else {}) | self.training
        return {
            name: said[variant.model].used_by(variant) if variant.model in said else variant
            for name, variant in said.items()
        }

    def saw(self, name: str) -> list[str]:
        """The pairs whose queries a training sees."""
        assert self.fine_tuning
        variant = self.trainings()[name]
        objective, on = variant.objective, variant.on
        steps = [] if objective and not objective.reads_triples else [*self.fine_tuning.steps, *variant.steps]
        beside = objective.pairs_beside if objective else []
        return list(dict.fromkeys([str(on), *beside, *(text for s in steps for text in s.pairs_beside(on))]))

    def trained(self, name: str) -> list[str]:
        """The systems that a training trains: none, on no queries."""
        assert self.fine_tuning
        if self.queries(name) == 0:
            return []
        return self.trainings()[name].systems or self.fine_tuning.systems

    def queries(self, name: str) -> int | None:
        """How many training queries a training sees; None: all that there are."""
        assert self.fine_tuning
        own = self.trainings()[name].queries
        asked = self.fine_tuning.queries if own is None else own
        return asked if isinstance(asked, int) else None

    def seeds(self, name: str, system: str) -> list[int] | list[None]:
        """The seeds of a system in a training; of a published model nobody knows."""
        tuned = self.fine_tuning
        assert tuned
        if tuned.models == "published":
            return [None]
        return list(self.trainings()[name].seeds or tuned.seeds) or [self.tuning(name, system).seed]

    def tuning(self, name: str, system: str, seed: int | None = None) -> Tuning:
        """How a training trains a system, with another seed than its own if one is given.

        Raises:
            LswError: nothing says how.
        """
        tuned, variant = self.fine_tuning, self.trainings()[name]
        assert tuned
        own = (tuned.model_extra or {}).get(system)
        if own is None:
            raise LswError(
                f"Nothing says how to fine-tune '{system}' at this scale.",
                cure=f"Add a section [fine-tuning.{system}] to the recipe or the scale.",
            )
        changed = (variant.model_extra or {}).get(system, {})
        whole = own | changed if isinstance(own, dict) and isinstance(changed, dict) else changed or own
        tuning = Tuning.model_validate(whole)
        return tuning if seed is None else tuning.model_copy(update={"seed": seed})

    def system(self, name: str) -> System:
        """A system of the scale; or one that needs no settings, by the name of its architecture.

        Raises:
            LswError: there is no such system.
        """
        if name in self.systems:
            return self.systems[name]
        if name in bare():
            return bare()[name]
        raise LswError(f"Unknown system '{name}'.", cure=nearest(name, [*bare(), *self.systems]))


@cache
def bare() -> dict[str, System]:
    """Systems by themselves: architectures whose settings all have defaults (`bm25`), and presets (`bm25-4grams`)."""
    out = {}
    for name in SYSTEMS.names():
        part = SYSTEMS.part(name)
        if not any(field.is_required() for key, field in part.model_fields.items() if key != "architecture"):
            out[name] = part(architecture=name)
        out |= {preset: part(architecture=name, **settings) for preset, settings in part.presets.items()}
    return out
