"""QCRI."""

from typing import ClassVar

from workbench.translation._service import Service


class QCRI(Service):
    """QCRI."""

    translator_class: ClassVar[str] = "QcriTranslator"
    keys: ClassVar[dict[str, str]] = {"api_key": "QCRI_API_KEY"}
