"""Results as JSON."""

import json
from datetime import datetime
from typing import Any

from workbench.comparison.results import Results
from workbench.reports.base import Report


class Json(Report):
    """An object with runs, systems (means over trained models), comparisons and those not made, findings, summary,
    closings, sentences and, of a recipe, recipe_run."""

    def of(self, results: Results) -> str:
        return dumps(
            {
                **({"recipe_run": results.record} if results.record else {}),
                "runs": results.runs,
                "comparisons": results.comparisons,
                "not_made": results.not_made,
                "systems": results.systems(),
                "findings": results.findings(),
                "summary": results.summary(),
                "closings": results.closings(),
                "sentences": results.sentences(),
            }
        )


def dumps(value: Any) -> str:
    """JSON as all commands print it: indented, letters as they are, times in ISO 8601."""

    def plain(item: Any) -> Any:
        return item.isoformat() if isinstance(item, datetime) else str(item)

    return json.dumps(value, ensure_ascii=False, indent=2, default=plain) + "\n"
