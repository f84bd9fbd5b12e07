"""A multi-vector encoder (ColBERT-XM) through sentence-transformers: one vector a token."""

import json
import string
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from store import LswError
from workbench.checkpoints.soundness import POOLER, examine, loading, settings
from workbench.systems import _m3 as bgem3
from workbench.systems import _maxsim as tokens
from workbench.systems import base
from workbench.systems._encoding import Computing, faiss, finite, fits, in_batches, lengths
from workbench.systems._explanation import Asked, Explanation
from workbench.systems._passages import Reading
from workbench.systems._tokens import Token, named, tokens_of
from workbench.talk import Progress, Summary
from workbench.varieties import MIXED
from workbench.varieties import variety as variety_of

Floats = NDArray[np.float32]
EACH = "own of each passage"
"""The adapter that is recorded for passages in several varieties."""
DIMENSIONS = 128
"""Of a token vector of ColBERT-XM; BGE-M3's are as wide as its hidden states."""


class MultiVector(base.Encoder):
    """A vector for each token, compared by MaxSim.

    `adapter` says which of X-MOD's adapters queries go through: that of their own variety, or that of the passages.
    """

    adapter: Literal["own", "documents"] = "own"

    objective: ClassVar[str] = "in-batch-maxsim"

    def spoken(self, query_variety: str, document_variety: str) -> str:
        """The variety whose adapter queries go through: their own over passages in several."""
        return document_variety if self.adapter == "documents" and document_variety != MIXED else query_variety

    def index(self, passages: Reading, out: Path, at: base.Workplace) -> Summary:
        lengths = self.query_length, self.document_length
        adapter = index(at.weights, passages, *lengths, out, at.work, at.computing, at.progress)
        return {"passages": len(passages), "adapter": adapter}

    def retrieve(
        self, index: Path, queries: pa.Table, variety: str, depth: int, at: base.Workplace
    ) -> tuple[pa.Table, Summary]:
        lengths = self.query_length, self.document_length
        spoken = self.spoken(variety, at.document_variety)
        return retrieve(at.weights, index, queries, spoken, *lengths, depth, at.computing, at.progress)

    def explain(self, asked: Asked, at: base.Workplace) -> Explanation:
        """For each token of the query the passage's token that is most like it, by the vectors in the index."""
        spoken, lengths = self.spoken(asked.variety, at.document_variety), (self.query_length, self.document_length)
        encode = asked.kept(lambda: TokenEncoder(at.weights, spoken, *lengths, at.computing))
        encode.speak(spoken)
        [vectors] = encode([asked.query], query=True)
        query = encode.tokens(asked.query, query=True)
        passages = {docno: encode.tokens(text, query=False) for docno, text in asked.passages.items()}
        portions = tokens.portions(asked.indexed, (query, vectors), passages)
        scores = {docno: float(sum(part.value for part in parts)) for docno, parts in portions.items()}
        return Explanation("MaxSim", tokens.SAYS, scores, portions)

    def encoder(self, checkpoint: Path, variety: str, computing: Computing) -> Callable[[list[str]], Any]:
        return partial(
            TokenEncoder(checkpoint, variety, self.query_length, self.document_length, computing), query=False
        )

    def disk(self, passages: int, size: float, width: int, computing: Computing) -> int:
        dimensions = width if "bge" in self.checkpoint else DIMENSIONS
        return round(size / 4 * dimensions * (4 if computing.precision == "float32" else 2))

    def seconds_to_search(self, search: base.Searched, width: int, multiplication: float) -> float:
        tokens_compared = search.queries * search.size / 4
        return tokens_compared * 32 * (DIMENSIONS * multiplication + 4e-10)


def load(checkpoint: Path, query_length: int, document_length: int, computing: Computing | None = None) -> Any:
    """The encoder, cutting queries and documents at these numbers of tokens.

    A sentence-transformers or PyLate folder, or a ColBERT checkpoint in Stanford's format. Without `computing`, for
    training, weights are float32.

    Raises:
        LswError: it is none of these, and sentence-transformers would give it a projection with random weights; or it
            is not what it says.
    """
    import torch
    from sentence_transformers import MultiVectorEncoder

    _has_tokens(checkpoint)
    options = {"dtype": computing.dtype if computing else torch.float32}
    with loading(checkpoint):
        model = MultiVectorEncoder(str(checkpoint), local_files_only=True, model_kwargs=options)
    examine(model[0].model, model.tokenizer, checkpoint, POOLER)
    model[0].query_length = query_length
    model[0].document_length = document_length
    _mark(model, checkpoint)
    expansion = getattr(model[0], "query_expansion", None)
    if isinstance(expansion, dict) and "length" in expansion:
        model[0].query_expansion = {**expansion, "length": query_length}
    return model.eval()


def begun(checkpoint: Path, query_length: int, document_length: int) -> Any:
    """An encoder to train: as `load`, or a plain one (X-MOD) with a new head for tokens, drawn at random.

    The head is ColBERT's: one matrix without a bias, to `DIMENSIONS`; queries are filled up with mask tokens
    (Khattab and Zaharia 2020, section 3.2).
    """
    import torch
    from sentence_transformers import MultiVectorEncoder
    from sentence_transformers.base.modules import Normalize, Transformer
    from sentence_transformers.base.modules.dense import Dense
    from sentence_transformers.multi_vector_encoder.modules import MultiVectorMask
    from torch.nn import Identity

    if bgem3.is_one(checkpoint) or _tells_tokens(checkpoint) or (checkpoint / "modules.json").exists():
        return load(checkpoint, query_length, document_length)
    with loading(checkpoint):
        body = Transformer(str(checkpoint), model_kwargs={"dtype": torch.float32})
        width = body.get_embedding_dimension()
        head = Dense(
            width, DIMENSIONS, bias=False, activation_function=Identity(), module_input_name="token_embeddings"
        )
        mask = MultiVectorMask(skiplist_words=list(string.punctuation))
        model = MultiVectorEncoder(modules=[body, head, mask, Normalize(module_input_name="token_embeddings")])
    examine(body.model, model.tokenizer, checkpoint, POOLER)
    body.query_length, body.document_length = query_length, document_length
    body.query_expansion = {"strategy": "fixed", "length": query_length}
    return model


def _tells_tokens(checkpoint: Path) -> bool:
    """Whether a folder without modules is a ColBERT checkpoint."""
    named = settings(checkpoint).get("architectures") or []
    return any(name == "HF_ColBERT" or name.endswith("ForRetrieval") for name in named)


def _has_tokens(checkpoint: Path) -> None:
    """Refuse a model without a head for tokens."""
    if bgem3.is_one(checkpoint):
        raise LswError(
            "BGE-M3's multi-vector head cannot be trained here.",
            f"{checkpoint} is in its authors' own format.",
            "Fine-tune it as a bi-encoder, or train another multi-vector model.",
        )
    modules = checkpoint / "modules.json"
    kinds = [part["type"] for part in json.loads(modules.read_text("utf-8"))] if modules.exists() else []
    whole = kinds and not any(kind.endswith("Pooling") for kind in kinds)
    if not whole and not _tells_tokens(checkpoint):
        raise LswError(
            f"{checkpoint} gives no vector for each token.",
            "It is neither a multi-vector folder of sentence-transformers or PyLate nor a ColBERT checkpoint.",
            'Name another checkpoint, or say architecture = "bi-encoder".',
        )


def _mark(model: Any, checkpoint: Path) -> None:
    """Markers of queries and documents, and the passage tokens that are not compared, as Stanford's code has them.

    It looks up the id of `[unused0]`; where a vocabulary has no such token (XLM-R, X-MOD) that is the unknown token's.
    sentence-transformers would write the marker as text, in several pieces. Of each punctuation mark Stanford's code
    leaves out the first piece, which in XLM-R is a lone `▁`; sentence-transformers the mark itself.
    """
    if not (checkpoint / "artifact.metadata").exists():
        return
    tokenizer = model.tokenizer
    for role, prompt in model.prompts.items():
        if prompt and prompt.strip() not in tokenizer.get_vocab():
            model.prompts[role] = f"{tokenizer.unk_token} "
    for part in model:
        if getattr(part, "skiplist_words", None):
            pieces = (tokenizer.encode(mark, add_special_tokens=False) for mark in string.punctuation)
            first = {ids[0] for ids in pieces if ids}  # a normaliser may leave nothing of one
            part.skiplist_words = tokenizer.convert_ids_to_tokens(sorted(first))
            part.resolve_with_tokenizer(tokenizer)


def speak(model: Any, code: str) -> str:
    """Switch X-MOD to the adapter of a variety; a backbone without adapters is left as it is. Returns its name."""
    backbone = model[0].model
    languages = getattr(backbone.config, "languages", None)
    if not languages:
        return ""
    adapter = variety_of(code).adapter(languages)
    backbone.set_default_language(adapter)
    return adapter


class TokenEncoder:
    """Token vectors of texts of one variety, whatever the checkpoint's kind.

    Args:
        checkpoint: see `load`; or a BGE-M3 folder, which has a head for this.
        code: the variety, which chooses X-MOD's adapter.
        query_length, document_length: in tokens.
        computing: precision and budget.
    """

    def __init__(
        self, checkpoint: Path, code: str, query_length: int, document_length: int, computing: Computing
    ) -> None:
        self.most, self.code = (query_length, document_length), code
        self.budget = computing.budget
        self.m3 = bgem3.M3(checkpoint, computing) if bgem3.is_one(checkpoint) else None
        self.model = None if self.m3 else load(checkpoint, query_length, document_length, computing)
        self.adapter = speak(self.model, code) if self.model else ""

    def __call__(self, texts: list[str], query: bool) -> list[Floats]:
        """Token vectors of each text, float32 (tokens x dimensions)."""
        most = self.most[0 if query else 1]
        if self.m3:
            return [text.tokens for text in self.m3.encode(texts, most)]
        model = self.model
        assert model
        how = model.encode_query if query else model.encode_document
        counts = lengths(model.tokenizer, texts, most)
        fits(model, counts)
        rows = in_batches(
            texts,
            counts,
            self.budget,
            lambda some: how(some, batch_size=len(some), show_progress_bar=False, convert_to_numpy=False),
        )
        return [finite(row.float().cpu().numpy()) for row in rows]

    def speak(self, code: str) -> None:
        """Read texts of another variety from now on."""
        if self.model and code != self.code:
            self.code, self.adapter = code, speak(self.model, code)

    def tokens(self, text: str, query: bool) -> list[Token]:
        """The tokens that the vectors of a text are of, in their order."""
        most = self.most[0 if query else 1]
        if self.m3:
            return tokens_of(self.m3.tokenizer, text, most)[1:]  # all but the first, whose vector is the dense one
        import torch

        model = self.model
        assert model
        names = ("query",) if query else ("document", "passage", "corpus")
        prompt = next((model.prompts[name] for name in names if model.prompts.get(name)), "")
        task = "query" if query else "document"
        features = model.preprocess([text], prompt=prompt or None, task=task)
        masked = next((part for part in model if hasattr(part, "resolve_with_tokenizer")), None)
        if masked is not None:
            features = masked(features, task=task)
        ids = features["input_ids"][0]
        placed = tokens_of(model.tokenizer, text, len(ids), prompt)
        same = [token.id for token in placed] == ids[: len(placed)].tolist()
        rest = ids[len(placed) if same else 0 :].tolist()  # what a query is filled up with
        every = (placed if same else []) + named(model.tokenizer, rest, [(0, 0)] * len(rest), text)
        return [every[i] for i in torch.flatten(torch.nonzero(features["attention_mask"][0])).tolist()]

    def each(self, texts: list[str], codes: list[str]) -> list[Floats]:
        """Token vectors of passages, each through the adapter of its own variety."""
        if not self.adapter or not set(codes) - {self.code}:
            return self(texts, query=False)
        out: list[Any] = [None] * len(texts)
        for code in sorted(set(codes)):
            speak(self.model, code)
            some = [i for i, own in enumerate(codes) if own == code]
            for i, vectors in zip(some, self([texts[i] for i in some], query=False), strict=True):
                out[i] = vectors
        self.adapter = EACH
        return out


def index(
    checkpoint: Path,
    passages: Reading,
    query_length: int,
    document_length: int,
    out: Path,
    work: Path,
    computing: Computing,
    progress: Progress,
) -> str:
    """Encode the passages, shard by shard: float32 if that is the precision, else float16.

    Args:
        checkpoint: see `TokenEncoder`.
        passages: what to encode; their variety chooses the adapter.
        query_length, document_length: in tokens.
        out: folder that will hold the index (`workbench.systems._maxsim`).
        work: folder in which an interrupted attempt left its shards.
        computing: precision, budget, search.
        progress: told how many passages are encoded.

    Returns:
        name of the adapter used, empty if the model has none.
    """
    if computing.search != "exact":
        faiss()  # before hours of encoding
    encode = TokenEncoder(checkpoint, passages.variety, query_length, document_length, computing)
    dtype = "float32" if computing.precision == "float32" else "float16"
    shards = tokens.opened(work)
    dimensions = 0
    for docnos, texts in passages.shards(shards.rows, tokens.SHARD):
        vectors = encode.each(texts, passages.spoken(docnos))
        dimensions = vectors[0].shape[1]
        tokens.add(shards, vectors, dtype)
        progress(shards.rows, len(passages))
    dimensions = dimensions or encode(["."], query=False)[0].shape[1]
    out.mkdir()
    tokens.finish(shards, out, passages.docnos(), dimensions, dtype, computing.search)
    return encode.adapter


def retrieve(
    checkpoint: Path,
    folder: Path,
    queries: pa.Table,
    code: str,
    query_length: int,
    document_length: int,
    depth: int,
    computing: Computing,
    progress: Progress,
) -> tuple[pa.Table, Summary]:
    """The best passages of each query by MaxSim.

    Returns:
        columns qid, docno, score (float32); and what to record, the adapter of the queries among it.
    """
    encode = TokenEncoder(checkpoint, code, query_length, document_length, computing)
    encoded = encode(queries["query"].to_pylist(), query=True)
    results, summary = tokens.search(folder, encoded, queries["qid"].to_pylist(), depth, computing.search, progress)
    return results, {"adapter": encode.adapter, **summary}
