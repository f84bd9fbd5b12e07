"""A page is as good as its three best windows are on average."""

import pyarrow as pa
import pyarrow.compute as pc

from workbench.evaluation.collapses.base import Collapse, Found
from workbench.talk import Summary

TOP = 3


class MeanTop3(Collapse):
    """The mean of its three highest scores, or of all where a page has fewer windows; a window that was not found
    counts as `Found.least` says."""

    def pages(self, found: Found) -> tuple[pa.Table, Summary]:
        scored = found.select(
            f"""
            WITH placed AS (
                SELECT *, row_number() OVER (PARTITION BY qid, docno ORDER BY score DESC, position) AS place FROM found
            ), summed AS (
                SELECT qid, docno, sum(score ORDER BY score) AS total, count(*) AS there,
                    least({TOP}, any_value(windows)) AS wanted
                FROM placed WHERE place <= {TOP} GROUP BY qid, docno
            )
            SELECT qid, docno, wanted - there AS lacking,
                (total + CASE WHEN wanted > there THEN (wanted - there) * l.score ELSE 0 END) / wanted AS score
            FROM summed JOIN least l USING (qid, docno)
            """
        )
        lacking = pc.sum(scored["lacking"]).as_py() or 0
        return scored.select(["qid", "docno", "score"]), {"windows_not_found": int(lacking)}
