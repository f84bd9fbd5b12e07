"""The screens, each one file; numbered in the order of their names here, those of plug-ins last."""

from tui.page import Page
from workbench.registry import Registry

PAGES = Registry(
    Page,
    "screen",
    ("tui.pages",),
    "lsw.pages",
    ("results", "runs", "compare", "plots", "translations", "provenance", "sql", "published"),
)
