"""As `in-batch`, of MaxSim over token vectors (ColBERT; Khattab and Zaharia 2020, arXiv 2004.12832)."""

from typing import Any, ClassVar

import pyarrow as pa

from workbench.systems import multi_vector as multivector
from workbench.training.held_out import Scorer
from workbench.training.objectives.base import Objective, Prepared, Training
from workbench.training.trainer import apart, arguments, contrast, follow, freeze, on_one, quiet, roles
from workbench.training.tuning import Tuning
from workbench.varieties import variety as variety_of

_MARK = "\x1f"  # between a text and its variety, inside a data set whose columns must stay texts


class InBatchMaxsim(Objective):
    """Each text goes through an adapter, if the model has adapters: which, the system's `adapter` says."""

    architectures: ClassVar[tuple[str, ...]] = ("multi-vector",)

    def loss(self, model: Any, tuning: Tuning) -> Any:
        """What is minimised: a module of sentence-transformers' kind."""
        from sentence_transformers.multi_vector_encoder.losses import (
            CachedMultiVectorMultipleNegativesRankingLoss,
            MultiVectorMultipleNegativesRankingLoss,
        )

        return contrast(
            MultiVectorMultipleNegativesRankingLoss, CachedMultiVectorMultipleNegativesRankingLoss, model, tuning
        )

    def scorer(self, training: Training, model: Any) -> Scorer:
        system = training.system
        assert isinstance(system, multivector.MultiVector)
        row = training.triples.slice(0, 1).to_pylist()[0]
        spoken = system.spoken(row["query_variety"], row["document_variety"])

        def encoded(texts: list[str], code: str, query: bool) -> list[Any]:
            multivector.speak(model, code)
            how = model.encode_query if query else model.encode_document
            rows = how(texts, batch_size=32, show_progress_bar=False, convert_to_numpy=False)
            return [vectors.float().cpu().numpy() for vectors in rows]

        def scored(queries: list[str], passages: list[list[str]]) -> list[list[float]]:
            distinct = list(dict.fromkeys(text for some in passages for text in some))
            asked = encoded(queries, spoken, query=True)
            known = dict(zip(distinct, encoded(distinct, row["document_variety"], query=False), strict=True))
            return [
                [float((known[text] @ q.T).max(axis=0).sum()) for text in some]
                for q, some in zip(asked, passages, strict=True)
            ]

        return scored

    def prepare(self, training: Training) -> Prepared:
        tuning = training.tuning
        import torch
        from datasets import Dataset
        from sentence_transformers import (
            MultiVectorEncoderTrainer,
            MultiVectorEncoderTrainingArguments,
        )
        from sentence_transformers.multi_vector_encoder.data_collator import MultiVectorEncoderDataCollator

        assert isinstance(training.system, multivector.MultiVector)
        own = training.system.adapter == "own"
        model = multivector.begun(training.checkpoint, training.query_length, training.document_length)
        backbone = model[0].model
        freeze(backbone, tuning.frozen)
        languages = list(getattr(backbone.config, "languages", None) or ())

        def preprocess(marked: list[str], **options: Any) -> Any:
            codes, texts = zip(*(m.split(_MARK, 1) for m in marked), strict=True)
            features = model.preprocess(list(texts), **options)
            if languages:
                ids = [languages.index(variety_of(code).adapter(languages)) for code in codes]
                features["lang_ids"] = torch.tensor(ids)
            return features

        def marked(texts: str, varieties: str) -> pa.ChunkedArray:
            return pa.compute.binary_join_element_wise(training.triples[varieties], training.triples[texts], _MARK)

        data = {
            "query": marked("query", "query_variety" if own else "document_variety"),
            "positive": marked("positive", "document_variety"),
            "negative": marked("negative", "document_variety"),
        }
        trainer = MultiVectorEncoderTrainer(
            model=model,
            args=on_one(
                MultiVectorEncoderTrainingArguments(
                    **arguments(training, in_parts=False), **roles(model), batch_sampler="no_duplicates"
                )
            ),
            train_dataset=Dataset(pa.table(data)),
            loss=self.loss(model, tuning),
            data_collator=MultiVectorEncoderDataCollator(preprocess_fn=preprocess),
            callbacks=[follow(training.progress)],
        )
        trainer = quiet(apart(trainer, training.triples))
        return trainer, model, lambda out: model.save_pretrained(str(out), create_model_card=False)
