"""All comparisons of a recipe."""

from typing import Any

import pyarrow as pa

from workbench.contrasts import Run, declared, evaluate
from workbench.stages import Job


def run(job: Job) -> dict[str, Any]:
    """`rows/comparison.parquet`: one row a contrast and measure."""
    p = job.parameters
    queries = job.read("queries", "query")
    topics = dict(zip(queries["qid"].to_pylist(), queries["topic"].to_pylist(), strict=True))
    run_ids: dict[Run, str] = {
        (r["system"], r["trained_on"], r["query_variety"], r["document_variety"]): r["run_id"] for r in p["runs"]
    }
    tables = {run_id: job.read(f"run.{run_id}", "measure").to_pylist() for run_id in run_ids.values()}
    contrasts = declared(list(run_ids), p["pairs"], p["contrasts"])
    settings = {k: p[k] for k in ("test", "correction", "resamples", "confidence", "seed")}
    rows = []
    for done, measure in enumerate(p["measures"], 1):
        values = {
            run: {row["qid"]: row["value"] for row in tables[run_id] if row["measure"] == measure}
            for run, run_id in run_ids.items()
        }
        rows += evaluate(contrasts, values, run_ids, topics, measure, settings)
        job.progress(done, len(p["measures"]))
    if rows:
        job.write("comparison", pa.Table.from_pylist([{**row, "key": job.key} for row in rows]))
    return {"comparisons": len(rows)}
