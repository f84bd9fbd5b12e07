"""FirstP: a page is as good as its first window (Dai and Callan 2019), the only one that is indexed."""

from collections.abc import Sequence
from typing import ClassVar

import pyarrow as pa

from workbench.evaluation.collapses.base import Collapse, Found
from workbench.evaluation.collapses.max import BEST
from workbench.talk import Summary


class FirstWindow(Collapse):
    """The score of its first window."""

    picks: ClassVar[bool] = True

    def picked(self, page: str, windows: int) -> Sequence[int]:
        return [0]

    def pages(self, found: Found) -> tuple[pa.Table, Summary]:
        return found.select(BEST), {}
