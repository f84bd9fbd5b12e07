"""Results as a reader wants them, each form one file: `--format NAME`."""

from workbench.registry import Registry
from workbench.reports.base import Report

REPORTS = Registry(Report, "format", ("workbench.reports",), "lsw.reports", ("table", "screen", "json", "csv", "latex"))
