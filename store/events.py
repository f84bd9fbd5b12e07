"""Live progress: one line of JSON per event, appended to one file per recipe run."""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any


class Events:
    """The folder of event files. Writers append whole lines; readers may follow at any time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def emit(self, recipe_run_id: str, event: str, **fields: Any) -> None:
        """Append one event. `event` is started, cached, progress, done, failed or interrupted."""
        line = json.dumps({"time": round(time.time(), 3), "pid": os.getpid(), "event": event, **fields})
        with (self.folder / f"{recipe_run_id}.jsonl").open("a", encoding="utf-8") as out:
            out.write(line + "\n")

    def read(self, recipe_run_id: str) -> Iterator[dict[str, Any]]:
        """The events of one recipe run, oldest first; a line cut off by a killed writer is passed over."""
        path = self.folder / f"{recipe_run_id}.jsonl"
        if not path.exists():
            return
        for line in path.read_text("utf-8").splitlines():
            try:
                yield json.loads(line)
            except json.JSONDecodeError:
                continue
