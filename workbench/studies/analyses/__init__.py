"""What a study may estimate from its grid, each one file."""

from workbench.registry import Registry
from workbench.studies.analyses.base import Analysis

ANALYSES = Registry(Analysis, "analysis", ("workbench.studies.analyses",), "lsw.analyses")
