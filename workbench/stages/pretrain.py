"""Base models from nothing: vocabulary, untrained model, crops, and the release that ships."""

import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa

from workbench.pretraining import crops as pretraining
from workbench.pretraining import initialise as scratch
from workbench.stages import Job
from workbench.stages.sources import checkpoint_folder
from workbench.varieties import table as varieties


def _by_variety(job: Job, role: str, name: str) -> dict[str, pa.Table]:
    return {r.partition(".")[2]: job.read(r, name) for r in sorted(job.inputs) if r.startswith(f"{role}.")}


def _passages(job: Job) -> dict[str, pa.Table]:
    """Passages by variety; small collections only are pre-trained on."""
    roles = sorted(role for role in job.inputs if role.startswith("passages."))
    return {role.partition(".")[2]: pa.Table.from_batches(list(job.passages(role).batches())) for role in roles}


def vocabulary(job: Job) -> dict[str, Any]:
    """`vocabulary.model`."""
    texts = [t for table in _passages(job).values() for t in table["text"].to_pylist()]
    texts += [t for table in _by_variety(job, "queries", "query").values() for t in table["query"].to_pylist()]
    pretraining.vocabulary(texts, job.parameters["size"], job.parameters["piece_length"], job.out)
    return {"texts": len(texts)}


def initialise(job: Job) -> dict[str, Any]:
    """`checkpoint/`, untrained."""
    from transformers import set_seed

    p = job.parameters
    set_seed(p["seed"])
    pieces = job.inputs["vocabulary"] / "vocabulary.model"
    if p["architecture"] == "bi-encoder":
        scratch.biencoder(pieces, p["size"], job.out)
    elif p["architecture"] == "multi-vector":
        scratch.multivector(pieces, p["size"], job.out)
    else:
        texts = [t for table in _passages(job).values() for t in table["text"].to_pylist()]
        scratch.reranker(pieces, p["size"], checkpoint_folder(job.inputs["encoder"]), texts, job.out)
    shutil.rmtree(job.out / "backbone", ignore_errors=True)
    return {}


def crops(job: Job) -> dict[str, Any]:
    """`rows/crops.parquet`: query, positive, negative, query_variety, document_variety."""
    p = job.parameters
    passages = _passages(job)
    mined = None
    if "encoder" in job.inputs:
        mined = pretraining.alike(checkpoint_folder(job.inputs["encoder"]), passages, p["mined_top"])
    table = pretraining.crops(
        passages,
        _by_variety(job, "queries", "query"),
        job.read("qrels", "qrel"),
        p["examples"],
        p["noise"],
        p["query_share"],
        p["across_share"],
        p["seed"],
        mined,
    )
    job.write("crops", table)
    return {"examples": len(table)}


def release(job: Job) -> dict[str, Any]:
    """`checkpoint/` as it ships: float16 on disk (loaded as float32), adapters for unseen varieties, its own record.

    X-MOD's adapter of a low-resource variety starts as a copy of its high-resource relative's.
    """
    from safetensors.torch import load_file, save_file

    out = job.out / "checkpoint"
    shutil.copytree(checkpoint_folder(job.inputs["checkpoint"]), out)
    relatives = {v.xmod[0]: varieties()[v.high].xmod[0] for v in varieties().values() if v.high}
    size = 0
    for file in out.rglob("*.safetensors"):
        tensors = load_file(file)
        for name in list(tensors):
            for low, high in relatives.items():
                if f".{low}." in name:
                    tensors[name] = tensors[name.replace(f".{low}.", f".{high}.")].clone()
        save_file({n: t.half() for n, t in tensors.items()}, file, metadata={"format": "pt"})
    for path in out.rglob("README.md"):
        path.unlink()
    record = {"system": job.parameters["system"], "trained_on": job.local["inputs"]}
    (out / "training_inputs.json").write_text(json.dumps(record, indent=1, sort_keys=True) + "\n", "utf-8")
    size = sum(f.stat().st_size for f in Path(out).rglob("*") if f.is_file())
    return {"bytes": size}
