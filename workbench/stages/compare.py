"""All comparisons of a recipe."""

from typing import Any

import pyarrow as pa

from workbench.comparison.contrasts import Run, combinations, declared
from workbench.comparison.paired import Paired, compared
from workbench.stages import Job

_SETTINGS = ("test", "correction", "interval", "resamples", "confidence", "seed")


def run(job: Job) -> dict[str, Any]:
    """`rows/comparison.parquet`: one row a contrast and measure."""
    p = job.parameters
    queries = job.queries("queries")
    topics = dict(zip(queries["qid"].to_pylist(), queries["topic"].to_pylist(), strict=True))
    run_ids: dict[Run, str] = {
        (r["system"], r["trained_on"], r["query_variety"], r["document_variety"]): r["run_id"] for r in p["runs"]
    }
    names = list(run_ids.values())
    paired = Paired.of(
        pa.concat_tables([job.read(f"run.{name}", "measure") for name in names]),
        pa.concat_tables([job.read(f"run.{name}", "evaluated") for name in names]),
        names,
        p["measures"],
    )
    contrasts = combinations(declared(list(run_ids), p["pairs"], p["contrasts"]), run_ids)
    rows = compared(paired, contrasts, topics, {k: p[k] for k in _SETTINGS}, job.progress)
    if rows:
        job.write("comparison", pa.Table.from_pylist([{**row, "key": job.key} for row in rows]))
    return {"comparisons": len(rows)}
