"""A study as JSON."""

from workbench.reports.json import dumps
from workbench.reports.study.base import StudyReport
from workbench.studies.findings import findings
from workbench.studies.results import StudyResults
from workbench.studies.words import detail, levels


class Json(StudyReport):
    """An object with the study, its cells, its effects (levels and detail as objects) and its findings in words."""

    def of(self, results: StudyResults) -> str:
        return dumps(
            {
                "study": results.study,
                "progress": results.progress(),
                "cells": results.cells,
                "effects": [{**row, "levels": levels(row), "detail": detail(row)} for row in results.effects],
                "findings": findings(results) if results.effects else [],
            }
        )
