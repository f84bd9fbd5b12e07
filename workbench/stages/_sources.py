"""What stages that read a collection have in common."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, ClassVar

from pydantic import SkipValidation

from workbench.collections.base import Collection
from workbench.collections.sources.irds import watched
from workbench.graph import Job, Kind
from workbench.registry import LOCAL

ANNOUNCED = 10_000_000
"""Bytes of a download that are worth a note."""


class Reads(Kind):
    """Reads a part of a collection.

    Args:
        collection: its name.
        origin: what tells the content of the part from any other (`Collection.origin`).
        source: the collection itself.
    """

    collection: str
    origin: dict[str, Any]
    source: Annotated[SkipValidation[Collection | None], LOCAL] = None

    group: ClassVar[str] = "download"

    def recorded(self, whole: bool = True) -> dict[str, Any]:
        values = super().recorded(whole)
        origin: dict[str, Any] = values.pop("origin")
        return values | origin

    @property
    def read_from(self) -> Collection:
        """The collection, of a stage that is to be run."""
        assert self.source
        return self.source

    @contextmanager
    def downloads(self, job: Job, part: str, variety: str, split: str = "") -> Iterator[None]:
        """Show what is downloaded within the block."""
        wanted = self.read_from.downloads(part, variety, split)
        size = sum(file.size or 0 for file in wanted)
        if size > ANNOUNCED:
            names = ", ".join(file.url.split("?")[0].split("/")[-1] for file in wanted[:3])
            job.note(f"downloading {size / 1e9:.2f} GB: {names}")
        with watched(wanted, job.progress):
            yield
