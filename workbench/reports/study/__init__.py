"""Studies as a reader wants them, each form one file: `lsw study results --format NAME`."""

from workbench.registry import Registry
from workbench.reports.study.base import StudyReport

STUDY_REPORTS = Registry(
    StudyReport,
    "format",
    ("workbench.reports.study",),
    "lsw.study_reports",
    ("screen", "table", "json", "csv", "latex"),
)
