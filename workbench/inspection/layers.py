"""What a model makes of texts on the way: the mean vector of a text at each layer."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from store import LswError
from workbench.systems import _m3
from workbench.systems._encoding import Computing, batches, finite, in_batches, lengths
from workbench.systems.base import System
from workbench.systems.bi_encoder import BiEncoder, encode
from workbench.systems.multi_vector import MultiVector, load, speak
from workbench.varieties import variety as variety_of

Floats = NDArray[np.float32]


def inspected(system: System, name: str) -> BiEncoder | MultiVector:
    """The system, if its layers can be looked at.

    Raises:
        LswError: they cannot.
    """
    if isinstance(system, BiEncoder | MultiVector):
        return system
    raise LswError(
        f"'{name}' is a {system.architecture} system, whose layers are not inspected here.",
        cure="Name a bi-encoder or a multi-vector encoder, as bge-m3 or colbert-xm.",
    )


class Layers:
    """A model whose layers are looked at.

    Args:
        system: how it reads: its lengths, its adapters.
        folder: its checkpoint.
        name: of the model, for errors.
        computing: precision and budget.

    Attributes:
        model: of sentence-transformers.

    Raises:
        LswError: it is no bi-encoder or multi-vector encoder, or not what it says.
    """

    def __init__(self, system: System, folder: Path, name: str, computing: Computing | None = None) -> None:
        self.system, self.computing = inspected(system, name), computing or Computing()
        if isinstance(self.system, BiEncoder):
            self.model = self.system.opened(folder, self.computing)
        elif _m3.is_one(folder):
            raise LswError(
                f"'{name}' is BGE-M3 with several heads, whose layers are not inspected here.",
                cure="Name the same checkpoint as a bi-encoder: its layers are the same.",
            )
        else:
            self.model = load(folder, self.system.query_length, self.system.document_length, self.computing)

    @property
    def languages(self) -> list[str]:
        """X-MOD's adapters; none of a model without."""
        return list(getattr(self.model[0].model.config, "languages", None) or ())

    def knows(self, code: str) -> bool:
        """Whether texts of a variety can be read: a model with adapters needs one for it."""
        return not self.languages or bool(set(variety_of(code).xmod) & set(self.languages))

    def __call__(
        self, texts: list[str], code: str, query: bool, told: Callable[[int], Any] = lambda texts: None
    ) -> list[Floats]:
        """The mean over a text's tokens of their hidden states, special tokens left out; for each layer (texts x
        dimensions). Layer 0 are the embeddings. Texts are read as they are, without prompts, markers and expansion.

        After the last layer what is compared in retrieval, with all of these: the text's vector, or the mean of its
        token vectors.

        Args:
            texts: of one variety.
            code: the variety; queries go through the adapter that the system declares for them.
            query: whether the texts are queries, else passages.
            told: called with how many texts are done.

        Raises:
            LswError: a number is not finite.
        """
        import torch

        system, body = self.system, self.model[0].model
        if isinstance(system, MultiVector):
            spoken = system.spoken(code, variety_of(code).high or code) if query else code
            speak(self.model, spoken)
        most = system.query_length if query else system.document_length
        read = self.model.tokenizer(texts, truncation=True, max_length=most, return_special_tokens_mask=True)
        rows, special = read["input_ids"], read["special_tokens_mask"]
        where, pad = next(body.parameters()).device, self.model.tokenizer.pad_token_id or 0
        out: Any = None
        for batch in batches([len(row) for row in rows], self.computing.budget):
            longest = max(len(rows[i]) for i in batch)
            ids = torch.full((len(batch), longest), pad)
            mask, kept = torch.zeros_like(ids), torch.zeros_like(ids)
            for at, i in enumerate(batch):
                n = len(rows[i])
                ids[at, :n], mask[at, :n] = torch.tensor(rows[i]), 1
                kept[at, :n] = 1 - torch.tensor(special[i])
                if not kept[at].any():  # nothing but special tokens
                    kept[at, :n] = 1
            with torch.inference_mode():
                states = body(
                    input_ids=ids.to(where), attention_mask=mask.to(where), output_hidden_states=True
                ).hidden_states
                weights = kept.to(where).unsqueeze(-1)
                means = [(state.float() * weights).sum(1) / weights.sum(1) for state in states]
            found = torch.stack(means).cpu().numpy()
            if out is None:
                out = np.empty((len(found), len(texts), found.shape[2]), np.float32)
            out[:, batch] = found
            told(len(batch))
        return [*finite(out), self._compared(texts, most, query)]

    def _compared(self, texts: list[str], most: int, query: bool) -> Floats:
        """What retrieval compares: vectors (texts x dimensions), of a multi-vector encoder means over tokens."""
        budget = self.computing.budget
        if isinstance(self.system, BiEncoder):
            vectors: Floats = encode(self.model, texts, most, budget, query=query)
            return vectors
        how = self.model.encode_query if query else self.model.encode_document

        def means(some: list[str]) -> list[Any]:
            rows = how(some, batch_size=len(some), show_progress_bar=False, convert_to_numpy=False)
            return [row.float().mean(0).cpu().numpy() for row in rows]

        tokens: Floats = finite(np.stack(in_batches(texts, lengths(self.model.tokenizer, texts, most), budget, means)))
        return tokens
