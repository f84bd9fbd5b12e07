"""Google's translation page."""

from typing import ClassVar

from workbench.translation._service import Service


class Google(Service):
    """Google's translation page."""

    translator_class: ClassVar[str] = "GoogleTranslator"
    newer: ClassVar[bool] = True
