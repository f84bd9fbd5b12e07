"""Each query against its passage, its negative and those of its batch (Henderson et al. 2017, arXiv 1705.00652)."""

from typing import ClassVar

from workbench.systems import bi_encoder as biencoder
from workbench.systems._encoding import Computing, cut
from workbench.training.objectives.base import Objective, Prepared, Training
from workbench.training.trainer import arguments, contrast, follow, freeze, on_one, quiet, roles


class InBatch(Objective):
    """Cross-entropy of inner products over a temperature, by sentence-transformers' own trainer."""

    architectures: ClassVar[tuple[str, ...]] = ("bi-encoder",)

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
        return quiet(trainer), model, lambda out: model.save_pretrained(str(out), create_model_card=False)
