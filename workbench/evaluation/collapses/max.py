"""MaxP: a page is as good as its best window (Dai and Callan 2019)."""

import pyarrow as pa

from workbench.evaluation.collapses.base import Collapse, Found
from workbench.talk import Summary

BEST = "SELECT qid, docno, max(score) AS score FROM found GROUP BY qid, docno"


class Max(Collapse):
    """The highest score of its windows."""

    def pages(self, found: Found) -> tuple[pa.Table, Summary]:
        return found.select(BEST), {}
