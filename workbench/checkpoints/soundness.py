"""Whether a checkpoint is what it says: all its weights, a tokenizer that knows words, no code of its own.

transformers is lenient: a weight that a file lacks is drawn at random, a tokenizer that is not there is made of
nothing, and both rank passages without a word of complaint.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from store import LswError

TOKENIZERS = (
    "tokenizer.json", "vocab.txt", "vocab.json", "sentencepiece.bpe.model", "spiece.model", "tokenizer.model",
    "source.spm", "spm.model",
)  # fmt: skip
"""Files of which a tokenizer has one at least."""
WORDS = (("water", "music"), ("水", "火"), ("вода", "музыка"), ("آب", "موسیقی"))
"""Two words in each of four scripts."""
UNUSED = (
    "lm_head.",
    "cls.",
    "pooler.",
    "linear.",
    "mlm_head.",
    "vocab_projector.",
    "vocab_transform.",
    "vocab_layer_norm.",
)
"""Beginnings of weights that a model may leave alone: of the task it was pre-trained for, and a pooling we replace;
`linear.` is ColBERT's projection, which its own module reads."""
MADE = (".position_ids", ".embed_positions.weights")
"""Ends of numbers that a model makes itself, which some files keep all the same."""
POOLER = ("pooler.",)
"""Weights that an encoder may lack: what it gives is not used."""


def examine_files(folder: Path) -> None:
    """What can be seen without loading: settings, tokenizer, weights that are whole.

    Raises:
        LswError: a file is missing, torn, or asks for code of the checkpoint's own.
    """
    config = settings(folder)
    own_code = config.get("auto_map")
    if own_code and not _known(config.get("model_type")):
        raise LswError(
            f"{folder.name} needs code of its own, which lsw does not run.",
            f"{_body(folder) / 'config.json'} names it under auto_map: {', '.join(map(str, _leaves(own_code)))[:200]}.",
            "Choose a model that transformers knows without such code.",
        )
    for part in _modules(folder):
        if not str(part.get("type", "")).startswith(("sentence_transformers.", "pylate.")):
            raise LswError(
                f"{folder.name} needs code of its own, which lsw does not run.",
                f"{folder / 'modules.json'} names {part.get('type')}.",
                "Choose a model made of sentence-transformers' own modules.",
            )
    body = _body(folder)
    told = body / "tokenizer_config.json"
    if told.exists() and _object(told).get("auto_map") and not (body / "tokenizer.json").exists():
        raise LswError(
            f"The tokenizer of {folder.name} needs code of its own, which lsw does not run.",
            f"{told} names it under auto_map.",
            "Choose a model that transformers knows without such code.",
        )
    if not any((place / name).exists() for place in (body, folder) for name in TOKENIZERS):
        raise LswError(
            f"{folder.name} has no tokenizer.",
            f"Looked in {body} for {', '.join(TOKENIZERS[:4])}, ...",
            "Save it beside the weights: AutoTokenizer.from_pretrained(...).save_pretrained(FOLDER).",
        )
    for path in sorted(folder.rglob("*.safetensors")):
        _whole(path)
    for path in sorted(folder.rglob("*.safetensors.index.json")):
        lacking = sorted({str(part) for part in _object(path).get("weight_map", {}).values()
                          if not (path.parent / str(part)).exists()})  # fmt: skip
        if lacking:
            raise LswError(
                f"{folder.name} lacks {lacking[0]}.", f"{path} names it.", "Download the model again, whole."
            )


def settings(folder: Path) -> dict[str, Any]:
    """What `config.json` says of a checkpoint.

    Raises:
        LswError: there is none, or it is no JSON object.
    """
    path = _body(folder) / "config.json"
    if not path.exists():
        raise LswError(
            f"{folder.name} has no config.json.", str(folder),
            "Name the folder that save_pretrained(...) wrote, or download the model again, whole.",
        )  # fmt: skip
    return _object(path)


def _object(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text("utf-8"))
    except (ValueError, RecursionError) as error:
        raise LswError("This is not valid JSON.", f"{path}: {error}", "Download the model again, whole.") from None
    if not isinstance(value, dict):
        raise LswError("This is no JSON object.", str(path), "Download the model again, whole.")
    return value


def _modules(folder: Path) -> list[dict[str, Any]]:
    """The modules of a sentence-transformers folder; none of another."""
    path = folder / "modules.json"
    if not path.exists():
        return []
    try:
        parts = json.loads(path.read_text("utf-8"))
    except (ValueError, RecursionError) as error:
        raise LswError("This is not valid JSON.", f"{path}: {error}", "Download the model again, whole.") from None
    if not isinstance(parts, list) or not all(isinstance(part, dict) for part in parts):
        raise LswError("This is no list of modules.", str(path), "Download the model again, whole.")
    return parts


def _body(folder: Path) -> Path:
    """Where the transformer is: the folder, or (of older sentence-transformers) the first module's."""
    if (folder / "config.json").exists():
        return folder
    first = next((str(part.get("path") or "") for part in _modules(folder)), "")
    return folder / first


def _known(kind: Any) -> bool:
    from transformers import CONFIG_MAPPING

    return kind in CONFIG_MAPPING


def _leaves(value: Any) -> list[Any]:
    return [leaf for part in value.values() for leaf in _leaves(part)] if isinstance(value, dict) else [value]


def _whole(path: Path) -> None:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "np") as file:
            file.keys()
    except (SafetensorError, OSError) as error:
        raise LswError(
            f"{path.name} is no whole safetensors file.", f"{path}: {error}", "Download the model again, whole."
        ) from None


@contextmanager
def loading(folder: Path) -> Iterator[None]:
    """Any failure of a library to load a model becomes an error that names the folder."""
    try:
        yield
    except LswError:
        raise
    except Exception as error:  # transformers, sentence-transformers and tokenizers fail in ways of their own
        if "trust_remote_code" in str(error):
            raise LswError(
                f"{folder.name} needs code of its own, which lsw does not run.",
                str(folder),
                "Choose a model that transformers knows without such code.",
            ) from error
        lines = str(error).strip().splitlines() or [""]
        raise LswError(
            f"The model in {folder} could not be loaded.",
            f"{type(error).__name__}: {lines[0][:500]}",
            "Is it the kind of model that the architecture says? Else download it again, whole.",
        ) from error


def examine(model: Any, tokenizer: Any, folder: Path, may_lack: tuple[str, ...] = ()) -> None:
    """That every weight of a loaded model came from its files and was used, and that its tokenizer knows words.

    Args:
        model: of transformers.
        tokenizer: its own.
        folder: where both came from.
        may_lack: beginnings of weights that may be random, for nothing uses them.

    Raises:
        LswError: a weight would be random, or is of another model; or two words cannot be told apart.
    """
    _, info = type(model).from_pretrained(
        _body(folder), local_files_only=True, output_loading_info=True, device_map="meta", config=model.config
    )
    missing, unexpected = (
        sorted(name for name in info[kind] if not _begins(name, model, allowed))
        for kind, allowed in (("missing_keys", may_lack), ("unexpected_keys", UNUSED))
    )
    mismatched = sorted(str(entry[0]) for entry in info["mismatched_keys"])
    for names, words in (
        (missing, "lacks weights, which would be random"),
        (mismatched, "has weights of another shape than its config.json says"),
        (unexpected, "has weights that its architecture does not use"),
    ):
        if names:
            more = f" and {len(names) - 3} more" if len(names) > 3 else ""
            raise LswError(
                f"{folder.name} {words}.",
                f"{folder}, as {type(model).__name__}: {', '.join(names[:3])}{more}.",
                "Is it the kind of model that the architecture says? Else save or download it again, whole.",
            )
    examine_tokenizer(tokenizer, folder, model.get_input_embeddings().weight.shape[0])


def _begins(name: str, model: Any, beginnings: tuple[str, ...]) -> bool:
    return name.removeprefix(f"{model.base_model_prefix}.").startswith(beginnings) or name.endswith(MADE)


def examine_tokenizer(tokenizer: Any, folder: Path, known: int) -> None:
    """That a tokenizer gives two words different pieces, in one script at least, that the model knows.

    Args:
        tokenizer: of transformers.
        folder: where it came from.
        known: tokens that the model has an embedding of.

    Raises:
        LswError: it does not.
    """
    pieces = [[tokenizer(word, add_special_tokens=False)["input_ids"] for word in pair] for pair in WORDS]
    if all(first == second for first, second in pieces):
        raise LswError(
            f"The tokenizer of {folder.name} cannot tell words apart.",
            f"'{WORDS[0][0]}' and '{WORDS[0][1]}' become the same tokens, {pieces[0][0]}; so in every script tried.",
            f"Save the model's own tokenizer in {folder}.",
        )
    most = max((token for pair in pieces for ids in pair for token in ids), default=0)
    if most >= known:
        raise LswError(
            f"The tokenizer of {folder.name} is of another model.",
            f"It gives token {most}; the model has embeddings of {known}.",
            f"Save the model's own tokenizer in {folder}.",
        )
