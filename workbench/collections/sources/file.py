"""Queries from a file of one's own."""

import os
from pathlib import Path
from typing import Any

from store import LswError
from store.artifacts import file_hash
from workbench.collections.base import Extent
from workbench.collections.formats import read_queries
from workbench.collections.sources.base import Source


class QueryFile(Source):
    """A file of qid, tab, text; or BEIR's JSONL, or TREC's topics. Its address is its path."""

    def __str__(self) -> str:
        return self.address

    @property
    def path(self) -> Path:
        """The file.

        Raises:
            LswError: it is not there.
        """
        path = Path(os.path.expanduser(self.address))
        if not path.is_file():
            raise LswError(f"There is no file {path}.", cure="Correct collection.queries.")
        return path

    def origin(self) -> dict[str, Any]:
        """Its name, and the hash of its content."""
        return {"from": self.path.name, "sha256": file_hash(self.path)}

    def origin_of_queries(self) -> dict[str, Any]:
        """The same."""
        return self.origin()

    def queries(self, variety: str) -> dict[str, str]:
        """The text of each qid."""
        return read_queries(self.path)

    def queries_extent(self, variety: str) -> Extent:
        """Counted."""
        return Extent.of(self.queries(variety).values())
