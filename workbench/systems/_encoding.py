"""How texts go through a model: precision by what the hardware has, batches of like length under a token budget."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from store import LswError
from workbench.registry import LOCAL, Section

Positive = Annotated[int, Field(gt=0)]
Precision = Literal["float32", "auto", "bfloat16", "float16"]


class Computing(Section):
    """How models compute.

    `precision`: `auto` is bfloat16 where the hardware multiplies it, else float16 on a GPU, else float32.
    `token_budget`: tokens of one batch, padding included; None: 4,096 on a CPU, where larger batches leave its cache,
    65,536 on a GPU. `search`: `exact`, or an approximate index of faiss.
    """

    precision: Precision = "float32"
    token_budget: Annotated[Positive | None, LOCAL] = None
    search: Literal["exact", "hnsw", "ivf"] = "exact"

    @property
    def budget(self) -> int:
        """Tokens of one batch on this machine."""
        import torch

        return self.token_budget or (65_536 if torch.cuda.is_available() else 4_096)

    @property
    def dtype(self) -> Any:
        """The torch type of weights and activations on this machine."""
        import torch

        if self.precision != "auto":
            return getattr(torch, self.precision)
        if torch.cuda.is_available():
            return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
        return torch.bfloat16 if _multiplies_bfloat16() else torch.float32


def _multiplies_bfloat16() -> bool:
    """Whether this CPU has instructions for it; without them bfloat16 is slower than float32."""
    import torch

    try:
        return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
    except AttributeError:  # a torch that does not say
        return False


def device() -> str:
    """Where models run."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def faiss() -> Any:
    """The library behind approximate search.

    Raises:
        LswError: it is not installed.
    """
    try:
        import faiss as library
    except ImportError:
        raise LswError(
            "Approximate search needs faiss.", cure="pip install faiss-cpu, or set computing.search to 'exact'."
        ) from None
    return library


def batches(lengths: Sequence[int], budget: int) -> list[list[int]]:
    """Positions in batches of like length, the longest first, so that a memory too small shows at once.

    Args:
        lengths: tokens of each text.
        budget: tokens of a batch, its padding included; a text longer than that is a batch of its own.
    """
    order = sorted(range(len(lengths)), key=lambda i: -lengths[i])
    out: list[list[int]] = []
    longest = 0
    for i in order:
        if out and longest * (len(out[-1]) + 1) <= budget:
            out[-1].append(i)
        else:
            out.append([i])
            longest = max(1, lengths[i])
    return out


def cut(model: Any, length: int, query: bool) -> int:
    """Make a sentence-transformers model read `length` tokens of a text, whatever it was saved with.

    A prompt is written before the text and read with it: its tokens come on top, or a long one would leave a query no
    room. Returns how many tokens that makes.
    """
    prompts = model.prompts
    names = ("query",) if query else ("document", "passage", "corpus")
    prompt = next((prompts[name] for name in names if prompts.get(name)), "")
    most = length + (len(model.tokenizer(prompt, add_special_tokens=False)["input_ids"]) if prompt else 0)
    model.max_seq_length = most
    for name in ("query_length", "document_length"):
        if getattr(model[0], name, None):
            setattr(model[0], name, most)
    return most


def fits(model: Any, counts: Sequence[int]) -> None:
    """Refuse texts of so many tokens if a model has fewer positions.

    Raises:
        LswError: it has.
    """
    for name, part in model.named_modules():
        if name.endswith("position_embeddings") and hasattr(part, "num_embeddings"):
            most = part.num_embeddings - (0 if part.padding_idx is None else part.padding_idx + 1)
            if (longest := max(counts, default=0)) > most:
                raise LswError(
                    f"The model reads {most:,} tokens of a text at most, and is given {longest:,}.",
                    cure=f"Set its query_length and document_length to {most:,} at most.",
                )


def finite(values: Any) -> Any:
    """The same values.

    Raises:
        LswError: one is not finite.
    """
    import numpy as np

    if not np.isfinite(values).all():
        raise LswError(
            "The model gives numbers that are not finite.",
            cure="Set computing.precision to 'float32'; if it is so already, the weights are damaged: get them again.",
            exit_code=1,
        )
    return values


def not_indexed(docno: str, folder: Path) -> LswError:
    """That an index does not have a passage."""
    return LswError(
        f"The passage '{docno}' is not in the index.",
        f"Looked in {folder}.",
        "The index is of other passages: run the recipe with --force index.",
        exit_code=1,
    )


def same_scores(qids: list[str], scores: list[float]) -> bool:
    """Whether no query tells its passages apart, though there are two or more to tell apart."""
    first: dict[str, float] = {}
    for qid, score in zip(qids, scores, strict=True):
        if first.setdefault(qid, score) != score:
            return False
    return len(first) < len(scores)


def lengths(tokenizer: Any, texts: list[str], most: int) -> list[int]:
    """Tokens of each text, `most` at most, special ones included."""
    ids = tokenizer(texts, truncation=True, max_length=most, return_attention_mask=False)["input_ids"]
    return [len(ids) for ids in ids]


def in_batches(
    texts: list[str], counts: Sequence[int], budget: int, encode: Callable[[list[str]], Sequence[Any]]
) -> list[Any]:
    """What `encode` gives for each text, in the order of the texts; it is called with batches of like length."""
    out: list[Any] = [None] * len(texts)
    for batch in batches(counts, budget):
        for i, row in zip(batch, encode([texts[i] for i in batch]), strict=True):
            out[i] = row
    return out
