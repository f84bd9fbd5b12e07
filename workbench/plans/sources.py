"""Stages that read: passages, queries, judgements, models."""

from workbench.checkpoints.resolve import file_hashes, folder_of
from workbench.graph import Stage
from workbench.plans.planner import Planner
from workbench.stages.checkpoint import ReadCheckpoint
from workbench.stages.layers import Layers
from workbench.stages.passages import ReadPassages
from workbench.stages.qrels import ReadQrels
from workbench.stages.queries import ReadQueries
from workbench.systems.bi_encoder import BiEncoder


def passages(plan: Planner, code: str, split: str = "test") -> Stage:
    """The passages of a variety, of what is trained or tested on."""
    source = plan.collection(split)
    origin = source.origin("passages", code, split)
    work = ReadPassages(collection=source.name, origin=origin, variety=code, source=source)
    return plan.graph.add(work, f"read {code} passages")


def queries(plan: Planner, code: str, split: str = "test") -> Stage:
    """The queries of a split in a variety."""
    source = plan.collection(split)
    plan.distinguish(source, code)
    origin = source.origin("queries", code, split)
    work = ReadQueries(collection=source.name, origin=origin, variety=code, split=split, source=source)
    return plan.graph.add(work, f"read {code} {split} queries")


def qrels(plan: Planner, code: str, split: str = "test") -> Stage:
    """The judgements of a split over the passages of a variety."""
    source = plan.collection(split)
    origin = source.origin("qrels", code, split)
    work = ReadQrels(collection=source.name, origin=origin, split=split, variety=code, source=source)
    return plan.graph.add(work, f"read {split} judgements")


def model(plan: Planner, name: str, checkpoint: str, field: str) -> Stage:
    """A folder, or a model of the hub; its key is the hashes of its files, wherever they are.

    Args:
        plan: what it is part of.
        name: whose it is, for people.
        checkpoint: where it is.
        field: of the recipe or the scale that says so, for the error.

    Raises:
        LswError: it is nowhere.
    """
    folder = folder_of(checkpoint, plan.base, plan.fetch, name, field)
    if folder is None:
        return plan.graph.add(ReadCheckpoint(hub=checkpoint), f"download model {checkpoint}")
    return plan.graph.add(ReadCheckpoint(contents=file_hashes(folder), folder=folder), f"read model {name}")


def base_model(plan: Planner, system: str) -> Stage:
    """The base model of a system: its checkpoint, with other layers if the system asks for some."""
    ranker = plan.recipe.system(system)
    whole = model(plan, system, ranker.checkpoint, f"[systems.{system}] checkpoint")
    if not isinstance(ranker, BiEncoder) or ranker.layers is None:
        return whole
    work = Layers(layers=ranker.layers, pooling=ranker.pooling)
    return plan.graph.add(work, f"{ranker.layers} new layers for {system}", {"checkpoint": whole})
