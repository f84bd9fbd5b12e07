"""What a stage costs, and who is asked to know it."""

from dataclasses import dataclass

from store import LswError


@dataclass
class Cost:
    """Of one stage. Bytes, characters, US dollars, tokens (about: four bytes each), seconds.

    `unknown` says why some of it is not estimated; what is not estimated is never shown as free.
    """

    download: int = 0
    characters: int = 0
    dollars: float = 0.0
    tokens: int = 0
    seconds: float = 0.0
    disk: int = 0
    unknown: str = ""


class NotEstimatedError(LswError):
    """Nobody can say what this costs; the title says why."""
