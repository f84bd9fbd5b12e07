"""The Hugging Face hub: files and folders by name, from its cache or from the net, never code, never a pickle."""

import os
from pathlib import Path

from store import LswError

SCHEME = "hf://"
_FILES = ["*.safetensors", "*.json", "*.txt", "*.model", "*.pt", "*.metadata", "*.jinja"]
_OTHERS = ["onnx/*", "openvino/*", "coreml/*"]


def cache() -> Path:
    """Where downloads are kept."""
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE)


def _missing(what: str, error: Exception) -> LswError:
    offline = os.environ.get("HF_HUB_OFFLINE") == "1"
    lines = str(error).strip().splitlines()
    return LswError(
        f"{what} is neither on this machine nor could it be had from the hub.",
        "The hub is switched off (HF_HUB_OFFLINE=1)." if offline else (lines[0] if lines else type(error).__name__),
        f"Connect and try again, or copy it into {cache()} (HF_HOME moves it), or give a path instead of a name."
        " A gated one wants `hf auth login` first.",
    )


def model(name: str) -> tuple[Path, str]:
    """A model's folder and the revision (commit) it is of: from the cache, else downloaded.

    Args:
        name: owner/name, optionally @revision.

    Raises:
        LswError: it could not be had.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    repository, _, revision = name.partition("@")
    try:
        options = {"revision": revision or None, "ignore_patterns": _OTHERS}
        folder = Path(snapshot_download(repository, allow_patterns=_FILES, **options))
        if not list(folder.glob("*.safetensors")):  # only then are torch's own weights of use
            folder = Path(snapshot_download(repository, allow_patterns=["*.bin", "*.bin.index.json"], **options))
    except (LocalEntryNotFoundError, HfHubHTTPError, OSError, ValueError) as error:
        raise _missing(f"Model '{name}'", error) from None
    return folder, folder.name


def cached_model(name: str) -> tuple[Path, str] | None:
    """As `model`, but only if it is on this machine already."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    repository, _, revision = name.partition("@")
    try:
        folder = Path(snapshot_download(repository, revision=revision or None, local_files_only=True))
    except (LocalEntryNotFoundError, HfHubHTTPError, OSError, ValueError):
        return None
    return folder, folder.name


def cached_file(location: str) -> Path | None:
    """As `file`, but only if it is on this machine already.

    Raises:
        LswError: this is no such location.
    """
    from huggingface_hub import try_to_load_from_cache

    repository, path, revision = _place(location)
    cached = try_to_load_from_cache(repository, path, revision=revision, repo_type="dataset")
    return Path(cached) if isinstance(cached, str) else None


def file(location: str) -> Path:
    """One file of a data set: `hf://datasets/owner/name/path`, or `hf://datasets/owner/name@revision/path`.

    Raises:
        LswError: it could not be had, or this is no such location.
    """
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    repository, path, revision = _place(location)
    try:
        return Path(hf_hub_download(repository, path, repo_type="dataset", revision=revision))
    except (LocalEntryNotFoundError, HfHubHTTPError, OSError, ValueError) as error:
        raise _missing(f"'{location}'", error) from None


def _place(location: str) -> tuple[str, str, str | None]:
    """Repository, path in it and revision of a file of a data set.

    Raises:
        LswError: this is no such location.
    """
    kind, _, rest = location.removeprefix(SCHEME).partition("/")
    parts = rest.split("/", 2)
    if kind != "datasets" or len(parts) != 3:
        raise LswError(f"'{location}' is no file of a data set.", cure="Write hf://datasets/owner/name/path/in/it.tsv")
    name, _, revision = parts[1].partition("@")
    return f"{parts[0]}/{name}", parts[2], revision or None
