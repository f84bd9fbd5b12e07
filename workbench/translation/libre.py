"""LibreTranslate, its own or (`url`) one of yours, which needs no key."""

from typing import ClassVar

from workbench.translation._service import Service


class Libre(Service):
    """LibreTranslate, its own or (`url`) one of yours, which needs no key."""

    translator_class: ClassVar[str] = "LibreTranslator"
    keys: ClassVar[dict[str, str]] = {"api_key": "LIBRE_API_KEY"}
    url_argument: ClassVar[str] = "custom_url"
    newer: ClassVar[bool] = True
