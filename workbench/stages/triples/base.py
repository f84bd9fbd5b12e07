"""What every source of training triples can do: plan its stage, and do its work."""

from abc import abstractmethod
from typing import Annotated, Any, ClassVar, Literal, Protocol

import pyarrow as pa
from pydantic import Field

from store import LswError
from workbench.collections.sources.base import Source
from workbench.costs.estimator import Estimator
from workbench.graph import Graph, Job, Kind, Stage
from workbench.registry import Section
from workbench.stages._ranking import Depth
from workbench.systems._encoding import Positive
from workbench.talk import Summary
from workbench.varieties import Pair

TRIPLE = pa.schema(
    [*((c, pa.string()) for c in ("key", "qid", "query", "docno_positive", "docno_negative")),
     ("score_positive", pa.float64()), ("score_negative", pa.float64())]
)  # fmt: skip
_MARGIN = "msmarco-hard-negatives/cross-encoder-ms-marco-MiniLM-L-6-v2-scores.pkl.gz"


class Negatives(Section):
    """Where training negatives come from; each source takes what it knows of.

    `mined`: by a system of the recipe, over the training queries in one of the varieties. `hard-negatives`: MS MARCO's,
    of 13 systems, kept where a cross-encoder scores them `cross_encoder_margin` below the worst positive, drawn
    `per_query` at once or in `rounds` of one. `docpairs`:
    those that ir_datasets has for the training queries. `published`: whole triples, texts and all.
    """

    source: str = "mined"
    system: str = "bm25"
    queries: Literal["high", "low"] = "high"
    depth: Depth = 50
    per_query: Positive = 4
    rounds: Annotated[int, Field(ge=0)] = 0
    margin: Annotated[float, Field(ge=0, le=1)] = 0.05
    cross_encoder_margin: Annotated[float, Field(ge=0)] = 3.0
    hard_negatives: str = "hf://datasets/sentence-transformers/msmarco-hard-negatives/msmarco-hard-negatives.jsonl.gz"
    scores: str = f"hf://datasets/sentence-transformers/{_MARGIN}"
    published: dict[str, str] = {}
    limit: Positive | None = None
    seed: int = 42


class Planning(Protocol):
    """What a source may ask of the plan that it is part of."""

    @property
    def graph(self) -> Graph:
        """Where stages are added."""

    @property
    def negatives(self) -> Negatives:
        """The recipe's section."""

    def training_wordings(self, on: Pair) -> dict[str, Stage]:
        """`queries` in the low-resource variety, and the `translation` that they came by."""

    def training_qrels(self, code: str) -> Stage:
        """The judgements of the training queries over the passages of a variety."""

    def training_source(self, code: str) -> Source:
        """Where the training split of a public collection is, by the variety of its passages.

        Raises:
            LswError: the collection is no public one.
        """

    def mined(self, on: Pair, low: bool, system: str, depth: int) -> Stage:
        """What a base system finds for the training queries of a pair, in their low- or high-resource variety."""


class TripleSource(Kind):
    """Leaves `rows/triple.parquet` (key, qid, query, docno_positive, docno_negative, score_positive, score_negative),
    or whole texts."""

    tables: ClassVar[tuple[str, ...]] = ("triple",)
    group: ClassVar[str] = "train"

    @classmethod
    @abstractmethod
    def planned(cls, plan: Planning, on: Pair, most: int | None) -> Stage:
        """The stage that makes the triples of a pair.

        Args:
            plan: what it is part of.
            on: the pair.
            most: of millions, so many will be seen in training; None if all are.

        Raises:
            LswError: there are none for this pair.
        """

    @abstractmethod
    def count(self, stage: Stage, estimator: Estimator) -> int:
        """Triples that it will make, at most."""


def leave(job: Job, rows: list[dict[str, Any]], why: str) -> Summary:
    """Leave `rows/triple.parquet`; returns the summary.

    Raises:
        LswError: there are none.
    """
    if not rows:
        raise none_made(why)
    job.write("triple", pa.Table.from_pylist([{"key": job.key, **row} for row in rows], schema=TRIPLE))
    return {"triples": len(rows), "queries": len({row["qid"] for row in rows})}


def none_made(why: str) -> LswError:
    """What to raise where no triple could be made."""
    return LswError("No training triple could be made.", why, "Loosen what [negatives] asks for.", exit_code=1)
