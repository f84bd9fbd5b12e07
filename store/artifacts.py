"""Artifact folders, named by the key of the stage that made them.

A stage writes into a temporary folder, then `meta.json`, then one rename: a folder under its key is complete.
"""

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

META = "meta.json"
_SHORT = 12
_FIELDS: dict[str, type | tuple[type, ...]] = {
    "kind": str, "version": int, "parameters": dict, "inputs": dict, "environment": dict, "summary": dict,
    "started_at": str, "seconds": (int, float), "files": dict, "content": str,
}  # fmt: skip
"""What every `meta.json` has."""


def short(key: str) -> str:
    """The first digits of a key: what a run or a recipe run is called, and a stage for people."""
    return key[:_SHORT]


def file_hash(path: Path) -> str:
    """sha256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def content_hash(path: Path) -> str:
    """A file's hash, once as long as the file is the same: a recipe asks for it a hundred times."""
    stat = path.stat()
    return _hash_of(path, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=10_000)
def _content_of(path: Path, changed: int, size: int) -> str:
    """What a `meta.json` says of its files' content, read once as long as it is the same."""
    return str(json.loads(path.read_text("utf-8"))["content"])


@lru_cache(maxsize=1_000)
def _hash_of(path: Path, changed: int, size: int) -> str:
    return file_hash(path)


def replace(path: Path, text: str) -> None:
    """Write a small file whole or not at all."""
    aside = path.with_name(f".{path.name}-{os.getpid()}")
    aside.write_text(text, "utf-8")
    aside.replace(path)


def canonical(value: Any) -> str:
    """Canonical JSON: sorted keys, no spaces, text as it is. Equal values give equal text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


@dataclass(frozen=True)
class Verdict:
    """What is known of one artifact: `state` is complete, absent or corrupt; `reason` says why in words."""

    state: str
    reason: str = ""


class Artifacts:
    """The folder of artifacts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, key: str) -> Path:
        """Where the artifact of `key` is, or will be."""
        return self.folder / key

    def meta(self, key: str) -> dict[str, Any]:
        """What its stage recorded: kind, version, parameters, inputs, environment, seconds, files and more.

        `content` is a hash over all its files, `made_from` the content of each input it was made from.

        Raises:
            FileNotFoundError: there is none.
            ValueError: it is not what a stage writes.
        """
        try:
            loaded = json.loads((self.path(key) / META).read_text("utf-8"))
        except ValueError:
            loaded = None
        if not isinstance(loaded, dict):
            raise ValueError(f"{META} cannot be read")
        odd = [field for field, kind in _FIELDS.items() if not isinstance(loaded.get(field), kind)]
        if not odd and not all(isinstance(about, list) and len(about) == 3 for about in loaded["files"].values()):
            odd = ["files"]
        if odd:
            raise ValueError(f"{META} lacks {', '.join(odd)}")
        return loaded

    def all_keys(self) -> list[str]:
        """Keys of all artifacts, whole or not."""
        if not self.folder.exists():
            return []
        return sorted(p.name for p in self.folder.iterdir() if not p.name.startswith("."))

    def complete(self) -> list[str]:
        """Keys of all complete artifacts."""
        return [key for key in self.all_keys() if (self.path(key) / META).exists()]

    def check(self, key: str, thorough: bool = False, under: str = "") -> Verdict:
        """Whether the artifact is there and is what its stage wrote.

        Files whose size and time are as recorded are believed; any other file is hashed again, once: a copy has
        other times.

        Args:
            key: the artifact.
            thorough: hash all files again, as `lsw store check` does,
            under: or those whose names begin so.
        """
        return self._looked_at(key, thorough, under)[0]

    def _looked_at(self, key: str, thorough: bool = False, under: str = "") -> tuple[Verdict, dict[str, Any]]:
        """As `check`, with what the stage recorded."""
        folder = self.path(key)
        meta: dict[str, Any] = {}
        if not folder.exists():
            return Verdict("absent"), meta
        known = self._known(key)
        new: dict[str, list[Any]] = {}
        try:
            meta = self.meta(key)
            for name, (size, mtime, digest) in meta["files"].items():
                stat = (folder / name).stat()
                if stat.st_size != size:
                    return Verdict("corrupt", f"{name} has {stat.st_size} bytes, {size} were written"), meta
                seen = [size, stat.st_mtime_ns, digest]
                believed = stat.st_mtime_ns == mtime or known.get(name) == seen
                if believed and not (thorough and name.startswith(under)):
                    continue
                if file_hash(folder / name) != digest:
                    return Verdict("corrupt", f"{name} is not what was written (sha256 differs)"), meta
                if not believed:
                    new[name] = seen
        except (FileNotFoundError, NotADirectoryError) as error:
            return Verdict("corrupt", f"{Path(error.filename).name} is missing"), meta
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            return Verdict("corrupt", f"{Path(error.filename or folder).name} cannot be read: {error.strerror}"), meta
        except ValueError as error:
            return Verdict("corrupt", str(error)), meta
        if new:
            self._know(key, {**known, **new})
        return Verdict("complete"), meta

    def _known(self, key: str) -> dict[str, Any]:
        """Size, time and hash of files that were found to be what was written, though their times are others."""
        try:
            known = json.loads(self._hashed(key).read_text("utf-8"))
        except (FileNotFoundError, ValueError):
            return {}
        return known if isinstance(known, dict) else {}

    def _know(self, key: str, known: dict[str, Any]) -> None:
        """Beside the artifact, not in it: another process may be making it again."""
        path = self._hashed(key)
        with suppress(OSError):  # a store that cannot be written is hashed each time
            path.parent.mkdir(exist_ok=True)
            replace(path, canonical(known))

    def _hashed(self, key: str) -> Path:
        return self.folder / ".hashed" / f"{key}.json"

    def fresh(self, key: str, inputs: dict[str, str]) -> Verdict:
        """As `check`, and whether the inputs still are what it was made from.

        An input that was made again under its key (forced, or damaged) may have come out otherwise: training is not
        the same on every machine.

        Args:
            key: the artifact.
            inputs: key of each input, by role.
        """
        verdict, meta = self._looked_at(key)
        if verdict.state != "complete":
            return verdict
        made_from = meta.get("made_from", {})
        for role, its_key in inputs.items():
            if self.path(its_key).exists() and self._content(its_key) != made_from.get(role, ""):
                return Verdict("stale", f"its input '{role}' was made again and came out otherwise")
        return verdict

    def _content(self, key: str) -> str | None:
        try:
            path = self.path(key) / META
            stat = path.stat()
            return _content_of(path, stat.st_mtime_ns, stat.st_size)
        except (OSError, ValueError, KeyError, TypeError):
            return None  # damaged: it will be made again

    def discard(self, key: str) -> None:
        """Remove an artifact; renamed first, so that no half of it is ever seen under its key."""
        doomed = self.folder / f".doomed-{key}-{os.getpid()}"
        self.path(key).rename(doomed)
        shutil.rmtree(doomed)
        self._hashed(key).unlink(missing_ok=True)

    def work(self, key: str) -> Path:
        """A folder that outlives an interrupted stage (training checkpoints); removed once the artifact is kept."""
        folder = self.folder / f".work-{key}"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def lock(self, key: str) -> Path:
        """The file to lock while computing `key`, so that a second process waits instead of doing it again."""
        folder = self.folder / ".locks"
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{key}.lock"

    @contextmanager
    def making(self, key: str, meta: dict[str, Any]) -> Iterator[tuple[Path, dict[str, Any]]]:
        """A temporary folder that becomes the artifact of `key` if the block ends well, and vanishes if not.

        Yields the folder and `meta`, which the block may add to; file sizes, times and hashes are added at the end.
        """
        for stale in self.folder.glob(f".making-{key}-*"):  # of a killed process: the caller holds the lock
            shutil.rmtree(stale, ignore_errors=True)
        making = self.folder / f".making-{key}-{os.getpid()}"
        making.mkdir(parents=True)
        try:
            yield making, meta
            files = {}
            for path in sorted(p for p in making.rglob("*") if p.is_file()):
                stat = path.stat()
                name = path.relative_to(making).as_posix()
                files[name] = [stat.st_size, stat.st_mtime_ns, file_hash(path)]
            digests = canonical({name: digest for name, (_, _, digest) in files.items()})
            content = hashlib.sha256(digests.encode()).hexdigest()
            (making / META).write_text(canonical({**meta, "files": files, "content": content}), "utf-8")
            making.rename(self.path(key))
            shutil.rmtree(self.folder / f".work-{key}", ignore_errors=True)
        finally:
            shutil.rmtree(making, ignore_errors=True)
