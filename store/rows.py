"""What rows of the views look like in Python."""

from datetime import datetime
from typing import Any, NotRequired, TypedDict

Row = dict[str, Any]
"""A row of a query whose columns are its own."""


class Evaluated(TypedDict):
    """How many queries of a run count; those without result or relevant passage count 0 in every measure.

    `not_asked` are judged, but the variety has no wording of them: they do not count.
    """

    queries: int
    without_result: int
    without_relevant: int
    not_asked: int


class RunRow(TypedDict):
    """A row of the view `runs`; where a question asks for them `means` (by measure), `evaluated`, and how many `seeds`
    the same system was trained with, of how many `judged` queries its means are, and its `levels` in a study's grid."""

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
    seed: int | None
    seeds: NotRequired[int]
    judged: NotRequired[int]
    means: NotRequired[dict[str, float]]
    evaluated: NotRequired[Evaluated | None]
    levels: NotRequired[dict[str, Any]]


class Contrasted(TypedDict):
    """What is compared with what, in which measure, on how many queries."""

    contrast: str
    system: str
    trained_on: str | None
    variety: str | None
    pair: str | None
    baseline_run_id: str
    run_id: str
    measure: str
    n: int


class ComparisonRow(Contrasted):
    """A row of the view `comparisons`; None where a value is not defined.

    `models` are the trained models whose mean is compared, `model_deviation` the standard deviation between them.
    `share_closed` with its interval is of a closure: 1 - gap after / gap before.
    """

    n_groups: int
    left_out: int
    no_result: int
    no_relevant: int
    mean_baseline: float
    mean: float
    delta: float
    ci_low: float | None
    ci_high: float | None
    confidence: float
    interval: str
    effect_size: float | None
    detectable: float | None
    test: str
    resamples: int
    p_value: float
    correction: str
    family: str
    primary: bool
    family_size: int
    p_corrected: float
    wins: int
    ties: int
    losses: int
    seed: int
    models: int
    model_deviation: float | None
    share_closed: float | None
    share_low: float | None
    share_high: float | None
    recipe_run_id: NotRequired[str]
    recipe: NotRequired[str]
    key: NotRequired[str]


class NotCompared(Contrasted):
    """A comparison that cannot be made: a row of the view `comparisons` without figures, and `why_not`."""

    left_out: int
    family: str
    primary: bool
    why_not: str


class StudyRow(TypedDict):
    """A row of the view `studies`, its JSON read: `factors` are the levels of each, `analysis` its settings.

    Of `n_cells` so many are `done`; `analysed` cells are those that the effects are of, None before an analysis.
    """

    study_id: str
    study: str
    title: str
    scale: str
    analysis: dict[str, Any]
    factors: dict[str, list[Any]]
    n_cells: int
    done: int
    analysed: int | None
    begun_at: datetime | None
    key: str


class CellRow(TypedDict):
    """A row of the view `study_cells`, its levels (of each factor) read."""

    study_id: str
    cell: int
    position: int
    levels: dict[str, Any]
    recipe_run_id: str | None
    status: str
    started_at: datetime | None
    seconds: float | None


class EffectRow(TypedDict, total=False):
    """A row of the view `effects`; what is left out or None is not defined.

    `effect` is what is estimated (`gain`, `minimum effective dose`, `interaction`), of a system after a training on
    queries of a variety, at `levels` (JSON) of the grid's factors; `dose` is the level on the axis of a curve.
    `estimate` with its interval is in `unit`. `n` queries in `n_groups` topics (of `rho`: `n` pairs), `models` of
    different seeds. `detail` is JSON. An estimate that could not be made has `why_not`.
    """

    effect: str
    measure: str
    system: str | None
    trained_on: str | None
    query_variety: str | None
    document_variety: str | None
    levels: str
    dose: float | None
    estimate: float | None
    ci_low: float | None
    ci_high: float | None
    confidence: float | None
    unit: str
    n: int | None
    n_groups: int | None
    models: int | None
    test: str | None
    p_value: float | None
    correction: str | None
    family: str | None
    family_size: int | None
    p_corrected: float | None
    why_not: str | None
    detail: str
    study_id: str
    cells: int
    analysis: str
    key: str


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
