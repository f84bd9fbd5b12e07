"""How the scores of a page's windows become its own, each one file."""

from typing import Any

from workbench.evaluation.collapses.base import Collapse
from workbench.registry import Registry

COLLAPSES = Registry(
    Collapse, "collapse", ("workbench.evaluation.collapses",), "lsw.collapses",
    ("max", "first", "mean-top-3", "random", "oracle"),
)  # fmt: skip


def named(value: Any) -> Any:
    """A pydantic validator: a collapse, by its name or with its settings."""
    if isinstance(value, Collapse):
        return value
    settings = {"collapse": value} if isinstance(value, str) else value
    return COLLAPSES.read("collapse").func(settings)  # type: ignore[call-arg]
