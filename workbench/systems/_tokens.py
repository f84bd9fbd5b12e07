"""Which piece of a text each token is, so that a score of tokens can be shown in the text."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from workbench.systems._explanation import Span

SPACES = " ▁Ġ"
"""How a space is written in tokens. Tokenizers place a token that is nothing else on the letter after it."""


@dataclass(frozen=True)
class Token:
    """A token: its id, how it is written, and where it stands in the text; None where it stands nowhere (markers, what
    a query is filled up with)."""

    id: int
    text: str
    span: Span | None

    @property
    def spans(self) -> tuple[Span, ...]:
        """None, or its one."""
        return (self.span,) if self.span else ()


def tokens_of(tokenizer: Any, text: str, most: int, prompt: str = "") -> list[Token]:
    """The tokens of a text, special ones included.

    Args:
        tokenizer: a fast one tells where each stands.
        text: a query or passage.
        most: tokens at most, those of the prompt included.
        prompt: what is written before it, which stands nowhere.
    """
    fast = bool(getattr(tokenizer, "is_fast", False))
    how = {"truncation": True, "max_length": most, "return_offsets_mapping": fast}
    encoded = tokenizer(prompt + text, **how)
    ids = encoded["input_ids"]
    offsets = encoded["offset_mapping"] if fast else [(0, 0)] * len(ids)
    return named(tokenizer, ids, offsets, text, len(prompt))


def named(tokenizer: Any, ids: Sequence[int], offsets: Sequence[Span], text: str, before: int = 0) -> list[Token]:
    """Tokens of these ids; offsets count from the start of a prompt of `before` characters."""
    out = []
    for id_, (start, end) in zip(ids, offsets, strict=True):
        low, high = max(start - before, 0), end - before
        while low < high and text[low].isspace():
            low += 1
        while low < high and text[high - 1].isspace():
            high -= 1
        written = str(tokenizer.convert_ids_to_tokens(int(id_)))
        said = low < high and written.strip(SPACES)
        span = (low, high) if said else None
        out.append(Token(int(id_), text[low:high] if span else written, span))
    return out
