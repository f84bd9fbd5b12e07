"""Stages that train: triples and models."""

from dataclasses import dataclass

from store import LswError
from workbench.collections.mixed import Mixed
from workbench.collections.public import PublicCollection
from workbench.collections.sample import Sampled
from workbench.collections.sources.base import Source
from workbench.graph import Graph, Stage
from workbench.plans import indexing, needs, sources, translation
from workbench.plans.planner import Planner
from workbench.recipe.trainings import Variant
from workbench.stages.finetune import OBJECTIVE, PASSAGES, STEP, Finetune
from workbench.stages.interpolate import Interpolate
from workbench.stages.triples import TRIPLES
from workbench.stages.triples.base import Negatives
from workbench.training.finetune import objective_of
from workbench.training.needs import BitextOf, EvaluatedQueries, LexiconOf, Need, TeacherOf, TriplesOf
from workbench.training.steps.base import Step
from workbench.training.steps.sample import Sample
from workbench.training.tuning import Tuning
from workbench.varieties import Pair, pair


@dataclass(frozen=True)
class TriplesPlan:
    """What a source of triples may ask (`workbench.stages.triples.base.Planning`), for the training of one system."""

    plan: Planner
    tuning: Tuning

    @property
    def graph(self) -> Graph:
        """Where stages are added."""
        return self.plan.graph

    @property
    def negatives(self) -> Negatives:
        """The recipe's section, as the training of this system changes it."""
        own = {"rounds": self.tuning.rounds} if self.tuning.rounds else {}
        return self.plan.recipe.negatives.model_copy(update=own)

    def training_wordings(self, on: Pair) -> dict[str, Stage]:
        """`queries` in the low-resource variety, and the `translation` that they came by, if it is another one."""
        if on.low == on.high:
            return {"queries": sources.queries(self.plan, on.high, "train")}
        return {
            "queries": translation.wording(self.plan, on, "train"),
            "translation": translation.translation(self.plan, on, "train"),
        }

    def training_qrels(self, code: str) -> Stage:
        """The judgements of the training queries over the passages of a variety."""
        return sources.qrels(self.plan, code, "train")

    def training_source(self, code: str) -> Source:
        """Where the training split of a public collection is, by the variety of its passages.

        Raises:
            LswError: the collection is no public one.
        """
        trained = whole = self.plan.trained
        while isinstance(whole, Mixed | Sampled):
            whole = whole.whole
        if not isinstance(whole, PublicCollection):
            raise LswError(f"Collection '{trained.name}' has no training pairs.", cure="Set negatives.source to mined.")
        return whole.source_of_split(code, "train")

    def mined(self, on: Pair, low: bool, system: str, depth: int) -> Stage:
        """What a base system finds for the training queries of a pair, in their low- or high-resource variety."""
        asked = translation.wording(self.plan, on, "train") if low else sources.queries(self.plan, on.high, "train")
        return indexing.searched(self.plan, system, on.low if low else on.high, on.high, depth, asked)


def finetuned(plan: Planner, name: str, system: str, seed: int | None = None) -> Stage:
    """The model of a system in one of the recipe's trainings: trained here, with a seed, or by its publishers."""
    tuned, variant = plan.recipe.fine_tuning, plan.recipe.trainings()[name]
    assert tuned
    if variant.model is not None:
        return _shared(plan, name, variant, system, seed)
    on = variant.on
    if tuned.models == "published":
        at = plan.recipe.published[str(on)][system]
        return sources.model(plan, f"{system} ({on})", at, f"[published.{on}] {system}")
    ranker, tuning = plan.recipe.system(system), plan.recipe.tuning(name, system, seed)
    minimised = objective_of(ranker, tuning, variant.objective)
    steps = _steps(plan, name) if minimised.reads_triples else []
    needed = minimised.needs(on)
    seen = tuning.batch_size * tuning.steps if tuning.steps else None
    negatives = TRIPLES.part(tuning.negatives or plan.recipe.negatives.source)
    work = Finetune(
        system=system,
        base=(tuning.start or ranker.checkpoint).removeprefix("package:models/"),
        trained_on=name,
        ranker=ranker,
        tuning=tuning,
        steps=steps,
        objective=variant.objective,
        teachers={
            f"{OBJECTIVE}{role}": plan.recipe.system(need.system)
            for role, need in needed.items()
            if isinstance(need, TeacherOf)
        },
        query_variety=on.low,
        document_variety=on.high,
        script=plan.script(
            on.low, on.high, *_varieties([*needed.values(), *(n for s in steps for n in s.needs(on).values())])
        ),
        processes=plan.recipe.computing.processes,
        report_to=list(plan.recipe.computing.report_to),
        not_done=[] if minimised.reads_triples else [step.step for step in _steps(plan, name)],
    )
    inputs = {"checkpoint": _start(plan, system, tuning), **_held_out(plan, on)}
    if minimised.reads_triples:
        inputs["triples"] = negatives.planned(TriplesPlan(plan, tuning), on, seen)
    if minimised.reads_triples or "dev_queries" in inputs:
        inputs["passages"] = sources.passages(plan, on.high, "train")
    for number, step in enumerate(steps):
        for role, need in step.needs(on).items():
            role = f"{STEP}{number}.{role}"
            if isinstance(need, TriplesOf):
                inputs[role] = negatives.planned(TriplesPlan(plan, tuning), need.pair, seen)
                inputs[f"{role}{PASSAGES}"] = sources.passages(plan, need.pair.high, "train")
            elif isinstance(need, EvaluatedQueries):
                codes = [code for text in plan.recipe.saw(name) for code in (pair(text).low, pair(text).high)]
                inputs |= {f"{role}.{where}": stage for where, stage in needs.tested(plan, codes).items()}
            else:
                inputs[role] = needs.stage(plan, need, on)
    for role, need in needed.items():
        inputs[f"{OBJECTIVE}{role}"] = needs.stage(plan, need, on)
    named = f", seed {tuning.seed}" if len(plan.recipe.seeds(name, system)) > 1 else ""
    return plan.graph.add(work, f"fine-tune {system} on {name}{named}", inputs)


def _shared(plan: Planner, name: str, variant: Variant, system: str, seed: int | None) -> Stage:
    """The model of another training, or what lies between it and the base."""
    if variant.share == 0:
        return sources.base_model(plan, system)
    tuned = finetuned(plan, str(variant.model), system, seed)
    if variant.share == 1:
        return tuned
    work = Interpolate(ranker=plan.recipe.system(system), share=variant.share)
    named = f", seed {seed}" if len(plan.recipe.seeds(name, system)) > 1 else ""
    label = f"interpolate {system} on {variant.model} ({variant.share:g}{named})"
    return plan.graph.add(work, label, {"base": sources.base_model(plan, system), "tuned": tuned})


def encoders(plan: Planner, name: str, system: str, seed: int | None = None) -> tuple[Stage, Stage]:
    """The models that encode the queries and the passages of a system in one of the recipe's trainings."""
    encodes = plan.recipe.trainings()[name].encodes
    tuned = finetuned(plan, name, system, seed)
    asked = sources.base_model(plan, system) if encodes == "passages" else tuned
    if encodes == "queries":
        return asked, sources.base_model(plan, system)
    return asked, of_passages(plan, name, system) or tuned


def _steps(plan: Planner, name: str) -> list[Step]:
    """What is done to the triples of a training, the number of its queries first."""
    tuned, variant, queries = plan.recipe.fine_tuning, plan.recipe.trainings()[name], plan.recipe.queries(name)
    assert tuned
    fewer = [Sample(step="sample", queries=queries)] if queries else []
    return [*fewer, *tuned.steps, *variant.steps]


def _varieties(needed: list[Need]) -> list[str]:
    """Those of the texts that a training reads beside its triples."""
    both = [(need.source, need.target) for need in needed if isinstance(need, BitextOf | LexiconOf)]
    both += [(need.pair.low, need.pair.high) for need in needed if isinstance(need, TriplesOf)]
    return [code for codes in both for code in codes]


def of_passages(plan: Planner, name: str, system: str) -> Stage | None:
    """What encodes the passages of a trained system, if that is what its training starts from."""
    if plan.recipe.fine_tuning and plan.recipe.fine_tuning.models == "published":
        return None
    tuning = plan.recipe.tuning(name, system)
    objective = objective_of(plan.recipe.system(system), tuning, plan.recipe.trainings()[name].objective)
    return _start(plan, system, tuning) if objective.keeps_passages else None


def _held_out(plan: Planner, on: Pair) -> dict[str, Stage]:
    """Queries to watch a training by: parallel ones of a split `dev`, where the collection has some."""
    if not plan.trained.held_out(on.low) or not plan.recipe.translation.parallel:
        return {}
    return {"dev_queries": sources.queries(plan, on.low, "dev"), "dev_qrels": sources.qrels(plan, on.high, "dev")}


def _start(plan: Planner, system: str, tuning: Tuning) -> Stage:
    """What training starts from: the system's own model, unless its settings name another."""
    if not tuning.start:
        return sources.base_model(plan, system)
    return sources.model(plan, f"{system}'s start", tuning.start, f"fine-tuning.{system}.start")
