"""A text as a run read it, in its declared script, and the places in the text as it was written."""

from difflib import SequenceMatcher

from workbench.systems._explanation import Span
from workbench.text import convert


class Written:
    """A text, and what was read in its place.

    Args:
        text: as the collection has it.
        code: its variety.
        script: one of `workbench.text.SCRIPTS`.

    Attributes:
        read: what the system was given.

    Raises:
        LswError: an unknown script option.
    """

    def __init__(self, text: str, code: str, script: str) -> None:
        [self.read] = convert([text], code, script)
        self._starts = list(range(len(self.read) + 1))
        self._ends = self._starts
        if len(self.read) != len(text):  # some words are written with more characters in one script
            self._starts, self._ends = [0] * (len(self.read) + 1), [0] * (len(self.read) + 1)
            for _, low, high, first, last in SequenceMatcher(None, text, self.read, autojunk=False).get_opcodes():
                for at in range(first, last):
                    alike = high - low == last - first
                    self._starts[at] = low + at - first if alike else low
                    self._ends[at + 1] = low + at - first + 1 if alike else high

    def back(self, spans: tuple[Span, ...]) -> tuple[Span, ...]:
        """Where these places of what was read stand in the text."""
        return tuple((self._starts[start], self._ends[end]) for start, end in spans)
