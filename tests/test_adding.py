"""The parts of `docs/adding.md`, installed as a package of somebody else's and run from the command line."""

import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from store import Store
from store.query import rows
from tests.conftest import ROOT, run_lsw

_PART = re.compile(r"<!-- (lsw\.[a-z]+): ([a-z-]+) -->\n```python\n(.*?)```", re.DOTALL)
PARTS = _PART.findall((ROOT / "docs" / "adding.md").read_text("utf-8"))
Run = Callable[..., subprocess.CompletedProcess[str]]


def wheel(folder: Path, version: str) -> Path:
    """The examples as a distribution, as any tool would build it."""
    path = folder / f"lsw_example-{version}-py3-none-any.whl"
    info = f"lsw_example-{version}.dist-info"
    groups: dict[str, list[str]] = {}
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("lsw_example/__init__.py", "")
        for group, name, code in PARTS:
            [cls] = re.findall(r"^class (\w+)\(", code, re.MULTILINE)
            archive.writestr(f"lsw_example/{name}.py", code)
            groups.setdefault(group, []).append(f"{name} = lsw_example.{name}:{cls}")
        points = "\n".join(f"[{group}]\n" + "\n".join(lines) for group, lines in groups.items())
        archive.writestr(f"{info}/entry_points.txt", points)
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: lsw-example\nVersion: {version}\n")
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", "")
    return path


def install(folder: Path, version: str = "1.0") -> Run:
    """`lsw` in an environment that has the package beside it."""
    site = folder / f"site-{version}"
    command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index", "--target", str(site)]
    subprocess.run([*command, str(wheel(folder, version))], check=True, capture_output=True)
    return lambda *args, **env: run_lsw(*args, PYTHONPATH=f"{site}{os.pathsep}{ROOT}", cwd=folder, **env)


@pytest.fixture
def theirs(tmp_path: Path) -> Run:
    return install(tmp_path)


def stages(store: Path, kind: str) -> list[dict[str, Any]]:
    with Store(store).reading() as con:
        return rows(con, "SELECT key, parameters, summary FROM stages WHERE kind = ? AND status = 'done'", [kind])


def test_every_kind_of_part_has_its_example() -> None:
    assert {group for group, _, _ in PARTS} == {
        "lsw.systems", "lsw.sources", "lsw.translators", "lsw.lexicons", "lsw.steps", "lsw.objectives", "lsw.triples", "lsw.tests",
        "lsw.corrections", "lsw.reports", "lsw.pages", "lsw.features",
        "lsw.analyses",
    }  # fmt: skip
    for _, name, code in PARTS:
        assert len(code.splitlines()) <= 50, name


@pytest.mark.slow
def test_a_system_a_test_a_correction_and_a_report(small: Path, theirs: Run, tmp_path: Path) -> None:
    store = tmp_path / "store"
    ids = [
        theirs("retrieve", small, "--system", "shortest", "--query-variety", code, "--document-variety", "fr",
               "--store", store).stdout.strip()
        for code in ("ca", "fr")
    ]  # fmt: skip
    assert len({*ids}) == 2
    [index] = stages(store, "index")
    assert json.loads(index["parameters"])["ranker"] == {
        "architecture": "shortest",
        "shared": 1,
        "plugin": "lsw-example 1.0",
    }
    told = theirs("compare", *ids, "--test", "sign", "--correction", "sidak", "--format", "markdown", "--store", store)
    assert told.stdout.startswith("| system | delta in RR@10 | p |")
    [row] = json.loads(theirs("compare", *ids, "--test", "sign", "--json", "--store", store).stdout)["comparisons"]
    assert (row["test"], row["resamples"]) == ("sign", 0)
    # Without the plug-in its name is refused, and what it made is still there to be read.
    plain = run_lsw("compare", *ids, "--test", "sign", "--store", store, check=2)
    assert "Unknown test 'sign'" in plain.stderr
    assert "shortest" in run_lsw("runs", "show", ids[0], "--store", store).stdout


@pytest.mark.slow
def test_an_analysis(small_scale: Path, theirs: Run, tmp_path: Path) -> None:
    study = tmp_path / "deep.toml"
    study.write_text(
        'title = "Deep"\n[retrieval]\npairs = ["ca-fr"]\nsystems = ["bm25"]\n[study]\nanalysis = "widest"\n'
        'vary."retrieval.depth" = [1, 20]\n',
        "utf-8",
    )
    where = "--scale", small_scale, "--store", tmp_path / "s"
    told = theirs("study", "run", study, *where, "--no-forecast", "--json")
    effects = {row["query_variety"]: row for row in json.loads(told.stdout)["effects"]}
    assert set(effects) == {"ca", "fr"}
    assert all((row["effect"], row["unit"]) == ("range", "RR@10") and row["estimate"] >= 0 for row in effects.values())
    refused = run_lsw("study", "run", study, *where, check=2)
    assert "Unknown analysis 'widest'" in refused.stderr


@pytest.mark.slow
def test_another_version_is_another_result(small: Path, tmp_path: Path) -> None:
    ids = [
        install(tmp_path, version)(
            "retrieve", small, "--system", "shortest", "--query-variety", "fr", "--document-variety", "fr",
            "--store", tmp_path / "store",
        ).stdout
        for version in ("1.0", "1.1", "1.0")
    ]  # fmt: skip
    assert ids[0] == ids[2] != ids[1]


@pytest.mark.slow
def test_a_source_and_a_translator(theirs: Run, tmp_path: Path) -> None:
    folder = tmp_path / "lines"
    folder.mkdir()
    (folder / "passages.tsv").write_text("d1\tLA GUERRE !\nd2\tle chat\nd3\tune maison\n", "utf-8")
    (folder / "test.tsv").write_text("q1\tla guerre\nq2\tun chat\n", "utf-8")
    (folder / "test.qrels").write_text("q1\td1\t1\nq2\td2\t1\n", "utf-8")
    scale = tmp_path / "lines.toml"
    scale.write_text(
        f'[collection]\nname = "lines"\nsources = {{ fr = "lines:{folder}" }}\nsplits = {{ test = "test" }}\n', "utf-8"
    )
    recipe = tmp_path / "shouted.toml"
    recipe.write_text(
        'title = "Shouted"\n[translation]\ntranslator = "shout"\nmark = "?"\n'
        '[retrieval]\npairs = ["ca-fr"]\nsystems = ["bm25"]\n[comparison]\ncontrasts = ["gap"]\n',
        "utf-8",
    )
    store = tmp_path / "store"
    theirs("recipe", "run", recipe, "--scale", scale, "--store", store)
    with Store(store).reading() as con:
        texts = rows(con, "SELECT text FROM translations ORDER BY qid")
    assert [row["text"] for row in texts] == ["LA GUERRE ?", "UN CHAT ?"]
    [translation] = stages(store, "translate")
    assert json.loads(translation["parameters"])["plugin"] == "lsw-example 1.0"
    assert json.loads(stages(store, "passages")[0]["parameters"])["plugin"] == "lsw-example 1.0"


@pytest.mark.slow
def test_a_lexicon_and_a_feature_of_similarity(small_scale: Path, theirs: Run, tmp_path: Path) -> None:
    recipe = tmp_path / "near.toml"
    recipe.write_text(
        'title = "Near"\n[systems.near]\narchitecture = "word-by-word"\n[systems.near.lexicon]\nlexicon = "cognates"\n'
        'letters = 4\n[retrieval]\npairs = ["ca-fr"]\nsystems = ["near >> bm25"]\n'
        '[similarity]\nfeatures = ["grams", { feature = "initials", letters = 2 }]\n',
        "utf-8",
    )
    store = tmp_path / "store"
    theirs("recipe", "run", recipe, "--scale", small_scale, "--store", store)
    [made] = stages(store, "lexicon")
    assert json.loads(made["parameters"])["lexicon"] == {
        "lexicon": "cognates",
        "letters": 4,
        "plugin": "lsw-example 1.0",
    }
    assert json.loads(stages(store, "rewrite")[0]["summary"])["changed"] > 0
    [measured] = stages(store, "similarity")
    assert json.loads(measured["parameters"])["features"][1] == {
        "feature": "initials",
        "letters": 2,
        "plugin": "lsw-example 1.0",
    }
    with Store(store).reading() as con:
        [row] = rows(con, "SELECT * FROM similarities WHERE feature = 'same-initials'")
        [found] = rows(
            con, "SELECT avg(value) AS mean, count(*) AS n FROM query_similarities WHERE feature = 'same-initials'"
        )
        asked = rows(con, "SELECT variety, qid, query FROM queries WHERE split = 'test'")
    begins = {(r["variety"], r["qid"]): r["query"][:2].lower() for r in asked}
    same = [begins["ca", qid] == begin for (variety, qid), begin in begins.items() if variety == "fr"]
    assert (row["low"], row["high"], row["n"], row["key"]) == ("ca", "fr", len(same), measured["key"])
    assert row["value"] == pytest.approx(sum(same) / len(same)) == found["mean"] and found["n"] == len(same)


@pytest.mark.slow
def test_triples_a_step_and_an_objective(small_recipe: Path, small_scale: Path, theirs: Run, tmp_path: Path) -> None:
    """Rows of a table that is not ours are kept, and forgotten with their stage."""
    store = tmp_path / "store"
    command = [
        "recipe", "run", small_recipe, "--scale", small_scale, "--store", store, 'negatives.source="neighbours"',
        'fine-tuning.steps=[{step="doubled"}]', 'fine-tuning.bge-m3.objective="triplet"', "fine-tuning.bge-m3.epochs=1",
    ]  # fmt: skip
    theirs(*command)
    [made] = stages(store, "neighbours")
    [trained] = stages(store, "finetune")
    triples = json.loads(made["summary"])["triples"]
    assert json.loads(trained["summary"])["examples"] == 2 * triples
    parameters = json.loads(trained["parameters"])
    assert parameters["tuning"]["objective"] == "triplet"
    assert parameters["steps"] == [{"plugin": "lsw-example 1.0", "step": "doubled", "times": 2}]

    def extras() -> list[dict[str, Any]]:
        with Store(store).reading() as con:
            return rows(con, "SELECT name, count(*) AS n, count(DISTINCT key) AS keys FROM extras GROUP BY name")

    assert extras() == [{"name": "neighbour", "n": triples, "keys": 1}]
    theirs(*command, "--force", "neighbours")
    assert extras() == [{"name": "neighbour", "n": triples, "keys": 1}]


@pytest.mark.slow
def test_a_screen(made: Store, theirs: Run, tmp_path: Path) -> None:
    code = (
        "import asyncio\n"
        "from pathlib import Path\n"
        "from store import Store\n"
        "from tui.app import Workbench\n"
        "from tui.frame.listing import Listing\n"
        "async def main():\n"
        f"    app = Workbench(Store(Path({str(made.folder)!r})))\n"
        "    async with app.run_test(size=(120, 40)) as pilot:\n"
        "        while not app.runs:\n"
        "            await pilot.pause(0.05)\n"
        "        await pilot.press(str(len(app.pages)))\n"
        "        await pilot.pause()\n"
        "        print(app.screen.PAGE, app.screen.query_one(Listing).rows.plain())\n"
        "asyncio.run(main())\n"
    )
    env = {**os.environ, "PYTHONPATH": str(tmp_path / "site-1.0")}
    done = subprocess.run([sys.executable, "-c", code], env=env, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "kinds (['system', 'runs'], [['bm25', '2']])"
