"""What every translator can do, and the journal that loses nothing."""

import json
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from store import LswError
from workbench.registry import Part
from workbench.talk import Progress, Summary


@dataclass(frozen=True)
class Desk:
    """Where a translator works, and with what.

    Args:
        source, target: varieties.
        work: a folder that outlives an interruption.
        progress: told texts done and to do.
        note: told what a user should know.
        checkpoint: folder of the model, of a translator that names one.
        parallel: texts in the target variety by qid, of a translator that only looks them up.
    """

    source: str
    target: str
    work: Path
    progress: Progress
    note: Callable[[str], Any]
    checkpoint: Path | None = None
    parallel: dict[str, str] | None = None


class Translator(Part):
    """Where low-resource wordings come from.

    `parallel` says that they are the collection's own queries in the target variety. `makes` says that it can
    translate any text, so back as well.
    """

    translator: str

    parallel: ClassVar[bool] = False
    makes: ClassVar[bool] = True

    @property
    def model(self) -> str:
        """A checkpoint that it needs: a folder, or owner/name on the hub."""
        return ""

    @abstractmethod
    def translate(self, texts: dict[str, str], desk: Desk) -> tuple[dict[str, str], Summary]:
        """Translate.

        Args:
            texts: by qid.
            desk: directions, and where to work.

        Returns:
            translations by qid, of all texts or (where few may lack) of most; and what to record.

        Raises:
            LswError: there is no translation; what there was is kept.
        """

    def seconds(self, texts: int) -> float | None:
        """How long so many texts take; None if nobody knows."""
        return None

    def paid(self) -> bool:
        """Whether letters are counted."""
        return self.makes


def complete(texts: dict[str, str], known: dict[str, str], target: str, source: str, file: str, why: str) -> None:
    """Make sure that every text has its counterpart.

    Raises:
        LswError: one has none.
    """
    for qid in texts:
        if qid not in known:
            raise LswError(
                f"Query '{qid}' is missing in '{target}'.",
                f"It is there in '{source}', and {why}.",
                f"Add '{qid}' to {file}.",
            )


class Journal:
    """Translations by text, on disk as soon as they are had; what an interrupted attempt had is there again.

    A line that was cut off by a killed process is passed over, and removed so that the next one is whole.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.had: dict[str, str] = {}
        whole = []
        # Bytes, and cut at line feeds alone: a text may hold U+2028, and the end of a cut-off line half a character.
        for line in path.read_bytes().split(b"\n") if path.exists() else ():
            try:
                text, answer = json.loads(line)
            except ValueError:
                continue
            self.had[text] = answer
            whole.append(line + b"\n")
        path.write_bytes(b"".join(whole))

    def add(self, text: str, answer: str) -> None:
        """Keep one translation."""
        self.had[text] = answer
        with self.path.open("a", encoding="utf-8") as out:
            out.write(json.dumps([text, answer], ensure_ascii=False) + "\n")

    def of(self, texts: dict[str, str]) -> dict[str, str]:
        """Translations by qid."""
        return {qid: self.had[text] for qid, text in texts.items()}
