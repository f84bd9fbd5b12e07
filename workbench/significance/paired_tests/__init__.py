"""Paired tests of a zero mean, each one file."""

from workbench.registry import Registry
from workbench.significance.paired_tests.base import Test

TESTS = Registry(
    Test, "test", ("workbench.significance.paired_tests",), "lsw.tests", ("randomisation", "t", "wilcoxon")
)
