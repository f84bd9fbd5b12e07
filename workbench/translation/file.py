"""Translations that somebody has made already: a file of qid, tab, text."""

import os
from pathlib import Path
from typing import Annotated, Any, ClassVar

from store import LswError
from store.artifacts import file_hash
from workbench.collections.formats import read_queries
from workbench.registry import LOCAL
from workbench.talk import Summary
from workbench.translation.base import Desk, Translator, complete


class TranslationFile(Translator):
    """`file` is its path."""

    file: Annotated[str, LOCAL]

    makes: ClassVar[bool] = False

    @property
    def path(self) -> Path:
        """The file.

        Raises:
            LswError: it is not there.
        """
        path = Path(os.path.expanduser(self.file)).resolve()
        if not path.is_file():
            cure = "Set translation.file to a file of qid, tab, text."
            raise LswError("The file of [translation] is not there.", f"Looked for {path}.", cure)
        return path

    def recorded(self, whole: bool = True) -> dict[str, Any]:
        """Its content stands for it."""
        return super().recorded(whole) | {"file": file_hash(self.path)}

    def translate(self, texts: dict[str, str], desk: Desk) -> tuple[dict[str, str], Summary]:
        known = {qid: text.strip() for qid, text in read_queries(self.path).items()}
        complete(texts, known, desk.target, desk.source, str(self.path), "the translator is a file")
        return {qid: known[qid] for qid in texts}, {}

    def seconds(self, texts: int) -> float:
        return 0.0
