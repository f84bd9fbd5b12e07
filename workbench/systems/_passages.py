"""Passages as a system reads them: in order or by docno, in the declared script."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from store.passages import Passages
from workbench.text import convert


@dataclass(frozen=True)
class Reading:
    """Passages of one variety; a script conversion is done as they are read.

    Args:
        passages: the open file.
        variety: of the passages.
        script: one of `workbench.text.SCRIPTS`.
        drawn: the variety of a docno's passage, of mixed ones.
    """

    passages: Passages
    variety: str
    script: str
    drawn: Callable[[str], str] | None = None

    def __len__(self) -> int:
        return len(self.passages)

    def docnos(self) -> list[str]:
        """All docnos, in order."""
        docnos: list[str] = self.passages.docnos.to_pylist()
        return docnos

    def spoken(self, docnos: list[str]) -> list[str]:
        """The variety of each passage."""
        return [self.drawn(docno) if self.drawn else self.variety for docno in docnos]

    def shards(self, start: int, size: int) -> Iterator[tuple[list[str], list[str]]]:
        """Docnos and texts from the passage at `start` on, `size` at a time."""
        for batch in self.passages.batches(start, size):
            texts = convert(batch["text"].to_pylist(), self.variety, self.script)
            yield batch["docno"].to_pylist(), texts

    def texts(self, docnos: Iterable[str]) -> dict[str, str]:
        """The text of each docno that is there."""
        texts = self.passages.texts(docnos)
        return dict(zip(texts, convert(list(texts.values()), self.variety, self.script), strict=True))
