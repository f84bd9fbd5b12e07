"""Corrections of p-values for their number, each one file."""

from workbench.registry import Registry
from workbench.significance.corrections.base import Correction

CORRECTIONS = Registry(
    Correction, "correction", ("workbench.significance.corrections",), "lsw.corrections", ("holm", "bonferroni", "bh")
)
