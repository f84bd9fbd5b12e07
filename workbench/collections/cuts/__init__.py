"""How a page is shown to a ranker, each one file: whole, or in windows."""

from typing import Any

from workbench.collections.cuts.base import Cut
from workbench.registry import Registry

CUTS = Registry(Cut, "cut", ("workbench.collections.cuts",), "lsw.cuts", ("first", "windows"))
USUAL = "windows"
"""The cut of a section that names none: `cut = { words = 150, stride = 75, most = 30 }`."""


def named(value: Any) -> Any:
    """A pydantic validator: a cut, by its name or with its settings."""
    if isinstance(value, Cut):
        return value
    settings = {"cut": value} if isinstance(value, str) else value
    return CUTS.read("cut", USUAL).func(settings)  # type: ignore[call-arg]
