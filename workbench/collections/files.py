"""Files that a recipe names: on the hub, or of one's own."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from store import LswError
from store.artifacts import content_hash
from workbench.checkpoints import hub
from workbench.collections.formats import numbered, parsed


def content(at: str, field: str) -> dict[str, str]:
    """What tells a file's content: its address on the hub, or the hash of one's own.

    Args:
        at: where it is.
        field: of the recipe that says so, for the error.

    Raises:
        LswError: there is no such file.
    """
    if at.startswith(hub.SCHEME):
        return {"origin": at}
    path = Path(os.path.expanduser(at))
    if not path.is_file():
        raise LswError(f"There is no file {path}.", cure=f"Correct {field}.")
    return {"origin": path.name, "sha256": content_hash(path)}


def told(contents: dict[str, dict[str, str]], whole: bool) -> dict[str, dict[str, str]]:
    """Contents by what they are, as a stage records them; unless `whole` without the names of one's own files."""
    return {
        what: {name: value for name, value in told.items() if whole or name != "origin" or "sha256" not in told}
        for what, told in contents.items()
    }


def located(at: str) -> Path:
    """The file, downloaded if it must be."""
    return hub.file(at) if at.startswith(hub.SCHEME) else Path(os.path.expanduser(at))


def to_download(at: str) -> bool:
    """Whether it is on the hub and not on this machine."""
    return at.startswith(hub.SCHEME) and not hub.cached_file(at)


def objects(path: Path) -> Iterator[tuple[int, Any]]:
    """Numbered objects of a JSONL file, plain or .gz; blank lines are passed over.

    Raises:
        LswError: broken JSON, invalid UTF-8.
    """
    for number, line in numbered(path):
        yield number, parsed(path, number, line)
