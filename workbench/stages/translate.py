"""Low-resource wordings of queries, each with the text it was made from."""

from typing import Any

import pyarrow as pa

from store import LswError
from workbench.stages import Job


def run(job: Job) -> dict[str, Any]:
    """`rows/translation.parquet`: translation_id, translator, varieties, qid, source_text, text, key.

    With the translator `collection` the texts are the collection's own parallel queries.

    Raises:
        LswError: a source query has no counterpart.
    """
    source, target = job.read("source", "query"), job.read("target", "query")
    texts = dict(zip(target["qid"].to_pylist(), target["query"].to_pylist(), strict=True))
    qids = source["qid"].to_pylist()
    for qid in qids:
        if qid not in texts:
            raise LswError(
                f"Query '{qid}' is missing in '{job.parameters['target_variety']}'.",
                f"It is there in '{job.parameters['source_variety']}', and the translator is the collection itself.",
                f"Add '{qid}' to queries.{job.parameters['target_variety']}.tsv.",
            )
    n = len(qids)
    job.write(
        "translation",
        pa.table(
            {
                "translation_id": [f"{job.key[:12]}-{qid}" for qid in qids],
                "translator": [job.parameters["translator"]] * n,
                "source_variety": [job.parameters["source_variety"]] * n,
                "target_variety": [job.parameters["target_variety"]] * n,
                "qid": qids,
                "source_text": source["query"],
                "text": [texts[qid] for qid in qids],
                "key": [job.key] * n,
            }
        ),
    )
    return {"translations": n}
