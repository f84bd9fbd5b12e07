"""Files that a recipe names: on the hub, on the web, or of one's own."""

import hashlib
import os
import shutil
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from store import LswError
from store.artifacts import content_hash
from workbench.checkpoints import hub
from workbench.collections.formats import numbered, parsed

WEB = ("https://", "http://")
"""How addresses of the web begin: what is published there is taken not to change."""


def content(at: str, field: str) -> dict[str, str]:
    """What tells a file's content: its address, or the hash of one's own.

    Args:
        at: where it is.
        field: of the recipe that says so, for the error.

    Raises:
        LswError: there is no such file.
    """
    if at.startswith((hub.SCHEME, *WEB)):
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
    """The file, downloaded if it must be.

    Raises:
        LswError: it could not be.
    """
    if at.startswith(hub.SCHEME):
        return hub.file(at)
    return _downloaded(at) if at.startswith(WEB) else Path(os.path.expanduser(at))


def to_download(at: str) -> bool:
    """Whether it is elsewhere and not on this machine."""
    if at.startswith(WEB):
        return not _kept(at).exists()
    return at.startswith(hub.SCHEME) and not hub.cached_file(at)


def _kept(url: str) -> Path:
    """Where a download is kept."""
    from platformdirs import user_cache_path

    folder = Path(os.environ.get("LSW_DOWNLOADS") or user_cache_path("lsw-workbench") / "downloads")
    name = url.split("?")[0].rpartition("/")[2] or "file"
    return folder / f"{hashlib.sha256(url.encode()).hexdigest()[:12]}-{name}"


def _downloaded(url: str) -> Path:
    """A file of the web; whole, or not there."""
    path = _kept(url)
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        with urllib.request.urlopen(url, timeout=60) as answer, part.open("wb") as file:
            shutil.copyfileobj(answer, file, 1 << 20)
            wanted = answer.headers.get("Content-Length")
        if wanted and part.stat().st_size != int(wanted):
            raise OSError(f"{part.stat().st_size:,} of {int(wanted):,} bytes came")
        part.replace(path)
    except (OSError, ValueError) as error:
        raise LswError(
            f"'{url}' could not be downloaded.", str(error), f"Connect and try again, or put the file there: {path}"
        ) from None
    finally:
        part.unlink(missing_ok=True)
    return path


def objects(path: Path) -> Iterator[tuple[int, Any]]:
    """Numbered objects of a JSONL file, plain or .gz; blank lines are passed over.

    Raises:
        LswError: broken JSON, invalid UTF-8.
    """
    for number, line in numbered(path):
        yield number, parsed(path, number, line)
