"""What the screens remember from one day to the next (theme, last screen, runs, sort): one small JSON file."""

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from platformdirs import user_state_path

HISTORY = 200
"""SQL statements kept."""


def file() -> Path:
    """Where it is: $LSW_STATE, else the user's own state folder."""
    path = os.environ.get("LSW_STATE")
    return Path(path) if path else user_state_path("lsw") / "tui.json"


class Remembered:
    """Values by name, some of them for one store only. A file that cannot be read or written is as good as none."""

    def __init__(self, store: Path) -> None:
        self._store = str(store.resolve())
        self._all: dict[str, Any] = {}
        with suppress(OSError, ValueError):
            loaded = json.loads(file().read_text("utf-8"))
            self._all = loaded if isinstance(loaded, dict) else {}
        stores = self._all.get("stores")
        stores = stores if isinstance(stores, dict) else {}
        self._all["stores"] = {name: kept for name, kept in stores.items() if isinstance(kept, dict)}

    def get(self, name: str, default: Any = None) -> Any:
        """A value of this store, else of the user."""
        stores = self._all.get("stores")
        here = stores.get(self._store, {}) if isinstance(stores, dict) else {}
        value = here.get(name, self._all.get(name, default)) if isinstance(here, dict) else default
        return value if default is None or isinstance(value, type(default)) else default

    def put(self, name: str, value: Any, here: bool = True) -> None:
        """Keep a value, for this store or for all."""
        if here:
            stores = self._all.setdefault("stores", {})
            stores.setdefault(self._store, {})[name] = value
        else:
            self._all[name] = value

    def save(self) -> None:
        """Write all, in one rename."""
        with suppress(OSError):
            path = file()
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary = path.with_suffix(f".{os.getpid()}")
            temporary.write_text(json.dumps(self._all, ensure_ascii=False, indent=1), "utf-8")
            temporary.replace(path)
