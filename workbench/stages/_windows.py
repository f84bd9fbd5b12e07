"""What stages over the windows of pages have in common: how many there are, and how many are to be found."""

from dataclasses import dataclass
from pathlib import Path

from workbench.graph import Job
from workbench.stages import _ranking

WINDOWS = "windows"
"""The role of the stage that cut the pages."""


@dataclass(frozen=True)
class Windows:
    """The windows that are indexed.

    Args:
        table: the file that says which page each is of (`collections.pages.PARENT`).
        pages, count: how many pages and windows there are.
        deepest: windows of the page that has most.
    """

    table: Path
    pages: int
    count: int
    deepest: int

    def sought(self, depth: int) -> int:
        """Windows to be found of each query so that there are `depth` pages among them: as many as these pages can
        have, or all."""
        return min(depth * self.deepest, self.count, _ranking.DEEPEST)


def windows(job: Job) -> Windows:
    """The windows that a job's input of that role cut."""
    import duckdb

    table = job.rows(WINDOWS, "parent")
    with duckdb.connect() as con:
        row = con.execute(
            "SELECT count(*), sum(n)::BIGINT, max(n) FROM (SELECT count(*) AS n FROM read_parquet(?) GROUP BY parent)",
            [str(table)],
        ).fetchone()
    assert row
    return Windows(table, *row)
