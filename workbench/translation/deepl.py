"""DeepL."""

from typing import ClassVar

from workbench.translation._service import Service


class DeepL(Service):
    """DeepL."""

    translator_class: ClassVar[str] = "DeeplTranslator"
    keys: ClassVar[dict[str, str]] = {"api_key": "DEEPL_API_KEY"}
