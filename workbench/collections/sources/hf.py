"""Queries from one file of a data set of the hub."""

from workbench.checkpoints import hub
from workbench.collections.base import Extent
from workbench.collections.formats import read_queries
from workbench.collections.sources.base import Source


class Hf(Source):
    """`hf://datasets/owner/name/path`, or `hf://datasets/owner/name@revision/path`: a file of qid, tab, text."""

    def queries(self, variety: str) -> dict[str, str]:
        """The text of each qid; the file is downloaded if it is not here."""
        return read_queries(hub.file(str(self)))

    def queries_extent(self, variety: str) -> Extent:
        """Counted if the file is here; else nobody says."""
        path = hub.cached_file(str(self))
        return Extent.of(read_queries(path).values()) if path else Extent(None, 0.0)
