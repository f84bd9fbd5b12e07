"""What work says while it is done, and keeping libraries from writing over it."""

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

Summary = dict[str, Any]
"""What a piece of work records of itself, as JSON values: counts, versions, what it chose."""


_OBEYED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def inert(text: str) -> str:
    """The text without what a terminal would obey: every control character but newline and tab."""
    return _OBEYED.sub("", text)


class Progress(Protocol):
    """Called with what is done and the total, in units of the caller's choosing; a total of 0 is not known."""

    def __call__(self, done: int, total: int) -> None: ...


def advise() -> None:
    """Ask libraries not yet imported to draw no bars and give no advice; whoever set these has the last word."""
    os.environ.setdefault("TQDM_DISABLE", "1")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("TRANSFORMERS_NO_ADVISORY_WARNINGS", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    if "huggingface_hub" in sys.modules:  # models were downloaded, with bars; loading them needs none
        from huggingface_hub.utils import disable_progress_bars

        disable_progress_bars()


@contextmanager
def hushed() -> Iterator[None]:
    """Throw away what native code (PISA) writes to stdout and stderr within the block.

    `workbench.cli.watch.Watcher` draws on a copy of stderr, so its bars go on.
    """
    kept = os.dup(1), os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        for fd in (1, 2):
            os.dup2(nowhere, fd)
        yield
    finally:
        for fd, old in zip((1, 2), kept, strict=True):
            os.dup2(old, fd)
            os.close(old)
        os.close(nowhere)
