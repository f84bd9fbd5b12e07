"""The windows of the best pages scored by a reranker; no run of the store, whose rankings are of pages."""

from typing import ClassVar

import pyarrow as pa

from workbench.costs.base import Cost
from workbench.costs.estimator import MODEL, RESULT, STAGE, TYPICAL, Estimator
from workbench.graph import Job, Stage
from workbench.stages._behind import passages_of, queries_of
from workbench.stages._ranking import DEEPEST, ROW_BYTES, Asked, Ranks
from workbench.stages._windows import WINDOWS, windows
from workbench.systems._reranking import rerank
from workbench.systems.base import Reranker
from workbench.talk import Summary


class RerankWindows(Asked, Ranks):
    """Leaves `rows/found.parquet` as `search-windows` does, with a column `scored`: of other windows the score says
    their order alone. Reads `found`, `windows`, `queries`, `passages` (the windows' texts) and `model`.

    Args:
        rerank_depth: pages of each query, by their best window, whose windows are scored (Dai and Callan 2019); the
            windows of the others follow in their order.
    """

    rerank_depth: int

    version: ClassVar[int] = 2
    files: ClassVar[tuple[str, ...]] = ("found",)

    def run(self, job: Job) -> Summary:
        """Score, with the very text that is recorded."""
        import numpy as np

        assert isinstance(self.ranker, Reranker)
        queries = self.queries(job)
        candidates = self._candidates(job)
        scored = candidates.filter(candidates["scored"]).drop_columns("scored")
        workplace = self.workplace(job)
        scorer = self.ranker.scorer(workplace.weights, self.computing)
        results = rerank(scorer, scored, queries, self.passages(job), DEEPEST, job.work, job.progress)
        lowest: dict[str, float] = {}
        for qid, score in zip(results["qid"].to_pylist(), results["score"].to_pylist(), strict=True):
            lowest[qid] = min(score, lowest.get(qid, score))
        others = candidates.filter(np.invert(candidates["scored"].to_numpy()))
        ranks = zip(others["qid"].to_pylist(), others["rank"].to_pylist(), strict=True)
        below = pa.array([lowest[qid] - 1 - rank for qid, rank in ranks], pa.float64())
        rest = pa.table({"qid": others["qid"], "docno": others["docno"], "score": below})
        parts = {True: results.select(["qid", "docno", "score"]), False: rest}
        told = [part.append_column("scored", pa.array([of] * len(part), pa.bool_())) for of, part in parts.items()]
        job.write("found", pa.concat_tables(told))
        return {"queries": len(queries), "scored": len(scored), "rows": len(candidates)}

    def _candidates(self, job: Job) -> pa.Table:
        """Columns qid, docno (of the window), score, rank (of the window, the best pages' windows first), scored."""
        import duckdb

        with duckdb.connect() as con:
            con.register("found", job.read("found", "found"))
            con.read_parquet(str(windows(job).table)).create_view("cut")
            return con.sql(
                f"""
                WITH of_page AS (SELECT qid, docno, parent, score FROM found JOIN cut USING (docno)),
                page AS (SELECT qid, parent, max(score) AS best FROM of_page GROUP BY qid, parent),
                placed AS (
                    SELECT qid, parent,
                        row_number() OVER (PARTITION BY qid ORDER BY best DESC, parent DESC) - 1 AS place FROM page
                )
                SELECT qid, docno, score, place < {self.rerank_depth} AS scored, (row_number() OVER (
                    PARTITION BY qid ORDER BY scored DESC, score DESC, docno DESC) - 1)::INTEGER AS rank
                FROM of_page JOIN placed USING (qid, parent) ORDER BY qid, rank
                """
            ).to_arrow_table()

    def cost(self, stage: Stage, estimator: Estimator) -> Cost:
        assert isinstance(self.ranker, Reranker)
        queries = queries_of(stage.inputs["queries"], estimator).texts or 0
        cut = stage.inputs[WINDOWS]
        shown, pages = (passages_of(of, estimator) for of in (cut, cut.inputs["passages"]))
        each = (shown.texts or 0) / max(pages.texts or 0, 1)
        pairs = queries * min(self.rerank_depth, pages.texts or 0) * each
        size = pairs * (shown.mean_bytes or TYPICAL)
        texts = estimator.texts(self.document_variety, shown)
        rate = estimator.seconds_to_score(self.ranker, self.document_variety, texts, self.computing)
        rows = round(queries * min(self.depth, pages.texts or 0) * each)
        return Cost(
            tokens=round(size / 4), seconds=STAGE + size * rate + MODEL + rows * 3 * RESULT, disk=rows * ROW_BYTES
        )
