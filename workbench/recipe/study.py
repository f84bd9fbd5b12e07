"""A study: a recipe with a grid of changes to it, and what is estimated from the grid ([study])."""

import itertools
import json
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, SerializeAsAny, field_validator

from store import LswError
from workbench.registry import Section, told
from workbench.studies.analyses import ANALYSES
from workbench.studies.analyses.base import Analysis
from workbench.studies.evidence import Level, named_factor

MANY = 2_000
"""Cells of a grid at most."""
LAST = "all"
"""A level that comes after every number."""


def _analysis(value: Any) -> Any:
    """An analysis, by its name or with its settings."""
    if isinstance(value, Analysis):
        return value
    settings = {"analysis": value} if isinstance(value, str) else value
    return ANALYSES.read("analysis").func(settings)  # type: ignore[call-arg]


class When(Section):
    """Cells that are other than the rest: those with one of these `levels` of each factor get `set`, or are left out
    (`skip`)."""

    levels: Annotated[dict[str, list[Level]], Field(min_length=1)]
    set: dict[str, Any] = {}
    skip: bool = False


PATHS = {"of", "levels"}
"""Keys of a factor that sets several paths to one value."""


def _levels(value: Any) -> Any:
    """What a factor may be: a list of values, of one path or of several; or sections of changes by name."""
    cure = "Write a list of values, or a section for each level with what it changes; put a path in quotes."
    if isinstance(value, dict) and set(value) == PATHS:
        paths = value["of"]
        if not isinstance(paths, list) or not paths or not all(isinstance(path, str) for path in paths):
            raise LswError("`of` should be a list of paths", cure='As in of = ["training.one.queries"].')
        return {"of": paths, "levels": _levels(value["levels"])}
    if isinstance(value, dict):
        if not value or not all(isinstance(changes, dict) for changes in value.values()):
            raise LswError("A factor's levels should be sections", cure=cure)
        return value
    if not isinstance(value, list) or not value:
        raise LswError("A factor needs levels", cure=cure)
    texts = [json.dumps(level, sort_keys=True) for level in value]
    if len(set(texts)) < len(texts):
        raise LswError(f"A level is given twice: {next(t for t in texts if texts.count(t) > 1)}")
    return value


class Study(Section):
    """A grid, and its analysis.

    `vary` has a factor under each key. A path in quotes, as in `"fine-tuning.queries" = [31, 62]`, takes those values;
    any other name has its levels by name, each with what it changes: `regime = { long = { ... }, short = { ... } }`,
    or has values for several paths: `budget = { of = ["...", "..."], levels = [20, 60] }`.
    All combinations are cells; `when` changes some of them or leaves them out. Without factors there is one cell.
    """

    analysis: Annotated[SerializeAsAny[Analysis], BeforeValidator(_analysis)]
    vary: dict[str, Annotated[Any, AfterValidator(told(_levels))]] = {}
    when: list[When] = []

    @field_validator("vary")
    @classmethod
    def _few_enough(cls, vary: dict[str, Any]) -> dict[str, Any]:
        cells = 1
        for levels in vary.values():
            cells *= len(_values(levels))
        if cells > MANY:
            raise ValueError(f"the grid has {cells:,} cells, and may have {MANY:,}")
        return vary

    @property
    def factors(self) -> dict[str, list[Level]]:
        """The levels of each factor, as they are shown."""
        return {name: [level_of(level) for level in _values(levels)] for name, levels in self.vary.items()}


@dataclass(frozen=True)
class Cell:
    """One recipe of the grid.

    Args:
        number: in the order of the grid, from 0.
        levels: of each factor.
        changes: to the recipe, as nested sections.
    """

    number: int
    levels: dict[str, Level]
    changes: list[dict[str, Any]]

    @property
    def label(self) -> str:
        """For people: `queries 31, regime long`."""
        return ", ".join(f"{name.rpartition('.')[2]} {level}" for name, level in self.levels.items()) or "the recipe"


def cells(study: Study) -> list[Cell]:
    """The cells of a grid, in an order that shows its outline first: extremes, then what lies between them.

    Raises:
        LswError: a condition names no factor or level of the grid; every cell is left out.
    """
    factors = study.factors
    conditions = [(_condition(when, factors), when) for when in study.when]
    every = []
    for number, places in enumerate(itertools.product(*(range(len(levels)) for levels in factors.values()))):
        levels = {name: known[at] for (name, known), at in zip(factors.items(), places, strict=True)}
        changes = [c for name, at in zip(factors, places, strict=True) for c in _change(name, study.vary[name], at)]
        met = [when for wanted, when in conditions if all(levels[name] in some for name, some in wanted.items())]
        if any(when.skip for when in met):
            continue
        order = [_depth(known, at) for known, at in zip(factors.values(), places, strict=True)]
        sooner = (max(order, default=0), sum(order), [-at for at in places])
        every.append((sooner, Cell(number, levels, [*changes, *(when.set for when in met)])))
    if not every:
        raise LswError("Every cell of the grid is left out.", cure="Look at study.when.")
    return [cell for _, cell in sorted(every, key=lambda pair: pair[0])]


def _values(levels: Any) -> list[Any]:
    """What a factor's levels are called."""
    if isinstance(levels, dict):
        return list(levels["levels"] if set(levels) == PATHS else levels)
    return list(levels)


def level_of(value: Any) -> Level:
    """A value as a level: itself, or, of a list or section, its JSON."""
    return value if isinstance(value, bool | int | float | str) else json.dumps(value, ensure_ascii=False)


def _condition(when: When, factors: dict[str, list[Level]]) -> dict[str, list[Level]]:
    named = {named_factor(name, list(factors)): some for name, some in when.levels.items()}
    for name, some in named.items():
        if lacking := [level for level in some if level not in factors[name]]:
            known = ", ".join(map(str, factors[name]))
            raise LswError(f"study.when: '{name}' has no level '{lacking[0]}'.", cure=f"It has: {known}.")
    return named


def _change(name: str, levels: Any, at: int) -> list[dict[str, Any]]:
    """What a level changes."""
    value = _values(levels)[at]
    if isinstance(levels, dict) and set(levels) != PATHS:
        return [levels[value]]
    out = []
    for path in levels["of"] if isinstance(levels, dict) else [name]:
        nested = value
        for key in reversed(path.split(".")):
            nested = {key: nested}
        out.append(nested)
    return out


def _depth(levels: list[Level], at: int) -> int:
    """How late a level comes: numbers from the ends inwards; names all at once."""
    numbers = [level for level in levels if level != LAST]
    if not all(isinstance(level, int | float) and not isinstance(level, bool) for level in numbers):
        return 0
    low, high, depth = 0, len(levels) - 1, 0
    while at not in (low, high):
        middle, depth = (low + high) // 2, depth + 1
        if at == middle:
            return depth
        low, high = (low, middle) if at < middle else (middle, high)
    return depth
