"""Pages shown in windows, from files to figures, on a collection small enough to know every rank."""

import json
from pathlib import Path
from typing import Any

import pytest

from store import LswError, Store
from store.query import rows
from tests.conftest import cut
from workbench.checkpoints.resolve import SHIPPED
from workbench.collections.cuts import named
from workbench.collections.pages import Pages
from workbench.engine.execute import execute
from workbench.evaluation.collapses import named as collapse
from workbench.graph import Plan, Stage
from workbench.plans.planner import collection_of
from workbench.plans.recipe import compile_recipe
from workbench.recipe.load import load, recipe_path, scale_path
from workbench.systems._encoding import Computing
from workbench.systems.mt5 import load as mt5

PAGES = {
    "A": "alpha beta gamma delta pomme pomme epsilon zeta",
    "B": "pomme eta theta iota pomme kappa lambda mu",
    "C": "nu xi omicron pi rho sigma tau pomme",
    "D": "un deux trois quatre cinq six sept huit",
    "E": "ami bas car dos eau fin gel hier",
    "F": "ici jeu kilo lac mer nez or pas",
}
POMME = {"A": [0, 2], "B": [1, 1], "C": [0, 1]}
"""How often the word stands in each window of four words, which are all as long: BM25 follows it."""
WINDOWS = "retrieval.cut={words=4, stride=4}"


class Silent:
    """Keeps what a user would be told."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.summaries: dict[str, dict[str, Any]] = {}

    def begin(self, stage: Stage, position: int, total: int) -> None: ...
    def progress(self, stage: Stage, done: int, total: int) -> None: ...
    def note(self, text: str) -> None:
        self.notes.append(text)

    def end(self, stage: Stage, outcome: str, seconds: float, summary: dict[str, Any]) -> None:
        self.summaries[stage.label] = summary


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("long")
    (folder / "long").mkdir()
    lines = (json.dumps({"_id": name, "text": text}) for name, text in PAGES.items())
    (folder / "long" / "corpus.fr.jsonl").write_text("\n".join(lines), "utf-8")
    (folder / "long" / "queries.fr.tsv").write_text("q1\tpomme\nq2\trho\n", "utf-8")
    (folder / "long" / "qrels.tsv").write_text("q1 0 A 1\nq2 0 C 1\n", "utf-8")
    (folder / "own.toml").write_text(
        '[collection]\nname = "long"\nfolder = "long"\n[systems.mt5]\narchitecture = "mt5"\n'
        'checkpoint = "package:models/mt5"\nquery_length = 16\ndocument_length = 32\n', "utf-8"
    )  # fmt: skip
    (folder / "r.toml").write_text(
        'title = "x"\n[retrieval]\npairs = ["fr-fr"]\nask = ["high"]\nsystems = ["bm25"]\ndepth = 10\n'
        '[comparison]\ncontrasts = ["gain"]\nresamples = 10\n[measures]\nnames = ["RR@10"]\n', "utf-8"
    )  # fmt: skip
    return folder


def planned(folder: Path, *changes: str) -> Plan:
    scale = folder / "own.toml"
    return compile_recipe(load(folder / "r.toml", scale, list(changes)), "r", "own", folder)


def ran(folder: Path, *changes: str) -> tuple[Store, Plan, Silent]:
    store, plan, told = Store(folder / "store"), planned(folder, *changes), Silent()
    execute(plan, store, told)
    return store, plan, told


def ranking(store: Store, stage: Stage, qid: str) -> list[str]:
    with store.reading() as con:
        found = rows(con, "SELECT docno FROM rankings WHERE run_id = ? AND qid = ? ORDER BY rank", [stage.run_id, qid])
        return [row["docno"] for row in found]


def expected(way: str) -> list[str]:
    """The pages for `pomme`, of equal ones the last first; BM25's k1 is .9, so two are worth 2 x 1.9 / 2.9 of one."""
    worth = {0: 0.0, 1: 1.0, 2: 2 * 1.9 / 2.9}
    score = {}
    for page, times in POMME.items():
        shown = [worth[times[at]] for at in collapse(way).picked(page, 2)]
        score[page] = sum(shown) / len(shown) if way == "mean-top-3" else max(shown)
    return sorted((page for page in score if score[page] > 0), key=lambda page: (score[page], page), reverse=True)


@pytest.mark.parametrize(
    ("way", "pages", "figure"), [("max", "ACB", 1.0), ("first", "B", 0.0), ("mean-top-3", "BAC", 0.5)]
)
def test_figures_of_pages(way: str, pages: str, figure: float, folder: Path) -> None:
    store, plan, told = ran(folder, WINDOWS, f'retrieval.collapse="{way}"')
    [run] = plan.runs
    assert ranking(store, run, "q1") == expected(way) == list(pages)
    assert ranking(store, run, "q2") == ([] if way == "first" else ["C"])
    with store.reading() as con:
        [row] = rows(con, "SELECT value FROM measures WHERE run_id = ? AND qid = 'q1'", [run.run_id])
    assert row["value"] == figure
    assert told.notes == []


def test_a_page_whole_is_read_as_it_is(folder: Path) -> None:
    store, plan, _ = ran(folder)
    assert ranking(store, plan.runs[0], "q1") == ["B", "A", "C"]
    assert not {stage.kind for stage in plan.stages} & {"cut", "search-windows", "collapse"}
    assert [stage.key for stage in planned(folder, 'retrieval.cut="first"').stages] == [s.key for s in plan.stages]


def test_a_ranker_reads_so_many_tokens_of_what_is_tested_and_is_trained_as_before() -> None:
    """In the recipe's place of windows: a part that is named replaces another with its settings."""
    scale = scale_path("mini")

    def lengths(cut: str) -> dict[str, Any]:
        recipe = load(recipe_path("genre"), scale, [f"retrieval.cut={cut}"])
        works: list[Any] = [s.work for s in compile_recipe(recipe, "genre", "mini", scale.parent, fetch=False).stages]
        read = {w.name: getattr(w.ranker, "document_length", None) for w in works if hasattr(w, "ranker")
                and w.ranker.architecture != "bm25"}  # fmt: skip
        tuned = sorted(json.dumps(work.key(), sort_keys=True) for work in works if work.name == "finetune")
        return read | {"tuned": tuned}

    usual, long = lengths('"first"'), lengths('{cut="first", tokens=256}')
    assert usual["tuned"] == long["tuned"] and len(usual["tuned"]) == 4
    assert (usual["index"], usual["retrieve"], usual["finetune"]) == (160, 160, 160)
    assert (long["index"], long["retrieve"], long["finetune"]) == (256, 256, 160)
    windows = lengths("{words=150, stride=75, tokens=256}")
    assert (windows["index"], windows["search-windows"], windows["finetune"]) == (256, 256, 160)


def test_windows_are_kept_with_their_pages_and_searched_once(folder: Path) -> None:
    store, plan, _ = ran(folder, WINDOWS)
    with store.reading() as con:
        kept = rows(con, "SELECT * FROM parents JOIN stages USING (key) WHERE inputs IS NOT NULL AND kind = 'cut'")
    found = {(row["docno"], row["parent"], row["position"]) for row in kept if row["collection"] == "long"}
    assert found == {(f"{page}#{at}", page, at) for page in PAGES for at in (0, 1)}
    assert all(PAGES[row["parent"]][row["begins"] : row["ends"]].split() == PAGES[row["parent"]].split()[:4]
               for row in kept if row["position"] == 0)  # fmt: skip
    other = planned(folder, WINDOWS, 'retrieval.collapse="mean-top-3"')
    searches = {s.key for p in (plan, other) for s in p.stages if s.kind == "search-windows"}
    assert len(searches) == 1


def test_a_reranker_scores_the_windows_of_the_best_pages(folder: Path) -> None:
    """Each page's score is that of its best window by the reranker itself; pages below the depth follow."""
    store, plan, told = ran(folder, WINDOWS, 'retrieval.systems=["bm25 >> mt5"]', "reranking.depth=2")
    import pandas as pd

    [run] = plan.runs
    asked = pd.DataFrame(
        [("q1", "pomme", f"{page}#{at}", PAGES[page][slice(*span)]) for page in "AC"
         for at, span in enumerate(named({"words": 4, "stride": 4}).spans(PAGES[page], "fr")[0]) if POMME[page][at]],
        columns=["qid", "query", "docno", "text"],
    )  # fmt: skip
    scores = mt5(SHIPPED / "models" / "mt5", 32, Computing())(asked).set_index("docno")["score"]
    best = {page: max(s for docno, s in scores.items() if docno[0] == page) for page in "AC"}
    with store.reading() as con:
        got = rows(con, "SELECT docno, score FROM rankings WHERE run_id = ? AND qid = 'q1' ORDER BY rank", [run.run_id])
    assert [row["docno"] for row in got] == [*sorted(best, key=lambda page: -best[page]), "B"]
    assert {row["docno"]: row["score"] for row in got if row["docno"] != "B"} == pytest.approx(best, rel=1e-5)
    assert got[-1]["score"] < min(best.values())
    assert told.summaries["rerank fr over windows of fr with bm25 >> mt5"]["scored"] == 3


def test_a_window_that_no_reranker_scored_is_as_good_as_the_last_that_one_did(folder: Path) -> None:
    """Where a page stood in the list of the first stage is no score."""
    store, plan, told = ran(
        folder, WINDOWS, 'retrieval.systems=["bm25 >> mt5"]', "reranking.depth=1", 'retrieval.collapse="mean-top-3"'
    )
    import pandas as pd

    whole = named({"words": 4, "stride": 4}).spans(PAGES["A"], "fr")[0][1]
    asked = pd.DataFrame([("q1", "pomme", "A#1", PAGES["A"][slice(*whole)])], columns=["qid", "query", "docno", "text"])
    [score] = mt5(SHIPPED / "models" / "mt5", 32, Computing())(asked)["score"]
    with store.reading() as con:
        got = rows(con, "SELECT docno, score FROM rankings WHERE run_id = ? AND qid = 'q1' ORDER BY rank", [plan.runs[0].run_id])  # fmt: skip
    assert got[0] == {"docno": "A", "score": pytest.approx(score, rel=1e-5)}  # its other window has no such word
    assert {row["docno"] for row in got[1:]} == {"B", "C"} and got[1]["score"] < score
    assert told.notes == []


def test_only_of_joined_pages_it_is_known_which_window_is_relevant(folder: Path) -> None:
    with pytest.raises(LswError, match="a page of 'long' holds what is relevant is not known") as fault:
        planned(folder, WINDOWS, 'retrieval.collapse="oracle"')
    assert fault.value.detail == "retrieval.collapse" and 'collapse = "max"' in fault.value.cure


@pytest.mark.parametrize("scale", ["mini", "laptop-mini", "laptop", "small", "paper"])
def test_the_recipe_on_pages_asks_for_the_relevant_window_where_it_is_known(scale: str) -> None:
    recipe = load(recipe_path("genre"), scale_path(scale))
    assert recipe.study and recipe.retrieval
    tested = collection_of(recipe.collections[recipe.retrieval.collection], scale_path(scale).parent)
    assert ("oracle" in recipe.study.vary["shown"]) == isinstance(tested, Pages)


def test_what_cannot_be_shown_in_windows_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(LswError, match="what was fused are pages, not windows") as fault:
        planned(folder, WINDOWS, 'retrieval.systems=["rrf(bm25, bm25-4grams) >> mt5"]')
    assert "rrf(bm25, bm25-4grams) >> mt5" in fault.value.title
    cut(tmp_path / "several", ("fr", "it"), ("fr",), 3)
    (tmp_path / "own.toml").write_text('[collection]\nname = "s"\nfolder = "several"\nmixed = ["fr", "it"]\n', "utf-8")
    (tmp_path / "r.toml").write_text((folder / "r.toml").read_text("utf-8").replace("fr-fr", "fr-mul"), "utf-8")
    with pytest.raises(LswError, match="Passages in several languages are not cut"):
        planned(tmp_path, WINDOWS, 'retrieval.ask=["low"]')
