"""Recipes and scales as files: found by name, laid over each other, checked."""

import math
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from store import LswError, nearest
from workbench.collections.cuts import CUTS
from workbench.collections.cuts import USUAL as USUAL_CUT
from workbench.evaluation.collapses import COLLAPSES
from workbench.lexicons import LEXICONS
from workbench.recipe.errors import explained, line_of, quoted_line
from workbench.recipe.references import check_references
from workbench.recipe.schema import USUAL, CollectionAt, NewModel, Recipe
from workbench.recipe.study import Cell, cells
from workbench.studies.analyses import ANALYSES
from workbench.systems import SYSTEMS
from workbench.training.objectives import OBJECTIVES
from workbench.training.steps import STEPS
from workbench.training.tuning import Tuning
from workbench.translation import TRANSLATORS

FOLDER = Path(__file__).parents[2] / "recipes"
"""Recipes, and under `scales/` scales, that come with lsw."""

LARGEST, DEEPEST = 1 << 24, 32
"""Bytes and nested sections of a file at most: a recipe has some 40 lines."""

CHOSEN: dict[str, Callable[[dict[str, Any]], type[BaseModel]]] = {
    "collections": lambda values: CollectionAt,
    "systems": lambda values: SYSTEMS.part(values["architecture"]),
    "fine-tuning": lambda values: Tuning,
    "training": lambda values: Tuning,
    "pre-training": lambda values: NewModel,
    "translation": lambda values: TRANSLATORS.part(values.get("translator", USUAL)),
}
"""The model of a section that is chosen by its values, or stands under a name of the user's own."""


PARTS: dict[str, Callable[[str], type[BaseModel]]] = {
    "analysis": ANALYSES.part, "step": STEPS.part, "objective": OBJECTIVES.part, "lexicon": LEXICONS.part,
    "cut": lambda name: CUTS.part(name or USUAL_CUT), "collapse": COLLAPSES.part,
}  # fmt: skip
"""The parts that a section may name wherever it stands; of no name, that of a section which names none."""


def names() -> list[str]:
    """Recipes that come with lsw."""
    return sorted(p.stem for p in FOLDER.glob("*.toml") if p.stem != "prices")


def studies() -> list[str]:
    """Those of them that are studies."""
    return [name for name in names() if "study" in read_toml(recipe_path(name))]


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
        LswError: it is not TOML, or not UTF-8, or has a value that no setting can have.
    """
    if path.stat().st_size > LARGEST:
        raise LswError(f"{path} has more than {LARGEST >> 20} MB.", cure="Is this the right file?")
    try:
        values = _parsed(path.read_text("utf-8-sig"))
    except UnicodeDecodeError:
        raise LswError("Invalid UTF-8.", str(path), "Save the file as UTF-8.") from None
    except ValueError as error:
        raise LswError("This is not valid TOML.", f"{path}: {error}") from None
    if fault := _unusable(values):
        loc, problem = fault
        raise LswError(f"{'.'.join(loc)}: {problem}.", line_of(loc, path))
    return values


def _parsed(text: str) -> dict[str, Any]:
    """TOML.

    Raises:
        ValueError: it is none, or nested too deep, or has a number of thousands of digits.
    """
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deep") from None


def _unusable(values: Any, loc: tuple[str, ...] = ()) -> tuple[tuple[str, ...], str] | None:
    """Where the first value is that TOML allows and no setting can be, and why; None if there is none."""
    if len(loc) > DEEPEST:
        return loc[:3], "it is nested too deep"
    if isinstance(values, dict | list):
        parts = values.items() if isinstance(values, dict) else enumerate(values)
        faults = (_unusable(name, loc) or _unusable(value, (*loc, str(name))) for name, value in parts)
        return next(filter(None, faults), None)
    if isinstance(values, float) and not math.isfinite(values):
        return loc, f"{values} is not a finite number"
    if isinstance(values, int) and not -(1 << 31) <= values < 1 << 32:
        return loc, "a whole number of more than 32 bits"
    if isinstance(values, str) and ("\0" in values or any("\ud800" <= c <= "\udfff" for c in values)):
        return loc, "the text has a NUL or half a character in it"
    return None


def at_scale(path: Path, scale: Path) -> dict[str, Any]:
    """A recipe as it is at a scale: each `[[at]]` that names the scale is laid over the rest.

    For what a scale's data are not there for: languages of another collection. The method stays.

    Raises:
        LswError: as `read_toml`; or an `[[at]]` that names no scales.
    """
    values = read_toml(path)
    parts, cure = values.pop("at", []), 'Write [[at]], and under it scales = ["mini"] and what is otherwise there.'
    if not isinstance(parts, list):
        raise LswError("at: this should be a list of sections.", line_of(["at"], path), cure)
    for part in parts:
        wanted = part.pop("scales", None) if isinstance(part, dict) else None
        if not isinstance(wanted, list) or not wanted:
            raise LswError("at.scales: a list of scales is missing.", line_of(["at"], path), cure)
        for name in map(str, wanted):
            if name not in scales() and not name.endswith(".toml"):
                raise LswError(f"at.scales: unknown scale '{name}'.", line_of(["at"], path), nearest(name, scales()))
        if {scale.stem, scale.name} & set(map(str, wanted)):
            values = merged(values, part)
    return values


def merged(under: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """`over` laid on `under`, section by section; one that names its part by its own name, as in
    `cut = { cut = "first" }`, is another part, which has no settings of the one before. Items of a list are sections by
    their number: `steps.0.pairs`.

    Raises:
        LswError: a list has no such item.
    """
    out = dict(under)
    for key, value in over.items():
        if isinstance(value, dict) and isinstance(out.get(key), list) and all(number.isdecimal() for number in value):
            out[key] = _items(key, out[key], value)
            continue
        both = isinstance(value, dict) and isinstance(out.get(key), dict) and not isinstance(value.get(key), str)
        out[key] = merged(out[key], value) if both else value
    return out


def _items(name: str, under: list[Any], over: dict[str, Any]) -> list[Any]:
    """A list with what is laid on some of its items."""
    items = dict(enumerate(under))
    for number, value in over.items():
        if int(number) not in items:
            raise LswError(f"'{name}' has no item {number}.", cure=f"It has {len(under)}, counted from 0.")
        items[int(number)] = merged({"": items[int(number)]}, {"": value})[""]
    return list(items.values())


def override(text: str) -> dict[str, Any]:
    """Read `section.key=value` from the command line; the value as TOML, or else as text.

    Raises:
        LswError: no equals sign, or no section; or a value that no setting can have.
    """
    path, equals, value = text.partition("=")
    if not equals or "." not in path:
        raise LswError(
            f"'{text}' is not an override.", cure="Write section.key=value, as in fine-tuning.bge-m3.epochs=2"
        )
    try:
        parsed: Any = _parsed(f"v = {value}")["v"]
    except tomllib.TOMLDecodeError:
        parsed = value
    except ValueError as error:
        raise LswError(f"{path}: {error}.", f"on the command line: {text[:80]}") from None
    if fault := _unusable(path) or _unusable(parsed):
        raise LswError(f"{path}: {fault[1]}.", f"on the command line: {text}")
    for key in reversed(_parts(path.strip())):
        parsed = {key: parsed}
    nested: dict[str, Any] = parsed
    return nested


def _parts(path: str) -> list[str]:
    """The keys of a path; one in quotes may have dots: `study.vary."fine-tuning.queries"`."""
    keys, quoted = [""], False
    for letter in path:
        if letter == '"':
            quoted = not quoted
        elif letter == "." and not quoted:
            keys.append("")
        else:
            keys[-1] += letter
    return keys


def load(path: Path, scale: Path, overrides: list[str] | None = None) -> Recipe:
    """Read a recipe and a scale, lay the recipe over the scale and the overrides over both, and check the whole.

    Raises:
        LswError: one error, naming the file, the line and the field.
    """
    return _checked(_laid(path, scale, overrides), path, scale, overrides)


def load_grid(path: Path, scale: Path, overrides: list[str] | None = None) -> tuple[Recipe, list[tuple[Cell, Recipe]]]:
    """A study as `load` reads it, and the recipe of each cell of its grid, in the order in which they are to be run.

    Raises:
        LswError: as `load`; it is no study; or a cell's recipe is not sound.
    """
    whole = _laid(path, scale, overrides)
    recipe = _checked(whole, path, scale, overrides)
    if not recipe.study:
        raise LswError(
            f"{path.stem} is no study.", cure=f"Type `lsw recipe run {path.stem}`, or add a section [study]."
        )
    del whole["study"]
    grid = []
    for cell in cells(recipe.study):
        changed = whole
        for change in cell.changes:
            changed = _with(changed, change)
        try:
            grid.append((cell, _checked(changed, path, scale, overrides)))
        except LswError as error:
            where = f"In the cell {cell.label}. {error.detail}".strip()
            raise LswError(error.title, where, error.cure) from None
    recipe.study.analysis.factors(list(recipe.study.factors))  # now that the grid's own names are known to be right
    return recipe, grid


def _with(whole: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """`merged`, of sections that a recipe may have.

    Raises:
        LswError: it may not.
    """
    for section in change:
        if section not in _sections() or section == "study":
            known = [name for name in _sections() if name != "study"]
            raise LswError(f"study.vary: unknown section '{section}'.", cure=nearest(section, known))
    return merged(whole, change)


def _laid(path: Path, scale: Path, overrides: list[str] | None) -> dict[str, Any]:
    """A recipe over its scale, and overrides over both."""
    own, behind = at_scale(path, scale), read_toml(scale)
    behind.pop("title", None)
    if "fine-tuning" not in own:
        behind.pop("fine-tuning", None)
    whole = merged(behind, own)
    if "fidelity" in own:
        ours = {row.get("what") for row in own["fidelity"]}
        whole["fidelity"] = [*own["fidelity"], *(r for r in behind.get("fidelity", []) if r.get("what") not in ours)]
    for text in overrides or ():
        change = override(text)
        section = next(iter(change))
        if section not in _sections():
            raise LswError(f"Unknown section '{section}' in '{text}'.", cure=nearest(section, _sections()))
        whole = merged(whole, change)
    return whole


def _checked(whole: dict[str, Any], path: Path, scale: Path, overrides: list[str] | None) -> Recipe:
    """A recipe that has something to test, else an error that says where the fault stands."""
    try:
        recipe = checked(whole, path, scale)
        if recipe.retrieval and not recipe.retrieval.pairs:
            raise LswError("retrieval.pairs is empty.", line_of(["retrieval", "pairs"], path), "Name one at least.")
        return recipe
    except LswError as error:
        for text in overrides or ():  # the fault may stand on the command line, not in a file
            field, _, value = text.partition("=")
            quoted = error.title.split("'")[1] if error.title.count("'") > 1 else ""
            named = error.title.startswith((f"{field}:", f"{field} ", f"{field}."))
            if named or (quoted and (quoted in value or quoted in field.split("."))):
                shown = field if field.endswith(".url") else text  # which may have a key in it
                raise LswError(error.title, f"on the command line: {shown}", error.cure) from None
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
        check_references(recipe)
    except ValidationError as error:
        raise explained(error, Recipe, CHOSEN, PARTS, whole, *files) from None
    except LswError as error:  # a name within a field: say in which file and line it stands
        raise LswError(error.title, error.detail or quoted_line(error.title, *files), error.cure) from None
    return recipe


def _sections() -> list[str]:
    return [field.alias or name for name, field in Recipe.model_fields.items()]
