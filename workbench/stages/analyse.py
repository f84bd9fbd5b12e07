"""What is estimated from the runs of a study's cells."""

from typing import Any, ClassVar

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import SerializeAsAny

from workbench.costs.base import Cost
from workbench.costs.estimator import STAGE, Estimator
from workbench.graph import Job, Kind, Stage
from workbench.registry import Section
from workbench.stages._measured import evaluations, topics
from workbench.stages.compare import ComparedRun
from workbench.studies.analyses.base import Analysis
from workbench.studies.evidence import Evidence, Observed
from workbench.talk import Summary

TRIPLES = "triples."
"""How the roles begin of the triples that a training draws from, by the training's name."""
SIMILARITIES = "similarity."
"""How the roles begin of what is known of a pair's similarity."""

_TEXTS = (
    "study_id", "analysis", "effect", "measure", "system", "trained_on", "query_variety", "document_variety", "levels",
    "unit", "test", "correction", "family", "why_not", "detail", "key",
)  # fmt: skip
_COUNTS = ("cells", "n", "n_groups", "models", "family_size")
_FIGURES = ("dose", "estimate", "ci_low", "ci_high", "confidence", "p_value", "p_corrected")
EFFECT = pa.schema(
    [
        *((name, pa.string()) for name in _TEXTS),
        *((name, pa.int32()) for name in _COUNTS),
        *((name, pa.float64()) for name in _FIGURES),
    ]
)


class CellRuns(Section):
    """A cell that is there, and its runs."""

    cell: int
    levels: dict[str, Any]
    runs: list[ComparedRun]


class Analyse(Kind):
    """Leaves `rows/effect.parquet`. Reads `queries.QUERY-DOCUMENT` and `run.ID` (measures) of every cell, and
    `triples.TRAINING` and `similarity.PAIR` where the recipe has them.

    Args:
        study_id: whose effects they are.
        analysis: what is estimated.
        cells: that are there.
        missing: how many are not.
        factors: the levels of each.
        pairs, measures, trainings, control: of the recipe.
        varied: trainings that see other pairs in some cells than in others.
    """

    study_id: str
    analysis: SerializeAsAny[Analysis]
    cells: list[CellRuns]
    missing: int = 0
    factors: dict[str, list[Any]]
    pairs: list[str]
    measures: list[str]
    trainings: dict[str, list[str]] = {}
    varied: list[str] = []
    control: str | None = None

    version: ClassVar[int] = 2
    tables: ClassVar[tuple[str, ...]] = ("effect",)

    def run(self, job: Job) -> Summary:
        """Estimate."""
        runs = [
            Observed(
                run.run_id, cell.cell, cell.levels, run.system, run.trained_on, run.seed, run.query_variety,
                run.document_variety,
            )
            for cell in self.cells for run in cell.runs
        ]  # fmt: skip
        run_ids = list(dict.fromkeys(run.run_id for run in runs))
        measure = self.analysis.measure or self.measures[0]
        values = evaluations(job, run_ids, [measure])
        similar = [role for role in job.inputs if role.startswith(SIMILARITIES)]
        tables = {
            name: pa.concat_tables([job.read(role, name) for role in similar], promote_options="permissive")
            for name in ("similarity", "query_similarity") if similar
        }  # fmt: skip
        evidence = Evidence(
            values, runs, topics(job), self.factors, self.pairs, self.trainings, frozenset(self.varied), self.control,
            _known(job), self.missing, tables,
        )  # fmt: skip
        found = self.analysis.of(evidence, job.progress)
        about = {
            "study_id": self.study_id, "cells": len(self.cells), "analysis": self.analysis.name, "measure": measure,
            "key": job.key,
        }  # fmt: skip
        job.write("effect", pa.Table.from_pylist([{**about, **row} for row in found], schema=EFFECT))
        without = sum(row.get("why_not") is not None for row in found)
        return {"effects": len(found) - without, "not_estimated": without, "cells_missing": self.missing}

    def cost(self, stage: Stage, estimator: Estimator) -> Cost:
        return Cost(seconds=STAGE + 0.2 * sum(len(cell.runs) for cell in self.cells))


def _known(job: Job) -> dict[str, int]:
    """How many queries the triples of each training are of."""
    out = {}
    for role in job.inputs:
        if role.startswith(TRIPLES):
            texts = job.rows(role, "texts").exists()  # published ones, without ids
            column = job.read(role, "texts" if texts else "triple")["query" if texts else "qid"]
            out[role.removeprefix(TRIPLES)] = len(pc.unique(column))
    return out
