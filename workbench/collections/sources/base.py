"""What every source can do, as far as it has such a part."""

from collections.abc import Iterator
from typing import Any

from store import LswError
from workbench.collections.base import Download, Extent
from workbench.registry import Part

UNKNOWN = Extent(None, 0.0)


class Source(Part):
    """Where parts of a collection are.

    Args:
        address: what stands behind the name.
        fields: of a topic that make the query.
    """

    address: str
    fields: tuple[str, ...] = ("title",)

    def __str__(self) -> str:
        return f"{self.name}:{self.address}"

    def of_split(self, split: str) -> "Source":
        """Where a split is, by the source's own name for it."""
        return self

    def origin(self) -> dict[str, Any]:
        """What tells its content from any other: JSON values that enter the keys of stages."""
        return {"from": str(self)} | ({"plugin": self.distribution} if self.distribution else {})

    def origin_of_queries(self) -> dict[str, Any]:
        """The same of queries."""
        return self.origin() | {"fields": list(self.fields)}

    def judged_only(self, split: str) -> bool:
        """Whether queries of a split (`train`, `test`) that have no judgement are left out."""
        return False

    def passages(self, variety: str) -> Iterator[tuple[str, str]]:
        """docno and text of each passage; those without a text may be among them."""
        raise self._lacks("passages")

    def queries(self, variety: str) -> dict[str, str]:
        """The text of each qid.

        Raises:
            LswError: they are in another language: those of one variety are never taken for another's.
        """
        raise self._lacks("queries")

    def topics(self, variety: str) -> dict[str, str]:
        """The topic of each qid, where several queries are of one: what is resampled together. Of others nothing."""
        return {}

    def qrels(self, variety: str, split: str) -> Iterator[tuple[str, str, int]]:
        """qid, docno and label of each judgement of a split, by the source's own name for it."""
        raise self._lacks("judgements")

    def downloads(self, part: str, variety: str, split: str = "") -> list[Download]:
        """Files that will be downloaded for `passages`, `queries` or the `qrels` of a split."""
        return []

    def passages_extent(self, variety: str) -> Extent:
        """How large the passages are, as far as that is published."""
        return UNKNOWN

    def queries_extent(self, variety: str) -> Extent:
        """How large the queries are."""
        return UNKNOWN

    def _lacks(self, part: str) -> LswError:
        return LswError(
            f"'{self}' is no source of {part}.",
            cure="Write irds:ID, beir:OWNER/NAME:CONFIG or mlqa:OWNER/NAME.",
        )
