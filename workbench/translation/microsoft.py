"""Microsoft Translator."""

from typing import ClassVar

from workbench.translation._service import Service


class Microsoft(Service):
    """Microsoft Translator."""

    translator_class: ClassVar[str] = "MicrosoftTranslator"
    keys: ClassVar[dict[str, str]] = {"api_key": "MICROSOFT_API_KEY"}
