"""Each query against its passage, its negative and those of its batch (Henderson et al. 2017, arXiv 1705.00652)."""

from typing import Any, ClassVar

from workbench.systems import bi_encoder as biencoder
from workbench.systems._encoding import Computing, cut
from workbench.training.held_out import Scorer
from workbench.training.objectives.base import Objective, Prepared, Training
from workbench.training.trainer import apart, arguments, contrast, follow, freeze, on_one, quiet, roles


class InBatch(Objective):
    """Cross-entropy of inner products over a temperature, by sentence-transformers' own trainer."""

    architectures: ClassVar[tuple[str, ...]] = ("bi-encoder",)

    def scorer(self, training: Training, model: Any) -> Scorer:
        def scored(queries: list[str], passages: list[list[str]]) -> list[list[float]]:
            distinct = list(dict.fromkeys(text for some in passages for text in some))
            budget, body = Computing().budget, model[0]
            was = body.query_length, body.document_length, model.max_seq_length
            try:
                asked = biencoder.encode(model, queries, training.query_length, budget, query=True)
                vectors = biencoder.encode(model, distinct, training.document_length, budget, query=False)
            finally:  # to look at a model must not change what it is trained on
                body.query_length, body.document_length, model.max_seq_length = was
            known = dict(zip(distinct, vectors, strict=True))
            return [[float(q @ known[text]) for text in some] for q, some in zip(asked, passages, strict=True)]

        return scored

    def prepare(self, training: Training) -> Prepared:
        tuning = training.tuning
        from datasets import Dataset
        from sentence_transformers import (
            SentenceTransformerTrainer,
            SentenceTransformerTrainingArguments,
        )
        from sentence_transformers.sentence_transformer.losses import (
            CachedMultipleNegativesRankingLoss,
            MultipleNegativesRankingLoss,
        )

        assert isinstance(training.system, biencoder.BiEncoder)
        model = training.system.opened(training.checkpoint, Computing())
        lengths = cut(model, training.query_length, query=True), cut(model, training.document_length, query=False)
        model[0].query_length, model[0].document_length = lengths
        freeze(model[0].model, tuning.frozen)
        trainer = SentenceTransformerTrainer(
            model=model,
            args=on_one(
                SentenceTransformerTrainingArguments(
                    **arguments(training, in_parts=False), **roles(model), batch_sampler="no_duplicates"
                )
            ),
            train_dataset=Dataset(training.triples.select(["query", "positive", "negative"])),
            loss=contrast(MultipleNegativesRankingLoss, CachedMultipleNegativesRankingLoss, model, tuning),
            callbacks=[follow(training.progress)],
        )
        trainer = quiet(apart(trainer, training.triples))
        return trainer, model, lambda out: model.save_pretrained(str(out), create_model_card=False)
