"""The judgements of one split."""

from pathlib import Path
from typing import Annotated, ClassVar

import pyarrow as pa

from workbench.collections.formats import read_qrels
from workbench.collections.pages import Pages
from workbench.costs.base import Cost
from workbench.costs.estimator import STAGE, Estimator
from workbench.graph import Job, Stage
from workbench.registry import LOCAL
from workbench.stages._sources import Reads
from workbench.talk import Summary


class ReadQrels(Reads):
    """Leaves `rows/qrel.parquet`: qid, docno (strings), label (int32); and document_variety where each has its own. Of
    pages also `rows/relevant.parquet`: which of their passages are relevant (`collections.pages.RELEVANT`).

    Args:
        split: whose.
        variety: of the passages that are judged.
        file: of judgements that belong to no collection here.
    """

    split: str
    variety: Annotated[str, LOCAL] = ""
    file: Annotated[Path | None, LOCAL] = None

    tables: ClassVar[tuple[str, ...]] = ("qrel",)
    files: ClassVar[tuple[str, ...]] = ("relevant",)

    def run(self, job: Job) -> Summary:
        """Read."""
        if self.file:
            table = read_qrels(self.file)
            job.write("qrel", table)
            return {"judgements": len(table)}
        with self.downloads(job, "qrels", self.variety, self.split):
            table = self.read_from.qrels(self.variety, self.split)
        own = {"document_variety": self.variety} if self.read_from.by_variety() else {}
        for column, value in own.items():
            table = table.append_column(column, pa.array([value] * len(table), pa.string()))
        job.write("qrel", table)
        if isinstance(self.read_from, Pages):
            job.write("relevant", self.read_from.relevant(self.variety, self.split))
        return {"judgements": len(table), **own}

    def cost(self, stage: Stage, estimator: Estimator) -> Cost:
        files = [] if self.file else self.read_from.downloads("qrels", self.variety, self.split)
        size = sum(file.size or 0 for file in files)
        return Cost(download=estimator.bytes_to_download(f"qrels {self.origin.get('from')}", size), seconds=STAGE)
