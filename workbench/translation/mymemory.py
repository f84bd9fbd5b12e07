"""MyMemory."""

from typing import ClassVar

from workbench.translation._service import Service


class MyMemory(Service):
    """MyMemory."""

    translator_class: ClassVar[str] = "MyMemoryTranslator"
    longest: ClassVar[int] = 500
