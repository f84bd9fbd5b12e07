"""Data sets of the hub in BEIR's layout (WebFAQ, MTEB): `beir:OWNER/NAME:CONFIG`."""

from collections.abc import Iterator

from workbench.collections.sources._hub_rows import rows
from workbench.collections.sources.base import Source


class Beir(Source):
    """The address is a repository and, after a colon, a configuration; queries of all splits are in one."""

    def _rows(self, part: str, split: str) -> Iterator[dict[str, str]]:
        repository, _, config = self.address.partition(":")
        config = config.split(":")[0]
        return rows(repository, f"{config}-{part}" if config else part, split)

    def judged_only(self, split: str) -> bool:
        """Always: which split a query is of is told by its judgements."""
        return True

    def passages(self, variety: str) -> Iterator[tuple[str, str]]:
        """Rows `_id`, `title`, `text` of the configuration `<config>-corpus`; a title before the text."""
        for row in self._rows("corpus", "corpus"):
            yield str(row["_id"]), f"{row['title']} {row['text']}" if row.get("title") else row["text"]

    def queries(self, variety: str) -> dict[str, str]:
        """Rows `_id`, `text` of the configuration `<config>-queries`."""
        return {str(row["_id"]): row["text"] for row in self._rows("queries", "queries")}

    def qrels(self, variety: str, split: str) -> Iterator[tuple[str, str, int]]:
        """Rows `query-id`, `corpus-id`, `score` of the configuration `<config>-qrels`."""
        for row in self._rows("qrels", split):
            yield str(row["query-id"]), str(row["corpus-id"]), int(row["score"])
