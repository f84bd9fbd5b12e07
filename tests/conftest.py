"""Shared: the store of a finished recipe, a small collection with a scale of its own, the command line."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from filelock import FileLock
from hypothesis import settings

from store import Store
from store.passages import FILE, Passages, write
from workbench.collections.base import Collection
from workbench.collections.folder import MINI
from workbench.systems._passages import Reading

ROOT = Path(__file__).parent.parent
LSW = str(Path(sys.executable).parent / "lsw")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
if "PYTEST_XDIST_WORKER" in os.environ:  # set before torch is imported: spinning threads slow the other worker
    os.environ.setdefault("OMP_NUM_THREADS", "1")
settings.register_profile("lsw", deadline=None)  # how long an example takes depends on the machine
settings.load_profile("lsw")
os.environ.setdefault("IR_DATASETS_HOME", tempfile.mkdtemp(prefix="irds-"))  # read once, when it is imported

Lsw = Callable[..., subprocess.CompletedProcess[str]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What needs the store of a finished recipe is slow: it may have to be made first."""
    for item in items:
        if {"finished", "copied"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.slow)


def table(collection: Collection, variety: str) -> pa.Table:
    """All passages of a variety, held in memory and checked as a stage checks them."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / FILE
        write(path, collection.passages(variety))
        if again := Passages(path).twice():
            raise collection.repeated(variety, again)
    return pa.Table.from_batches(list(collection.passages(variety)))


def reading(collection: Collection, variety: str, folder: Path, most: int | None = None) -> Reading:
    """The first passages of a variety as a system reads them."""
    path = folder / f"{variety}-{most}.arrow"
    write(path, table(collection, variety).slice(0, most).to_batches())
    return Reading(Passages(path), variety, "as written")


def run_lsw(
    *args: object, cwd: Path | None = None, check: int | None = 0, **env: str
) -> subprocess.CompletedProcess[str]:
    """Run `lsw` as a user would, in its own process; `check` is the exit code it must have."""
    done = subprocess.run(
        [LSW, *map(str, args)],
        cwd=cwd or ROOT,
        env={**os.environ, "COLUMNS": "160", **env},
        capture_output=True,
        text=True,
        check=False,
    )
    if check is not None:
        assert done.returncode == check, f"exit {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    return done


@pytest.fixture(scope="session")
def lsw() -> Lsw:
    return run_lsw


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A store in which `zero_shot_yue_zh` has run: $LSW_TEST_STORE if CI made one, else run here (some minutes)."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    given = Path(os.environ.get("LSW_TEST_STORE", shared / "finished"))
    with FileLock(shared / "finished.lock"):  # tests in parallel make it once, and each worker changes a copy
        run_lsw("recipe", "run", "zero_shot_yue_zh", "--store", given)
        if shared != base:
            given = Path(shutil.copytree(given, base / "finished"))
    return Store(given)


@pytest.fixture
def copied(finished: Store, tmp_path: Path) -> Store:
    """That store, for a test that adds runs to it."""
    return Store(Path(shutil.copytree(finished.folder, tmp_path / "finished")))


@pytest.fixture(scope="session")
def real() -> Path:
    """Real public collections, where a developer has them."""
    folder = Path(os.environ.get("LSW_REAL_DATA", ROOT.parent / "shared" / "real"))
    if not folder.is_dir():
        pytest.skip("the real collections are not here; point LSW_REAL_DATA at them")
    return folder


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A folder collection of a few topics cut from the mini collection, French passages, French and Catalan queries."""
    return cut(tmp_path / "small", ("fr",), ("ca", "fr"), 24)


def cut(folder: Path, documents: tuple[str, ...], queries: tuple[str, ...], topics: int) -> Path:
    """The first topics of the mini collection as a collection of their own."""
    folder.mkdir(parents=True)
    rows = [line.split("\t") for line in (MINI / "topics.tsv").read_text("utf-8").splitlines()][:topics]
    keep = {row[0] for row in rows}
    (folder / "topics.tsv").write_text("".join(f"{t}\t{s}\n" for t, s, *_ in rows), "utf-8")
    for code in documents:
        lines = (MINI / f"corpus.{code}.jsonl").read_text("utf-8").splitlines()
        kept = [line for line in lines if json.loads(line)["_id"].rpartition(".")[0] in keep]
        (folder / f"corpus.{code}.jsonl").write_text("\n".join(kept) + "\n", "utf-8")
    for code in queries:
        lines = (MINI / f"queries.{code}.tsv").read_text("utf-8").splitlines()
        kept = [line for line in lines if line.split("\t")[0].rpartition(".")[0] in keep]
        (folder / f"queries.{code}.tsv").write_text("\n".join(kept) + "\n", "utf-8")
    lines = (MINI / "qrels.tsv").read_text("utf-8").splitlines()
    kept = [line for line in lines if line.split()[0].rpartition(".")[0] in keep]
    (folder / "qrels.tsv").write_text("\n".join(kept) + "\n", "utf-8")
    return folder


@pytest.fixture
def small_scale(small: Path, tmp_path: Path) -> Path:
    """A user's own scale: the small collection, the shipped bi-encoder, a minute budget."""
    path = tmp_path / "own.toml"
    path.write_text(
        """
        [collection]
        name = "small"
        folder = "small"

        [systems.bge-m3]
        architecture = "bi-encoder"
        checkpoint = "package:models/bge-m3"
        query_length = 32
        document_length = 64

        [fine-tuning.bge-m3]
        epochs = 4
        learning_rate = 1e-4
        batch_size = 4
        temperature = 0.05
        checkpoint_steps = 5
        """,
        "utf-8",
    )
    return path


@pytest.fixture
def small_recipe(tmp_path: Path) -> Path:
    """A recipe for the small scale: train a bi-encoder on ca-fr, compare."""
    path = tmp_path / "small_ca_fr.toml"
    path.write_text(
        """
        title = "A small one"

        [fine-tuning]
        pair = "ca-fr"
        systems = ["bge-m3"]
        controls = []

        [retrieval]
        pairs = ["ca-fr"]
        systems = ["bm25", "bge-m3"]
        depth = 20

        [comparison]
        resamples = 1000
        """,
        "utf-8",
    )
    return path


@pytest.fixture(autouse=True)
def _own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the screens remember is not the developer's."""
    monkeypatch.setenv("LSW_STATE", str(tmp_path / "state" / "tui.json"))


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Two runs of bm25 over 60 topics: Cantonese and Mandarin queries, Mandarin passages. The same everywhere."""
    folder = tmp_path_factory.mktemp("screens")
    collection = cut(folder / "small", ("zh",), ("yue", "zh"), 60)
    for variety in ("yue", "zh"):
        run_lsw(
            "retrieve", collection, "--system", "bm25", "--query-variety", variety, "--document-variety", "zh",
            "--store", folder / "store",
        )  # fmt: skip
    return Store(folder / "store")
