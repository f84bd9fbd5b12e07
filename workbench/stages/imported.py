"""A run made elsewhere, in TREC's six columns."""

from pathlib import Path
from typing import Annotated, ClassVar

from workbench.costs.base import Cost
from workbench.costs.estimator import STAGE, Estimator
from workbench.evaluation.run_files import RunWriter, Twice, ahead, read_run
from workbench.graph import Job, Kind, Stage
from workbench.registry import LOCAL
from workbench.stages._ranking import record_run
from workbench.talk import Summary


class ImportRun(Kind):
    """Leaves a run. `sha256` is the content of `file`; the rest says whose run it is."""

    sha256: str
    collection: str
    system: str
    trained_on: str | None = None
    query_variety: str
    document_variety: str | None = None
    file: Annotated[Path, LOCAL]

    version: ClassVar[int] = 2
    tables: ClassVar[tuple[str, ...]] = ("run", "ranking")
    group: ClassVar[str] = "rank"

    def run(self, job: Job) -> Summary:
        """Read and order it.

        Raises:
            LswError: the first bad line, or the line that ranks a passage again.
        """
        writer = RunWriter(job.target("ranking"), job.run_id)
        size = self.file.stat().st_size
        try:
            for table, position in ahead(read_run(self.file)):
                writer.add(table)
                job.progress(position, size)
            writer.close()
        except Twice as twice:
            raise twice.found(self.file) from None
        answered = len(writer.queries)
        varieties = self.query_variety, self.document_variety
        return record_run(job, self.system, self.trained_on, varieties, writer.depth, answered, answered, writer.rows)

    def cost(self, stage: Stage, estimator: Estimator) -> Cost:
        size = self.file.stat().st_size
        return Cost(seconds=STAGE + size * 1.2e-8, disk=round(size * 0.65))
