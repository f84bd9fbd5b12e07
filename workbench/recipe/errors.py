"""Faults of a recipe in our words: the field, the nearest known name, the file and line where it stands."""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from store import LswError, nearest

Chosen = Mapping[str, Callable[[dict[str, Any]], type[BaseModel]]]
"""For a section: the model that its values choose."""
Parts = Mapping[str, Callable[[str], type[BaseModel]]]
"""For a key that names a part, as `step` does, wherever it stands: the part of a name."""


def explained(
    error: ValidationError, root: type[BaseModel], chosen: Chosen, parts: Parts, values: dict[str, Any], *files: Path
) -> LswError:
    """The first fault that pydantic found, as an error for people.

    Args:
        error: what pydantic raised.
        root: the model that was checked.
        chosen: models of sections that are chosen by their values.
        parts: models of sections that name a part.
        values: that were checked.
        files: where the values were read from, the likeliest first.
    """
    fault = error.errors()[0]
    loc = [str(part) for part in fault["loc"]]
    field = ".".join(loc)
    cure = ""
    if fault["type"] == "extra_forbidden":
        known = _keys_of_part(parts, values, loc[:-1]) or _keys(root, chosen, values, loc[:-1])
        title, cure = (
            f"Unknown key '{loc[-1]}'" + (f" in [{'.'.join(loc[:-1])}]." if loc[:-1] else "."),
            nearest(loc[-1], known),
        )
    elif fault["type"] == "lsw":  # one of ours, raised within a field
        title, cure = fault["ctx"]["title"], fault["ctx"]["cure"]
        loc += filter(None, [fault["ctx"].get("key")])
    elif fault["type"] == "unnamed":
        title, cure = f"'{field}.{fault['ctx']['key']}' is missing.", fault["ctx"]["cure"]
    elif fault["type"] == "missing":
        where = line_of(loc[:-1], *files) if loc[:-1] else str(files[0])
        return LswError(f"'{field}' is missing.", where, "Add it to the recipe or the scale.")
    elif fault["type"] == "too_short":
        title, cure = f"{field} is empty.", "Name one at least."
    elif fault["type"] == "model_type":
        title = f"{field} must be a section [{field}] with keys, not {fault['input']!r}."
    else:
        title = f"{field}: {fault['msg'][0].lower()}{fault['msg'][1:]}, not {fault['input']!r}."
    return LswError(title, line_of(loc, *files), cure)


def _keys_of_part(parts: Parts, values: Any, path: list[str]) -> list[str]:
    """Keys that a section which names a part may have; none if it names none."""
    for name in path:
        if isinstance(values, list):
            values = values[int(name)] if name.isdigit() and int(name) < len(values) else None
        else:
            values = values.get(name) if isinstance(values, dict) else None
    if not isinstance(values, dict):
        return []
    named = next((key for key in parts if isinstance(values.get(key), str)), None)
    if named is None and (not path or path[-1] not in parts):
        return []
    try:
        return list(parts[named](values[named]).model_fields if named else parts[path[-1]]("").model_fields)
    except LswError:  # it must name one
        return []


def _keys(root: type[BaseModel], chosen: Chosen, values: Any, path: list[str]) -> list[str]:
    """Keys that a section may have."""
    model: Any = root
    for depth, part in enumerate(path):
        values = values.get(part, {}) if isinstance(values, dict) else {}
        field = {f.alias or n: f for n, f in model.model_fields.items()}.get(part)
        annotation = field.annotation if field else None
        options = [a for a in getattr(annotation, "__args__", (annotation,)) if hasattr(a, "model_fields")]
        last = depth == len(path) - 1
        if path[0] in chosen and last and (depth or not options or path[0] == "translation"):
            model = chosen[path[0]](values)
        elif options:
            model = options[0]
    return [f.alias or n for n, f in model.model_fields.items()]


def line_of(loc: Sequence[str], *files: Path) -> str:
    """`file, line` of a key, found by reading section headers and keys; the file alone if it is not there."""
    files = tuple(f for f in files if f.suffix == ".toml") or files
    for path in files:
        if path.suffix != ".toml":
            return str(path)
        section: list[str] = []
        for number, line in enumerate(path.read_text("utf-8-sig").splitlines(), 1):
            header = re.match(r"\s*\[([^\]]+)\]", line)
            if header:
                section = [part.strip(" \"'") for part in header[1].split(".")]
                if section == [*loc]:
                    return f"{path}, line {number}"
                continue
            key = re.match(r"\s*([\w.-]+|\"[^\"]+\")\s*=", line)
            if key and [*section, *key[1].strip('"').split(".")] == [*loc[: len(section) + 1]]:
                return f"{path}, line {number}"
    return str(files[0])


def quoted_line(title: str, *files: Path) -> str:
    """`file, line` of the first thing that an error puts in quotes."""
    quoted = re.search(r"'([^']+)'", title)
    for path in files:
        if path.suffix != ".toml":
            continue
        for number, line in enumerate(path.read_text("utf-8-sig").splitlines(), 1):
            if quoted and quoted[1] in line.split("#")[0]:
                return f"{path}, line {number}"
    return str(files[0])
