"""Faults of a recipe in our words: the field, the nearest known name, the file and line where it stands."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from store import LswError, nearest

Models = Mapping[str, type[BaseModel]]


def explained(error: ValidationError, root: type[BaseModel], by_name: Models, *files: Path) -> LswError:
    """The first fault that pydantic found, as an error for people.

    Args:
        error: what pydantic raised.
        root: the model that was checked.
        by_name: models of sections whose keys are names of systems.
        files: where the values were read from, the likeliest first.
    """
    fault = error.errors()[0]
    loc = [str(part) for part in fault["loc"]]
    field = ".".join(loc)
    cure = ""
    if fault["type"] == "extra_forbidden":
        known = _keys(root, by_name, loc[:-1])
        title, cure = (
            f"Unknown key '{loc[-1]}'" + (f" in [{'.'.join(loc[:-1])}]." if loc[:-1] else "."),
            nearest(loc[-1], known),
        )
    elif fault["type"] == "missing":
        where = _line_of(loc[:-1], *files) if loc[:-1] else str(files[0])
        return LswError(f"'{field}' is missing.", where, "Add it to the recipe or the scale.")
    elif fault["type"] == "model_type":
        title = f"{field} must be a section [{field}] with keys, not {fault['input']!r}."
    else:
        title = f"{field}: {fault['msg'][0].lower()}{fault['msg'][1:]}, not {fault['input']!r}."
    return LswError(title, _line_of(loc, *files), cure)


def _keys(root: type[BaseModel], by_name: Models, path: list[str]) -> list[str]:
    """Keys that a section may have."""
    model: Any = root
    for part in path:
        found = {f.alias or n: f for n, f in model.model_fields.items()}.get(part)
        if found is None:
            model = by_name.get(path[0], root)
            break
        annotation = found.annotation
        options = [a for a in getattr(annotation, "__args__", (annotation,)) if hasattr(a, "model_fields")]
        model = options[0] if options else model
    return [f.alias or n for n, f in model.model_fields.items()]


def _line_of(loc: list[str], *files: Path) -> str:
    """`file, line` of a key, found by reading section headers and keys; the file alone if it is not there."""
    files = tuple(f for f in files if f.suffix == ".toml") or files
    for path in files:
        if path.suffix != ".toml":
            return str(path)
        section: list[str] = []
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            header = re.match(r"\s*\[([^\]]+)\]", line)
            if header:
                section = [part.strip(" \"'") for part in header[1].split(".")]
                if section == loc:
                    return f"{path}, line {number}"
                continue
            key = re.match(r"\s*([\w.-]+|\"[^\"]+\")\s*=", line)
            if key and [*section, *key[1].strip('"').split(".")] == loc[: len(section) + 1]:
                return f"{path}, line {number}"
    return str(files[0])


def quoted_line(title: str, *files: Path) -> str:
    """`file, line` of the first thing that an error puts in quotes."""
    quoted = re.search(r"'([^']+)'", title)
    for path in files:
        if path.suffix != ".toml":
            continue
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            if quoted and quoted[1] in line.split("#")[0]:
                return f"{path}, line {number}"
    return str(files[0])
