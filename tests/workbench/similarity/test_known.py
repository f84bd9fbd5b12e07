"""`lsw varieties`: what is known of varieties and their relatives."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from store import LswError
from tests.conftest import ROOT, Lsw
from workbench.collections.folder import MINI
from workbench.similarity import known
from workbench.varieties import table


def listed(*arguments: str) -> Any:
    """What the command prints as JSON, in a process of its own that must not have imported what is heavy."""
    code = (
        f"import sys; sys.argv = ['lsw', 'varieties', *{arguments!r}, '--json']\n"
        "from workbench.cli.main import main\n"
        "try: main()\n"
        "except SystemExit as stop: assert not stop.code, stop.code\n"
        "heavy = {'torch', 'transformers', 'pyterrier', 'scipy'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_every_variety_is_listed_with_who_knows_it() -> None:
    rows = {row["code"]: row for row in known.varieties()}
    assert set(rows) == set(table()) - {"mul"}
    assert rows["fr"]["pairs"] == ["ca-fr", "oc-fr"] and rows["oc"]["pairs"] == ["oc-fr"]
    assert (rows["oc"]["xmod"], rows["oc"]["xmod_instead"], rows["oc"]["lingua"]) == (None, "ca_ES", False)
    assert (rows["yue"]["apertium"], rows["yue"]["nllb"], rows["yue"]["cc100_megabytes"]) == (None, "yue_Hant", None)


def test_one_variety_with_its_relatives() -> None:
    about = listed("ca")
    assert (about["name"], about["script"], about["family"], about["nllb"]) == (
        "Catalan",
        "Latn",
        "Romance",
        "cat_Latn",
    )
    near = {row["code"]: row for row in about["relatives"]}
    assert {"pt", "oc", "fr", "es", "it", "scn"} <= set(list(near)[:7])  # the nearest first
    assert near["oc"]["jaccard-4"] > near["fr"]["jaccard-4"] and near["oc"]["ldnd"] < near["fr"]["ldnd"]
    assert (near["oc"]["phonological"], near["oc"]["queries"]) == (None, 196)
    assert near["es"]["chrf"] is None and near["es"]["queries"] == 0  # of which the mini collection has none
    assert {row["tokenizer"] for row in about["tokenizers"]} >= {"bge-m3", "colbert-xm", "mt5"}
    assert all(1 < row["fertility"] < 3 and row["unknown"] < 0.01 for row in about["tokenizers"])


def test_models_of_the_hub_s_cache_are_shown_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    folder = tmp_path / "models--owner--name"
    (folder / "snapshots" / "abc").mkdir(parents=True)
    (folder / "refs").mkdir()
    (folder / "refs" / "main").write_text("abc", "utf-8")
    assert "owner/name" not in dict(known.tokenizers())
    shipped = MINI.parent / "models" / "mt5" / "tokenizer.json"
    (folder / "snapshots" / "abc" / "tokenizer.json").write_bytes(shipped.read_bytes())
    found = {row["tokenizer"]: row for row in known.of("gd")["tokenizers"]}
    assert found["owner/name"]["fertility"] == found["mt5"]["fertility"]


def test_what_is_no_variety_is_refused(lsw: Lsw) -> None:
    with pytest.raises(LswError, match="'mul' is no variety"):
        known.of("mul")
    told = lsw("varieties", "occ", check=2).stderr
    assert "Unknown variety 'occ'" in told and "Did you mean 'oc'" in told
