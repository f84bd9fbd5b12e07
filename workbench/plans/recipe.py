"""From a recipe to a plan: the graph of stages, and whose runs they are."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from store.artifacts import canonical
from workbench.plans.compiler import Compiler
from workbench.plans.pretraining import pretrained
from workbench.recipe.schema import RERANK, Recipe
from workbench.stages import Stage
from workbench.varieties import pair


class Named(Protocol):
    """What the store must know of a collection: its name and the hash of its content."""

    @property
    def name(self) -> str: ...
    @property
    def fingerprint(self) -> str: ...


@dataclass
class Plan:
    """A compiled recipe: stages in an order that respects their inputs, and who it is for the store.

    `also` are other collections that stages read;
    `runs` maps (system, trained_on, query variety, document variety) to the stage that makes the run.
    """

    recipe_run_id: str
    name: str
    scale: str
    recipe: Recipe
    collection: Named
    stages: list[Stage]
    also: tuple[Named, ...] = ()
    runs: dict[tuple[str, str | None, str, str], Stage] = field(default_factory=dict)
    comparison: Stage | None = None


def compile_recipe(recipe: Recipe, name: str, scale: str, base: Path, fetch: bool = True) -> Plan:
    """Turn a recipe into stages.

    Args:
        recipe: checked, its scale merged in.
        name: of the recipe, for the record.
        scale: its name, for the record.
        base: folder that relative paths of the scale start from.
        fetch: whether a model that is not on this machine may be downloaded now.

    Raises:
        LswError: a collection or checkpoint that the recipe needs is not there.
    """
    c = Compiler(recipe, base, fetch)
    runs: dict[tuple[str, str | None, str, str], Stage] = {}
    comparison = None
    if recipe.pre_training:
        pretrained(c)
    if recipe.retrieval:
        tuned = recipe.fine_tuning
        for text in c.pairs:
            on = pair(text)
            for system in recipe.retrieval.systems:
                # What is trained in a pipeline: its last stage.
                trains = tuned and system.split(RERANK)[-1] in tuned.systems
                for trained_on in (None, tuned.pair) if tuned and trains else (None,):
                    for query in [
                        v for v, asked in ((on.low, "low"), (on.high, "high")) if asked in recipe.retrieval.ask
                    ]:
                        runs[system, trained_on, query, on.high] = c.run(system, trained_on, query, on.high)
        comparison = _comparison(c, name, scale, runs)
        if recipe.audit:
            _audits(c, runs)
    digest = hashlib.sha256(canonical([name, scale, sorted(c.order)]).encode()).hexdigest()[:12]
    return Plan(digest, name, scale, recipe, c.collection, list(c.order.values()), (c.trained,), runs, comparison)


def _audits(c: Compiler, runs: dict[tuple[str, str | None, str, str], Stage]) -> None:
    """An audit of each pair's translations, over the base runs of every system."""
    assert c.recipe.audit
    for text in c.pairs:
        on = pair(text)
        both = [
            (system, runs[system, None, on.low, on.high], runs[system, None, on.high, on.high])
            for system, trained_on, query, document in runs
            if trained_on is None and (query, document) == (on.low, on.high)
            and (system, None, on.high, on.high) in runs
        ]  # fmt: skip
        c.audited(
            text,
            c.translation(on, "test"),
            [{"system": s, "low": low.key[:12], "high": high.key[:12]} for s, low, high in both],
            {run.key[:12]: c.measured(run) for _, *some in both for run in some},
        )


def _comparison(c: Compiler, name: str, scale: str, runs: dict[tuple[str, str | None, str, str], Stage]) -> Stage:
    how = c.recipe.comparison
    measured = {run.key[:12]: c.measured(run) for run in runs.values()}
    listed = [
        {"system": s, "trained_on": t, "query_variety": q, "document_variety": d, "run_id": run.key[:12]}
        for (s, t, q, d), run in runs.items()
    ]
    assert c.recipe.retrieval
    return c.add(
        "compare",
        f"compare {len(runs)} runs",
        {
            "recipe": name,
            "scale": scale,
            "pairs": c.pairs,
            "runs": listed,
            "measures": list(c.recipe.measures.names),
            **how.model_dump(),
        },
        {
            "queries": c.wording(pair(c.pairs[0]), "test"),
            **{f"run.{k}": s for k, s in measured.items()},
        },
    )
