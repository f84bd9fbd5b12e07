"""Effects of a study as CSV."""

import csv
import io

from store.rows import EffectRow
from workbench.reports.study.base import StudyReport
from workbench.studies.results import StudyResults

COLUMNS = ["study_id", *(name for name in EffectRow.__annotations__ if name != "study_id")]


class Csv(StudyReport):
    """One effect a line, unrounded; what is not defined is empty. One that could not be made has `why_not`."""

    def of(self, results: StudyResults) -> str:
        text = io.StringIO()
        writer = csv.DictWriter(text, COLUMNS, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(dict(row) for row in results.effects)
        return text.getvalue()
