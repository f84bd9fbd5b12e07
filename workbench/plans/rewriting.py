"""Stages that rewrite queries before they are searched with."""

from store import LswError
from workbench.graph import Stage
from workbench.pipeline import Name, Pipeline, Then
from workbench.plans import needs
from workbench.plans.planner import Planner
from workbench.recipe.schema import Recipe
from workbench.stages.rewrite import Rewrite
from workbench.systems.base import Rewriter
from workbench.training.needs import LexiconOf
from workbench.varieties import MIXED, Pair


def parted(recipe: Recipe, of: Pipeline) -> tuple[Name | None, Pipeline]:
    """The system that rewrites, which comes first if there is one, and the rest of a pipeline."""
    if isinstance(of, Then) and isinstance(of.stages[0], Name):
        first, *rest = of.stages
        if recipe.system(str(first)).role == "rewrites":
            assert isinstance(first, Name)
            return first, rest[0] if len(rest) == 1 else Then(tuple(rest))
    return None, of


def after(rewriter: Name, of: Pipeline) -> Pipeline:
    """A pipeline with that system before it."""
    return Then((rewriter, *(of.stages if isinstance(of, Then) else (of,))))


def rewritten(plan: Planner, system: str, query: str, document: str, asked: Stage) -> Stage:
    """Queries in the words of the passages' variety; as they are, where that is their own.

    Args:
        plan: what it is part of.
        system: that rewrites them.
        query, document: varieties.
        asked: the queries.

    Raises:
        LswError: the passages are in several varieties.
    """
    if query == document:
        return asked
    if document == MIXED:
        raise LswError(
            f"'{system}' cannot write queries in the words of passages in several languages.",
            cure=f"Take it, or the pair {query}-{document}, out of [retrieval].",
        )
    rewriter = plan.recipe.system(system)
    assert isinstance(rewriter, Rewriter)
    work = Rewrite(
        rewriter=rewriter, query_variety=query, document_variety=document, script=plan.script(query, document)
    )
    lexicon = needs.stage(plan, LexiconOf(query, document, rewriter.lexicon), Pair(query, document))
    label = f"write {query} queries in {document} words with {system}"
    return plan.graph.add(work, label, {"source": asked, "lexicon": lexicon})
