"""Stages over the windows of pages: how they are cut, searched, reranked, and made into a run of pages."""

from typing import Any

from store import LswError
from workbench.collections.pages import Pages
from workbench.graph import Stage
from workbench.plans import sources
from workbench.plans.planner import Planner
from workbench.stages._windows import WINDOWS
from workbench.stages.collapse import CollapseWindows
from workbench.stages.cut import CutPages
from workbench.stages.rerank_windows import RerankWindows
from workbench.stages.search_windows import SearchWindows
from workbench.systems.base import System
from workbench.varieties import MIXED

_ASKED = ("query_variety", "document_variety", "script", "depth")
_OF_A_RUN = (*_ASKED, "system", "trained_on", "seed")


def reader(plan: Planner, system: str) -> System:
    """A system of the recipe as it reads what is tested: so many tokens of it as `retrieval.cut` says."""
    ranker, retrieval = plan.recipe.system(system), plan.recipe.retrieval
    if retrieval is None or retrieval.cut.tokens is None or "document_length" not in type(ranker).model_fields:
        return ranker
    return ranker.model_copy(update={"document_length": retrieval.cut.tokens})


def of(plan: Planner, code: str) -> Stage | None:
    """The windows of a variety's pages; None where the recipe shows pages whole.

    Raises:
        LswError: the pages are in several varieties; their score asks for what is known of joined pages alone.
    """
    retrieval = plan.recipe.retrieval
    if retrieval is None or retrieval.cut.whole:
        return None
    if code == MIXED:
        raise LswError(
            "Passages in several languages are not cut into windows.",
            cure=f'Take pairs with {MIXED} out of [retrieval], or set cut = "first".',
        )
    if retrieval.collapse.judged and not isinstance(plan.tested, Pages):
        raise LswError(
            f"Which window of a page of '{plan.tested.name}' holds what is relevant is not known.",
            "retrieval.collapse",
            f'"{retrieval.collapse.name}" is for pages that were joined of passages: set collapse = "max" for others.',
        )
    picks = retrieval.collapse if retrieval.collapse.picks else None
    work = CutPages(document_variety=code, cut=retrieval.cut, picks=picks)
    which = f" ({retrieval.collapse.name})" if picks else ""
    return plan.graph.add(work, f"cut {code} pages{which}", {"passages": sources.passages(plan, code)})


def searched(plan: Planner, about: dict[str, Any], label: str, inputs: dict[str, Stage]) -> Stage:
    """The run of a retriever over windows.

    Args:
        plan: what it is part of.
        about: settings of a run and its ranker, as `Retrieve` has them.
        label: of the run.
        inputs: of `SearchWindows`.
    """
    work = SearchWindows(**_some(about, *_ASKED, "ranker", "computing"))
    found = plan.graph.add(work, label.replace("rank ", "search ", 1).replace(" over ", " over windows of ", 1), inputs)
    return _collapsed(plan, about, label, found, inputs)


def reranked(plan: Planner, about: dict[str, Any], label: str, candidates: Stage, inputs: dict[str, Stage]) -> Stage:
    """The run of a reranker over the windows that the stages before it found.

    Args:
        plan: what it is part of.
        about: settings of a run and its ranker, as `Rerank` has them.
        label: of the run.
        candidates: the run of the stages before it.
        inputs: of `RerankWindows`, but what was found.

    Raises:
        LswError: they leave no windows: what was fused are pages.
    """
    if not isinstance(candidates.work, CollapseWindows):
        raise LswError(
            f"'{about['system']}' cannot be run over windows of pages: what was fused are pages, not windows.",
            cure='Let the reranker follow one retriever, as in "bge-m3 >> mt5", or set retrieval.cut = "first".',
        )
    settings = _some(about, *_ASKED, "ranker", "computing")
    work = RerankWindows(**settings, rerank_depth=plan.recipe.reranking.depth)
    shown = label.replace("rank ", "rerank ", 1).replace(" over ", " over windows of ", 1)
    found = plan.graph.add(work, shown, {**inputs, "found": candidates.inputs["found"]})
    return _collapsed(plan, about, label, found, inputs)


def _collapsed(plan: Planner, about: dict[str, Any], label: str, found: Stage, inputs: dict[str, Stage]) -> Stage:
    """The run of pages, of the windows that were found."""
    assert plan.recipe.retrieval
    collapse, code = plan.recipe.retrieval.collapse, about["document_variety"]
    read = {"found": found, WINDOWS: inputs[WINDOWS], "queries": inputs["queries"]}
    if collapse.judged:
        read |= {"passages": sources.passages(plan, code), "qrels": sources.qrels(plan, code)}
    work = CollapseWindows(**_some(about, *_OF_A_RUN), collapse=collapse)
    return plan.graph.add(work, label, read)


def _some(settings: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: settings[name] for name in names}
