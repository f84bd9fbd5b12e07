"""Artifact folders: odd ones are named, copies are hashed once."""

import json
import shutil
from pathlib import Path

import pytest

from store import Store
from store.artifacts import file_hash
from tests.store.conftest import a_run, artifact

KEY = "k" * 64


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "meta.json is missing"),
        ("{", "meta.json cannot be read"),
        ("[]", "meta.json cannot be read"),
        ('{"kind": "retrieve"}', "meta.json lacks version, parameters"),
    ],
)
def test_an_artifact_with_an_odd_meta_is_named_and_goes_whole(store: Store, text: str | None, reason: str) -> None:
    artifact(store, KEY, **a_run(KEY))
    meta = store.artifacts.path(KEY) / "meta.json"
    if text is None:
        meta.unlink()
    else:
        meta.write_text(text, "utf-8")
    verdict = store.artifacts.fresh(KEY, {})
    assert (verdict.state, verdict.reason[: len(reason)]) == ("corrupt", reason)
    assert store.artifacts.all_keys() == [KEY]
    store.artifacts.discard(KEY)
    artifact(store, KEY, **a_run(KEY))
    assert store.artifacts.fresh(KEY, {}).state == "complete"


def test_an_input_with_an_odd_meta_makes_what_hangs_on_it_stale(store: Store) -> None:
    artifact(store, KEY, **a_run(KEY))
    artifact(store, "i" * 64)
    (store.artifacts.path("i" * 64) / "meta.json").write_text("[]", "utf-8")
    assert store.artifacts.fresh(KEY, {"index": "i" * 64}).state == "stale"


def test_a_file_of_odd_files_is_corrupt(store: Store) -> None:
    artifact(store, KEY, **a_run(KEY))
    meta = store.artifacts.path(KEY) / "meta.json"
    said = json.loads(meta.read_text("utf-8"))
    meta.write_text(json.dumps({**said, "files": {"rows/run.parquet": 7}}), "utf-8")
    assert store.artifacts.check(KEY).reason == "meta.json lacks files"


def test_a_copy_is_hashed_once(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    artifact(store, KEY, **a_run(KEY))
    shutil.copytree(store.folder, tmp_path / "copy", copy_function=shutil.copyfile)  # times are new
    copy = Store(tmp_path / "copy").artifacts
    hashed: list[Path] = []

    def counted(path: Path) -> str:
        hashed.append(path)
        return file_hash(path)

    monkeypatch.setattr("store.artifacts.file_hash", counted)
    assert [copy.check(KEY).state for _ in range(3)] == ["complete"] * 3
    assert len(hashed) == 2
    ranking = copy.path(KEY) / "rows" / "ranking.parquet"
    data = bytearray(ranking.read_bytes())
    data[len(data) // 2] ^= 1
    ranking.write_bytes(data)
    assert copy.check(KEY).state == "corrupt"
    copy.discard(KEY)
    assert [p.name for p in copy.folder.rglob("*.json")] == []


def test_what_is_remembered_of_a_copy_is_believed_of_that_copy_only(store: Store, tmp_path: Path) -> None:
    artifact(store, KEY, **a_run(KEY))
    shutil.copytree(store.folder, tmp_path / "copy", copy_function=shutil.copyfile)
    copy = Store(tmp_path / "copy")
    assert copy.artifacts.check(KEY).state == "complete"
    known = next((copy.artifacts.folder / ".hashed").iterdir())
    known.write_text(known.read_text("utf-8").replace(file_hash(copy.artifacts.path(KEY) / "rows/run.parquet"), "0"))
    assert copy.artifacts.check(KEY).state == "complete"
    known.write_text("{", "utf-8")
    assert copy.artifacts.check(KEY).state == "complete"
