"""The tokenizers of checkpoints: into which pieces a model cuts a text, and which it does not know."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from store import LswError

MARK = "▁"
"""What SentencePiece writes for the start of a word."""


@dataclass(frozen=True)
class Cut:
    """A tokenizer.

    Args:
        pieces: the numbers of the pieces of each text, without what is put around a text.
        unknown: the number that stands for whatever is not in the vocabulary.
        blank: the numbers that are no text, as a word's start alone.
    """

    pieces: Callable[[Sequence[str]], list[list[int]]]
    unknown: int | None
    blank: frozenset[int]


def tokenizer(folder: Path) -> Cut:
    """The tokenizer of a checkpoint, as its system has it.

    Raises:
        LswError: there is none, or it cannot be read.
    """
    from transformers import AutoTokenizer
    from transformers.utils import logging

    from workbench.systems.mt5 import spelling

    logging.set_verbosity_error()  # a text longer than the model takes is still cut into pieces here
    try:
        own = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError, KeyError) as error:
        raise _unread(folder, error) from None
    if _is_mt5(folder):
        own = spelling(own)

    def pieces(texts: Sequence[str]) -> list[list[int]]:
        ids: list[list[int]] = own(list(texts), add_special_tokens=False)["input_ids"] if texts else []
        return ids

    return Cut(pieces, own.unk_token_id, _blank(own.convert_tokens_to_ids(MARK), own.unk_token_id))


def tokenizer_file(path: Path) -> Cut:
    """A tokenizer by its `tokenizer.json` alone, at once: torch and transformers are not imported.

    Of the shipped models it is the same as `tokenizer`.

    Raises:
        LswError: the file cannot be read.
    """
    from tokenizers import Tokenizer

    try:
        settings = json.loads(path.read_text("utf-8"))
        model = settings["model"]
        if _is_mt5(path.parent) and model.get("byte_fallback") is False:
            model["byte_fallback"] = any(row[0] == "<0x00>" for row in model["vocab"])
        own = Tokenizer.from_str(json.dumps(settings))
    except Exception as error:  # the library's own errors are plain exceptions
        raise _unread(path, error) from None
    own.no_truncation()
    own.no_padding()
    unknown = model.get("unk_id")
    if unknown is None and isinstance(model.get("unk_token"), str):
        unknown = own.token_to_id(model["unk_token"])

    def pieces(texts: Sequence[str]) -> list[list[int]]:
        return [encoding.ids for encoding in own.encode_batch(list(texts), add_special_tokens=False)]

    return Cut(pieces, unknown, _blank(own.token_to_id(MARK), unknown))


def _blank(mark: int | None, unknown: int | None) -> frozenset[int]:
    """The number of a word's start alone, if the vocabulary has it."""
    return frozenset() if mark is None or mark == unknown else frozenset({mark})


def _is_mt5(folder: Path) -> bool:
    path = folder / "config.json"
    return path.exists() and json.loads(path.read_text("utf-8")).get("model_type") in ("mt5", "umt5")


def _unread(at: Path, error: Exception) -> LswError:
    return LswError(
        f"The tokenizer at {at} cannot be read.",
        (str(error).strip().splitlines() or [type(error).__name__])[0],
        "Save it beside the weights: AutoTokenizer.from_pretrained(...).save_pretrained(FOLDER).",
    )
