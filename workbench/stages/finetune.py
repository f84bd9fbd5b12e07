"""Fine-tuning one model on triples."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from store import LswError
from workbench.stages import Job
from workbench.stages.sources import checkpoint_folder
from workbench.systems._passages import Reading
from workbench.text import convert
from workbench.training.distributed import share
from workbench.training.finetune import Settings, finetune, processes

_AT_ONCE = 50_000
_TEXTS = pa.schema(
    [(name, pa.string()) for name in ("query", "positive", "negative", "query_variety", "document_variety")]
)


def run(job: Job) -> dict[str, Any]:
    """`checkpoint/` (the model), `rows/finetune.parquet` and `rows/loss.parquet`."""
    p = job.parameters
    settings = Settings(
        **{**p["settings"], "frozen": tuple(p["settings"]["frozen"])},
        **job.local["settings"],
        report_to=tuple(job.local.get("report_to", ())),
    )
    sharing = processes(job.local.get("processes", 1), settings)
    triples = job.read("triples", "crops") if p["source"] == "crops" else _triples(job, settings)
    train = partial(share, sharing) if sharing > 1 else finetune
    done = train(
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


def _triples(job: Job, settings: Settings) -> pa.Table:
    """Triples with texts in the declared script, and their varieties; on disk, memory-mapped."""
    p = job.parameters
    path = job.work / "texts.arrow"
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, _TEXTS) as writer:
        most = settings.steps * settings.batch_size if settings.steps else None
        for query, positive, negative in _texts(job, most, settings.seed):
            n = len(query)
            columns = (
                convert(query, p["query_variety"], p["script"]), positive, negative, [p["query_variety"]] * n,
                [p["document_variety"]] * n,
            )  # fmt: skip
            writer.write_table(pa.table(dict(zip(_TEXTS.names, columns, strict=True)), schema=_TEXTS))
    return pa.ipc.open_file(pa.memory_map(str(path))).read_all()


def _texts(job: Job, most: int | None, seed: int) -> Iterator[tuple[list[str], list[str], list[str]]]:
    """Queries, positives and negatives, some at a time: of published triples as they are, else looked up.

    Of more mined ones than `most`, which training will see, that many are drawn. Those with a passage that is not in
    the collection (mMARCO has empty ones, which are not kept) are left out, and told.

    Raises:
        LswError: more than one in a hundred are.
    """
    p = job.parameters
    if (job.inputs["triples"] / "rows" / "texts.parquet").exists():
        file = pq.ParquetFile(job.inputs["triples"] / "rows" / "texts.parquet")
        for batch in file.iter_batches(_AT_ONCE):
            query, *passages = (batch[c].to_pylist() for c in ("query", "positive", "negative"))
            positive, negative = (convert(texts, p["document_variety"], p["script"]) for texts in passages)
            yield query, positive, negative
        return
    mined = job.read("triples", "triple")
    if most and most < len(mined):
        mined = mined.take(pa.array(np.sort(np.random.default_rng(seed).permutation(len(mined))[:most])))
    reading = Reading(job.passages("passages"), p["document_variety"], p["script"])
    left_out = 0
    for start in range(0, len(mined), _AT_ONCE):
        some = mined.slice(start, _AT_ONCE)
        docnos = [some[c].to_pylist() for c in ("docno_positive", "docno_negative")]
        text = reading.texts([*docnos[0], *docnos[1]])
        whole = [
            row for row in zip(some["query"].to_pylist(), *docnos, strict=True) if row[1] in text and row[2] in text
        ]
        left_out += len(some) - len(whole)
        if left_out > 0.01 * len(mined):
            lacking = next(d for d in (*docnos[0], *docnos[1]) if d not in text)
            raise LswError(
                f"Passage '{lacking}' of a training triple is not in the collection.",
                f"So it is with {left_out:,} of the first {start + len(some):,} triples.",
                "At a sampled scale use mined negatives (negatives.source).",
                exit_code=1,
            )
        yield [q for q, _, _ in whole], [text[p] for _, p, _ in whole], [text[n] for _, _, n in whole]
    if left_out:
        job.note(f"{left_out:,} of {len(mined):,} triples left out: a passage of theirs is not in the collection")
