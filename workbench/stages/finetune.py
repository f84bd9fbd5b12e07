"""Fine-tuning one model on triples."""

from typing import Any

import pyarrow as pa

from workbench.stages import Job
from workbench.stages.sources import checkpoint_folder
from workbench.text import convert
from workbench.training import Settings, finetune


def run(job: Job) -> dict[str, Any]:
    """`checkpoint/` (the model), `rows/finetune.parquet` and `rows/loss.parquet`."""
    p = job.parameters
    settings = Settings(**{**p["settings"], "frozen": tuple(p["settings"]["frozen"])}, **job.local["settings"])
    triples = job.read("triples", "crops") if p["source"] == "crops" else _triples(job)
    done = finetune(
        p["architecture"],
        checkpoint_folder(job.inputs["checkpoint"]),
        triples,
        settings,
        job.out / "checkpoint",
        job.work,
        job.progress,
    )
    losses = done.curve["loss"].to_pylist()
    summary = {
        "examples": len(triples),
        "steps": done.steps,
        "loss_first": losses[0] if losses else None,
        "loss_last": losses[-1] if losses else None,
        "weight_change": done.weight_change,
    }
    job.write(
        "finetune",
        pa.Table.from_pylist(
            [
                {
                    "model_key": job.key,
                    "system": p["system"],
                    "base": p["base"],
                    "trained_on": p["trained_on"],
                    "examples": summary["examples"],
                    "steps": summary["steps"],
                    "learning_rate": settings.learning_rate,
                    "loss_first": summary["loss_first"],
                    "loss_last": summary["loss_last"],
                    "weights_changed": True,  # `finetune` refuses otherwise
                    "checkpoint": f"artifacts/{job.key}/checkpoint",
                }
            ]
        ),
    )
    job.write("loss", done.curve.add_column(0, "model_key", pa.array([job.key] * len(done.curve))))
    return summary


def _triples(job: Job) -> pa.Table:
    """Triples with texts in the declared script, and their varieties."""
    p = job.parameters
    mined, passages = job.read("triples", "triple"), job.read("passages", "passages")
    texts = convert(passages["text"].to_pylist(), p["document_variety"], p["script"])
    text = dict(zip(passages["docno"].to_pylist(), texts, strict=True))
    n = len(mined)
    return pa.table(
        {
            "query": convert(mined["query"].to_pylist(), p["query_variety"], p["script"]),
            "positive": [text[d] for d in mined["docno_positive"].to_pylist()],
            "negative": [text[d] for d in mined["docno_negative"].to_pylist()],
            "query_variety": [p["query_variety"]] * n,
            "document_variety": [p["document_variety"]] * n,
        }
    )
