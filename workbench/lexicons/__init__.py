"""Where words and their translations come from, each one file."""

from typing import Any

from workbench.lexicons.base import Lexicon
from workbench.registry import Registry

LEXICONS = Registry(Lexicon, "lexicon", ("workbench.lexicons",), "lsw.lexicons", ("bitext",))
"""What every source of words and their translations can do."""


def named(value: Any) -> Any:
    """A pydantic validator: a lexicon, by its name or with its settings."""
    if isinstance(value, Lexicon):
        return value
    settings = {"lexicon": value} if isinstance(value, str) else value
    return LEXICONS.read("lexicon").func(settings)  # type: ignore[call-arg]
