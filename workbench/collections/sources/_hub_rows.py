"""Rows of a data set of the hub, through datasets."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from store import LswError


def rows(repository: str, config: str, split: str) -> Iterator[Any]:
    """One split, row by row; code of the repository is never run.

    Args:
        repository: owner/name on the hub, or the folder of a copy.
        config: of the data set.
        split: by its own name for it.

    Raises:
        LswError: it could not be had.
    """
    import datasets

    with _had(repository, config, f", split '{split}'"):
        yield from datasets.load_dataset(repository, config, split=split, streaming=not Path(repository).is_dir())


def splits(repository: str, config: str) -> list[str]:
    """The splits of a configuration, by its own names for them.

    Raises:
        LswError: it could not be had.
    """
    import datasets

    with _had(repository, config):
        return list(datasets.get_dataset_split_names(repository, config))


@contextmanager
def _had(repository: str, config: str, more: str = "") -> Iterator[None]:
    import datasets

    try:
        yield
    except (ConnectionError, FileNotFoundError, OSError, ValueError, datasets.exceptions.DatasetsError) as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise LswError(
            f"Data set '{repository}', configuration '{config}'{more} could not be had.",
            first[:300],
            f"Connect and try again, or give the path of a copy: beir:/path/to/copy:{config.split('-')[0]}.",
        ) from None
