"""The one error type that users see: what is wrong, where, and what to type next."""

from collections.abc import Iterable
from difflib import get_close_matches


class LswError(Exception):
    """A problem the user can act on.

    Args:
        title: what is wrong, in one sentence.
        detail: where it is (file, line, field), if there is more to say.
        cure: what to do next, best of all a command to type.
        exit_code: 2 for bad input, 1 for work that failed.
    """

    def __init__(self, title: str, detail: str = "", cure: str = "", exit_code: int = 2) -> None:
        super().__init__(title)
        self.title = title
        self.detail = detail
        self.cure = cure
        self.exit_code = exit_code

    def __str__(self) -> str:
        return "\n".join(part for part in (self.title, self.detail, self.cure) if part)


class Busy(LswError):
    """Another process has the store; the same again, a little later, may do."""


class Damaged(LswError):
    """The database file is damaged; it can be made again from the artifacts."""


def nearest(name: str, known: Iterable[str]) -> str:
    """Words that end an error about an unknown name: the nearest known one, and all of them when they are few."""
    known = sorted(known)
    close = get_close_matches(name, known, n=1, cutoff=0.5)
    if not close:  # difflib minds capitals, people do not
        folded = {k.lower(): k for k in known}
        close = [folded[c] for c in get_close_matches(name.lower(), folded, n=1, cutoff=0.5)]
    hint = f"Did you mean '{close[0]}'? " if close else ""
    return f"{hint}Known: {', '.join(known)}." if len(known) <= 20 else hint.strip()
