"""Source data: read, checked, and kept as Parquet under a key that is the content's own hash."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa

from store import LswError
from workbench.collection import Folder, read_qrels
from workbench.stages import Job


def _folder(job: Job) -> Folder:
    return Folder(job.parameters["collection"], Path(job.local["folder"]))


def passages(job: Job) -> dict[str, Any]:
    """`rows/passages.parquet`: docno, text."""
    table = _folder(job).passages(job.parameters["variety"])
    job.write("passages", table)
    return {"passages": len(table)}


def queries(job: Job) -> dict[str, Any]:
    """`rows/query.parquet`: variety, qid, query, topic, split."""
    code = job.parameters["variety"]
    table = _folder(job).queries(code, job.parameters["split"])
    job.write("query", table.add_column(0, "variety", pa.array([code] * len(table))))
    return {"queries": len(table)}


def qrels(job: Job) -> dict[str, Any]:
    """`rows/qrel.parquet`: qid, docno, label."""
    file = job.local.get("file")
    table = read_qrels(Path(file)) if file else _folder(job).qrels(job.parameters["split"])
    job.write("qrel", table)
    return {"judgements": len(table)}


def checkpoint(job: Job) -> dict[str, Any]:
    """`checkpoint.json`: where the model lies on this machine, and the hashes of its files.

    Raises:
        LswError: it has no safetensors weights; pickled weights can run code and are not loaded.
    """
    folder = Path(job.local["folder"])
    if not (folder / "model.safetensors").exists():
        raise LswError(
            f"{folder} has no model.safetensors.",
            cure="Save the model with save_pretrained(...), which writes safetensors.",
        )
    (job.out / "checkpoint.json").write_text(
        json.dumps({"folder": str(folder), "files": job.parameters["files"]}, indent=1), "utf-8"
    )
    return {"files": len(job.parameters["files"])}


def checkpoint_folder(artifact: Path) -> Path:
    """The model folder of a `checkpoint`, `finetune`, `initialise` or `release` artifact."""
    if (artifact / "checkpoint").is_dir():
        return artifact / "checkpoint"
    return Path(json.loads((artifact / "checkpoint.json").read_text("utf-8"))["folder"])
