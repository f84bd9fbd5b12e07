"""Training triples from everywhere they may come from."""

import gzip
import json
import os
import pickle
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

from store import LswError
from store.artifacts import file_hash
from store.passages import FILE, write
from tests.conftest import Lsw
from workbench.collections.folder import MINI, Folder
from workbench.collections.formats import batched
from workbench.collections.sources import source
from workbench.costs.estimator import Estimator
from workbench.graph import Graph, Job, Stage
from workbench.stages.finetune import Finetune
from workbench.stages.queries import ReadQueries
from workbench.stages.scores import ReadScores
from workbench.stages.triples import docpairs, published
from workbench.stages.triples.base import Negatives
from workbench.stages.triples.docpairs import Docpairs
from workbench.stages.triples.hard_negatives import HardNegatives
from workbench.stages.triples.mined import Mined
from workbench.stages.triples.published import PublishedTriples
from workbench.systems.bi_encoder import BiEncoder
from workbench.training.steps.base import Step
from workbench.training.steps.beside import Beside
from workbench.training.steps.code_switch import CodeSwitch
from workbench.training.tuning import Tuning
from workbench.varieties import Pair, pair

HOME = Path(os.environ["IR_DATASETS_HOME"])


def job(folder: Path, **inputs: dict[str, pa.Table]) -> Job:
    """A stage's job whose inputs have these tables."""
    folders = {}
    for role, tables in inputs.items():
        folders[role] = folder / role
        (folder / role / "rows").mkdir(parents=True)
        for name, table in tables.items():
            pq.write_table(table, folder / role / "rows" / f"{name}.parquet")
    for name in ("out", "work"):
        (folder / name).mkdir(exist_ok=True, parents=True)
    return Job("k" * 64, folders, folder / "out", folder / "work", lambda done, total: None, print)


def queries(*qids: str) -> dict[str, pa.Table]:
    return {"query": pa.table({"variety": ["ca"] * len(qids), "qid": list(qids), "query": [f"text {q}" for q in qids]})}


@pytest.fixture
def msmarco(tmp_path: Path) -> tuple[Path, Path]:
    """Its hard negatives and its pickled scores, in their format: query 1 has 6 candidates, query 2 has none left,
    of query 4 nothing is scored."""
    lines = [
        {"qid": 1, "pos": [10], "neg": {"bm25": [20, 21, 22], "tas-b": [22, 23, 24, 25]}},
        {"qid": 2, "pos": [11], "neg": {"bm25": [20]}},
        {"qid": 3, "pos": [], "neg": {"bm25": [20]}},
        {"qid": 4, "pos": [12], "neg": {"bm25": [20]}},
        {"qid": 9, "pos": [10], "neg": {"bm25": [20]}},
    ]
    negatives = tmp_path / "msmarco-hard-negatives.jsonl.gz"
    negatives.write_bytes(gzip.compress("\n".join(map(json.dumps, lines)).encode()))
    scored = {1: {10: 5.0, 20: 1.9, 21: 2.1, 22: -4.0, 23: 9.0, 24: 2.0, 25: -1.0}, 2: {11: 1.0, 20: 0.5}, 9: {10: 1.0}}
    scores = tmp_path / "scores.pkl.gz"
    scores.write_bytes(gzip.compress(pickle.dumps(scored)))
    return negatives, scores


def test_hard_negatives_keep_the_margin(msmarco: tuple[Path, Path], tmp_path: Path) -> None:
    negatives, scores = msmarco
    reading = job(tmp_path / "scores")
    assert ReadScores(origin=scores.name, at=str(scores)).run(reading) == {"scores": 10}
    known = {"scores": pq.read_table(reading.out / "rows" / "scores.parquet")}
    for name, per_query, expected in (("two", 2, 2), ("all", 9, 4)):
        here = job(tmp_path / name, queries=queries("1", "2", "3", "4"), scores=known)
        work = HardNegatives(origin=negatives.name, at=str(negatives), margin=3.0, per_query=per_query, seed=1)
        summary = work.run(here)
        rows = pq.read_table(here.out / "rows" / "triple.parquet").to_pylist()
        assert summary == {"triples": len(rows), "queries": 1, "queries_without_scores": 1}
        assert len(rows) == expected
        assert all(row["score_negative"] <= row["score_positive"] - 3.0 for row in rows)
        assert {row["qid"] for row in rows} == {"1"}  # 2 has none with the margin, 9 is no query of ours
        assert len({row["docno_negative"] for row in rows}) == expected
        assert rows[0]["query"] == "text 1"
    assert {row["docno_negative"] for row in rows} == {"20", "22", "24", "25"}
    here = job(tmp_path / "few", queries=queries("1", "2"), scores=known)
    few = HardNegatives(origin=negatives.name, at=str(negatives), margin=3.0, per_query=9, seed=1, limit=3)
    assert few.run(here)["triples"] == len(pq.read_table(here.out / "rows" / "triple.parquet")) == 3


def test_a_file_of_scores_can_call_nothing(tmp_path: Path) -> None:
    bad = tmp_path / "bad.pkl"
    bad.write_bytes(pickle.dumps({1: Path}))
    with pytest.raises(LswError, match="only plain numbers are read"):
        ReadScores(origin=bad.name, at=str(bad)).run(job(tmp_path / "j"))
    bad.write_bytes(b"no pickle")
    with pytest.raises(LswError, match="not a file of scores"):
        ReadScores(origin=bad.name, at=str(bad)).run(job(tmp_path / "k"))


def mined(
    folder: Path, found: pa.Table, qrels: pa.Table, *qids: str, **changes: Any
) -> tuple[Any, list[dict[str, Any]]]:
    """The summary and the triples of mining."""
    mining = Mined(**{"margin": 0.05, "depth": 50, "per_query": 9, "seed": 1, **changes})
    here = job(folder, found={"found": found}, qrels={"qrel": qrels}, queries=queries(*qids))
    return mining.run(here), pq.read_table(here.out / "rows" / "triple.parquet").to_pylist()


def test_mining_leaves_out_what_may_be_relevant(tmp_path: Path) -> None:
    results = pa.table({"qid": ["q"] * 5, "docno": list("abcde"), "score": [10.0, 9.9, 9.0, 8.0, 7.0]})
    qrels = pa.table({"qid": ["q", "q"], "docno": ["b", "e"], "label": [1, 0]})
    summary, rows = mined(tmp_path / "m", results, qrels, "q")
    assert {(r["docno_positive"], r["docno_negative"]) for r in rows} == {("b", "c"), ("b", "d"), ("b", "e")}
    assert {(r["qid"], r["query"], r["score_positive"]) for r in rows} == {("q", "text q", 9.9)}
    assert summary == {"triples": 3, "queries": 1, "queries_left_out": 0}
    negative = results.set_column(2, "score", pa.array([-1.0, -2.0, -2.05, -3.0, -9.0]))  # logits have no zero
    assert {r["docno_negative"] for r in mined(tmp_path / "n", negative, qrels, "q")[1]} == {"d", "e"}


def test_mining_draws_by_its_seed_from_the_best(tmp_path: Path) -> None:
    """Of the `depth` best candidates `per_query`; queries whose relevant passages are not found are left out."""
    names = [f"d{i:02}" for i in range(40)]
    rows = [*(("q", name, 40 - i) for i, name in enumerate(names)), ("r", "x", 5), ("s", "d00", 5), ("s", "x", 4)]
    results = pa.Table.from_pylist([dict(zip(("qid", "docno", "score"), row, strict=True)) for row in rows])
    qrels = pa.table({"qid": ["q", "r", "s"], "docno": ["d00", "d00", "d00"], "label": [1, 1, 1]})
    asked = "q", "r", "t"  # nothing was searched for t, and s is no query of ours
    summary, drawn = mined(tmp_path / "a", results, qrels, *asked, margin=0.0, depth=10, per_query=4)
    again = mined(tmp_path / "b", results, qrels, *asked, margin=0.0, depth=10, per_query=4)[1]
    other = mined(tmp_path / "c", results, qrels, *asked, margin=0.0, depth=10, per_query=4, seed=2)[1]
    every = mined(tmp_path / "d", results, qrels, *asked, margin=0.0, depth=10, per_query=99)[1]
    assert summary == {"triples": 4, "queries": 1, "queries_left_out": 2}
    assert {row["docno_negative"] for row in every} == set(names[1:11])
    assert {row["docno_negative"] for row in drawn} < set(names[1:11])
    assert drawn == again != other


@pytest.fixture
def _pairs() -> None:
    """mMARCO's training pairs, where ir_datasets keeps them."""
    pairs = HOME / "mmarco" / "triples.train.ids.small.tsv"
    pairs.parent.mkdir(parents=True, exist_ok=True)
    pairs.write_text("30\t2\t0\n99\t1\t0\n30\t2\t1\n", "utf-8")


@pytest.mark.usefixtures("_pairs")
def test_training_pairs_of_ir_datasets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    here = job(tmp_path, queries=queries("30"))
    assert Docpairs(origin="irds:mmarco/v2/fr/train").run(here) == {"triples": 2, "queries": 1}
    rows = pq.read_table(here.out / "rows" / "triple.parquet").to_pylist()
    assert [(r["docno_positive"], r["docno_negative"]) for r in rows] == [("2", "0"), ("2", "1")]
    assert [(r["key"], r["qid"], r["query"], r["score_positive"]) for r in rows] == [
        ("k" * 64, "30", "text 30", None)
    ] * 2
    first = Docpairs(origin="irds:mmarco/v2/fr/train", limit=1)
    assert first.run(job(tmp_path / "few", queries=queries("30"))) == {"triples": 1, "queries": 1}
    with pytest.raises(LswError, match="No training triple") as caught:
        first.run(job(tmp_path / "none", queries=queries("7")))
    assert caught.value.exit_code == 1
    monkeypatch.setattr(docpairs, "_AT_ONCE", 1)  # read some at a time
    told: list[tuple[int, int]] = []
    for limit, folder in ((None, "whole"), (2, "two")):
        here = replace(job(tmp_path / folder, queries=queries("30")), progress=lambda *done: told.append(done))
        assert Docpairs(origin="irds:mmarco/v2/fr/train", limit=limit).run(here) == {"triples": 2, "queries": 1}
        assert pq.read_table(here.out / "rows" / "triple.parquet").to_pylist() == rows
    assert told == [(1, 0), (2, 0), (1, 2), (2, 2)]


def test_a_step_that_is_done_twice_counts_twice(tmp_path: Path) -> None:
    switch = {"step": "code-switch", "lexicon": "bitext", "query_to": ["ca"], "probability": 1.0}
    training = Finetune(
        system="s",
        base="b",
        trained_on="fr-fr",
        ranker=BiEncoder(architecture="bi-encoder", checkpoint="b", query_length=32, document_length=64),
        tuning=Tuning(epochs=1.0, learning_rate=1e-4, batch_size=4),
        steps=[CodeSwitch.model_validate(switch)] * 2,
        query_variety="fr",
        document_variety="fr",
    )
    triple = pa.table({"query": ["un chat"], "docno_positive": ["d0"], "docno_negative": ["d1"]})
    words = [{"source": ["chat"], "target": ["gat"]}, {"source": ["un", "gat"], "target": ["u", "gatet"]}]
    lexicons = {
        f"step.{n}.ca": {
            "lexicon": pa.table(some | {"score": [1.0] * len(some["source"])}).replace_schema_metadata(
                {"source": "fr", "target": "ca"}
            )
        }
        for n, some in enumerate(words)
    }
    here = job(tmp_path, triples={"triple": triple}, passages={}, **lexicons)
    write(here.inputs["passages"] / FILE, batched((d, "un texte") for d in ("d0", "d1")))
    counts: dict[str, float] = {}
    assert training._triples(here, counts)["query"].to_pylist() == ["u gatet"]
    assert (counts["query_switched"], counts["query_switched_2"]) == (1, 2)


def test_a_few_triples_without_their_passage_are_left_out(tmp_path: Path) -> None:
    told: list[str] = []
    ranker = BiEncoder(architecture="bi-encoder", checkpoint="b", query_length=32, document_length=64)
    tuning = Tuning(epochs=1.0, learning_rate=1e-4, batch_size=4)
    training = Finetune(
        system="s",
        base="b",
        trained_on="ca-fr",
        ranker=ranker,
        tuning=tuning,
        query_variety="ca",
        document_variety="fr",
    )

    def texts(folder: Path, lacking: int, most: int | None = None, steps: Sequence[Step] = ()) -> list[str]:
        rows = [f"d{i}" for i in range(200)]
        triple = pa.table({"query": rows, "docno_positive": ["d0"] * 200, "docno_negative": rows})
        here = replace(job(folder, triples={"triple": triple}, passages={}), note=told.append)
        kept = ((d, f"text {d}") for d in rows[: 200 - lacking])
        write(here.inputs["passages"] / FILE, batched(kept))
        some = tuning.model_copy(update={"steps": most // 4 if most else None})
        by = training.model_copy(update={"tuning": some, "steps": list(steps)})
        whole = by._looked_up(here, "triples", "passages", pair("ca-fr"))
        assert ("docno_positive" in whole.column_names) == bool(steps)  # else batches are made as ever
        return whole["negative"].to_pylist()

    assert texts(tmp_path / "few", 2) == [f"text d{i}" for i in range(198)]
    assert told == ["2 of 200 triples left out: a passage of theirs is not in the collection"]
    assert len(texts(tmp_path / "drawn", 0, most=48)) == 48
    among = Beside.model_validate({"step": "beside", "total": 20})
    assert len(texts(tmp_path / "all", 0, most=48, steps=[among])) == 200  # a step that chooses is given all
    with pytest.raises(LswError, match="Passage 'd197' of a training triple is not in the collection"):
        texts(tmp_path / "many", 3)


def test_published_triples_are_read_up_to_their_limit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Each negative of a line makes a triple, with the first positive; what comes after the limit is not looked at."""
    rows = [{"query": f"q{i}", "pos": [f"p{i}", "x"], "neg": [f"n{i}", f"m{i}"]} for i in range(4)]
    plain, packed = tmp_path / "triples.jsonl", tmp_path / "triples.jsonl.gz"
    plain.write_text("\n".join([*map(json.dumps, rows), "no JSON"]), "utf-8")
    packed.write_bytes(gzip.compress("\n".join(map(json.dumps, rows)).encode()))
    every = [(f"q{i}", f"p{i}", f"{n}{i}") for i in range(4) for n in "nm"]
    told: list[tuple[int, int]] = []
    for at_once in (100, 2, 3):
        monkeypatch.setattr(published, "_AT_ONCE", at_once)
        for file, limit, most in ((packed, None, 8), (plain, 8, 8), (packed, 5, 5), (packed, 9, 8)):
            folder = tmp_path / f"{at_once}-{file.suffix}-{limit}"
            here = replace(job(folder), progress=lambda *done: told.append(done))
            work = PublishedTriples(origin=file.name, at=str(file), limit=limit)
            assert work.run(here) == {"triples": most}
            got = pq.read_table(here.out / "rows" / "texts.parquet").to_pylist()
            assert [tuple(row.values()) for row in got] == every[:most]
    assert told[:4] == [(2, 0), (4, 0), (6, 0), (8, 0)] and (2, 8) in told
    for line, said in (("no JSON", "Broken JSON"), ('{"query": "x", "pos": [], "neg": ["n"]}', "A triple needs")):
        plain.write_text(json.dumps(rows[0]) + "\n" + line, "utf-8")
        with pytest.raises(LswError, match=said) as caught:
            PublishedTriples(origin="t", at=str(plain)).run(job(tmp_path / said))
        assert caught.value.detail == f"{plain}, line 2"


PAIR = Pair("ca", "fr")


class Plan(SimpleNamespace):
    """What a source of triples may ask, in small: the mini collection's training queries."""

    def __init__(self, **negatives: Any) -> None:
        self.graph, self.negatives, self.asked = Graph(), Negatives(**negatives), []
        mini = Folder("mini", MINI)
        work = ReadQueries(collection="mini", origin={}, source=mini, variety="ca", split="train")
        self.queries = self.graph.add(work, "read train queries")

    def training_wordings(self, on: Pair) -> dict[str, Stage]:
        return {"queries": self.queries}

    def training_qrels(self, code: str) -> Stage:
        return self.queries

    def training_source(self, code: str) -> Any:
        return source({"fr": "irds:mmarco/v2/fr/train", "id": "beir:some/where"}[code])

    def mined(self, *asked: Any) -> Stage:
        self.asked.append(asked)
        return self.queries


def test_what_is_planned_is_what_the_recipe_says(tmp_path: Path) -> None:
    file = tmp_path / "file.jsonl"
    file.write_text("{}", "utf-8")
    own, seven = {"origin": "file.jsonl", "sha256": file_hash(file)}, {"limit": 7}
    for queries_in, low, depth, searched in (("low", True, 50, 1_000), ("high", False, 2_000, 2_000)):
        plan = Plan(queries=queries_in, depth=depth, system="bge-m3", margin=0.2)
        stage = Mined.planned(plan, PAIR, None)
        assert plan.asked == [(PAIR, low, "bge-m3", searched)]
        assert stage.parameters == {"depth": depth, "per_query": 4, "margin": 0.2, "seed": 42}
    for limit, most, expected in ((None, None, None), (None, 9, 9), (7, 9, 7)):
        stage = Docpairs.planned(Plan(limit=limit), PAIR, most)
        assert stage.parameters["origin"] == "irds:mmarco/v2/fr/train" and stage.parameters.get("limit") == expected
    with pytest.raises(LswError, match="has no training pairs"):
        Docpairs.planned(Plan(), Pair("ms", "id"), None)
    stage = PublishedTriples.planned(Plan(published={"ca-fr": str(file)}, **seven), PAIR, None)
    assert stage.parameters == own | seven
    with pytest.raises(LswError, match="No published triples of ca-fr are known"):
        PublishedTriples.planned(Plan(published={"yue-zh": str(file)}), PAIR, None)
    stage = HardNegatives.planned(Plan(hard_negatives=str(file), scores=str(file), **seven), PAIR, None)
    assert stage.parameters == own | seven | {"margin": 3.0, "per_query": 4, "rounds": 0, "seed": 42}
    assert stage.inputs["scores"].parameters == own
    with pytest.raises(LswError, match="There is no file") as caught:
        HardNegatives.planned(Plan(hard_negatives="nowhere.jsonl"), PAIR, None)
    assert caught.value.cure == "Correct negatives.hard_negatives."


@pytest.mark.usefixtures("_pairs")
def test_how_many_triples_there_will_be_at_most(tmp_path: Path) -> None:
    """The mini collection has 248 training queries; what is on the hub is downloaded, a file of one's own is not."""
    file, estimator = tmp_path / "file.jsonl", Estimator(tmp_path, {}, print)
    file.write_text("{}", "utf-8")
    here = {"hard_negatives": str(file), "scores": str(file), "published": {"ca-fr": str(file)}}
    hub = "hf://datasets/no/where/file.jsonl"
    away = {"hard_negatives": hub, "scores": hub, "published": {"ca-fr": hub}}
    for kind, limit, expected in (
        (Mined, None, 248 * 3), (HardNegatives, None, 248 * 3), (HardNegatives, 100, 100), (HardNegatives, 9_999, 248 * 3),
        (Docpairs, 100, 100), (PublishedTriples, 100, 100), (Docpairs, None, docpairs.ALL),
        (PublishedTriples, None, published.RELEASED),
    ):  # fmt: skip
        stage = kind.planned(Plan(per_query=3, limit=limit, **here), PAIR, None)
        cost = stage.work.cost(stage, estimator)
        assert stage.work.count(stage, estimator) == expected, kind
        assert 0.1 < cost.seconds < 100 and cost.download == 0
        if kind in (HardNegatives, Docpairs):
            assert 10 * expected < cost.disk < 100 * expected
        if kind in (HardNegatives, PublishedTriples):
            stage = kind.planned(Plan(per_query=3, limit=limit, **away), PAIR, None)
            assert stage.parameters["origin"] == hub
            assert stage.work.cost(stage, estimator).download > 1e9


def test_what_is_usual_of_negatives_stays_so() -> None:
    """It is in no key: with another usual setting old artifacts would stand for what they are not."""
    usual = {"source": "mined", "system": "bm25", "queries": "high", "depth": 50, "per_query": 4, "margin": 0.05,
             "cross_encoder_margin": 3.0, "limit": None, "seed": 42}  # fmt: skip
    assert usual.items() <= Negatives().model_dump().items()
    Negatives(margin=0.0, cross_encoder_margin=0.0)
    Negatives(margin=1.0)
    for wrong in ({"margin": -0.1}, {"margin": 1.1}, {"cross_encoder_margin": -0.1}, {"depth": 0}, {"per_query": 0}):
        with pytest.raises(ValidationError, match=next(iter(wrong))):
            Negatives(**wrong)


@pytest.mark.slow
def test_published_triples_train(lsw: Lsw, small: Path, tmp_path: Path) -> None:
    """From the released JSONL to a trained model, through a recipe; a broken line is named."""
    file = tmp_path / "triples.jsonl"
    rows = [{"query": f"quan va passar {i}?", "pos": [f"passage {i}"], "neg": [f"autre {i}"]} for i in range(8)]
    file.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    (tmp_path / "own.toml").write_text(
        f"""
        [collection]
        name = "small"
        folder = "small"
        [negatives]
        source = "published"
        published.ca-fr = "{file}"
        [systems.bge-m3]
        architecture = "bi-encoder"
        checkpoint = "package:models/bge-m3"
        query_length = 32
        document_length = 64
        [fine-tuning.bge-m3]
        epochs = 1
        learning_rate = 1e-4
        batch_size = 4
        """,
        "utf-8",
    )
    (tmp_path / "r.toml").write_text(
        """
        title = "t"
        [fine-tuning]
        pair = "ca-fr"
        controls = []
        systems = ["bge-m3"]
        [retrieval]
        pairs = ["ca-fr"]
        systems = ["bge-m3"]
        depth = 10
        [comparison]
        contrasts = ["gain"]
        resamples = 100
        """,
        "utf-8",
    )
    command = ("recipe", "run", tmp_path / "r.toml", "--scale", tmp_path / "own.toml", "--store", tmp_path / "s")
    lsw(*command)
    trained = lsw("sql", "SELECT examples, steps FROM finetunes", "--format", "csv", "--store", tmp_path / "s").stdout
    assert trained.splitlines()[1] == "8,2"
    file.write_text(file.read_text("utf-8") + '\n{"query": "x"}', "utf-8")
    refused = lsw(*command, check=2).stderr  # another content, another key
    assert "line 9" in " ".join(refused.split())
