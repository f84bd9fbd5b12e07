"""The way to a terminal: what data and file names hold is read there, never obeyed."""

import codecs
import io
import sys
from collections.abc import Iterable
from typing import Any

from rich.console import Console
from rich.segment import Segment

from workbench.talk import inert


class Terminal(Console):
    """A console whose colours and cursor are rich's own: text has no say in them."""

    def render(self, *args: Any, **options: Any) -> Iterable[Segment]:
        for segment in super().render(*args, **options):
            yield segment if segment.control else Segment(inert(segment.text), segment.style)


class Screen(io.RawIOBase):
    """Bytes of UTF-8 for the terminal that stdout is."""

    def __init__(self) -> None:
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        sys.stdout.write(inert(self._decode(bytes(data))))
        return len(data)
