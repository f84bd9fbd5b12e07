"""Translations, translated back into the variety they came from."""

from typing import Any, ClassVar

import pyarrow as pa
from pydantic import SerializeAsAny

from workbench.costs.base import Cost
from workbench.costs.estimator import Estimator
from workbench.graph import Job, Kind, Stage
from workbench.stages.translate import cost_of, desk_of
from workbench.talk import Summary
from workbench.translation.base import Translator


class TranslateBack(Kind):
    """Leaves `rows/back.parquet`: qid, text (strings). Reads `translation`, and `model` if the translator has one."""

    translator: SerializeAsAny[Translator]
    source_variety: str
    target_variety: str

    files: ClassVar[tuple[str, ...]] = ("back",)
    group: ClassVar[str] = "translate"

    def recorded(self, whole: bool = True) -> dict[str, Any]:
        values = super().recorded(whole)
        translator: dict[str, Any] = values.pop("translator")
        return values | translator

    def run(self, job: Job) -> Summary:
        """Translate every translation."""
        table = job.read("translation", "translation")
        texts = dict(zip(table["qid"].to_pylist(), table["text"].to_pylist(), strict=True))
        desk = desk_of(job, self.source_variety, self.target_variety)
        returned, summary = self.translator.translate(texts, desk)
        job.write("back", pa.table({"qid": list(texts), "text": [returned[qid] for qid in texts]}))
        return {"translations": len(texts), **summary}

    def cost(self, stage: Stage, estimator: Estimator) -> Cost:
        return cost_of(self.translator, stage.inputs["translation"].inputs["source"], estimator)
