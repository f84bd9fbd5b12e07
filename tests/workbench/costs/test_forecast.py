"""`lsw plan`: what is counted is right, and nothing is downloaded. (How well it foretells time: tests/benchmarks.)"""

import json
import os
from pathlib import Path

import pytest

from tests.conftest import Lsw
from workbench.collections.folder import Folder
from workbench.costs import timing
from workbench.costs.estimator import Estimator
from workbench.systems import SYSTEMS
from workbench.systems._encoding import Computing
from workbench.systems.base import Encoder

OFFLINE = {"HF_HUB_OFFLINE": "1"}


@pytest.mark.slow
def test_what_is_here_is_counted(lsw: Lsw, small: Path, small_scale: Path, small_recipe: Path, tmp_path: Path) -> None:
    command = ("plan", small_recipe, "--scale", small_scale, "--store", tmp_path / "s", "--json")
    changed = ('translation.translator="google"', 'negatives.system="bge-m3"')
    forecast = json.loads(lsw(*command, *changed, **OFFLINE).stdout)
    folder = Folder("small", small)
    asked = [q for split in ("train", "test") for q in folder.queries("fr", split)["query"].to_pylist()]
    translated = forecast["groups"]["translate"]
    assert translated["characters"] == pytest.approx(sum(map(len, asked)), abs=1)
    assert translated["dollars"] == pytest.approx(translated["characters"] * 20 / 1e6)
    passages = next(s for s in forecast["stages"] if s["kind"] == "passages")
    text = sum(
        len(json.loads(line)["text"].encode()) for line in (small / "corpus.fr.jsonl").read_text("utf-8").splitlines()
    )
    assert passages["disk"] == pytest.approx(text, rel=0.01)
    assert forecast["total"]["download"] == 0
    assert all(s["seconds"] > 0 for s in forecast["stages"])
    assert not [s["unknown"] for s in forecast["stages"] if s["unknown"]]
    assert not (tmp_path / "s" / "artifacts").exists()

    prices = tmp_path / "p.toml"
    prices.write_text("google = 1.0\n", "utf-8")
    plain = tmp_path / "plain.toml"
    plain.write_text(
        'title = "t"\ntranslation.translator = "google"\nretrieval = {pairs = ["ca-fr"], systems = ["bm25"]}\n', "utf-8"
    )
    cheap = json.loads(lsw("plan", plain, *command[2:], "--prices", prices, **OFFLINE).stdout)["groups"]["translate"]
    assert cheap["dollars"] == pytest.approx(cheap["characters"] / 1e6)
    assert 0 < cheap["characters"] < translated["characters"]

    own = ('translation.translator="seq2seq"', 'translation.checkpoint="facebook/nllb-200-distilled-600M"')
    [untimed] = [s for s in json.loads(lsw("plan", plain, *command[2:], *own, **OFFLINE).stdout)["stages"]
                 if s["kind"] == "translate"]  # fmt: skip
    assert untimed["characters"] == cheap["characters"] and "seq2seq takes is not timed" in untimed["unknown"]

    lsw("recipe", "run", small_recipe, "--scale", small_scale, "--store", tmp_path / "s")
    done = json.loads(lsw(*command, **OFFLINE).stdout)
    assert (done["total"]["stages"], done["total"]["seconds"]) == (0, 0)


@pytest.mark.slow
def test_what_paper_scale_would_download_is_known_before(lsw: Lsw, tmp_path: Path) -> None:
    """French and Chinese mMARCO, queries, judgements, three models, the hard negatives; one download each."""
    (tmp_path / "r.toml").write_text(
        """
        title = "t"
        [retrieval]
        pairs = ["yue-zh", "ca-fr"]
        systems = ["bm25"]
        """,
        "utf-8",
    )
    env = {**OFFLINE, "IR_DATASETS_HOME": str(tmp_path / "irds"), "HF_HOME": str(tmp_path / "hf")}
    forecast = json.loads(
        lsw("plan", tmp_path / "r.toml", "--scale", "paper", "--store", tmp_path / "s", "--json", **env).stdout
    )
    stages = {s["stage"]: s for s in forecast["stages"]}
    assert stages["read fr passages"]["download"] == 3_656_218_984  # as ir_datasets publishes it
    assert stages["read fr passages"]["disk"] == pytest.approx(3_656_218_984, rel=0.05)
    assert stages["read test judgements"]["download"] == 143_300
    assert forecast["total"]["download"] == sum(s["download"] for s in forecast["stages"])
    assert 6e9 < forecast["total"]["download"] < 8e9
    assert stages["rank yue over zh with bm25"]["disk"] == 6_980 * 1_000 * 20
    assert not (tmp_path / "irds").exists() or not list((tmp_path / "irds").rglob("*.tsv"))
    assert os.environ["IR_DATASETS_HOME"] != env["IR_DATASETS_HOME"]
    assert "prices" not in lsw("recipe", "list").stdout


def test_systems_of_other_settings_are_timed_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """One checkpoint, read 32 tokens deep and 128."""
    monkeypatch.setattr(timing, "encoding", lambda encode, texts: float(encode.keywords["length"]))
    estimator = Estimator(Path(), {}, lambda text: None)

    def seconds(length: int) -> float:
        settings = {"checkpoint": "package:models/bge-m3", "query_length": 32, "document_length": length}
        system = SYSTEMS.part("bi-encoder").model_validate({"architecture": "bi-encoder", **settings})
        assert isinstance(system, Encoder)
        return estimator.seconds_to_encode(system, "fr", ["bonjour"], Computing())

    assert [seconds(32), seconds(128), seconds(32)] == [32, 128, 32]
