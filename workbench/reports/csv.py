"""Comparisons as CSV."""

import csv
import io

from store.rows import ComparisonRow
from workbench.comparison.results import Results
from workbench.reports.base import Report

COLUMNS = [name for name in ComparisonRow.__annotations__ if name in ComparisonRow.__required_keys__]


class Csv(Report):
    """One comparison a line, unrounded; what is not defined is empty."""

    def of(self, results: Results) -> str:
        text = io.StringIO()
        writer = csv.DictWriter(text, COLUMNS, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(results.comparisons)
        return text.getvalue()
