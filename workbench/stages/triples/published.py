"""Whole triples that others released, texts and all."""

from typing import Annotated, ClassVar

import pyarrow as pa
import pyarrow.parquet as pq

from store import LswError
from workbench.collections.files import content, located, objects, to_download
from workbench.costs.base import Cost
from workbench.costs.estimator import STAGE, Estimator
from workbench.graph import Job, Stage
from workbench.registry import LOCAL
from workbench.stages.triples.base import Planning, TripleSource
from workbench.talk import Summary
from workbench.varieties import Pair

TEXTS = pa.schema([("query", pa.string()), ("positive", pa.string()), ("negative", pa.string())])
RELEASED, DOWNLOAD = 2_000_000, 1_900_000_000
"""Triples of a file of the paper's authors, and its bytes."""
_AT_ONCE = 100_000


class PublishedTriples(TripleSource):
    """Leaves `rows/texts.parquet`: query, positive, negative, from lines of {"query", "pos": [...], "neg": [...]}.

    FlagEmbedding's format, in which the paper's authors released theirs. They carry no ids, so none reach the store.

    Args:
        origin, sha256: what tells the file's content.
        at: where it is.
        limit: triples at most.
    """

    origin: str
    sha256: str = ""
    limit: int | None = None
    at: Annotated[str, LOCAL]

    tables: ClassVar[tuple[str, ...]] = ()
    files: ClassVar[tuple[str, ...]] = ("texts",)

    @classmethod
    def planned(cls, plan: Planning, on: Pair, most: int | None) -> Stage:
        how = plan.negatives
        if str(on) not in how.published:
            raise LswError(f"No published triples of {on} are known.", cure=f"Set negatives.published.{on}.")
        at = how.published[str(on)]
        work = cls(**content(at, "negatives.published"), limit=how.limit, at=at)
        return plan.graph.add(work, f"read published triples of {on}")

    def run(self, job: Job) -> Summary:
        """Read.

        Raises:
            LswError: a line that is no triple.
        """
        path, limit = located(self.at), self.limit
        count = 0
        with pq.ParquetWriter(job.target("texts"), TEXTS) as writer:
            rows: list[dict[str, str]] = []
            for number, line in objects(path):
                try:
                    query, positive, negatives = line["query"], line["pos"][0], line["neg"]
                    if not all(isinstance(text, str) for text in (query, positive, *negatives)):
                        raise TypeError("no text")
                except (KeyError, TypeError, IndexError):
                    problem = 'A triple needs a text "query", and lists of texts "pos" and "neg".'
                    raise LswError(problem, f"{path}, line {number}") from None
                rows += [{"query": query, "positive": positive, "negative": text} for text in negatives]
                if limit and count + len(rows) >= limit:
                    rows = rows[: limit - count]
                    break
                if len(rows) >= _AT_ONCE:
                    writer.write_table(pa.Table.from_pylist(rows, schema=TEXTS))
                    count, rows = count + len(rows), []
                    job.progress(count, limit or 0)
            writer.write_table(pa.Table.from_pylist(rows, schema=TEXTS))
        return {"triples": count + len(rows)}

    def count(self, stage: Stage, estimator: Estimator) -> int:
        return self.limit or RELEASED

    def cost(self, stage: Stage, estimator: Estimator) -> Cost:
        return Cost(download=DOWNLOAD if to_download(self.at) else 0, seconds=STAGE + 60.0)
