"""Windows of so many words that overlap (Dai and Callan 2019: 150 words, stride 75, at most 30 of a page)."""

import re

from pydantic import model_validator

from store import LswError
from workbench.collections.cuts.base import Cut, Least1, Span
from workbench.registry import told
from workbench.varieties import variety as known

_WORD, _CHARACTER = re.compile(r"\S+"), re.compile(r"\S")


class Windows(Cut):
    """Windows from a page's start on, until its end is reached; the last may be shorter.

    Args:
        words, stride: words of a window, and from the start of one to that of the next; a word is what stands between
            spaces.
        characters, character_stride: the same in varieties of `words = "han"`, which write no spaces; spaces are not
            counted.
        most: windows of a page, the first ones.
    """

    words: Least1 = 150
    stride: Least1 = 75
    characters: Least1 = 300
    character_stride: Least1 = 150
    most: Least1 = 30

    @model_validator(mode="after")
    def _covers(self) -> "Windows":
        told(_covering)(self)
        return self

    def spans(self, text: str, variety: str) -> tuple[list[Span], int]:
        """Windows of words, or of characters; none if the text has no word."""
        han = known(variety).words == "han"
        size, stride = (self.characters, self.character_stride) if han else (self.words, self.stride)
        units = [found.span() for found in (_CHARACTER if han else _WORD).finditer(text)]
        starts = range(0, max(len(units) - size, 0) + stride, stride) if units else range(0)
        spans = [(units[at][0], units[min(at + size, len(units)) - 1][1]) for at in starts[: self.most]]
        return spans, len(starts) - len(spans)


def _covering(cut: Windows) -> None:
    for size, stride in (("words", "stride"), ("characters", "character_stride")):
        shown, step = getattr(cut, size), getattr(cut, stride)
        if step > shown:
            raise LswError(
                f"retrieval.cut.{stride}: {step} is more than the {shown} {size} of a window.",
                cure="What stands between two windows would be in none: take a smaller stride.",
            )
