"""Training triples from everywhere they may come from."""

import gzip
import json
import os
import pickle
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from store import LswError
from store.passages import FILE, write
from tests.conftest import Lsw
from workbench.collections.formats import batched
from workbench.graph import Job
from workbench.stages.finetune import Finetune
from workbench.stages.scores import ReadScores
from workbench.stages.triples.docpairs import Docpairs
from workbench.stages.triples.hard_negatives import HardNegatives
from workbench.stages.triples.mined import Mined
from workbench.systems.bi_encoder import BiEncoder
from workbench.training.tuning import Tuning

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
    """Its hard negatives and its pickled scores, in their format: query 1 has 6 candidates, query 2 has none left."""
    lines = [
        {"qid": 1, "pos": [10], "neg": {"bm25": [20, 21, 22], "tas-b": [22, 23, 24, 25]}},
        {"qid": 2, "pos": [11], "neg": {"bm25": [20]}},
        {"qid": 3, "pos": [], "neg": {"bm25": [20]}},
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
        here = job(tmp_path / name, queries=queries("1", "2", "3"), scores=known)
        work = HardNegatives(origin=negatives.name, at=str(negatives), margin=3.0, per_query=per_query, seed=1)
        summary = work.run(here)
        rows = pq.read_table(here.out / "rows" / "triple.parquet").to_pylist()
        assert summary["triples"] == len(rows) == expected
        assert all(row["score_negative"] <= row["score_positive"] - 3.0 for row in rows)
        assert {row["qid"] for row in rows} == {"1"}  # 2 has none with the margin, 9 is no query of ours
        assert len({row["docno_negative"] for row in rows}) == expected
        assert rows[0]["query"] == "text 1"
    assert {row["docno_negative"] for row in rows} == {"20", "22", "24", "25"}


def test_a_file_of_scores_can_call_nothing(tmp_path: Path) -> None:
    bad = tmp_path / "bad.pkl"
    bad.write_bytes(pickle.dumps({1: Path}))
    with pytest.raises(LswError, match="only plain numbers are read"):
        ReadScores(origin=bad.name, at=str(bad)).run(job(tmp_path / "j"))
    bad.write_bytes(b"no pickle")
    with pytest.raises(LswError, match="not a file of scores"):
        ReadScores(origin=bad.name, at=str(bad)).run(job(tmp_path / "k"))


def test_mining_leaves_out_what_may_be_relevant(tmp_path: Path) -> None:
    results = pa.table({"qid": ["q"] * 5, "docno": list("abcde"), "score": [10.0, 9.9, 9.0, 8.0, 7.0]})
    qrels = pa.table({"qid": ["q", "q"], "docno": ["b", "e"], "label": [1, 0]})
    mining = Mined(margin=0.05, depth=50, per_query=9, seed=1)
    here = job(tmp_path / "m", found={"found": results}, qrels={"qrel": qrels}, queries=queries("q"))
    mining.run(here)
    rows = pq.read_table(here.out / "rows" / "triple.parquet").to_pylist()
    assert {(r["docno_positive"], r["docno_negative"]) for r in rows} == {("b", "c"), ("b", "d"), ("b", "e")}
    negative = results.set_column(2, "score", pa.array([-1.0, -2.0, -2.05, -3.0, -9.0]))  # logits have no zero
    here = job(tmp_path / "n", found={"found": negative}, qrels={"qrel": qrels}, queries=queries("q"))
    mining.run(here)
    rows = pq.read_table(here.out / "rows" / "triple.parquet").to_pylist()
    assert {r["docno_negative"] for r in rows} == {"d", "e"}


def test_training_pairs_of_ir_datasets(tmp_path: Path) -> None:
    pairs = HOME / "mmarco" / "triples.train.ids.small.tsv"
    pairs.parent.mkdir(parents=True, exist_ok=True)
    pairs.write_text("30\t2\t0\n99\t1\t0\n30\t2\t1\n", "utf-8")
    here = job(tmp_path, queries=queries("30"))
    assert Docpairs(origin="irds:mmarco/v2/fr/train").run(here) == {"triples": 2, "queries": 1}
    rows = pq.read_table(here.out / "rows" / "triple.parquet").to_pylist()
    assert [(r["docno_positive"], r["docno_negative"]) for r in rows] == [("2", "0"), ("2", "1")]
    first = Docpairs(origin="irds:mmarco/v2/fr/train", limit=1)
    assert first.run(job(tmp_path / "few", queries=queries("30"))) == {"triples": 1, "queries": 1}
    with pytest.raises(LswError, match="No training triple"):
        first.run(job(tmp_path / "none", queries=queries("7")))


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

    def texts(folder: Path, lacking: int, most: int | None = None) -> list[str]:
        rows = [f"d{i}" for i in range(200)]
        triple = pa.table({"query": rows, "docno_positive": ["d0"] * 200, "docno_negative": rows})
        here = replace(job(folder, triples={"triple": triple}, passages={}), note=told.append)
        kept = ((d, f"text {d}") for d in rows[: 200 - lacking])
        write(here.inputs["passages"] / FILE, batched(kept))
        return [text for _, _, negatives in training._texts(here, most, 1) for text in negatives]

    assert texts(tmp_path / "few", 2) == [f"text d{i}" for i in range(198)]
    assert told == ["2 of 200 triples left out: a passage of theirs is not in the collection"]
    assert len(texts(tmp_path / "drawn", 0, most=50)) == 50
    with pytest.raises(LswError, match="Passage 'd197' of a training triple is not in the collection"):
        texts(tmp_path / "many", 3)


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
