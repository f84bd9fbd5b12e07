"""Grids of runs with a known truth."""

from typing import Any

import numpy as np

from workbench.comparison.paired import Evaluations
from workbench.studies.analyses import ANALYSES
from workbench.studies.analyses.base import Analysis
from workbench.studies.evidence import Evidence, Level, Observed

Row = dict[str, Any]


class Grid:
    """Runs that are added one by one; a run of the same name is there once, in as many cells as it was added to."""

    def __init__(self, factors: dict[str, list[Level]], topics: list[str]) -> None:
        self.factors, self.topics = factors, topics
        self.values: dict[str, np.ndarray] = {}
        self.runs: list[Observed] = []
        self.cells: dict[str, int] = {}

    def add(
        self,
        values: np.ndarray,
        levels: dict[str, Level],
        trained_on: str | None = None,
        seed: int | None = None,
        name: str = "",
        system: str = "bge-m3",
        query: str = "ca",
    ) -> None:
        run_id = name or f"{system}/{trained_on}/{seed}/{query}/{levels}"
        self.values.setdefault(run_id, values)
        cell = self.cells.setdefault(str(levels), len(self.cells))
        self.runs.append(Observed(run_id, cell, levels, system, trained_on, seed, query, "fr"))

    def evidence(self, **more: Any) -> Evidence:
        values = np.column_stack(list(self.values.values()))[:, :, None]
        qids = [str(i) for i in range(len(values))]
        asked = np.ones(values.shape[:2], dtype=np.bool_)
        evaluations = Evaluations(
            values, qids, list(self.values), ["RR@10"], asked, ~asked, np.ones(len(qids), dtype=np.int64)
        )
        return Evidence(evaluations, self.runs, dict(zip(qids, self.topics, strict=True)), self.factors, **more)


def analysis(name: str, **settings: Any) -> Analysis:
    return ANALYSES.part(name).model_validate({"analysis": name, **settings})


def effects(name: str, evidence: Evidence, **settings: Any) -> list[Row]:
    """Rows of an analysis, with few resamples unless they are asked for."""
    quick = {"resamples": 300, "flips": 1_000} | settings
    return [dict(row) for row in analysis(name, **quick).of(evidence, lambda done, total: None)]


def of(rows: list[Row], effect: str, **columns: Any) -> list[Row]:
    """The rows of an effect with these columns."""
    return [
        row for row in rows if row["effect"] == effect and all(row.get(key) == value for key, value in columns.items())
    ]


def covers(row: Row, truth: float) -> bool:
    """Whether an interval has the truth in it; one without an end is open there."""
    low, high = row.get("ci_low"), row.get("ci_high")
    return (low is None or low <= truth + 1e-12) and (high is None or truth - 1e-12 <= high)
