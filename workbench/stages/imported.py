"""A run made elsewhere, in TREC's six columns."""

from pathlib import Path
from typing import Any

from store.ingest import ROWS
from workbench.evaluation.run_files import RunWriter, Twice, ahead, read_run
from workbench.stages import Job
from workbench.stages.retrieve import record_run


def run(job: Job) -> dict[str, Any]:
    """`rows/run.parquet` and `rows/ranking.parquet`.

    Raises:
        LswError: the first bad line, or the line that ranks a passage again.
    """
    path = Path(job.local["file"])
    (job.out / ROWS).mkdir()
    writer = RunWriter(job.out / ROWS / "ranking.parquet", job.key[:12])
    size = path.stat().st_size
    try:
        for table, read in ahead(read_run(path)):
            writer.add(table)
            job.progress(read, size)
        writer.close()
    except Twice as twice:
        raise twice.found(path) from None
    return record_run(job, writer.rows, len(writer.queries), len(writer.queries), writer.depth)
