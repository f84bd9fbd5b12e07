"""What every ranker can do: a retriever indexes and searches, a reranker scores candidates."""

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import pyarrow as pa
from pydantic import BeforeValidator, Field, SerializeAsAny

from workbench.lexicons import named
from workbench.lexicons.base import Entry, Lexicon
from workbench.registry import LOCAL, Part
from workbench.systems._encoding import Computing, Positive
from workbench.systems._explanation import Asked, Explanation
from workbench.systems._passages import Reading
from workbench.talk import Progress, Summary


@dataclass(frozen=True)
class Workplace:
    """With what and where a system works.

    Args:
        checkpoint: folder of its weights; None if it has none.
        document_variety: of the passages.
        computing: precision, budget, search.
        work: a folder that outlives an interruption.
        progress: told passages, pairs or queries done and to do.
    """

    checkpoint: Path | None
    document_variety: str
    computing: Computing
    work: Path
    progress: Progress

    @property
    def weights(self) -> Path:
        """The checkpoint of a system that has one."""
        assert self.checkpoint
        return self.checkpoint


@dataclass(frozen=True)
class Searched:
    """What is known of a search before it is made: queries, passages, their bytes of text, and results in all."""

    queries: int
    passages: int
    size: float
    results: int


class System(Part):
    """A ranker, as a scale describes it.

    `role` is its place in a pipeline. `heeds` are the settings of `Computing` that its results depend on. `objective`
    is how it is trained unless a recipe says otherwise; empty if it cannot be. `presets` are systems that need no
    section in a scale beside the architecture itself: names, and settings. `version` is raised when the same settings
    would find something else.
    """

    architecture: str
    checkpoint: Annotated[str, LOCAL] = ""
    """A folder, or owner/name on the hub; empty if it has no weights."""

    role: ClassVar[Literal["retrieves", "reranks", "rewrites"]] = "retrieves"
    heeds: ClassVar[frozenset[str]] = frozenset()
    objective: ClassVar[str] = ""
    presets: ClassVar[dict[str, dict[str, Any]]] = {}
    version: ClassVar[int] = 1

    def recorded(self, whole: bool = True) -> dict[str, Any]:
        return super().recorded(whole) | ({"version": self.version} if self.version > 1 else {})

    def heeded(self, computing: Computing) -> Computing:
        """Only what its results depend on, and what is local."""
        return Computing(**{name: getattr(computing, name) for name in (*self.heeds, "token_budget")})

    def explain(self, asked: Asked, at: Workplace) -> Explanation:
        """The scores of some passages for one query, taken apart; the same scores as in a search.

        Args:
            asked: the query, the passages, the index.
            at: with what, as for the search.

        Raises:
            LswError: the index or the model is not what the search used.
        """
        return Explanation.refused(f"lsw does not know how a system of the architecture {self.name} scores.")


class Retriever(System):
    """A system that finds passages."""

    def suits(self, document_variety: str) -> None:
        """Refuse passages that it cannot index, before anything is done.

        Raises:
            LswError: it knows nothing of their variety.
        """

    @abstractmethod
    def index(self, passages: Reading, out: Path, at: Workplace) -> Summary:
        """Make the index of some passages in the folder `out`; goes on where an interrupted attempt stopped.

        Returns:
            what to record, as JSON values.
        """

    @abstractmethod
    def retrieve(
        self, index: Path, queries: pa.Table, variety: str, depth: int, at: Workplace
    ) -> tuple[pa.Table, Summary]:
        """Search.

        Args:
            index: what `index` made.
            queries: columns qid, query (strings).
            variety: of the queries.
            depth: passages a query at most.
            at: with what.

        Returns:
            columns qid, docno (strings), score (float32), in any order; and what to record.
        """

    def encoder(self, checkpoint: Path, variety: str, computing: Computing) -> Callable[[list[str]], Any] | None:
        """What encodes passages, to be timed; None if `seconds_to_index` needs no model."""
        return None

    def seconds_to_index(self, texts: list[str], variety: str) -> float | None:
        """Seconds for a byte of text, of a system without `encoder`; None if nobody knows."""
        return None

    def disk(self, passages: int, size: float, width: int, computing: Computing) -> int | None:
        """Bytes of the index of so many passages and bytes of text, by a model so wide; None if nobody knows."""
        return None

    def seconds_to_search(self, search: Searched, width: int, multiplication: float) -> float | None:
        """Seconds of a search, where a multiplication takes so many; None if nobody knows."""
        return None


class Reranker(System):
    """A system that scores the candidates of another.

    Args:
        query_length, document_length: in tokens; of a pair `document_length` at most.
    """

    checkpoint: Annotated[str, LOCAL]
    query_length: Positive
    document_length: Positive

    role: ClassVar[Literal["retrieves", "reranks"]] = "reranks"
    heeds: ClassVar[frozenset[str]] = frozenset({"precision"})

    @abstractmethod
    def scorer(self, checkpoint: Path, computing: Computing) -> Any:
        """A PyTerrier transformer: of columns qid, query, docno, text it gives score (and rank)."""

    def explain(self, asked: Asked, at: Workplace) -> Explanation:
        """The scores, which have no parts: query and passage are read together."""
        import pandas as pd

        scorer = asked.kept(lambda: self.scorer(at.weights, at.computing))
        docnos = list(asked.passages)
        columns = {"qid": "q", "docno": docnos, "query": asked.query, "text": [asked.passages[d] for d in docnos]}
        scored = scorer(pd.DataFrame(columns))
        says = (
            "The reranker reads the query and the passage together and gives one score; it has no parts that add up,"
            " and says nothing of which words it is for."
        )
        return Explanation("score", says, dict(zip(scored["docno"], map(float, scored["score"]), strict=True)))


class Encoder(Retriever):
    """A retriever with a model that encodes texts.

    Args:
        query_length, document_length: in tokens.
    """

    checkpoint: Annotated[str, LOCAL]
    query_length: Positive
    document_length: Positive

    heeds: ClassVar[frozenset[str]] = frozenset({"precision", "search"})


class Rewriter(System):
    """A system that puts queries in other words before they are searched with; `lexicon` is where it has them from."""

    lexicon: Annotated[SerializeAsAny[Lexicon], BeforeValidator(named), LOCAL] = Field(
        default="bitext", validate_default=True
    )

    role: ClassVar[Literal["retrieves", "reranks", "rewrites"]] = "rewrites"

    @abstractmethod
    def rewritten(self, texts: Sequence[str], entries: Sequence[Entry]) -> tuple[list[str], Summary]:
        """Queries in the words of the passages' variety, and what to record.

        Args:
            texts: the queries.
            entries: words of their variety, with translations into that of the passages.

        Raises:
            LswError: it can write none of them.
        """

    @abstractmethod
    def reversed(self, texts: Sequence[str], entries: Sequence[Entry]) -> bool:
        """Whether the entries look as if they led the other way."""
