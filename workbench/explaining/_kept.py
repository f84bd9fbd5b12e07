"""The models that were used last, so that the next query of the same run does not load one again."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import RLock
from typing import Any

MOST, BYTES = 4, 3_000_000_000
"""Models kept at most, and their weights in all; the one used last is kept however large it is."""


class Kept:
    """What was made for a key, the one used last at the end; `lock` is held while one is made or used."""

    def __init__(self, most: int = MOST, size: int = BYTES) -> None:
        self.most, self.bytes, self.lock = most, size, RLock()
        self._held: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()

    def __contains__(self, key: Hashable) -> bool:
        return key in self._held

    def get(self, key: Hashable, size: int, make: Callable[[], Any]) -> Any:
        """What was made for this key, or what `make` gives now.

        Args:
            key: what it is.
            size: of its weights in bytes.
            make: loads it.
        """
        with self.lock:
            if key in self._held:
                self._held.move_to_end(key)
                return self._held[key][0]
            others = list(self._held)
            while others and (len(others) >= self.most or self._size() + size > self.bytes):
                del self._held[others.pop(0)]  # before the new one is loaded: there may be no room for both
            made = make()
            self._held[key] = (made, size)
            return made

    def clear(self) -> None:
        """Let all of them go."""
        with self.lock:
            self._held.clear()

    def _size(self) -> int:
        return sum(size for _, size in self._held.values())


KEPT = Kept()
"""Of this process."""
