"""The stages that build base models from nothing (`[pre-training]`)."""

from workbench.plans.compiler import Compiler
from workbench.stages import Stage

MINED_TOP = 12
"""How many passages that bge-m3 finds alike a reranker's negatives are drawn from."""


def pretrained(c: Compiler) -> dict[str, Stage]:
    """The released model of each system that `[pre-training]` names; a reranker starts from the bi-encoder's."""
    how = c.recipe.pre_training
    assert how and c.recipe.vocabulary
    passages = {f"passages.{v}": c.passages(v, "train") for v in how.varieties}
    queries = {f"queries.{v}": c.queries(v, "train") for v in how.varieties}
    vocabulary = c.add("vocabulary", "train the vocabulary", c.recipe.vocabulary.model_dump(), passages | queries)
    released: dict[str, Stage] = {}
    encoder: dict[str, Stage] = {}
    for system in how.systems:
        at, new = c.recipe.systems[system], how.model(system)
        reranks = at.architecture == "reranker"
        begun = c.add(
            "initialise",
            f"initialise {system}",
            {"architecture": at.architecture, "size": new.size, "seed": new.seed},
            {"vocabulary": vocabulary} | ((passages | encoder) if reranks else {}),
        )
        crops = c.add(
            "crops",
            f"crop passages for {system}",
            {
                "examples": new.examples,
                "noise": how.noise,
                "query_share": how.query_share,
                "across_share": 0.0 if reranks else how.across_share,
                "seed": how.seed,
                "mined_top": MINED_TOP if reranks else 0,
            },
            passages | queries | {"qrels": c.qrels(split="train")} | (encoder if reranks else {}),
        )
        kept = {"epochs", "learning_rate", "batch_size", "temperature", "warmup", "frozen", "seed"}
        settings = new.model_dump(include=kept)
        trained = c.add(
            "finetune",
            f"train {system} on crops",
            {
                "source": "crops",
                "system": system,
                "base": "random",
                "trained_on": "crops",
                "architecture": at.architecture,
                "settings": settings | {"query_length": at.query_length, "document_length": at.document_length},
            },
            {"checkpoint": begun, "triples": crops},
            {"settings": {"checkpoint_steps": 500}},
        )
        if at.architecture == "bi-encoder":
            encoder = {"encoder": trained}
        seen = {
            role: {**stage.parameters, "key": stage.key}
            for role, stage in (passages | queries | {"qrels.train": c.qrels(split="train")}).items()
        }
        released[system] = c.add(
            "release", f"release {system}", {"system": system}, {"checkpoint": trained}, {"inputs": seen}
        )
    return released
