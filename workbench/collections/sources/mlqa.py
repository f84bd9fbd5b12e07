"""MLQA on the hub (Lewis et al. 2020, arXiv 1910.07475): contexts as passages, questions in any of its languages.

`mlqa:REPOSITORY`; of queries `mlqa:REPOSITORY:SPLIT` or, across languages, `mlqa:REPOSITORY:CONTEXT.QUESTION:SPLIT`.
"""

import hashlib
from collections.abc import Iterator
from typing import Any

from workbench.collections.sources._hub_rows import rows
from workbench.collections.sources.base import Source


class Mlqa(Source):
    """A question is relevant to the context that it was asked about, in each language that has it: a question in one
    and contexts in another are the questions that both have (49 combinations of 7 languages, by id).

    Several questions are of one article. Its English title is their topic, which each language's instances share; the
    hub's rows lack titles, and there the English context stands for it.
    """

    @property
    def repository(self) -> str:
        """Owner and name, or the folder of a copy."""
        return self.address.split(":")[0]

    def of_split(self, split: str) -> Source:
        """The split stands last in the address."""
        return Mlqa(address=f"{self.address}:{split}", fields=self.fields)

    def _rows(self, context: str, question: str, split: str) -> Iterator[Any]:
        return rows(self.repository, f"mlqa.{context}.{question}", split)

    def passages(self, variety: str) -> Iterator[tuple[str, str]]:
        """Every context of a variety once, of all splits."""
        seen = set()
        for split in ("validation", "test"):
            for row in self._rows(variety, variety, split):
                docno = _docno(row["context"])
                if docno not in seen:
                    seen.add(docno)
                    yield docno, row["context"]

    def queries(self, variety: str) -> dict[str, str]:
        """Questions by id."""
        *where, split = self.address.split(":")
        context, _, question = (where[1] if len(where) > 1 else f"{variety}.{variety}").partition(".")
        return {row["id"]: row["question"] for row in self._rows(context, question, split)}

    def origin_of_queries(self) -> dict[str, Any]:
        return super().origin_of_queries() | {"topics": "articles"}

    def topics(self, variety: str) -> dict[str, str]:
        """The article of each question, or as much of it as its English instance tells."""
        split = self.address.split(":")[-1]
        return {row["id"]: row.get("title") or _docno(row["context"]) for row in self._rows("en", "en", split)}

    def qrels(self, variety: str, split: str) -> Iterator[tuple[str, str, int]]:
        """The context of each question of a split, with label 1."""
        for row in self._rows(variety, variety, split):
            yield row["id"], _docno(row["context"]), 1


def _docno(context: str) -> str:
    """A docno for a context, which has none of its own: 16 digits of its sha256."""
    return hashlib.sha256(context.encode()).hexdigest()[:16]
