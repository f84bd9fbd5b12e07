"""The recipe language: what a TOML file may say, checked strictly; and scales, which stand behind its names."""

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from store import LswError, nearest
from workbench.recipe.errors import explained, quoted_line
from workbench.text import SCRIPTS
from workbench.varieties import pair as pair_of
from workbench.varieties import variety as variety_of

FOLDER = Path(__file__).parents[2] / "recipes"
RERANK = " >> "

Positive = Annotated[int, Field(gt=0)]
Share = Annotated[float, Field(ge=0, le=1)]
Rate = Annotated[float, Field(gt=0)]


class Section(BaseModel):
    """A section of a recipe: unknown keys and wrong types are refused."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Translation(Section):
    """Where low-resource queries come from.

    `collection`: its own parallel queries. `file`: a file of qid, tab, text. `seq2seq`: a checkpoint such as NLLB-200.
    `apertium`: the program. Else a service. All but the first are made from the queries of the high-resource variety.
    """

    translator: Literal[
        "collection", "file", "seq2seq", "apertium",
        "google", "mymemory", "deepl", "libre", "microsoft", "yandex", "papago", "qcri", "baidu",
    ] = "collection"  # fmt: skip
    file: str | None = None
    checkpoint: str | None = None
    beams: Positive = 4
    length: Positive = 256
    url: str | None = None
    rate: Rate = 2.0
    retries: Annotated[int, Field(ge=0)] = 6
    timeout: Rate = 30.0


Service = Literal[
    "seq2seq", "apertium", "google", "mymemory", "deepl", "libre", "microsoft", "yandex", "papago", "qcri", "baidu"
]


class Audit(Section):
    """Whether translations are good, and whether queries lose by bad ones.

    `back` translates them back, to compare with their sources; settings are those of [translation].
    """

    back: Service | None = None
    measure: str = "RR@10"
    confidence: Annotated[float, Field(gt=0, lt=1)] = 0.95
    seed: int = 42


Source = Literal["mined", "hard-negatives", "docpairs", "published"]


class Negatives(Section):
    """Where training negatives come from.

    `mined`: by a system of the recipe, over the training queries in one of the varieties. `hard-negatives`: MS MARCO's,
    of 13 systems, kept where a cross-encoder scores them `cross_encoder_margin` below the worst positive. `docpairs`:
    those that ir_datasets has for the training queries. `published`: whole triples, texts and all.
    """

    source: Source = "mined"
    system: str = "bm25"
    queries: Literal["high", "low"] = "high"
    depth: Positive = 50
    per_query: Positive = 4
    margin: Share = 0.05
    cross_encoder_margin: Annotated[float, Field(ge=0)] = 3.0
    hard_negatives: str = "hf://datasets/sentence-transformers/msmarco-hard-negatives/msmarco-hard-negatives.jsonl.gz"
    scores: str = (
        "hf://datasets/sentence-transformers/msmarco-hard-negatives/cross-encoder-ms-marco-MiniLM-L-6-v2-scores.pkl.gz"
    )
    published: dict[str, str] = {}
    limit: Positive | None = None
    seed: int = 42


class Tuning(Section):
    """How one system is trained. Warm-up is a share of all steps; rates are peaks of a linear schedule.

    `batch_size` counts triples and is what a step sees, whatever the parts it is computed in (`accumulation`) and the
    processes that share it. `steps` ends training before or after `epochs` would. Lengths, in tokens, are the system's
    own unless training has others.
    """

    epochs: Rate
    learning_rate: Rate
    batch_size: Positive
    temperature: Rate = 1.0
    warmup: Share = 0.0
    frozen: list[Literal["embeddings", "adapters"]] = []
    checkpoint_steps: Positive = 50
    seed: int = 42
    steps: Positive | None = None
    accumulation: Positive = 1
    precision: Literal["float32", "auto", "bfloat16", "float16"] = "float32"
    gradient_checkpointing: bool = False
    negatives: Source | None = None
    query_length: Positive | None = None
    document_length: Positive | None = None


class FineTuning(Section):
    """What is fine-tuned, on which pair; each system's own settings may be given under its name.

    With models = "published" nothing is trained: the models that the scale names under [published.PAIR] are tested.
    """

    model_config = ConfigDict(extra="allow", strict=True, frozen=True)
    pair: str
    systems: list[str]
    models: Literal["trained", "published"] = "trained"

    _pair = field_validator("pair")(lambda text: str(pair_of(text)))

    def tuning(self, system: str) -> Tuning:
        """The settings of one system."""
        given = (self.model_extra or {}).get(system)
        if given is None:
            raise LswError(
                f"Nothing says how to fine-tune '{system}' at this scale.",
                cure=f"Add a section [fine-tuning.{system}] to the recipe or the scale.",
            )
        return Tuning.model_validate(given)


class Retrieval(Section):
    """What is searched, by what, how deep, with which script.

    `collection` names one of the scale's other collections to test on; training stays with the first. `ask` says whose
    queries of each pair.
    """

    pairs: list[str]
    systems: list[str]
    collection: str | None = None
    ask: list[Literal["low", "high"]] = ["low", "high"]
    depth: Positive = 1000
    script: str = "as written"

    @field_validator("pairs")
    @classmethod
    def _pairs(cls, texts: list[str]) -> list[str]:
        return [str(pair_of(text)) for text in texts]

    @field_validator("script")
    @classmethod
    def _script(cls, text: str) -> str:
        if text not in SCRIPTS:
            raise LswError(f"Unknown script option '{text}'.", cure=nearest(text, SCRIPTS))
        return text


class Reranking(Section):
    """How deep to rerank, and whose candidates a fine-tuned reranker gets."""

    depth: Positive = 100
    first_stage: Literal["base", "fine-tuned"] = "base"


class Measures(Section):
    """Measures by their ir_measures names."""

    names: list[str] = ["RR@10", "nDCG@10", "R@1000"]

    @field_validator("names")
    @classmethod
    def _known(cls, names: list[str]) -> list[str]:
        from workbench.evaluation.measures import parsed

        for name in names:
            parsed(name)
        return names


class Comparison(Section):
    """Which contrasts, by which test."""

    contrasts: list[Literal["gap", "gain", "closure"]] = ["gap", "gain", "closure"]
    test: Literal["randomisation", "t", "wilcoxon"] = "randomisation"
    correction: Literal["holm", "bonferroni", "bh", "none"] = "holm"
    interval: Literal["percentile", "bca"] = "percentile"
    resamples: Positive = 100_000
    confidence: Annotated[float, Field(gt=0, lt=1)] = 0.95
    seed: int = 42


class Vocabulary(Section):
    """A shared vocabulary to train."""

    size: Positive
    piece_length: Positive = 8


class NewModel(Tuning):
    """A base model to train from nothing."""

    size: dict[str, int]
    examples: Positive


class PreTraining(Section):
    """Base models to train from nothing, on a collection's high-resource text."""

    model_config = ConfigDict(extra="allow", strict=True, frozen=True)
    varieties: list[str]
    systems: list[str]
    noise: Share = 0.3
    query_share: Share = 0.2
    across_share: Share = 0.2
    seed: int = 42

    @field_validator("varieties")
    @classmethod
    def _varieties(cls, codes: list[str]) -> list[str]:
        return [variety_of(code).code for code in codes]

    def model(self, system: str) -> NewModel:
        """The settings of one new model."""
        given = (self.model_extra or {}).get(system)
        if given is None:
            raise LswError(f"Nothing says how to build '{system}'.", cure=f"Add a section [pre-training.{system}].")
        return NewModel.model_validate(given)


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

    name: str
    folder: str | None = None
    sources: dict[str, str] = {}
    splits: dict[str, str] = {}
    queries: dict[str, dict[str, str]] = {}
    fields: list[str] = ["title"]
    sample: Sample | None = None
    pairs: list[str] | None = None


class SystemAt(Section):
    """Which model stands behind a system's name: a folder, or owner/name on the hub. Lengths in tokens.

    `pooling` is that of a bi-encoder whose folder does not say it (no modules.json).
    """

    architecture: Literal["bi-encoder", "multi-vector", "sparse", "hybrid", "reranker", "cross-encoder"]
    checkpoint: str
    query_length: Positive
    document_length: Positive
    pooling: Literal["cls", "mean"] | None = None

    @property
    def reranks(self) -> bool:
        """Whether it scores the candidates of another."""
        return self.architecture in ("reranker", "cross-encoder")


class ComputingAt(Section):
    """How models compute; `search` is `exact`, or an approximate index of faiss.

    `token_budget`, `processes` (that share a training; 0: one for each GPU) and `report_to` change no key.
    """

    precision: Literal["float32", "auto", "bfloat16", "float16"] = "float32"
    token_budget: Positive | None = None
    search: Literal["exact", "hnsw", "ivf"] = "exact"
    processes: Annotated[int, Field(ge=0)] = 1
    report_to: list[Literal["tensorboard", "wandb", "mlflow"]] = []


class Recipe(Section):
    """A whole recipe, its scale merged in."""

    title: str
    question: str = ""
    paper: str = ""
    collection: CollectionAt
    collections: dict[str, CollectionAt] = {}
    systems: dict[str, SystemAt] = {}
    vocabulary: Vocabulary | None = None
    pre_training: PreTraining | None = Field(default=None, alias="pre-training")
    translation: Translation = Translation()
    negatives: Negatives = Negatives()
    fine_tuning: FineTuning | None = Field(default=None, alias="fine-tuning")
    retrieval: Retrieval | None = None
    reranking: Reranking = Reranking()
    computing: ComputingAt = ComputingAt()
    published: dict[str, dict[str, str]] = {}
    errata: list[str] = []
    measures: Measures = Measures()
    comparison: Comparison = Comparison()
    audit: Audit | None = None


BY_NAME: dict[str, type[BaseModel]] = {
    "collections": CollectionAt,
    "systems": SystemAt,
    "fine-tuning": Tuning,
    "pre-training": NewModel,
}
"""What stands under the name of a system, in the sections that have such names."""


def names() -> list[str]:
    """Recipes that come with lsw."""
    return sorted(p.stem for p in FOLDER.glob("*.toml") if p.stem != "prices")


def scales() -> list[str]:
    """Scales that come with lsw."""
    return sorted(p.stem for p in (FOLDER / "scales").glob("*.toml"))


def recipe_path(name: str) -> Path:
    """The file of a recipe: a name that comes with lsw, or a path.

    Raises:
        LswError: there is no such recipe.
    """
    return _find(name, FOLDER, names(), "recipe")


def scale_path(name: str) -> Path:
    """The file of a scale: a name that comes with lsw, or a path.

    Raises:
        LswError: there is no such scale.
    """
    return _find(name, FOLDER / "scales", scales(), "scale")


def _find(name: str, folder: Path, known: list[str], what: str) -> Path:
    if name in known:
        return folder / f"{name}.toml"
    path = Path(name)
    if path.suffix == ".toml" and path.is_file():
        return path
    if path.suffix == ".toml":
        raise LswError(f"There is no file {name}.", cure=f"Or name a {what} that comes with lsw: {', '.join(known)}.")
    raise LswError(f"Unknown {what} '{name}'.", cure=nearest(name, known))


def read_toml(path: Path) -> dict[str, Any]:
    """A TOML file as a dictionary.

    Raises:
        LswError: it is not TOML, or not UTF-8.
    """
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise LswError("This is not valid TOML.", f"{path}: {error}") from None
    except UnicodeDecodeError:
        raise LswError("Invalid UTF-8.", str(path), "Save the file as UTF-8.") from None


def merged(under: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """`over` laid on `under`, section by section."""
    out = dict(under)
    for key, value in over.items():
        both = isinstance(value, dict) and isinstance(out.get(key), dict)
        out[key] = merged(out[key], value) if both else value
    return out


def override(text: str) -> dict[str, Any]:
    """Read `section.key=value` from the command line; the value as TOML, or else as text.

    Raises:
        LswError: no equals sign, or no section.
    """
    path, equals, value = text.partition("=")
    if not equals or "." not in path:
        raise LswError(
            f"'{text}' is not an override.", cure="Write section.key=value, as in fine-tuning.bge-m3.epochs=2"
        )
    try:
        parsed: Any = tomllib.loads(f"v = {value}")["v"]
    except tomllib.TOMLDecodeError:
        parsed = value
    for key in reversed(path.strip().split(".")):
        parsed = {key: parsed}
    found: dict[str, Any] = parsed
    return found


def load(path: Path, scale: Path, overrides: list[str] | None = None) -> Recipe:
    """Read a recipe and a scale, lay the recipe over the scale and the overrides over both, and check the whole.

    Raises:
        LswError: one error, naming the file, the line and the field.
    """
    said, behind = read_toml(path), read_toml(scale)
    behind.pop("title", None)
    if "fine-tuning" not in said:
        behind.pop("fine-tuning", None)
    whole = merged(behind, said)
    for text in overrides or ():
        change = override(text)
        section = next(iter(change))
        if section not in _sections():
            raise LswError(f"Unknown section '{section}' in '{text}'.", cure=nearest(section, _sections()))
        whole = merged(whole, change)
    try:
        recipe = checked(whole, path, scale)
        for name in ("pairs", "systems"):
            if recipe.retrieval and not getattr(recipe.retrieval, name):
                raise LswError(f"retrieval.{name} is empty.", str(path), "Name one at least.")
        return recipe
    except LswError as error:
        for text in overrides or ():  # the fault may stand on the command line, not in a file
            field, _, value = text.partition("=")
            quoted = error.title.split("'")[1] if error.title.count("'") > 1 else ""
            if error.title.startswith(field + ":") or (quoted and (quoted in value or quoted in field.split("."))):
                raise LswError(error.title, f"on the command line: {text}", error.cure) from None
        raise


def checked(whole: dict[str, Any], *files: Path) -> Recipe:
    """A recipe from plain values.

    Args:
        whole: sections and keys.
        files: where they were read from, for error messages.

    Raises:
        LswError: one error, naming the file, the line and the field.
    """
    try:
        recipe = Recipe.model_validate(whole)
        _references(recipe)
    except ValidationError as error:
        raise explained(error, Recipe, BY_NAME, *files) from None
    except LswError as error:  # a name within a field: say in which file and line it stands
        raise LswError(error.title, error.detail or quoted_line(error.title, *files), error.cure) from None
    return recipe


def _sections() -> list[str]:
    return [field.alias or name for name, field in Recipe.model_fields.items()]


def _references(recipe: Recipe) -> None:
    """Every system a recipe names must be one that its scale has, and must be of use where it is named."""
    known = ["bm25", *recipe.systems]
    named = list(recipe.fine_tuning.systems) if recipe.fine_tuning else []
    named += [recipe.negatives.system] if recipe.fine_tuning else []
    for pipeline in recipe.retrieval.systems if recipe.retrieval else ():
        stages = pipeline.split(RERANK)
        named += stages
        for position, stage in enumerate(stages):
            reranks = stage in recipe.systems and recipe.systems[stage].reranks
            if stage in known and reranks != (position > 0):
                raise LswError(
                    f"'{pipeline}' cannot be run: '{stage}' {'reranks only' if reranks else 'does not rerank'}.",
                    cure="A pipeline is a retriever, or a retriever >> a reranker, as in 'bge-m3 >> mt5'.",
                )
        if len(stages) > 2:
            raise LswError(f"'{pipeline}' has more than two stages.", cure="Write 'retriever >> reranker'.")
    for system in named:
        if system not in known:
            raise LswError(f"Unknown system '{system}'.", cure=nearest(system, known))
    if recipe.audit and recipe.audit.measure not in recipe.measures.names:
        raise LswError(
            f"The audit's measure, {recipe.audit.measure}, is not measured.",
            cure="Add it to measures.names, or set audit.measure to one of them.",
        )
    if recipe.fine_tuning:
        trainable = ("bi-encoder", "multi-vector", "reranker")
        for system in recipe.fine_tuning.systems:
            kind = recipe.systems[system].architecture if system in recipe.systems else trainable[0]
            if recipe.fine_tuning.models == "trained" and kind not in trainable:
                raise LswError(
                    f"'{system}' cannot be fine-tuned here: it is a {kind} system.",
                    cure=f"Of these lsw trains: {', '.join(trainable)}.",
                )
        if "bm25" in recipe.fine_tuning.systems:
            raise LswError("'bm25' has no weights to fine-tune.", cure="Take it out of fine-tuning.systems.")
        for name in recipe.fine_tuning.model_extra or {}:
            if name not in known:
                raise LswError(
                    f"Unknown key '{name}' in [fine-tuning].", cure=nearest(name, [*known[1:], "pair", "systems"])
                )
        if recipe.fine_tuning.models == "published":
            for system in recipe.fine_tuning.systems:
                if system not in recipe.published.get(recipe.fine_tuning.pair, {}):
                    raise LswError(
                        f"No published model of '{system}' trained on {recipe.fine_tuning.pair} is known.",
                        cure=f"Name one under [published.{recipe.fine_tuning.pair}], or train it.",
                    )
        for system in recipe.fine_tuning.systems if recipe.fine_tuning.models == "trained" else ():
            try:
                recipe.fine_tuning.tuning(system)
            except ValidationError as error:
                # Placed where it stands, so that its line can be found.
                raise ValidationError.from_exception_data(
                    "Recipe",
                    [
                        {
                            "type": e["type"],
                            "loc": ("fine-tuning", system, *e["loc"]),
                            "input": e["input"],
                            "ctx": e.get("ctx", {}),
                        }
                        for e in error.errors()
                    ],
                ) from None
    elif not recipe.retrieval and not recipe.pre_training:
        raise LswError("This recipe does nothing.", cure="Add a section [retrieval].")
