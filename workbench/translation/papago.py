"""Naver Papago."""

from typing import ClassVar

from workbench.translation._service import Service


class Papago(Service):
    """Naver Papago."""

    translator_class: ClassVar[str] = "PapagoTranslator"
    keys: ClassVar[dict[str, str]] = {"client_id": "PAPAGO_CLIENT_ID", "secret_key": "PAPAGO_SECRET_KEY"}
