"""Comparisons as CSV."""

import csv
import io

from store.rows import ComparisonRow
from workbench.comparison.results import Results
from workbench.reports.base import Report

COLUMNS = [name for name in ComparisonRow.__annotations__ if name in ComparisonRow.__required_keys__]


class Csv(Report):
    """One comparison a line, unrounded; what is not defined is empty. One that could not be made has `why_not`."""

    def of(self, results: Results) -> str:
        text = io.StringIO()
        columns = [*COLUMNS, "why_not"]
        writer = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows([*results.comparisons, *results.not_made])
        return text.getvalue()
