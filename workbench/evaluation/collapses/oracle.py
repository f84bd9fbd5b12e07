"""A relevant page is as good as the window that holds what is relevant; any other page as its best window."""

from typing import ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from workbench.evaluation.collapses.base import Collapse, Found
from workbench.evaluation.collapses.max import BEST
from workbench.talk import Summary


class Oracle(Collapse):
    """The score of the window that holds the relevant passage; of a page that is not relevant the highest (`max`).

    A relevant page so never scores higher than by `max`: the difference is what other windows of it brought in. Of
    several that hold one the best counts; one that was not found counts as `Found.least` says.
    """

    judged: ClassVar[bool] = True

    def pages(self, found: Found) -> tuple[pa.Table, Summary]:
        scored = found.select(
            f"""
            WITH best AS ({BEST}), known AS (
                SELECT h.qid, h.docno, max(f.score) AS score FROM held h LEFT JOIN found f USING (qid, docno, position)
                GROUP BY h.qid, h.docno
            )
            SELECT b.qid, b.docno, k.qid IS NOT NULL AS known, k.qid IS NOT NULL AND k.score IS NULL AS lacking,
                CASE WHEN k.qid IS NULL THEN b.score ELSE coalesce(k.score, l.score) END AS score
            FROM best b LEFT JOIN known k USING (qid, docno) JOIN least l USING (qid, docno)
            """
        )
        known, lacking = (int(pc.sum(scored[name]).as_py() or 0) for name in ("known", "lacking"))
        counts: Summary = {
            "by_relevant_window": known, "by_best_window": len(scored) - known, "windows_not_found": lacking,
        }  # fmt: skip
        return scored.select(["qid", "docno", "score"]), counts
