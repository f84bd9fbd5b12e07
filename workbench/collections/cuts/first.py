"""A page as it is: a ranker reads its first tokens, `tokens` of them or as many as its `document_length` says."""

from typing import ClassVar

from workbench.collections.cuts.base import Cut, Span


class First(Cut):
    """No windows."""

    whole: ClassVar[bool] = True

    def spans(self, text: str, variety: str) -> tuple[list[Span], int]:
        """The whole."""
        return [(0, len(text))], 0
