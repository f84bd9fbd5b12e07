"""Training pairs that ir_datasets has for the training queries, in their order."""

from itertools import islice

import pyarrow as pa
import pyarrow.parquet as pq

from store import LswError
from workbench.collections.sources import irds
from workbench.costs.base import Cost
from workbench.costs.estimator import STAGE, Estimator
from workbench.graph import Job, Stage
from workbench.stages.triples.base import TRIPLE, Planning, TripleSource, none_made
from workbench.talk import Summary
from workbench.varieties import Pair

ALL = 40_000_000
"""Pairs that MS MARCO has."""
_AT_ONCE = 100_000
TRIPLE_BYTES = 30


class Docpairs(TripleSource):
    """Pairs of a relevant and another passage for a query. Reads `queries` and `translation`.

    Args:
        origin: the data set of ir_datasets.
        limit: pairs at most.
    """

    origin: str
    limit: int | None = None

    @classmethod
    def planned(cls, plan: Planning, on: Pair, most: int | None) -> Stage:
        source = plan.training_source(on.high)
        if not isinstance(source, irds.Irds):
            raise LswError(f"'{source}' has no training pairs.", cure="Set negatives.source to mined.")
        work = cls(origin=str(source), limit=plan.negatives.limit or most)
        return plan.graph.add(work, f"read training pairs of {on.high}", plan.training_wordings(on))

    def run(self, job: Job) -> Summary:
        """Read."""
        asked = job.queries("queries")
        query = dict(zip(asked["qid"].to_pylist(), asked["query"].to_pylist(), strict=True))
        handler = irds.dataset(self.origin).docpairs_handler()
        known = (pair for pair in irds.rows(self.origin, handler, handler.docpairs_iter) if pair.query_id in query)
        pairs = islice(known, self.limit)
        count, qids = 0, set[str]()
        with pq.ParquetWriter(job.target("triple"), TRIPLE) as writer:
            while some := list(islice(pairs, _AT_ONCE)):  # MS MARCO has 40 million
                asked_by = [pair.query_id for pair in some]
                positive, negative = [pair.doc_id_a for pair in some], [pair.doc_id_b for pair in some]
                columns = [[job.key] * len(some), asked_by, [query[q] for q in asked_by], positive, negative]
                unscored = pa.nulls(len(some), pa.float64())
                writer.write_table(pa.table([*columns, unscored, unscored], schema=TRIPLE))
                count, qids = count + len(some), qids | set(asked_by)
                job.progress(count, self.limit or 0)
        if not count:
            raise none_made(f"None of {self.origin} is for one of {len(query)} queries.")
        return {"triples": count, "queries": len(qids)}

    def count(self, stage: Stage, estimator: Estimator) -> int:
        return self.limit or ALL

    def cost(self, stage: Stage, estimator: Estimator) -> Cost:
        handler = irds.dataset(self.origin).docpairs_handler()
        download = estimator.bytes_to_download(f"docpairs {self.origin}", irds.missing(handler))
        disk = self.count(stage, estimator) * TRIPLE_BYTES
        return Cost(download=download, seconds=STAGE + (60.0 if download else 1.0), disk=disk)
