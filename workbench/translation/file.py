"""Translations that somebody has made already: a file of qid, tab, text."""

from pathlib import Path
from typing import Annotated, Any, ClassVar

from store import LswError
from store.artifacts import file_hash
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
        path = Path(self.file).expanduser().resolve()
        if not path.is_file():
            cure = "Set translation.file to a file of qid, tab, text."
            raise LswError("The file of [translation] is not there.", f"Looked for {path}.", cure)
        return path

    def recorded(self, whole: bool = True) -> dict[str, Any]:
        """Its content stands for it."""
        return super().recorded(whole) | {"file": file_hash(self.path)}

    def translate(self, texts: dict[str, str], desk: Desk) -> tuple[dict[str, str], Summary]:
        known = read(self.path)
        complete(texts, known, desk.target, desk.source, str(self.path), "the translator is a file")
        return {qid: known[qid] for qid in texts}, {}

    def seconds(self, texts: int) -> float:
        return 0.0


def read(path: Path) -> dict[str, str]:
    """Translations by qid: qid, tab, text.

    Raises:
        LswError: a line without a tab, or a qid twice.
    """
    translations: dict[str, str] = {}
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        qid, tab, text = line.partition("\t")
        if not tab or not text.strip():
            raise LswError("A line is not qid, tab, text.", f"{path}, line {number}")
        if qid in translations:
            raise LswError(f"Query '{qid}' is translated twice.", f"{path}, line {number}")
        translations[qid] = text.strip()
    return translations
