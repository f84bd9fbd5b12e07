"""What a plan will cost before it is run, stage by stage."""

from dataclasses import dataclass

from store import LswError
from workbench.costs.base import Cost
from workbench.costs.estimator import Estimator
from workbench.engine.dry_run import Fate
from workbench.stages._ranking import Ranks
from workbench.stages.finetune import Finetune

IMPORTS = 9.0
"""Seconds to import torch and its companions, once."""
START = "start"


@dataclass(frozen=True)
class Estimate:
    """The cost of one stage: its label, its kind, what it is added up under (`workbench.graph.GROUPS`)."""

    stage: str
    kind: str
    group: str
    cost: Cost


def forecast(fates: list[Fate], estimator: Estimator) -> list[Estimate]:
    """The cost of each stage that is to run, in order; first of starting, if a model is to be loaded.

    Args:
        fates: of a plan that was compiled without downloading.
        estimator: is asked.
    """
    to_run = [fate.stage for fate in fates if fate.outcome != "cached"]
    estimates = []
    for stage in to_run:
        try:
            cost = stage.work.cost(stage, estimator)
        except LswError as error:
            cost = Cost(unknown=error.title)
        estimates.append(Estimate(stage.label, stage.kind, stage.work.group, cost))
    if any(isinstance(stage.work, Ranks | Finetune) for stage in to_run):
        estimates.insert(0, Estimate(START, START, "evaluate", Cost(seconds=IMPORTS)))
    return estimates
