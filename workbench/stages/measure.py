"""The measures of one run."""

from typing import Any

import pyarrow as pa

from store.ingest import ROWS
from workbench.evaluation.evaluate import evaluate
from workbench.stages import Job


def run(job: Job) -> dict[str, Any]:
    """`rows/measure.parquet`, `rows/judged.parquet`, `rows/evaluated.parquet`. The summary holds means and counts."""
    [run_id] = job.read("run", "run")["run_id"].to_pylist()
    found = evaluate(
        run_id,
        job.inputs["run"] / ROWS / "ranking.parquet",
        job.inputs["qrels"] / ROWS / "qrel.parquet",
        job.parameters["measures"],
    )
    for name, table in (("measure", found.values), ("judged", found.judged), ("evaluated", found.queries)):
        job.write(name, table.append_column("key", pa.array([job.key] * len(table), pa.string())))
    means = found.values.group_by("measure").aggregate([("value", "mean")]).to_pylist()
    return {**{row["measure"]: round(row["value_mean"], 4) for row in means}, **found.counts()}
