"""Queries written in the words of the passages, and what searches with them."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from store import LswError
from tests.conftest import Lsw
from tests.workbench.training.test_triples import job
from workbench.graph import Job
from workbench.recipe.schema import bare
from workbench.stages._ranking import WRITTEN
from workbench.stages.retrieve import Retrieve
from workbench.stages.rewrite import Rewrite
from workbench.systems import SYSTEMS
from workbench.systems.word_by_word import WordByWord

ENTRIES = [("aigua", "eau", 0.6), ("aigua", "onde", 0.4), ("bon dia", "bonjour", 1.0), ("dia", "jour", 1.0)]


def rewriter(**settings: Any) -> WordByWord:
    return WordByWord.model_validate({"architecture": "word-by-word", **settings})


def test_each_word_becomes_its_best_translation() -> None:
    texts, summary = rewriter().rewritten(["L'Aigua, bon dia?", "vi"], ENTRIES)
    assert texts == ["L'Eau, bon jour?", "vi"]
    assert summary == {"words": 5, "translated": 2, "coverage": 0.4, "lexicon": 4}
    assert rewriter(longest=2).rewritten(["Bon dia"], ENTRIES)[0] == ["Bonjour"]
    with pytest.raises(LswError, match="Not one word") as fault:
        rewriter().rewritten(["de l'eau"], ENTRIES)
    assert "wrong way round" in fault.value.cure
    assert rewriter().reversed(["de l'eau"], ENTRIES) and not rewriter().reversed(["aigua"], ENTRIES)


def test_it_is_a_system_by_itself() -> None:
    assert bare()["translate-test"].role == "rewrites"
    assert SYSTEMS.part("word-by-word") is WordByWord


def rewritten(folder: Path, lexicon: tuple[str, str] = ("ca", "fr")) -> Job:
    """A job that left queries in other words."""
    columns = {
        "variety": ["ca"] * 2,
        "qid": ["1", "2"],
        "query": ["aigua", "dia"],
        "topic": ["1", "2"],
        "split": ["test"] * 2,
    }
    table = pa.table(dict(zip(("source", "target", "score"), map(list, zip(*ENTRIES, strict=True)), strict=True)))
    table = table.replace_schema_metadata(dict(zip(("source", "target"), lexicon, strict=True)))
    at = job(folder, source={"query": pa.table(columns)}, lexicon={"lexicon": table})
    work = Rewrite(rewriter=rewriter(), query_variety="ca", document_variety="fr")
    assert work.run(at)["changed"] == 2
    return at


def test_what_is_scored_is_what_was_written_in_the_words_of_the_passages_and_of_no_others(tmp_path: Path) -> None:
    at = rewritten(tmp_path)
    run = Job(at.key, {"queries": at.out}, at.out, at.work, at.progress, at.note)
    about = {"ranker": SYSTEMS.part("bm25")(architecture="bm25"), "depth": 10, "system": "translate-test >> bm25"}
    right = Retrieve(**about, query_variety="ca", document_variety="fr")
    queries = right.queries(run)
    assert queries["query"].to_pylist() == ["eau", "jour"]
    assert queries[WRITTEN].to_pylist() == ["fr", "fr"] and right.spoken(queries) == "fr"
    with pytest.raises(LswError, match="written in another variety than 'it'"):
        Retrieve(**about, query_variety="ca", document_variety="it").queries(run)
    with pytest.raises(LswError, match="of another variety than 'oc'"):
        Retrieve(**about, query_variety="oc", document_variety="fr").queries(run)


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "translate.toml"
    path.write_text(
        'title = "Translate-Test"\n[retrieval]\npairs = ["ca-fr"]\ndepth = 10\n'
        'systems = ["bm25", "translate-test >> bm25", "translate-test >> rrf(bm25, bm25-4grams)"]\n',
        "utf-8",
    )
    return path


def test_a_recipe_with_translated_queries(recipe: Path, small_scale: Path, lsw: Lsw, tmp_path: Path) -> None:
    """Runs, what they scored, and their provenance down to the training queries."""
    store = tmp_path / "store"
    lsw("recipe", "run", recipe, "--scale", small_scale, "--store", store)

    def sql(text: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = json.loads(lsw("sql", text, "--format", "json", "--store", store).stdout)
        return rows

    scored = sql(
        "SELECT system, query_variety, s.query AS scored, q.query AS asked FROM runs r JOIN scored_queries s USING (run_id)"
        " JOIN queries q ON q.qid = s.qid AND q.variety = r.query_variety"
    )
    assert {row["query_variety"] for row in scored} == {"ca", "fr"}
    for row in scored:
        plain = row["system"] == "bm25" or row["query_variety"] == "fr"
        assert not plain or row["scored"] == row["asked"]
    written = [r for r in scored if r["system"] == "translate-test >> bm25" and r["query_variety"] == "ca"]
    assert sum(r["scored"] != r["asked"] for r in written) > len(written) / 2
    fused = [r for r in scored if r["system"].startswith("translate-test >> rrf") and r["query_variety"] == "ca"]
    assert {r["scored"] for r in fused} == {r["scored"] for r in written}
    [run] = sql("SELECT run_id FROM runs WHERE system = 'translate-test >> bm25' AND query_variety = 'ca'")
    behind = json.loads(lsw("runs", "show", run["run_id"], "--json", "--store", store).stdout)["lineage"]
    assert {"rewrite", "lexicon", "bitext"} <= {stage["kind"] for stage in behind}
    splits = [json.loads(s["parameters"]).get("split") for s in behind if s["kind"] == "queries"]
    assert sorted(splits).count("train") == 2
    assert sql("SELECT query_variety FROM runs WHERE system = 'bm25-4grams'") == []  # alone nobody asked for it


@pytest.mark.parametrize(
    ("systems", "told"),
    [
        ('["translate-test"]', "rewrites only"),
        ('["bm25 >> translate-test"]', "does not rerank"),
        ('["translate-test >> mt5"]', "Unknown system 'mt5'"),
        ('["rrf(translate-test, bm25)"]', "rewrites only"),
    ],
)
def test_pipelines_that_rewrite_in_the_wrong_place(
    systems: str, told: str, recipe: Path, small_scale: Path, lsw: Lsw
) -> None:
    text = recipe.read_text("utf-8")
    recipe.write_text(text[: text.index("systems")] + f"systems = {systems}\n", "utf-8")
    assert told in lsw("recipe", "check", recipe, "--scale", small_scale, check=2).stderr.replace("\n", " ")


def test_passages_in_several_languages_have_no_words_to_write_in(recipe: Path, lsw: Lsw) -> None:
    text = recipe.read_text("utf-8").replace('"ca-fr"', '"ca-fr", "ca-mul"')
    recipe.write_text(text, "utf-8")
    told = lsw("recipe", "check", recipe, check=2).stderr
    assert "cannot write queries in the words of passages in several" in told
