"""Parallel texts of two varieties: a collection's training queries."""

from typing import ClassVar

import pyarrow as pa

from store import LswError
from workbench.costs.base import Cost
from workbench.costs.estimator import STAGE, Estimator
from workbench.graph import Job, Kind, Stage
from workbench.talk import Summary

BITEXT = pa.schema([(name, pa.string()) for name in ("id", "source", "target")])


class Bitext(Kind):
    """Leaves `rows/bitext.parquet`: id, source, target (strings), whose metadata name the varieties.

    Reads `source` and `target` (queries of one split).

    Args:
        source_variety, target_variety: of the texts.
        split: of the queries; `train` always.
    """

    source_variety: str
    target_variety: str
    split: str = "train"

    files: ClassVar[tuple[str, ...]] = ("bitext",)
    group: ClassVar[str] = "train"

    def run(self, job: Job) -> Summary:
        """Pair them by qid.

        Raises:
            LswError: none can be, or they are of another split.
        """
        source, target = job.queries("source"), job.queries("target")
        for table in (source, target):
            splits = set(table["split"].to_pylist())
            if splits - {self.split}:
                raise LswError(f"Queries of {', '.join(sorted(splits))} were given to train on.", exit_code=1)
        other = dict(zip(target["qid"].to_pylist(), target["query"].to_pylist(), strict=True))
        asked = zip(source["qid"].to_pylist(), source["query"].to_pylist(), strict=True)
        pairs = [(qid, text, other[qid]) for qid, text in asked if qid in other]
        if not pairs:
            raise LswError(
                f"No training query is there in both {self.source_variety} and {self.target_variety}.",
                cure="Is the collection parallel in these two? Name a translator in [translation], or another pair.",
            )
        columns = [list(column) for column in zip(*pairs, strict=True)]
        codes = {"source": self.source_variety, "target": self.target_variety}
        job.write("bitext", pa.table(columns, schema=BITEXT.with_metadata(codes)))
        return {"pairs": len(pairs), "left_out": len(source) + len(target) - 2 * len(pairs)}

    def cost(self, stage: Stage, estimator: Estimator) -> Cost:
        return Cost(seconds=STAGE)
