"""Yandex."""

from typing import ClassVar

from workbench.translation._service import Service


class Yandex(Service):
    """Yandex."""

    translator_class: ClassVar[str] = "YandexTranslator"
    keys: ClassVar[dict[str, str]] = {"api_key": "YANDEX_API_KEY"}
