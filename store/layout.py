"""Where a store's parts lie on disk, and how they are opened."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb

from store.artifacts import Artifacts
from store.database import connect, damage
from store.errors import LswError
from store.events import Events
from store.schema import LATEST, migrate, version

SPARE = 50_000_000
"""Free bytes below which no stage is begun."""


def resolve(folder: str | os.PathLike[str] | None = None) -> "Store":
    """The store in `folder`, else in $LSW_STORE, else in ./lsw-store. Nothing is created yet."""
    return Store(Path(os.path.expanduser(folder or os.environ.get("LSW_STORE") or "lsw-store")))


class Store:
    """One store folder: `runs.duckdb`, `artifacts/<key>/`, `events/*.jsonl`, `recipe_runs/*.json`.

    No connection outlives one `reading()` or `writing()` block, because DuckDB lets one process write or many
    read, never both.

    Attributes:
        patience: seconds that `reading()` waits for a writer; None is as long as `$LSW_LOCK_TIMEOUT` says.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.database = folder / "runs.duckdb"
        self.artifacts = Artifacts(folder / "artifacts")
        self.events = Events(folder / "events")
        self.recipe_runs = folder / "recipe_runs"
        self.patience: float | None = None

    def exists(self) -> bool:
        """Whether anything was ever recorded here."""
        return self.database.exists()

    def create(self) -> None:
        """Make the folders and bring the schema up to date.

        Raises:
            LswError: the folder cannot be written, or its schema is newer than this lsw.
        """
        try:
            for folder in (self.folder, self.artifacts.folder, self.events.folder):
                folder.mkdir(parents=True, exist_ok=True)
            probe = self.folder / f".writable-{os.getpid()}"
            probe.write_bytes(b"")
            probe.unlink()
        except OSError as error:
            raise LswError(
                f"The store folder {self.folder} cannot be written: {error.strerror or error}.",
                cure="Choose another one with --store DIR or the environment variable LSW_STORE.",
            ) from None
        self.room()
        with self.writing():
            pass

    def room(self) -> None:
        """Make sure that a stage may begin: native code under it (PISA) aborts the process on a full disk.

        Raises:
            LswError: fewer than `SPARE` bytes are free.
        """
        free = shutil.disk_usage(self.folder).free
        if free < SPARE:
            raise LswError(
                f"The disk of the store {self.folder} is full: {free / 1e6:.0f} MB are free.",
                cure=f"Make room ({SPARE / 1e6:.0f} MB at least), or choose another with --store DIR.",
            )

    @contextmanager
    def writing(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection inside one transaction: committed at the end, rolled back on any error."""
        with connect(self.database, read_only=False) as con:
            try:
                migrate(con)
                con.begin()
                yield con
                con.commit()
            except (duckdb.IOException, duckdb.FatalException, duckdb.TransactionException) as error:
                raise damage(self.database, error) or LswError(
                    f"The store {self.database} could not be written.",
                    str(error).splitlines()[0],
                    "Make room, or choose another with --store DIR. Nothing was half-written.",
                ) from None
            except BaseException:
                with suppress(duckdb.Error):  # the connection may be past saving
                    con.rollback()
                raise

    @contextmanager
    def reading(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A read-only connection that can reach no file outside the store.

        Raises:
            Busy: another process is writing it.
            Damaged: it is not what was written.
            LswError: there is no store here, or it is older than this lsw.
        """
        if not self.exists() and self.artifacts.all_keys():
            raise LswError(
                f"The store at {self.folder} has artifacts, but no database.",
                cure="Type `lsw store upgrade`: it makes it again from them.",
            )
        if not self.exists():
            raise LswError(
                f"There is no store at {self.folder}.",
                cure="Make one with `lsw recipe run zero_shot_yue_zh`, or name another with --store DIR.",
            )
        with connect(self.database, read_only=True, patience=self.patience) as con:
            if version(con) < LATEST:
                raise LswError(
                    f"The store at {self.folder} has schema {version(con)}; this lsw reads {LATEST}.",
                    cure="Type `lsw store upgrade`.",
                )
            yield con
