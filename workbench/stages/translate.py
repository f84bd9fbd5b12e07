"""Low-resource wordings of queries, each with the text it was made from."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from store import LswError
from workbench.stages import Job
from workbench.stages.sources import checkpoint_folder
from workbench.translation.services import APERTIUM, COLLECTION, FILE, SEQ2SEQ, asking, describe, patiently, version

_MANY, _FEW = 10_000, 0.01
"""Of so many published training queries, this share may lack a translation; of fewer, none."""


def run(job: Job) -> dict[str, Any]:
    """`rows/translation.parquet`: translation_id, translator, varieties, qid, source_text, text, key.

    With the translator `collection` the texts are the collection's own parallel queries. With any other,
    `rows/wording.parquet` has them as queries for the stages after it.

    Raises:
        LswError: a source query has no counterpart, or a service gave no translation: what it gave is kept.
    """
    source = job.read("source", "query")
    qids, texts = source["qid"].to_pylist(), source["query"].to_pylist()
    p = job.parameters
    summary: dict[str, Any] = {}
    if p["translator"] == COLLECTION:
        target = job.read("target", "query")
        known = dict(zip(target["qid"].to_pylist(), target["query"].to_pylist(), strict=True))
        there = pc.is_in(source["qid"], pa.array(list(known), pa.string()))
        lacking = len(source) - pc.sum(there).as_py()
        if len(source) > _MANY and 0 < lacking <= len(source) * _FEW:
            summary["untranslated"] = lacking
            job.note(f"{lacking} of {len(source)} queries were never translated, and are left out")
            source = source.filter(there)
            qids, texts = source["qid"].to_pylist(), source["query"].to_pylist()
        _complete(qids, known, p, f"queries.{p['target_variety']}.tsv", "the translator is the collection itself")
    elif p["translator"] == FILE:
        path = Path(job.local["file"])
        known = read_file(path)
        _complete(qids, known, p, str(path), "the translator is a file")
    else:
        known, summary = _made(job, qids, texts)
    made = [known[qid] for qid in qids]
    n = len(qids)
    job.write(
        "translation",
        pa.table(
            {
                "translation_id": [f"{job.key[:12]}-{qid}" for qid in qids],
                "translator": [p["translator"]] * n,
                "source_variety": [p["source_variety"]] * n,
                "target_variety": [p["target_variety"]] * n,
                "qid": qids,
                "source_text": source["query"],
                "text": made,
                "key": [job.key] * n,
            }
        ),
    )
    if p["translator"] != COLLECTION:
        wording = source
        for column, values in (("query", made), ("variety", [p["target_variety"]] * n)):
            at = source.schema.get_field_index(column)
            wording = wording.set_column(at, column, pa.array(values, pa.string()))
        job.write("wording", wording)
    return {"translations": n, **summary}


def back(job: Job) -> dict[str, Any]:
    """`rows/back.parquet`: qid, text; translations, translated back into the variety they came from."""
    made = job.read("translation", "translation")
    qids, texts = made["qid"].to_pylist(), made["text"].to_pylist()
    known, summary = _made(job, qids, texts)
    job.write("back", pa.table({"qid": qids, "text": [known[qid] for qid in qids]}))
    return {"translations": len(qids), **summary}


def read_file(path: Path) -> dict[str, str]:
    """Translations by qid: qid, tab, text.

    Raises:
        LswError: a line without a tab, or a qid twice.
    """
    found: dict[str, str] = {}
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        qid, tab, text = line.partition("\t")
        if not tab or not text.strip():
            raise LswError("A line is not qid, tab, text.", f"{path}, line {number}")
        if qid in found:
            raise LswError(f"Query '{qid}' is translated twice.", f"{path}, line {number}")
        found[qid] = text.strip()
    return found


def _complete(qids: list[str], known: dict[str, str], p: dict[str, Any], file: str, why: str) -> None:
    for qid in qids:
        if qid not in known:
            raise LswError(
                f"Query '{qid}' is missing in '{p['target_variety']}'.",
                f"It is there in '{p['source_variety']}', and {why}.",
                f"Add '{qid}' to {file}.",
            )


class Journal:
    """Translations by text, on disk as soon as they are had; what an interrupted attempt had is there again.

    A line that was cut off by a killed process is passed over, and removed so that the next one is whole.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.had: dict[str, str] = {}
        whole = []
        for line in path.read_text("utf-8").splitlines() if path.exists() else ():
            try:
                text, answer = json.loads(line)
            except ValueError:
                continue
            self.had[text] = answer
            whole.append(line + "\n")
        path.write_text("".join(whole), "utf-8")

    def add(self, text: str, answer: str) -> None:
        """Keep one translation."""
        self.had[text] = answer
        with self.path.open("a", encoding="utf-8") as out:
            out.write(json.dumps([text, answer], ensure_ascii=False) + "\n")


Made = tuple[dict[str, str], dict[str, Any]]
"""Translations by qid, and what to record."""


def _made(job: Job, qids: list[str], texts: list[str]) -> Made:
    """Translations that are made: by a checkpoint, a program or a service."""
    p = job.parameters
    if p["translator"] == SEQ2SEQ:
        return _generated(job, qids, texts)
    if p["translator"] == APERTIUM:
        from workbench.translation import apertium

        answers = apertium.translated(texts, p["source_variety"], p["target_variety"])
        return dict(zip(qids, answers, strict=True)), {"version": apertium.version()}
    return _asked(job, qids, texts)


def _asked(job: Job, qids: list[str], texts: list[str]) -> Made:
    p, how = job.parameters, job.local
    ask = asking(p["translator"], p["source_variety"], p["target_variety"], how["timeout"], how["url"])
    faults = 0

    def fault_seen(text: str) -> None:
        nonlocal faults
        faults += 1
        job.note(f"{p['translator']}: {text}")

    patient = patiently(ask, how["rate"], how["retries"], fault_seen)
    journal = Journal(job.work / "translations.jsonl")
    asked = 0
    for done, (qid, text) in enumerate(zip(qids, texts, strict=True)):
        job.progress(done, len(qids))
        if text in journal.had:
            continue
        try:
            journal.add(text, patient(text))
        except Exception as fault:
            raise LswError(
                f"The translator '{p['translator']}' gave nothing for query '{qid}': {describe(fault)}.",
                f"{done} of {len(qids)} queries are translated, and kept.",
                "Type the command again, later, or with a lower translation.rate; it goes on where it stopped.",
                exit_code=1,
            ) from None
        asked += 1
    summary = {"asked": asked, "faults": faults, "version": version()}
    return {qid: journal.had[text] for qid, text in zip(qids, texts, strict=True)}, summary


def _generated(job: Job, qids: list[str], texts: list[str]) -> Made:
    from workbench.translation.seq2seq import translated

    p = job.parameters
    journal = Journal(job.work / "translations.jsonl")
    new = [text for text in dict.fromkeys(texts) if text not in journal.had]
    checkpoint = checkpoint_folder(job.inputs["model"])
    done = len(set(texts)) - len(new)
    for some, answers in translated(checkpoint, new, p["source_variety"], p["target_variety"], p["beams"], p["length"]):
        for text, answer in zip(some, answers, strict=True):
            journal.add(text, answer)
        done += len(some)
        job.progress(done, len(set(texts)))
    return {qid: journal.had[text] for qid, text in zip(qids, texts, strict=True)}, {"generated": len(new)}
