"""Stages that build base models from nothing (`[pre-training]`)."""

from workbench.graph import Stage
from workbench.plans import sources
from workbench.plans.planner import Planner
from workbench.recipe.schema import NewModel
from workbench.stages.crops import MakeCrops
from workbench.stages.finetune import Finetune
from workbench.stages.initialise import Initialise
from workbench.stages.release import Release
from workbench.stages.vocabulary import TrainVocabulary
from workbench.training.tuning import Tuning

MINED_TOP = 12
"""How many passages that the bi-encoder finds alike a reranker's negatives are drawn from."""
CHECKPOINT_STEPS = 500


def pretrained(plan: Planner) -> dict[str, Stage]:
    """The released model of each system that `[pre-training]` names; a reranker starts from the bi-encoder's."""
    how, vocabulary = plan.recipe.pre_training, plan.recipe.vocabulary
    assert how and vocabulary
    passages = {f"passages.{code}": sources.passages(plan, code, "train") for code in how.varieties}
    queries = {f"queries.{code}": sources.queries(plan, code, "train") for code in how.varieties}
    qrels = sources.qrels(plan, how.varieties[0], "train")
    work = TrainVocabulary(**vocabulary.model_dump())
    pieces = plan.graph.add(work, "train the vocabulary", passages | queries)
    released: dict[str, Stage] = {}
    encoder: dict[str, Stage] = {}
    for system in how.systems:
        ranker, new = plan.recipe.system(system), how.model(system)
        crops = plan.graph.add(
            MakeCrops(
                examples=new.examples,
                noise=how.noise,
                query_share=how.query_share,
                across_share=0.0 if ranker.role == "reranks" else how.across_share,
                seed=how.seed,
                mined_top=MINED_TOP if ranker.role == "reranks" else 0,
            ),
            f"crop passages for {system}",
            passages | queries | {"qrels": qrels} | (encoder if ranker.role == "reranks" else {}),
        )
        begun = plan.graph.add(
            Initialise(architecture=ranker.architecture, size=new.size, seed=new.seed),
            f"initialise {system}",
            {"vocabulary": pieces} | ((passages | encoder) if ranker.role == "reranks" else {"crops": crops}),
        )
        trained = plan.graph.add(
            Finetune(system=system, base="random", trained_on="crops", ranker=ranker, tuning=_tuning(new)),
            f"train {system} on crops",
            {"checkpoint": begun, "triples": crops},
        )
        if ranker.architecture == "bi-encoder":
            encoder = {"encoder": trained}
        record = {
            role: {**stage.parameters, "key": stage.key}
            for role, stage in (passages | queries | {"qrels.train": qrels}).items()
        }
        work_of_release = Release(system=system, trained_on=record)
        released[system] = plan.graph.add(work_of_release, f"release {system}", {"checkpoint": trained})
    return released


def _tuning(new: NewModel) -> Tuning:
    """The settings of training alone."""
    settings = {name: getattr(new, name) for name in Tuning.model_fields}
    return Tuning(**settings | {"checkpoint_steps": CHECKPOINT_STEPS})
