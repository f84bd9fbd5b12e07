"""How similar two varieties are: features of a pair and of its queries in their two wordings, each one file."""

from typing import Any

from workbench.registry import Registry
from workbench.similarity.base import Feature

FEATURES = Registry(Feature, "feature of similarity", ("workbench.similarity.features",), "lsw.features")

USUAL = ("grams", "chrf", "ldnd", "pieces", "length", "kinship", "uriel", "cc100")
"""Those that are measured unless a recipe names others: all of lsw, none of plug-ins."""


def named(value: Any) -> Any:
    """A pydantic validator: a feature, by its name or with its settings."""
    if isinstance(value, Feature):
        return value
    settings = {"feature": value} if isinstance(value, str) else value
    return FEATURES.read("feature").func(settings)  # type: ignore[call-arg]


def usual() -> list[Feature]:
    """The usual features, as they are without settings."""
    return [FEATURES.part(name)(feature=name) for name in USUAL]
