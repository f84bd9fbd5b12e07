"""Stages behind what training steps, objectives and rewriting systems read: bitexts and lexicons."""

from collections.abc import Iterable

from store import LswError
from workbench.collections.bitexts import parallel
from workbench.collections.files import content
from workbench.graph import Stage
from workbench.plans import sources, translation
from workbench.plans.planner import Planner
from workbench.stages.bitext import TESTED, Bitext
from workbench.stages.lexicon import SIDES, MakeLexicon
from workbench.training.needs import TRAINING_QUERIES, BitextOf, LexiconOf, Need, TeacherOf
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
    if isinstance(need, LexiconOf):
        return _lexicon(plan, need, on)
    if isinstance(need, TeacherOf):
        return sources.base_model(plan, need.system)
    raise LswError(f"Nothing plans a {type(need).__name__}.", exit_code=1)


def tested(plan: Planner, codes: Iterable[str]) -> dict[str, Stage]:
    """Queries that are tested or watched in some varieties, as far as the collection has them, by `code.split`."""
    stages = {}
    for code in dict.fromkeys(codes):
        if plan.tested.has_queries(code):
            stages[f"{code}.test"] = sources.queries(plan, code, "test")
        if plan.trained.held_out(code):
            stages[f"{code}.dev"] = sources.queries(plan, code, "dev")
    return stages


def _bitext(plan: Planner, need: BitextOf, on: Pair) -> Stage:
    if need.origin != TRAINING_QUERIES:
        return _file(plan, need)
    on = on if on.high in (need.source, need.target) else Pair(need.source, need.target)
    work = Bitext(source_variety=need.source, target_variety=need.target)
    inputs = {"source": _asked(plan, need.source, on), "target": _asked(plan, need.target, on)}
    return plan.graph.add(work, f"pair {need.source} with {need.target} training queries", inputs)


def _file(plan: Planner, need: BitextOf) -> Stage:
    """Files, held against the queries that are tested and watched, as far as their collections have them."""
    at = parallel(need.origin, need.source, need.target)
    contents = {side: content(path, "the bitext") for side, path in zip(SIDES, at.files, strict=False)}
    work = Bitext(
        source_variety=need.source, target_variety=need.target, contents=contents, columns=at.columns, at=at.files
    )
    inputs = {f"{TESTED}{name}": stage for name, stage in tested(plan, (need.source, need.target)).items()}
    return plan.graph.add(work, f"read {need.source}-{need.target} bitext", inputs)


def _lexicon(plan: Planner, need: LexiconOf, on: Pair) -> Stage:
    lexicon = need.lexicon
    places = lexicon.places(need.source, need.target)
    contents = {what: content(at, f"the lexicon '{lexicon.lexicon}'") for what, at in places.items()}
    work = MakeLexicon(
        lexicon=lexicon, source_variety=need.source, target_variety=need.target, contents=contents, at=places
    )
    inputs = {}
    if origin := lexicon.bitext_of(need.source, need.target):
        inputs["bitext"] = _bitext(plan, BitextOf(need.source, need.target, origin), on)
    if lexicon.parallel_passages:
        inputs["source"], inputs["target"] = (sources.passages(plan, c, "train") for c in (need.source, need.target))
        inputs["qrels"] = sources.qrels(plan, need.source, "train")
    return plan.graph.add(work, f"{need.source} words in {need.target} ({lexicon.lexicon})", inputs)


def _asked(plan: Planner, code: str, on: Pair) -> Stage:
    """Training queries in a variety: the collection's own, or translated from those of the passages'."""
    return translation.wording(plan, Pair(code, on.high), "train")
