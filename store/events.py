"""Live progress: one line of JSON per event, appended to one file per recipe run."""

import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

try:
    import fcntl
except ImportError:  # not of this system: then nobody knows who is at work
    fcntl = None  # type: ignore[assignment]


def host() -> str:
    """What this machine is called."""
    return socket.gethostname()


class Events:
    """The folder of event files. Writers append whole lines; readers may follow at any time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, recipe_run_id: str) -> Path:
        """The file of one recipe run, which may not be there."""
        return self.folder / f"{recipe_run_id}.jsonl"

    def emit(self, recipe_run_id: str, event: str, **fields: Any) -> None:
        """Append one event. `event` is started, stage, progress, done, failed or interrupted."""
        line = json.dumps({"time": round(time.time(), 3), "pid": os.getpid(), "event": event, **fields})
        with self.path(recipe_run_id).open("a", encoding="utf-8") as out:
            out.write(line + "\n")

    def read(self, recipe_run_id: str) -> Iterator[dict[str, Any]]:
        """The events of one recipe run, oldest first; a line cut off by a killed writer is passed over."""
        yield from self.after(recipe_run_id, 0)[0]

    def after(self, recipe_run_id: str, offset: int) -> tuple[list[dict[str, Any]], int]:
        """The events whose lines begin at a byte of the file or later, and where to go on the next time."""
        try:
            with self.path(recipe_run_id).open("rb") as file:
                file.seek(offset)
                whole, end, _ = file.read().rpartition(b"\n")  # the rest is still being written
        except FileNotFoundError:
            return [], 0
        found = []
        for line in whole.splitlines():
            try:
                event = json.loads(line)
            except ValueError:
                continue
            if isinstance(event, dict):
                found.append(event)
        return found, offset + len(whole) + len(end)

    @contextmanager
    def held(self, recipe_run_id: str) -> Iterator[bool]:
        """Hold the lock of a recipe run while at work on it; the system lets go of it when the process dies.

        Several may hold it: each waits for the other's stages. No promise is made of network file systems.

        Yields whether it is held: some file systems have no locks.
        """
        with self.path(recipe_run_id).open("a+b") as file:
            if file.tell():
                file.seek(-1, os.SEEK_END)
                if file.read(1) != b"\n":  # a killed writer's line: what comes after it is a line of its own
                    file.write(b"\n")
                    file.flush()
            locked = _locked(file.fileno(), shared=True)
            try:
                yield bool(locked)
            finally:
                if fcntl and locked:
                    fcntl.flock(file, fcntl.LOCK_UN)  # a fork of this process may have the file open still

    def is_held(self, recipe_run_id: str) -> bool | None:
        """Whether a process holds the lock of a recipe run, without waiting for it; None: nobody knows."""
        try:
            with self.path(recipe_run_id).open("rb") as file:  # closing it lets go of it
                free = _locked(file.fileno(), shared=False)
        except OSError:
            return None
        return None if free is None else not free


def _locked(file: int, shared: bool) -> bool | None:
    """Take a lock on an open file: a shared one for work, one's own to see whether there is another holder.

    The first waits, as long as somebody looks; the second never does. None: it has no locks.
    """
    if not fcntl:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_SH if shared else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True
