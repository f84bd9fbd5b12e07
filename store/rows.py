"""What rows of the views look like in Python."""

from datetime import datetime
from typing import Any, NotRequired, TypedDict

Row = dict[str, Any]
"""A row of a query whose columns are its own."""


class Evaluated(TypedDict):
    """How many queries of a run count; those without result or relevant passage count 0 in every measure."""

    queries: int
    without_result: int
    without_relevant: int


class RunRow(TypedDict):
    """A row of the view `runs`; `means` (by measure) and `evaluated` where a question asks for them."""

    run_id: str
    recipe: str | None
    recipe_run_id: str | None
    scale: str | None
    collection: str
    system: str
    trained_on: str | None
    query_variety: str
    document_variety: str | None
    depth: int
    n_queries: int
    status: str
    started_at: datetime
    seconds: float | None
    key: str
    means: NotRequired[dict[str, float]]
    evaluated: NotRequired[Evaluated | None]


class ComparisonRow(TypedDict):
    """A row of the view `comparisons`; None where a value is not defined."""

    contrast: str
    system: str
    trained_on: str | None
    variety: str | None
    pair: str | None
    baseline_run_id: str
    run_id: str
    measure: str
    n: int
    n_groups: int
    no_result: int
    no_relevant: int
    mean_baseline: float
    mean: float
    delta: float
    ci_low: float
    ci_high: float
    confidence: float
    interval: str
    effect_size: float | None
    detectable: float | None
    test: str
    resamples: int
    p_value: float
    correction: str
    family_size: int
    p_corrected: float
    wins: int
    ties: int
    losses: int
    seed: int
    recipe_run_id: NotRequired[str]
    recipe: NotRequired[str]
    key: NotRequired[str]


class StageRow(TypedDict):
    """A stage behind a run (`store.query.lineage`): columns of the view `stages`, JSON as text, role and distance."""

    key: str
    role: str
    distance: int
    kind: str
    parameters: str
    inputs: str
    summary: str | None
    environment: str
    started_at: datetime
    seconds: float | None
