"""An encoder in training, with one vector or one for each token, by sentence-transformers' own trainers."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from workbench.systems import bi_encoder as biencoder
from workbench.systems import multi_vector as multivector
from workbench.systems._encoding import Computing, cut
from workbench.training import lora
from workbench.training.held_out import Scorer
from workbench.training.objectives.base import Prepared, Training
from workbench.training.trainer import arguments, follow, freeze, no_docno_twice, on_one, quiet, roles
from workbench.varieties import variety as variety_of

_MARK = "\x1f"  # between a text and its variety, inside a data set whose columns must stay texts
ARCHITECTURES = ("bi-encoder", "multi-vector")

Texts = list[str]


@dataclass(frozen=True)
class Column:
    """Texts that a loss sees side by side with those of other columns.

    Args:
        texts: strings.
        varieties: whose adapter each goes through: a code for all, or one a text.
        query: whether they are encoded as queries are, else as passages.
    """

    texts: pa.ChunkedArray
    varieties: str | pa.ChunkedArray
    query: bool


def opened(training: Training) -> Any:
    """The encoder that training starts from, cut at its lengths."""
    system, lengths = training.system, (training.query_length, training.document_length)
    if isinstance(system, multivector.MultiVector):
        return multivector.begun(training.checkpoint, *lengths)
    assert isinstance(system, biencoder.BiEncoder)
    model = system.opened(training.checkpoint, Computing())
    model[0].query_length, model[0].document_length = (
        cut(model, length, query) for length, query in zip(lengths, (True, False), strict=True)
    )
    return model


def student(training: Training) -> Any:
    """The same, what is to stay as it is frozen, low-rank updates beside it where they are asked for."""
    model = opened(training)
    freeze(model[0].model, training.tuning.frozen, list(model)[1:])
    if training.tuning.lora:
        lora.narrow(model[0].model, training.tuning.lora)
    return model


def teacher(training: Training) -> Any:
    """The same, all of it frozen: it is no part of what is trained, and drops nothing out."""
    return opened(training).requires_grad_(False).eval()


def triples(training: Training) -> dict[str, Column]:
    """The columns query, positive, negative; each query goes through the adapter that the system declares."""
    rows, system = training.triples, training.system
    own = isinstance(system, multivector.MultiVector) and system.adapter == "own"
    return {
        "query": Column(rows["query"], rows["query_variety" if own else "document_variety"], True),
        "positive": Column(rows["positive"], rows["document_variety"], False),
        "negative": Column(rows["negative"], rows["document_variety"], False),
    }


def spoken(training: Training, query_variety: str, document_variety: str) -> str:
    """The variety whose adapter queries go through, if the system has adapters."""
    system = training.system
    if isinstance(system, multivector.MultiVector):
        return system.spoken(query_variety, document_variety)
    return query_variety


def trainer(
    training: Training,
    model: Any,
    columns: dict[str, Column],
    loss: Any,
    in_parts: bool,
    apart: bool = True,
    labels: Callable[[dict[str, Texts]], Any] | None = None,
) -> Prepared:
    """A trainer of an encoder, and how to save it.

    Args:
        training: what is trained, and how.
        model: what is trained (`student`).
        columns: what the loss sees, in this order.
        loss: a module of sentence-transformers' kind.
        in_parts: see `workbench.training.trainer.arguments`.
        apart: whether no text may be in a batch twice, as where others are negatives.
        labels: what the loss is told of the texts of a batch, by column: a tensor (batch x ...).
    """
    from datasets import Dataset

    kind, settings, collator = _kinds(training.system)
    several = isinstance(training.system, multivector.MultiVector)
    languages = list(getattr(model[0].model.config, "languages", None) or ()) if several else []

    def preprocess(texts: Texts, **options: Any) -> Any:
        codes, plain = _split(texts) if several else ([], texts)
        features = model.preprocess(plain, **options)
        if languages:
            import torch

            ids = [languages.index(variety_of(code).adapter(languages)) for code in codes]
            features["lang_ids"] = torch.tensor(ids)
        return features

    collate = collator(preprocess_fn=preprocess)
    if labels:
        tell = labels
        columns_of = dict.fromkeys(columns)

        class Labelled(collator):  # type: ignore[misc, valid-type]
            def __call__(self, features: list[dict[str, str]]) -> Any:
                texts = {name: [row[name] for row in features] for name in columns_of}
                plain = {name: _split(some)[1] if several else some for name, some in texts.items()}
                return super().__call__(features) | {"label": tell(plain)}

        collate = Labelled(preprocess_fn=preprocess)
    marked = {
        name: pc.binary_join_element_wise(column.varieties, column.texts, _MARK) if several else column.texts
        for name, column in columns.items()
    }
    data = Dataset(pa.table(marked))
    asked = roles(model, {name: "query" if column.query else "document" for name, column in columns.items()})
    sampler = "no_duplicates" if apart else "batch_sampler"
    made = kind(
        model=model,
        args=on_one(settings(**arguments(training, in_parts, len(data)), **asked, batch_sampler=sampler)),
        train_dataset=data,
        loss=loss,
        data_collator=collate,
        callbacks=[follow(training.progress)],
    )

    if apart:
        made = no_docno_twice(made, training.triples)
    made.model_accepts_loss_kwargs = False  # losses are means: the trainer divides them by the parts
    if training.tuning.lora:
        lora.keep_little(made, model)

    def save(out: Path) -> None:
        if training.tuning.lora:
            lora.fold(model[0].model)
        model.save_pretrained(str(out), create_model_card=False)

    return quiet(made), model, save


def _kinds(system: Any) -> tuple[Any, Any, Any]:
    """The trainer, its arguments and its collator."""
    if isinstance(system, multivector.MultiVector):
        from sentence_transformers import MultiVectorEncoderTrainer, MultiVectorEncoderTrainingArguments
        from sentence_transformers.multi_vector_encoder.data_collator import MultiVectorEncoderDataCollator

        return MultiVectorEncoderTrainer, MultiVectorEncoderTrainingArguments, MultiVectorEncoderDataCollator
    from sentence_transformers import SentenceTransformerTrainer, SentenceTransformerTrainingArguments
    from sentence_transformers.sentence_transformer.data_collator import SentenceTransformerDataCollator

    return SentenceTransformerTrainer, SentenceTransformerTrainingArguments, SentenceTransformerDataCollator


def _split(marked: Texts) -> tuple[Texts, Texts]:
    """Varieties, and the texts after them."""
    pairs = [text.split(_MARK, 1) for text in marked]
    return [code for code, _ in pairs], [text for _, text in pairs]


def scorer(training: Training, model: Any, passages: Any = None) -> Scorer:
    """What ranks by an encoder as it is now.

    Args:
        training: what is trained.
        model: what encodes queries.
        passages: what encodes passages; the same if None.
    """
    by = model if passages is None else passages
    if isinstance(training.system, multivector.MultiVector):
        return _token_scorer(training, model, by)

    def scored(queries: Texts, texts: list[Texts]) -> list[list[float]]:
        distinct = list(dict.fromkeys(text for some in texts for text in some))
        asked = _looked(model, queries, training.query_length, query=True)
        vectors = _looked(by.to(model.device), distinct, training.document_length, query=False)
        known = dict(zip(distinct, vectors, strict=True))
        return [[float(q @ known[text]) for text in some] for q, some in zip(asked, texts, strict=True)]

    return scored


def _looked(model: Any, texts: Texts, length: int, query: bool) -> Any:
    """Vectors of texts; to look at a model must not change what it is trained on."""
    body = model[0]
    was = body.query_length, body.document_length, model.max_seq_length
    try:
        return biencoder.encode(model, texts, length, Computing().budget, query=query)
    finally:
        body.query_length, body.document_length, model.max_seq_length = was


def _token_scorer(training: Training, model: Any, by: Any) -> Scorer:
    low, high = training.varieties
    asked_in = training.held_out.variety if training.held_out else ""
    code = spoken(training, asked_in or low, high)

    def encoded(which: Any, texts: Texts, code: str, query: bool) -> list[Any]:
        multivector.speak(which, code)
        how = which.encode_query if query else which.encode_document
        rows = how(texts, batch_size=32, show_progress_bar=False, convert_to_numpy=False)
        return [vectors.float().cpu().numpy() for vectors in rows]

    def scored(queries: Texts, texts: list[Texts]) -> list[list[float]]:
        distinct = list(dict.fromkeys(text for some in texts for text in some))
        asked = encoded(model, queries, code, query=True)
        known = dict(zip(distinct, encoded(by.to(model.device), distinct, high, query=False), strict=True))
        return [
            [float((known[text] @ q.T).max(axis=0).sum()) for text in some]
            for q, some in zip(asked, texts, strict=True)
        ]

    return scored
