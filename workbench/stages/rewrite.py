"""Queries in other words: what a system that rewrites makes of them."""

from typing import ClassVar

import pyarrow as pa
from pydantic import SerializeAsAny

from store import LswError
from workbench.costs.base import Cost
from workbench.costs.estimator import STAGE, Estimator
from workbench.graph import Job, Kind, Stage
from workbench.stages._behind import queries_of
from workbench.stages._needed import needed
from workbench.stages._ranking import WRITTEN
from workbench.systems.base import Rewriter
from workbench.talk import Summary
from workbench.text import convert


class Rewrite(Kind):
    """Leaves `rows/wording.parquet`: the queries it reads, their texts rewritten, and `written_in`: in which variety.

    Their variety stays that in which they were asked. Reads `source` (queries) and `lexicon`.

    Args:
        rewriter: the system.
        query_variety: of the queries.
        document_variety: in whose words they are written.
        script: one of `workbench.text.SCRIPTS`.
    """

    rewriter: SerializeAsAny[Rewriter]
    query_variety: str
    document_variety: str
    script: str = "as written"

    files: ClassVar[tuple[str, ...]] = ("wording",)
    group: ClassVar[str] = "rank"

    def run(self, job: Job) -> Summary:
        """Rewrite.

        Raises:
            LswError: they are of another variety than the stage says; the lexicon has none of their words.
        """
        table, lexicon = job.queries("source"), needed(job, "lexicon", self.script)
        if table["variety"].unique().to_pylist() != [self.query_variety]:
            title = f"Queries of another variety than '{self.query_variety}' were given to be rewritten."
            raise LswError(title, exit_code=1)
        texts = convert(table["query"].to_pylist(), self.query_variety, self.script)
        entries = list(zip(*(lexicon[column].to_pylist() for column in ("source", "target", "score")), strict=True))
        if self.rewriter.reversed(texts, entries):
            job.note("the lexicon looks reversed: its translations cover the queries better than its own words do")
        rewritten, summary = self.rewriter.rewritten(texts, entries)
        at = table.schema.get_field_index("query")
        table = table.set_column(at, "query", pa.array(rewritten, pa.string()))
        written = pa.array([self.document_variety] * len(table), pa.string())
        job.write("wording", table.append_column(WRITTEN, written))
        changed = sum(new != old for new, old in zip(rewritten, texts, strict=True))
        return {"queries": len(table), "changed": changed, **summary}

    def cost(self, stage: Stage, estimator: Estimator) -> Cost:
        return Cost(seconds=STAGE + 2e-5 * (queries_of(stage.inputs["source"], estimator).texts or 0))
