"""Where a checkpoint is: what ships with lsw, a folder, or a name on the hub; and the hashes of its files."""

import json
import os
import re
from pathlib import Path

from store import LswError
from store.artifacts import content_hash
from workbench.checkpoints import hub

SHIPPED = Path(__file__).parents[1] / "mini"
"""What comes with lsw: `collection/` and `models/`."""

_HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+(@[\w.-]+)?")
_BLOB = re.compile(r"[0-9a-f]{64}")
_SUFFIXES = (".safetensors", ".json", ".txt", ".model", ".bin", ".pt", ".metadata", ".jinja")


def place(text: str, base: Path) -> Path:
    """A path as a scale writes it: `package:` is what ships with lsw, the rest is relative to `base`."""
    if text.startswith("package:"):
        return SHIPPED / text.removeprefix("package:")
    return (base / os.path.expanduser(text)).resolve()


def folder_of(checkpoint: str, base: Path, fetch: bool, system: str = "", field: str = "checkpoint") -> Path | None:
    """The folder of a checkpoint; None if it is on the hub and not on this machine.

    Args:
        checkpoint: `package:...`, a path, or owner/name on the hub, optionally @revision.
        base: folder that relative paths start from.
        fetch: whether it may be downloaded now.
        system, field: whose it is and where that is written, for the error.

    Raises:
        LswError: it is none of these, or could not be downloaded.
    """
    folder = place(checkpoint, base)
    if folder.is_dir():
        return folder
    if _HUB_NAME.fullmatch(checkpoint):
        snapshot = hub.model(checkpoint) if fetch else hub.cached_model(checkpoint)
        return snapshot[0] if snapshot else None
    raise LswError(
        f"The checkpoint of '{system or checkpoint}' is neither a folder nor a name on the hub.",
        f"Looked for {folder}.",
        f"Download it there, or correct {field}: a path, or owner/name.",
    )


def file_hashes(folder: Path) -> dict[str, str]:
    """sha256 of each file that a model is made of, by its path in the folder."""
    return {
        path.relative_to(folder).as_posix(): _content(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix in _SUFFIXES
    }


def _content(path: Path) -> str:
    """A file's sha256; the hub's cache names large files by it already."""
    name = path.resolve().name
    return name if path.is_symlink() and _BLOB.fullmatch(name) else content_hash(path)


def folder_in(artifact: Path) -> Path:
    """The model folder of an artifact that has one: inside it, or where its `checkpoint.json` says."""
    if (artifact / "checkpoint").is_dir():
        return artifact / "checkpoint"
    return Path(json.loads((artifact / "checkpoint.json").read_text("utf-8"))["folder"])
