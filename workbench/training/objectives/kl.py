"""What a reranker thinks of a passage and its negative (Lin et al. 2020, arXiv 2010.11386; Hinton et al. 2015)."""

from typing import Any, ClassVar, Literal

from store import LswError
from workbench.collections.budgets import Noise, part
from workbench.systems._encoding import Computing
from workbench.systems.base import Reranker
from workbench.training import encoders
from workbench.training.held_out import Scorer
from workbench.training.needs import BitextOf, Need, TeacherOf
from workbench.training.objectives.base import Objective, Prepared, Training
from workbench.training.tuning import Rate
from workbench.varieties import Pair

RERANKER, WORDINGS = "reranker", "wordings"
UNKNOWN = 0.01
"""Share of the queries whose high-resource wording may not be known; the reranker is asked these as they are."""


class Kl(Objective):
    """Kullback-Leibler divergence of the student's distribution over the two passages from a reranker's.

    Args:
        reranker: a system of the recipe; its base model.
        wording: in which the reranker is asked: `high`, the one it knows, as Translate-Distill does (Yang et al. 2024,
            arXiv 2401.04810), or the query's `own`. The student is asked the query's own.
        teacher_temperature: of the reranker's scores; the student's is that of the training.
        noise: share of the high-resource wordings that are another query's (`workbench.collections.budgets`). How many
            queries are trained on, the steps of the training say.
    """

    reranker: str
    wording: Literal["high", "own"] = "high"
    teacher_temperature: Rate = 1.0
    noise: Noise = 0.0

    architectures: ClassVar[tuple[str, ...]] = encoders.ARCHITECTURES

    def needs(self, on: Pair) -> dict[str, Need]:
        needed: dict[str, Need] = {RERANKER: TeacherOf(self.reranker)}
        if self.wording == "high" and on.low != on.high:
            needed[WORDINGS] = BitextOf(on.low, on.high)
        return needed

    def scorer(self, training: Training, model: Any) -> Scorer:
        return encoders.scorer(training, model)

    def prepare(self, training: Training) -> Prepared:
        import pandas as pd
        import torch

        system, folder = training.given.teachers[RERANKER]
        assert isinstance(system, Reranker)
        teacher = system.scorer(folder, Computing())
        wordings = self._wordings(training)
        model, temperature = encoders.student(training), training.tuning.temperature

        def judged(texts: dict[str, list[str]]) -> Any:
            """Scores of each query's passage and negative (batch x 2)."""
            queries = [wordings.get(query, query) for query in texts["query"]]
            frame = pd.DataFrame(
                {"qid": [str(i) for i in range(len(queries))] * 2, "query": queries * 2,
                 "docno": ["positive"] * len(queries) + ["negative"] * len(queries),
                 "text": texts["positive"] + texts["negative"]}
            )  # fmt: skip
            scores = teacher(frame).set_index(["qid", "docno"])["score"]
            rows = [[scores[str(i), side] for side in ("positive", "negative")] for i in range(len(queries))]
            return torch.tensor(rows, dtype=torch.float32)

        loss = _divergence(model, temperature, self.teacher_temperature, training.system.architecture)
        columns = encoders.triples(training)
        return encoders.trainer(training, model, columns, loss, in_parts=True, apart=False, labels=judged)

    def _wordings(self, training: Training) -> dict[str, str]:
        """The high-resource wording of each query that has another.

        Raises:
            LswError: that of too many is not known.
        """
        if WORDINGS not in training.given.tables:
            return {}
        table = training.given.tables[WORDINGS]
        if self.noise:
            table, counts = part(table, None, None, self.noise, training.given.seed)
            training.given.counts |= counts
        known = dict(zip(table["source"].to_pylist(), table["target"].to_pylist(), strict=True))
        queries = training.triples["query"].to_pylist()
        high = set(known.values())
        unknown = [query for query in queries if query not in known and query not in high]
        if len(unknown) > UNKNOWN * len(queries):
            raise LswError(
                f"{len(unknown):,} of {len(queries):,} triples have no high-resource wording to ask the reranker.",
                f"The first: '{unknown[0]}'.",
                'Set wording = "own" in the objective, or train on queries of the collection.',
                exit_code=1,
            )
        training.given.counts["reranker_asked_as_is"] = len(unknown)
        return known


def _divergence(model: Any, temperature: float, of_teacher: float, architecture: str) -> Any:
    """sentence-transformers' loss, not multiplied by the squared temperature: Adam's steps are the same without."""
    from sentence_transformers.multi_vector_encoder.losses import MultiVectorDistillKLDivLoss
    from sentence_transformers.sentence_transformer.losses import DistillKLDivLoss

    base: Any = MultiVectorDistillKLDivLoss if architecture == "multi-vector" else DistillKLDivLoss

    class Divergence(base):  # type: ignore[misc]
        def forward(self, sentence_features: Any, labels: Any) -> Any:
            return super().forward(sentence_features, labels) / temperature**2

    return Divergence(model, student_temperature=temperature, teacher_temperature=of_teacher)
