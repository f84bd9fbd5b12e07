"""Source data: read, checked, and kept under a key that stands for its content."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow as pa

from store.passages import FILE, Passages, write
from workbench.checkpoints import hub
from workbench.collections.folder import Collection
from workbench.collections.formats import read_qrels, read_queries
from workbench.collections.public import Catalogued
from workbench.collections.sample import Sampled
from workbench.collections.sources.irds import watched
from workbench.stages import Job


def _collection(job: Job) -> Collection:
    found: Collection = job.local["collection"]
    return found


@contextmanager
def _downloads(job: Job, part: str, variety: str, split: str = "") -> Iterator[None]:
    """Show what is downloaded within the block."""
    collection = _collection(job)
    whole = collection.whole if isinstance(collection, Sampled) else collection
    wanted = whole.missing(part, variety, split) if isinstance(whole, Catalogued) else []
    size = sum(source.size or 0 for source in wanted)
    if size > 10_000_000:
        job.note(
            f"downloading {size / 1e9:.2f} GB: {', '.join(s.url.split('?')[0].split('/')[-1] for s in wanted[:3])}"
        )
    with watched(wanted, job.progress):
        yield


def passages(job: Job) -> dict[str, Any]:
    """`passages.arrow` (`store.passages`): docno, text.

    Raises:
        LswError: a docno occurs twice.
    """
    collection, code = _collection(job), job.parameters["variety"]
    path = job.out / FILE

    def read() -> Iterator[pa.RecordBatch]:
        done = 0
        batches = collection.passages(code)
        with _downloads(job, "passages", code):
            first = next(batches, None)
        for batch in chain([first] if first else [], batches):
            done += len(batch)
            job.progress(done, 0)
            yield batch

    count = write(path, read())
    if again := Passages(path).twice():
        raise collection.repeated(code, again)
    return {"passages": count}


def queries(job: Job) -> dict[str, Any]:
    """`rows/query.parquet`: variety, qid, query, topic, split."""
    code = job.parameters["variety"]
    with _downloads(job, "queries", code, job.parameters["split"]):
        table = _collection(job).queries(code, job.parameters["split"])
    job.write("query", table.add_column(0, "variety", pa.array([code] * len(table), pa.string())))
    return {"queries": len(table)}


def reference(job: Job) -> dict[str, Any]:
    """`rows/reference.parquet`: qid, text; what translations should be."""
    found = read_queries(Path(job.local["file"]))
    job.write("reference", pa.table({"qid": list(found), "query": list(found.values())}))
    return {"references": len(found)}


def qrels(job: Job) -> dict[str, Any]:
    """`rows/qrel.parquet`: qid, docno, label; and document_variety where each variety has judgements of its own."""
    file = job.local.get("file")
    split = job.parameters["split"]
    if file:
        job.write("qrel", table := read_qrels(Path(file)))
        return {"judgements": len(table)}
    with _downloads(job, "qrels", job.local["variety"], split):
        table = _collection(job).qrels(job.local["variety"], split)
    if "from" in job.parameters:  # a public name for each variety
        table = table.append_column("document_variety", pa.array([job.local["variety"]] * len(table), pa.string()))
    job.write("qrel", table)
    own = {"document_variety": job.local["variety"]} if "from" in job.parameters else {}
    return {"judgements": len(table), **own}


def checkpoint(job: Job) -> dict[str, Any]:
    """`checkpoint.json`: where the model lies on this machine, and the hashes of its files.

    Weights in torch's own format (BAAI/bge-m3, its heads) are rewritten as safetensors into `checkpoint/`: read once,
    by torch's weights-only reader, which makes tensors and runs no code.

    Raises:
        LswError: it has no weights, or weights that are more than tensors.
    """
    from workbench.checkpoints import weights

    folder = Path(job.local["folder"]) if "folder" in job.local else hub.model(job.local["hub"])[0]
    kind = weights.examine(folder)
    if kind == "torch":
        weights.rewrite(folder, job.out / "checkpoint", job.progress)
    (job.out / "checkpoint.json").write_text(
        json.dumps({"folder": str(folder), "files": job.parameters.get("files", {})}, indent=1), "utf-8"
    )
    return {"files": len(job.parameters.get("files", {})), "weights": kind}


def checkpoint_folder(artifact: Path) -> Path:
    """The model folder of a `checkpoint`, `finetune`, `initialise` or `release` artifact."""
    if (artifact / "checkpoint").is_dir():
        return artifact / "checkpoint"
    return Path(json.loads((artifact / "checkpoint.json").read_text("utf-8"))["folder"])
