"""The house rules: layers point one way, start-up is light, the shipped data is what it says."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, Lsw
from tests.conftest import table as passages_of
from workbench.collections.folder import MINI, Folder
from workbench.varieties import table

LOW = {code for code, v in table().items() if v.high}


def test_layers_point_one_way() -> None:
    done = subprocess.run(
        [str(Path(sys.executable).parent / "lint-imports")], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; sys.argv = ['lsw', '--help']\n"
        "from workbench.cli.main import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'duckdb', 'pyarrow', 'pyterrier', 'transformers', 'numpy', 'pydantic'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


@pytest.mark.slow
def test_every_command_has_help(lsw: Lsw) -> None:
    for command in (
        ["recipe", "list"], ["recipe", "show"], ["recipe", "check"], ["recipe", "run"], ["recipe", "results"], ["runs", "list"],
        ["runs", "show"], ["compare"], ["retrieve"], ["import"], ["export"], ["sql"], ["store", "check"],
        ["store", "upgrade"], ["store", "path"], ["doctor"],
    ):  # fmt: skip
        told = lsw(*command, "--help").stdout
        assert "Usage: lsw " + " ".join(command) in told
        assert len(told.splitlines()) > 5


def test_mini_models_never_saw_what_is_tested() -> None:
    """From the record that ships with each model: only high-resource varieties, only training queries."""
    mini = Folder("mini", MINI)
    for system in ("bge-m3", "colbert-xm", "mt5"):
        record = json.loads((MINI.parent / "models" / system / "training_inputs.json").read_text("utf-8"))
        inputs = record["trained_on"]
        assert inputs, system
        for role, said in inputs.items():
            assert said.get("variety") not in LOW, (system, role)
            assert said.get("split", "train") == "train", (system, role)
            for name, digest in said["files"].items():  # and it was this collection
                from store.artifacts import file_hash

                assert file_hash(mini.folder / name) == digest, (system, name)
        read = {(r.partition(".")[0], said.get("variety")) for r, said in inputs.items()}
        high = {v for v in table() if (mini.folder / f"corpus.{v}.jsonl").exists()}
        assert len(high) == 6
        assert {("passages", v) for v in high} | {("queries", v) for v in high} <= read


@pytest.mark.slow
def test_the_recipe_that_built_the_mini_models_still_builds(lsw: Lsw, tmp_path: Path) -> None:
    """With a budget of seconds: the same inputs, files of the same names, loadable as the shipped ones are."""
    changes = [f"pre-training.{system}.examples=64" for system in ("bge-m3", "colbert-xm", "mt5")]
    told = lsw("recipe", "run", "mini_models", *changes, "--store", tmp_path / "s").stdout
    built = dict(line.split(": ") for line in told.splitlines())
    assert set(built) == {"bge-m3", "colbert-xm", "mt5"}
    for system, folder in built.items():
        ours, shipped = Path(folder.strip()), MINI.parent / "models" / system
        names = [{p.relative_to(f).as_posix() for p in f.rglob("*")} for f in (ours, shipped)]
        assert names[0] == names[1]
        records = [json.loads((f / "training_inputs.json").read_text("utf-8")) for f in (ours, shipped)]
        for record in records:  # keys change with the versions of stages, what was read does not
            for read in record["trained_on"].values():
                del read["key"]
        assert records[0] == records[1]
        assert (ours / "tokenizer.json").read_bytes() == (shipped / "tokenizer.json").read_bytes()


def test_mini_models_are_small() -> None:
    folder = MINI.parent / "models"
    sizes = {p.name: sum(f.stat().st_size for f in p.rglob("*") if f.is_file()) for p in folder.iterdir()}
    assert set(sizes) == {"bge-m3", "colbert-xm", "mt5"}
    assert max(sizes.values()) <= 6_000_000
    assert sum(sizes.values()) <= 16_000_000
    assert not [p for p in folder.rglob("*") if p.suffix in (".bin", ".pt", ".pkl")]


def test_mini_collection_is_parallel_and_whole() -> None:
    mini = Folder("mini", MINI)
    docnos = {v: passages_of(mini, v)["docno"].to_pylist() for v in ("en", "fr", "nl", "zh", "id", "it")}
    assert all(d == docnos["en"] for d in docnos.values())
    assert len(docnos["en"]) == 496
    for split, topics in (("train", 124), ("dev", 26), ("test", 98)):
        qids = {v: mini.queries(v, split)["qid"].to_pylist() for v in mini.query_varieties}
        assert len(qids) == 13
        assert all(q == qids["en"] for q in qids.values())
        assert len(qids["en"]) == 2 * topics
        assert set(mini.qrels(split=split)["qid"].to_pylist()) == set(qids["en"])
