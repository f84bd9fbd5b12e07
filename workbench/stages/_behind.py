"""What lies behind a stage: the queries, the passages and the model that it works with, for its cost."""

from workbench.collections.base import Extent
from workbench.costs.base import NotEstimatedError
from workbench.costs.estimator import Estimator
from workbench.graph import Stage
from workbench.stages.cut import CutPages
from workbench.stages.passages import ReadPassages
from workbench.stages.queries import ReadQueries


def queries_of(stage: Stage, estimator: Estimator) -> Extent:
    """How large the queries are that a stage reads, or that were translated for it.

    Raises:
        NotEstimatedError: it is no stage of a collection's queries.
    """
    if "source" in stage.inputs:  # translated
        return queries_of(stage.inputs["source"], estimator)
    if not isinstance(stage.work, ReadQueries):
        raise NotEstimatedError(f"Nobody knows how many queries '{stage.label}' will read.")
    return estimator.queries(stage.work.read_from, stage.work.variety, stage.work.split)


def passages_of(stage: Stage, estimator: Estimator) -> Extent:
    """How large the passages are that a stage reads, or the windows that it cuts from them.

    Raises:
        NotEstimatedError: it is no stage of a collection's passages.
    """
    if isinstance(stage.work, CutPages):
        return stage.work.extent(stage, estimator)
    if not isinstance(stage.work, ReadPassages):
        raise NotEstimatedError(f"Nobody knows how many passages '{stage.label}' will read.")
    return estimator.passages(stage.work.read_from, stage.work.variety)
