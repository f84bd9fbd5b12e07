"""Data sets of the hub in BEIR's layout (WebFAQ, MTEB): `beir:OWNER/NAME:CONFIG`."""

from collections.abc import Iterator

from workbench.collections.sources._hub_rows import rows, splits
from workbench.collections.sources.base import Source


class Beir(Source):
    """The address is a repository and, after a colon, a configuration. Queries of all splits are taken together,
    whether they are in one (`queries`) or each in its own, as in later versions of WebFAQ."""

    def _where(self, part: str) -> tuple[str, str]:
        """The repository, and the configuration of a part."""
        repository, _, config = self.address.partition(":")
        config = config.split(":")[0]
        return repository, f"{config}-{part}" if config else part

    def _rows(self, part: str, split: str) -> Iterator[dict[str, str]]:
        return rows(*self._where(part), split)

    def judged_only(self, split: str) -> bool:
        """Always: which split a query is of is told by its judgements."""
        return True

    def passages(self, variety: str) -> Iterator[tuple[str, str]]:
        """Rows `_id`, `title`, `text` of the configuration `<config>-corpus`; a title before the text."""
        for row in self._rows("corpus", "corpus"):
            yield str(row["_id"]), f"{row['title']} {row['text']}" if row.get("title") else row["text"]

    def queries(self, variety: str) -> dict[str, str]:
        """Rows `_id`, `text` of the configuration `<config>-queries`."""
        known = splits(*self._where("queries"))
        names = ["queries"] if "queries" in known else known
        return {str(row["_id"]): row["text"] for name in names for row in self._rows("queries", name)}

    def qrels(self, variety: str, split: str) -> Iterator[tuple[str, str, int]]:
        """Rows `query-id`, `corpus-id`, `score` of the configuration `<config>-qrels`."""
        for row in self._rows("qrels", split):
            yield str(row["query-id"]), str(row["corpus-id"]), int(row["score"])
