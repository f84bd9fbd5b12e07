"""Low-resource wordings of queries, each with the text it was made from."""

from dataclasses import replace
from typing import Any, ClassVar

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import SerializeAsAny

from workbench.checkpoints.resolve import folder_in
from workbench.costs.base import Cost
from workbench.costs.estimator import STAGE, Estimator
from workbench.graph import Job, Kind, Stage
from workbench.stages._behind import queries_of
from workbench.talk import Summary
from workbench.translation.base import Desk, Translator


class Translate(Kind):
    """Leaves `rows/translation.parquet` and, of any translator but the collection, `rows/wording.parquet` (queries).

    Reads `source` (queries), and `target` (queries) or `model` where the translator wants them.
    """

    translator: SerializeAsAny[Translator]
    source_variety: str
    target_variety: str

    tables: ClassVar[tuple[str, ...]] = ("translation",)
    files: ClassVar[tuple[str, ...]] = ("wording",)
    group: ClassVar[str] = "translate"

    def recorded(self, whole: bool = True) -> dict[str, Any]:
        values = super().recorded(whole)
        translator: dict[str, Any] = values.pop("translator")
        return values | translator

    def run(self, job: Job) -> Summary:
        """Translate every query of the source.

        Raises:
            LswError: one has no counterpart, or a service gave no translation: what it gave is kept.
        """
        source = job.read("source", "query")
        parallel = None
        if self.translator.parallel:
            target = job.read("target", "query")
            parallel = dict(zip(target["qid"].to_pylist(), target["query"].to_pylist(), strict=True))
        texts = dict(zip(source["qid"].to_pylist(), source["query"].to_pylist(), strict=True))
        desk = desk_of(job, self.source_variety, self.target_variety, parallel)
        translations, summary = self.translator.translate(texts, desk)
        source = source.filter(pc.is_in(source["qid"], pa.array(list(translations), pa.string())))
        qids = source["qid"].to_pylist()
        wordings = [translations[qid] for qid in qids]
        count = len(qids)
        job.write(
            "translation",
            pa.table(
                {
                    "translation_id": [f"{job.run_id}-{qid}" for qid in qids],
                    "translator": [self.translator.translator] * count,
                    "source_variety": [self.source_variety] * count,
                    "target_variety": [self.target_variety] * count,
                    "qid": qids,
                    "source_text": source["query"],
                    "text": wordings,
                    "key": [job.key] * count,
                }
            ),
        )
        if not self.translator.parallel:
            for column, values in (("query", wordings), ("variety", [self.target_variety] * count)):
                at = source.schema.get_field_index(column)
                source = source.set_column(at, column, pa.array(values, pa.string()))
            job.write("wording", source)
        return {"translations": count, **summary}

    def cost(self, stage: Stage, estimator: Estimator) -> Cost:
        return cost_of(self.translator, stage.inputs["source"], estimator)


def desk_of(job: Job, source: str, target: str, parallel: dict[str, str] | None = None) -> Desk:
    """Where a translator works, for a job with its `model`, if it has one."""
    checkpoint = folder_in(job.inputs["model"]) if "model" in job.inputs else None
    return Desk(source, target, job.work, job.progress, job.note, checkpoint, parallel)


def cost_of(translator: Translator, source: Stage, estimator: Estimator) -> Cost:
    """What translating the queries of a stage costs; of a translator that nobody timed, all but the time."""
    extent = queries_of(source, estimator)
    count = extent.texts or 0
    seconds = translator.seconds(count)
    unknown = "" if seconds is not None else f"How long the translator {translator.translator} takes is not timed."
    cost = Cost(seconds=STAGE + (seconds or 0.0), unknown=unknown)
    if not translator.makes:
        return cost
    mean = sum(map(len, extent.samples)) / len(extent.samples) if extent.samples else extent.mean_bytes
    characters = round(count * mean)
    dollars = characters / 1e6 * estimator.prices.get(translator.translator, 0.0)
    return replace(cost, characters=characters, dollars=dollars)
