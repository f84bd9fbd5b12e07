"""What stages that index and rank have in common: the text that is scored, and the rows of a run."""

from typing import Annotated, ClassVar

import pyarrow as pa
from pydantic import Field, SerializeAsAny

from store import LswError
from workbench.checkpoints.resolve import folder_in
from workbench.collections.mixed import variety_in
from workbench.costs.base import Cost, NotEstimatedError
from workbench.costs.estimator import MODEL, RESULT, STAGE, TYPICAL, Estimator
from workbench.evaluation.ties import ranked
from workbench.graph import Job, Kind, Stage
from workbench.registry import LOCAL
from workbench.stages._behind import passages_of, queries_of
from workbench.systems._encoding import Computing, finite, same_scores
from workbench.systems._passages import Reading
from workbench.systems.base import Retriever, Searched, System, Workplace
from workbench.talk import Summary
from workbench.text import convert

_TEXTS = ("run_id", "system", "trained_on", "query_variety", "document_variety", "status", "key")
RUN = pa.schema(
    [*((c, pa.string()) for c in _TEXTS), ("depth", pa.int32()), ("n_queries", pa.int32()), ("seed", pa.int64())]
)
DEEPEST = 1_000_000
"""Results of a query at most: all of them are held, for all queries at once."""
Depth = Annotated[int, Field(gt=0, le=DEEPEST)]
ROW_BYTES = 20
"""Of a row of a ranking on disk."""


class OverPassages(Kind):
    """Is about the passages of one variety.

    Args:
        document_variety: of the passages.
        script: one of `workbench.text.SCRIPTS`.
    """

    document_variety: str
    script: str = "as written"


class Ranks(OverPassages):
    """Works with a system.

    Args:
        ranker: the system, of a pipeline the one that does this.
        computing: how, as far as the results depend on it.
    """

    ranker: SerializeAsAny[System]
    computing: Computing = Computing()

    def workplace(self, job: Job) -> Workplace:
        """With what and where the system works."""
        checkpoint = folder_in(job.inputs["model"]) if "model" in job.inputs else None
        return Workplace(checkpoint, self.document_variety, self.computing, job.work, job.progress)

    def passages(self, job: Job) -> Reading:
        """The passages, in the declared script."""
        drawn = variety_in(job.inputs["passages"])
        return Reading(job.passages("passages"), self.document_variety, self.script, drawn)


class Asked(OverPassages):
    """Has queries, and results for them.

    Args:
        query_variety: of the queries.
        depth: results kept for each query.
    """

    query_variety: str
    depth: int

    group: ClassVar[str] = "rank"

    def queries(self, job: Job) -> pa.Table:
        """The queries of the run's own variety, in the declared script.

        Raises:
            LswError: they are of another variety than the stage says.
        """
        table = job.queries("queries")
        if table["variety"].unique().to_pylist() != [self.query_variety]:
            variety = self.query_variety
            raise LswError(f"Queries of another variety than '{variety}' were given to this run.", exit_code=1)
        texts = convert(table["query"].to_pylist(), self.query_variety, self.script)
        return table.set_column(table.schema.get_field_index("query"), "query", pa.array(texts))


class Asks(Asked, Ranks):
    """Searches the index of a system."""

    def retrieved(self, job: Job, queries: pa.Table) -> tuple[pa.Table, Summary]:
        """What a retriever finds in the index that was made for it: qid, docno, score; and what to record."""
        assert isinstance(self.ranker, Retriever)
        index = job.inputs["index"] / "index"
        results, summary = self.ranker.retrieve(index, queries, self.query_variety, self.depth, self.workplace(job))
        finite(results["score"].to_numpy())
        if self.ranker.checkpoint and same_scores(results["qid"].to_pylist(), results["score"].to_pylist()):
            raise LswError(
                f"{self.ranker.checkpoint} gives all passages of a query the same score.",
                cure="It is no ranker, or not the one its files say: name another checkpoint.",
                exit_code=1,
            )
        return results, summary

    def cost_of_search(self, stage: Stage, estimator: Estimator) -> Cost:
        """Of searching the index of a stage.

        Raises:
            NotEstimatedError: nobody knows how fast the system is.
        """
        assert isinstance(self.ranker, Retriever)
        queries = queries_of(stage.inputs["queries"], estimator).texts or 0
        extent = passages_of(stage.inputs["index"].inputs["passages"], estimator)
        count = extent.texts or 0
        rows = queries * min(self.depth, count)
        search = Searched(queries, count, count * (extent.mean_bytes or TYPICAL), rows)
        width, multiply = (0, 0.0)
        if self.ranker.checkpoint:
            width, multiply = estimator.width(self.ranker), estimator.seconds_to_multiply()
        seconds = self.ranker.seconds_to_search(search, width, multiply)
        if seconds is None:
            raise NotEstimatedError(f"Nobody knows how fast {self.ranker.architecture} searches.")
        loading = MODEL if self.ranker.checkpoint else 0.0
        return Cost(seconds=STAGE + seconds + loading + rows * RESULT, disk=rows * ROW_BYTES)


class Runs(Asked):
    """Makes a run of the store.

    Args:
        system: the whole pipeline, as PyTerrier writes it.
        trained_on: a pair, or None for a base model.
        seed: of the training, of a model that was trained here; the model's key has it.
    """

    system: str
    trained_on: str | None = None
    seed: Annotated[int | None, LOCAL] = None

    tables: ClassVar[tuple[str, ...]] = ("run", "ranking", "scored_query")

    def record(self, job: Job, results: pa.Table, queries: pa.Table) -> Summary:
        """Leave a run's rows for the store.

        Args:
            job: of this stage.
            results: columns qid, docno, score.
            queries: columns qid, query as they were scored.

        Returns:
            the summary of the stage.
        """
        ranking = ranked(results, self.depth)
        job.write("ranking", ranking.add_column(0, "run_id", pa.array([job.run_id] * len(ranking))))
        scored = queries.select(["qid", "query"])
        job.write("scored_query", scored.add_column(0, "run_id", pa.array([job.run_id] * len(scored))))
        answered = len(ranking["qid"].unique())
        return record_run(
            job, self.system, self.trained_on, (self.query_variety, self.document_variety), self.depth, len(queries),
            answered, len(ranking), self.seed,
        )  # fmt: skip


def record_run(
    job: Job, system: str, trained_on: str | None, varieties: tuple[str, str | None], depth: int, queries: int,
    answered: int, rows: int, seed: int | None = None,
) -> Summary:  # fmt: skip
    """Leave `rows/run.parquet`; returns the summary of a run's stage.

    Args:
        job: of the stage.
        system, trained_on: whose run it is.
        varieties: of queries and passages.
        depth: results kept for each query.
        queries, answered: how many there are, and how many have a result.
        rows: results in all.
        seed: of its training.
    """
    query_variety, document_variety = varieties
    row = {
        "run_id": job.run_id, "system": system, "trained_on": trained_on, "query_variety": query_variety,
        "document_variety": document_variety, "status": "done", "key": job.key, "depth": depth, "n_queries": queries,
        "seed": seed,
    }  # fmt: skip
    job.write("run", pa.Table.from_pylist([row], schema=RUN))
    return {"queries": queries, "rows": rows, "queries_without_result": queries - answered}
