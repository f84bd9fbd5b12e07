"""What translations should be, from a file."""

from pathlib import Path
from typing import Annotated, ClassVar

import pyarrow as pa

from workbench.collections.formats import read_queries
from workbench.costs.base import Cost
from workbench.costs.estimator import STAGE, Estimator
from workbench.graph import Job, Kind, Stage
from workbench.registry import LOCAL
from workbench.talk import Summary


class ReadReference(Kind):
    """Leaves `rows/reference.parquet`: qid, query (strings). `sha256` is the content of `file`."""

    variety: str
    sha256: str
    file: Annotated[Path, LOCAL]

    files: ClassVar[tuple[str, ...]] = ("reference",)
    group: ClassVar[str] = "download"

    def run(self, job: Job) -> Summary:
        """Read."""
        texts = read_queries(self.file)
        job.write("reference", pa.table({"qid": list(texts), "query": list(texts.values())}))
        return {"references": len(texts)}

    def cost(self, stage: Stage, estimator: Estimator) -> Cost:
        return Cost(seconds=STAGE)
