"""The queries of one split in one variety."""

from typing import ClassVar

import pyarrow as pa

from workbench.costs.base import Cost
from workbench.costs.estimator import STAGE, Estimator
from workbench.graph import Job, Stage
from workbench.stages._sources import Reads
from workbench.talk import Summary


class ReadQueries(Reads):
    """Leaves `rows/query.parquet`: variety, qid, query, topic, split (strings)."""

    variety: str
    split: str

    tables: ClassVar[tuple[str, ...]] = ("query",)

    def run(self, job: Job) -> Summary:
        """Read."""
        with self.downloads(job, "queries", self.variety, self.split):
            table = self.read_from.queries(self.variety, self.split)
        job.write("query", table.add_column(0, "variety", pa.array([self.variety] * len(table), pa.string())))
        return {"queries": len(table)}

    def cost(self, stage: Stage, estimator: Estimator) -> Cost:
        extent = estimator.queries(self.read_from, self.variety, self.split)
        download = estimator.bytes_to_download(str(self.origin.get("from", stage.key)), extent.download)
        return Cost(download=download, seconds=STAGE + (extent.texts or 0) * 5e-6)
