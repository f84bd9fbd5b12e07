"""What is trained, on what, and how: the sections [fine-tuning] and [training.NAME]."""

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, SerializeAsAny, model_validator

from workbench.registry import Section, told
from workbench.training.objectives import OBJECTIVES
from workbench.training.objectives.base import Objective
from workbench.training.steps import STEPS
from workbench.training.steps.base import Step
from workbench.training.steps.replay import Replay
from workbench.training.tuning import Share
from workbench.varieties import Pair, pair

PairName = Annotated[str, AfterValidator(told(lambda text: str(pair(text))))]
Seed = Annotated[int, Field(ge=0, lt=2**32)]


def _distinct(seeds: list[int]) -> list[int]:
    if len(set(seeds)) < len(seeds):
        raise ValueError("a seed is given twice")
    return seeds


ALL: Literal["all"] = "all"
Queries = Annotated[int, Field(ge=0)] | Literal["all"]
"""How many training queries are seen; a larger number of them holds a smaller one."""
Steps = list[Annotated[SerializeAsAny[Step], STEPS.read("step")]]


def _objective(value: Any) -> Any:
    """An objective, by its name or with its settings."""
    if value is None or isinstance(value, Objective):
        return value
    settings = {"objective": value} if isinstance(value, str) else value
    return OBJECTIVES.read("objective").func(settings)  # type: ignore[call-arg]


class Variant(Section):
    """One way to train, by its name; what a system was trained on is shown by that name.

    `pair` are the queries and passages of its triples; of one variety twice (`fr-fr`), high-resource queries alone.
    `queries` are as many as the training may see, those of a smaller number among those of a larger one; of none
    nothing is trained. `steps` are done to the triples after those of [fine-tuning]. `objective` is what all its
    systems minimise, unless it is left to them. Each system's settings may be changed under its name. A section
    `beside` is the step of that name, before the others: so a study can change its settings one by one.

    Or nothing is trained: `model` is another training whose models are used in another way. `encodes` is which texts
    they encode, passages or queries being left to the base; of all weights `share` is theirs, the rest the base's.
    """

    model_config = ConfigDict(extra="allow", strict=True, frozen=True)
    pair: PairName | None = None
    systems: list[str] = []
    seeds: Annotated[list[Seed], Field(max_length=100), AfterValidator(_distinct)] = []
    queries: Queries | None = None
    steps: Steps = []
    objective: Annotated[SerializeAsAny[Objective] | None, BeforeValidator(_objective)] = None
    model: str | None = None
    encodes: Literal["both", "queries", "passages"] = "both"
    share: Share = 1.0

    @property
    def on(self) -> Pair:
        """The pair, as `Recipe.trainings` gives it to every training."""
        assert self.pair
        return pair(self.pair)

    @model_validator(mode="after")
    def _trains_or_uses(self) -> Self:
        trains, uses = ("pair", "seeds", "queries", "steps", "objective"), ("encodes", "share")
        if self.model is None and not self.pair:
            raise ValueError("name the `pair` to train on, or the training whose `model` is used")
        for name in trains if self.model is not None else uses:
            if name in self.model_fields_set and getattr(self, name) != type(self).model_fields[name].default:
                why = "with `model` nothing is trained" if self.model is not None else "this is of another's `model`"
                raise ValueError(f"{why}: leave out `{name}`")
        return self

    def used_by(self, other: Self) -> Self:
        """A training that uses this one's models: of the same pair, systems and seeds, unless it has fewer systems."""
        own = {"model": other.model, "encodes": other.encodes, "share": other.share}
        return self.model_copy(update=own | ({"systems": other.systems} if other.systems else {}))

    @model_validator(mode="before")
    @classmethod
    def _beside(cls, values: Any) -> Any:
        if not isinstance(values, dict) or not isinstance(values.get("beside"), dict):
            return values
        rest = {name: value for name, value in values.items() if name != "beside"}
        return {**rest, "steps": [{"step": "beside", **values["beside"]}, *values.get("steps", [])]}


CONTROLS = {"high-only": 1.0, "mixed": 0.5}
"""Trainings on the same triples, and so as many steps, by the share whose query is put in its high-resource wording."""
CONTROL = "high-only"


class FineTuning(Section):
    """What is fine-tuned, on which pair; each system's own settings may be given under its name.

    `pair` makes a training of that name, and `controls` beside it; others are sections [training.NAME]. `steps` are
    done to the triples of each first, in their order.

    `queries` are as many as each training may see, unless it says so itself.

    `seeds` train one model each, of every system: what is reported and compared is their mean. Without them each system
    has its own `seed`. With models = "published" nothing is trained: the models that the scale names under
    [published.PAIR] are tested, and there are no controls.
    """

    model_config = ConfigDict(extra="allow", strict=True, frozen=True)
    pair: PairName | None = None
    systems: list[str]
    models: Literal["trained", "published"] = "trained"
    controls: list[Literal["high-only", "mixed"]] | None = None
    seeds: Annotated[list[Seed], Field(max_length=100), AfterValidator(_distinct)] = []
    queries: Queries = ALL
    steps: Steps = []

    @model_validator(mode="after")
    def _trains(self) -> Self:
        if self.models == "published":
            if self.seeds:
                raise ValueError("published models are not trained: leave out `seeds`, or set models to 'trained'")
            if self.steps:
                raise ValueError("published models are not trained: leave out `steps`, or set models to 'trained'")
            if self.queries != ALL:
                raise ValueError("published models are not trained: leave out `queries`, or set models to 'trained'")
            if self.controls:
                raise ValueError("published models have no controls: set controls = [], or models to 'trained'")
        if self.controls and not self.pair:
            raise ValueError("`controls` are of a `pair`: name one, or write each as a section [training.NAME]")
        return self

    def trainings(self) -> dict[str, Variant]:
        """The training that `pair` names, and its controls."""
        if not self.pair:
            return {}
        usual = [] if self.models == "published" else list(CONTROLS)
        controls = usual if self.controls is None else self.controls
        replayed = {name: Replay(step="replay", share=CONTROLS[name]) for name in controls}
        return {self.pair: Variant(pair=self.pair)} | {
            name: Variant(pair=self.pair, steps=[step]) for name, step in replayed.items()
        }
