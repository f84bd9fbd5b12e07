"""The measures of one run."""

from typing import Any

import pyarrow as pa

from workbench.evaluation import per_query
from workbench.stages import Job


def run(job: Job) -> dict[str, Any]:
    """`rows/measure.parquet`: run_id, measure, qid, value, key. The summary holds the means."""
    ranking = job.read("run", "ranking")
    run_id = job.read("run", "run")["run_id"][0].as_py()
    table = per_query(ranking, job.read("qrels", "qrel"), job.parameters["measures"])
    n = len(table)
    job.write(
        "measure",
        table.add_column(0, "run_id", pa.array([run_id] * n)).append_column("key", pa.array([job.key] * n)),
    )
    means = table.group_by("measure").aggregate([("value", "mean")]).to_pylist()
    return {row["measure"]: round(row["value_mean"], 4) for row in means}
