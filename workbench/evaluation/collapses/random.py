"""A page is as good as one of its windows, drawn by a hash of its docno: the only one that is indexed."""

import hashlib
from collections.abc import Sequence
from typing import ClassVar

import pyarrow as pa

from workbench.evaluation.collapses.base import Collapse, Found
from workbench.evaluation.collapses.max import BEST
from workbench.talk import Summary


class RandomWindow(Collapse):
    """The score of that window; `seed` is of the draw."""

    seed: int = 42

    picks: ClassVar[bool] = True

    def picked(self, page: str, windows: int) -> Sequence[int]:
        drawn = hashlib.blake2b(f"{self.seed}:{page}".encode(), digest_size=8).digest()
        return [int.from_bytes(drawn, "big") % windows]

    def pages(self, found: Found) -> tuple[pa.Table, Summary]:
        return found.select(BEST), {}
