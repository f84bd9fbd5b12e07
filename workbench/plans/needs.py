"""Stages behind what training steps and objectives read beside the triples."""

from store import LswError
from workbench.graph import Stage
from workbench.plans import sources, translation
from workbench.plans.planner import Planner
from workbench.stages.bitext import Bitext
from workbench.training.needs import TRAINING_QUERIES, BitextOf, Need, TeacherOf
from workbench.varieties import Pair


def stage(plan: Planner, need: Need, on: Pair) -> Stage:
    """The stage that makes what is needed.

    Args:
        plan: what it is part of.
        need: what is read.
        on: the pair of the training.
    """
    if isinstance(need, BitextOf):
        return _bitext(plan, need, on)
    if isinstance(need, TeacherOf):
        return sources.base_model(plan, need.system)
    raise LswError(f"Nothing plans a {type(need).__name__}.", exit_code=1)


def _bitext(plan: Planner, need: BitextOf, on: Pair) -> Stage:
    if need.origin != TRAINING_QUERIES:
        raise LswError(f"Unknown bitext '{need.origin}'.", cure=f"Known: {TRAINING_QUERIES}.")
    work = Bitext(source_variety=need.source, target_variety=need.target)
    inputs = {"source": _asked(plan, need.source, on), "target": _asked(plan, need.target, on)}
    return plan.graph.add(work, f"pair {need.source} with {need.target} training queries", inputs)


def _asked(plan: Planner, code: str, on: Pair) -> Stage:
    """Training queries in a variety: the collection's own, or translated from those of the passages'."""
    return translation.wording(plan, Pair(code, on.high), "train")
