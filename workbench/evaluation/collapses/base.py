"""What every way from windows to pages can do."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import pyarrow as pa

from workbench.registry import Part
from workbench.talk import Summary


@dataclass(frozen=True)
class Found:
    """The windows that a system found.

    Args:
        rows: columns qid, docno (of the page), position (of the window there, int32), score (float64), windows (how
            many of the page could be found).
        least: columns qid, docno (of each page in `rows`), score: what a window of it counts, at most, that was not
            found (`stages.collapse`).
        held: columns qid, docno (of the page), position: the windows that hold a passage known to be relevant; None
            for ways that are not `judged`.
    """

    rows: pa.Table
    least: pa.Table
    held: pa.Table | None = None

    def select(self, statement: str) -> pa.Table:
        """The answer of a SELECT over `found`, `least` and, for a `judged` way, `held`."""
        import duckdb

        with duckdb.connect() as con:
            for name, table in (("found", self.rows), ("least", self.least), ("held", self.held)):
                if table is not None:
                    con.register(name, table)
            return con.sql(statement).to_arrow_table()


class Collapse(Part):
    """How a page is scored by its windows. In a recipe: `collapse = "max"`.

    One that `picks` says which windows of a page are there at all: the others are not indexed. A `judged` one
    reads which passages are relevant: it is for pages that were joined of passages.
    """

    collapse: str

    picks: ClassVar[bool] = False
    judged: ClassVar[bool] = False

    def picked(self, page: str, windows: int) -> Sequence[int]:
        """The places of a page's windows that are indexed, of so many.

        Args:
            page: its docno.
            windows: how many it has, one at least.
        """
        return range(windows)

    @abstractmethod
    def pages(self, found: Found) -> tuple[pa.Table, Summary]:
        """Score pages.

        Returns:
            columns qid, docno, score (float64), each page that has a window among those found, in any order; and what
            to record.
        """
