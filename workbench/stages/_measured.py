"""What stages that compare runs read: values query by query, and the topics of queries."""

import pyarrow as pa

from workbench.comparison.paired import Evaluations
from workbench.graph import Job

QUERIES = "queries."
"""How the roles begin of the queries that runs were asked."""


def topics(job: Job) -> dict[str, str]:
    """The topic of each qid, from the inputs `queries.QUERY-DOCUMENT`; the first that has a qid counts."""
    out: dict[str, str] = {}
    for role in job.inputs:
        if role.startswith(QUERIES):
            queries = job.queries(role)
            out = dict(zip(queries["qid"].to_pylist(), queries["topic"].to_pylist(), strict=True)) | out
    return out


def evaluations(job: Job, run_ids: list[str], measures: list[str]) -> Evaluations:
    """The values of runs, from the inputs `run.ID`."""

    def every(table: str) -> pa.Table:
        return pa.concat_tables([job.read(f"run.{run_id}", table) for run_id in run_ids])

    return Evaluations.of(every("measure"), every("evaluated"), every("unasked"), run_ids, measures)
