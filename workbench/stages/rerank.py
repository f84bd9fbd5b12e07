"""One run of a reranker over the candidates of another."""

from workbench.costs.base import Cost
from workbench.costs.estimator import MODEL, RESULT, STAGE, TYPICAL, Estimator
from workbench.graph import Job, Stage
from workbench.stages._behind import passages_of, queries_of
from workbench.stages._ranking import ROW_BYTES, Ranks, Runs
from workbench.systems._reranking import rerank
from workbench.systems.base import Reranker
from workbench.talk import Summary


class Rerank(Ranks, Runs):
    """Leaves a run. Reads `candidates` (a run), `queries`, `passages` and `model`.

    Args:
        rerank_depth: candidates of each query that are scored; the others follow in their order.
    """

    rerank_depth: int

    def run(self, job: Job) -> Summary:
        """Score, with the very text that is recorded."""
        assert isinstance(self.ranker, Reranker)
        queries = self.queries(job)
        candidates = job.read("candidates", "ranking").select(["qid", "docno", "rank", "score"])
        workplace = self.workplace(job)
        scorer = self.ranker.scorer(workplace.weights, self.computing)
        passages = self.passages(job)
        results = rerank(scorer, candidates, queries, passages, self.rerank_depth, job.work, job.progress)
        return self.record(job, results, queries)

    def cost(self, stage: Stage, estimator: Estimator) -> Cost:
        assert isinstance(self.ranker, Reranker)
        queries = queries_of(stage.inputs["queries"], estimator).texts or 0
        extent = passages_of(stage.inputs["passages"], estimator)
        size = queries * min(self.rerank_depth, extent.texts or 0) * (extent.mean_bytes or TYPICAL)
        texts = estimator.texts(self.document_variety, extent)
        rate = estimator.seconds_to_score(self.ranker, self.document_variety, texts, self.computing)
        rows = queries * min(self.depth, extent.texts or 0)
        seconds = STAGE + size * rate + MODEL + rows * 3 * RESULT
        return Cost(tokens=round(size / 4), seconds=seconds, disk=rows * ROW_BYTES)
