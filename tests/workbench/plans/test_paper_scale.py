"""`--scale paper` itself, offline: small files in the very places and formats of the published ones."""

import gzip
import json
import pickle
import shutil
from pathlib import Path

import pytest

from tests.conftest import Lsw, table
from tests.published import bge_m3, colbert_xm, mt5, xmod_base
from workbench.collections.folder import MINI, Folder

REVISION = "0" * 40


def cached(hub: Path, kind: str, repository: str) -> Path:
    """The folder of a repository's only revision in the hub's cache."""
    root = hub / f"{kind}s--{repository.replace('/', '--')}"
    (root / "refs").mkdir(parents=True)
    (root / "refs" / "main").write_text(REVISION)
    return root / "snapshots" / REVISION


@pytest.fixture(scope="module")
def offline(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Where ir_datasets and the hub keep what they download, with the mini collection in mMARCO's clothes."""
    home = tmp_path_factory.mktemp("offline")
    irds, hub = home / "irds", home / "hf" / "hub"
    mini = Folder("mini", MINI)
    number = {d: str(i) for i, d in enumerate(table(mini, "fr")["docno"].to_pylist())}
    qids = {split: mini.queries("fr", split)["qid"].to_pylist() for split in ("train", "test")}
    some = {"train": qids["train"][:24], "test": qids["test"][:12]}
    as_number = {q: str(1000 + i) for i, q in enumerate([*qids["train"], *qids["test"]])}

    def wording(code: str, split: str) -> str:
        rows = mini.queries(code, split).to_pylist()
        return "".join(f"{as_number[r['qid']]}\t{r['query']}\n" for r in rows if r["qid"] in some[split])

    v2 = irds / "mmarco" / "v2"
    v2.mkdir(parents=True)
    for code, name in (("fr", "french"), ("zh", "chinese")):
        rows = table(mini, code).to_pylist()
        (v2 / f"{name}_collection.tsv").write_text(
            "".join(f"{number[r['docno']]}\t{r['text']}\n" for r in rows), "utf-8"
        )
        (v2 / f"{name}.queries.dev.tsv").write_text(wording(code, "test"), "utf-8")
        (v2 / f"{name}.queries.train.tsv").write_text(wording(code, "train") + "999999\tunjudged\n", "utf-8")
    labels = {s: [r for r in mini.qrels(split=s).to_pylist() if r["qid"] in some[s] and r["label"]] for s in some}
    (irds / "mmarco" / "qrels.dev.small.tsv").write_text(
        "".join(f"{as_number[r['qid']]}\t0\t{number[r['docno']]}\t1\n" for r in labels["test"])
    )
    train = irds / "msmarco-passage" / "train"
    train.mkdir(parents=True)
    (train / "qrels").write_text("".join(f"{as_number[r['qid']]} 0 {number[r['docno']]} 1\n" for r in labels["train"]))
    pairs = [(as_number[r["qid"]], number[r["docno"]], (int(number[r["docno"]]) + 7) % 496) for r in labels["train"]]
    (irds / "mmarco" / "triples.train.ids.small.tsv").write_text("".join(f"{q}\t{p}\t{n}\n" for q, p, n in pairs))

    lt = cached(hub, "dataset", "andreaschari/mmarco-lt")
    for code in ("yue", "ca"):
        (lt / "queries" / "dev_small").mkdir(parents=True, exist_ok=True)
        (lt / "queries" / "dev_small" / f"{code}.tsv").write_text(wording(code, "test"), "utf-8")
    (lt / "queries" / "train").mkdir()
    (lt / "queries" / "train" / "mmarco.v2.fr_ca.train.judged.tsv").write_text(wording("ca", "train"), "utf-8")
    texts = {r["docno"]: r["text"] for r in table(mini, "fr").to_pylist()}
    asked = {r["qid"]: r["query"] for r in mini.queries("ca", "train").to_pylist()}
    every = list(texts.values())
    released = [
        {"query": asked[r["qid"]], "pos": [texts[r["docno"]]], "neg": [every[(i + 7) % len(every)]]}
        for i, r in enumerate(labels["train"])
    ]
    (lt / "train_with_negs").mkdir()
    (lt / "train_with_negs" / "triples.fr_ca.train.HN.2way.2.0M.jsonl").write_text(
        "\n".join(map(json.dumps, released)), "utf-8"
    )
    hard = cached(hub, "dataset", "sentence-transformers/msmarco-hard-negatives")
    hard.mkdir(parents=True)
    lines = [
        {"qid": int(q), "pos": [int(p)], "neg": {"bm25": [int(n)], "tas-b": [(int(n) + 3) % 496]}} for q, p, n in pairs
    ]
    (hard / "msmarco-hard-negatives.jsonl.gz").write_bytes(gzip.compress("\n".join(map(json.dumps, lines)).encode()))
    scores = {
        x["qid"]: {x["pos"][0]: 9.0, **{d: -1.0 for ds in x["neg"].values() for d in ds if d != x["pos"][0]}}
        for x in lines
    }
    (hard / "cross-encoder-ms-marco-MiniLM-L-6-v2-scores.pkl.gz").write_bytes(gzip.compress(pickle.dumps(scores)))

    adapters = ["en_XX", "fr_XX", "ca_ES", "zh_CN", "zh_TW"]
    for name, made in (
        ("BAAI/bge-m3", bge_m3(home / "models" / "bge")),
        ("antoinelouis/colbert-xm", colbert_xm(home / "models" / "colbert", adapters)),
        ("facebook/xmod-base", xmod_base(home / "models" / "xmod", adapters)),
        ("unicamp-dl/mt5-base-mmarco-v2", mt5(home / "models" / "mt5")),
    ):
        shutil.copytree(made, cached(hub, "model", name))
    return {"IR_DATASETS_HOME": str(irds), "HF_HOME": str(home / "hf"), "HF_HUB_OFFLINE": "1"}


@pytest.mark.slow
def test_the_published_experiment_runs(lsw: Lsw, offline: dict[str, str], tmp_path: Path) -> None:
    """Every step of it: sources, hard negatives, pairs, trainings, indexes, reranking, tests, published figures."""
    store = tmp_path / "s"
    fewer = ['fine-tuning.controls=["high-only"]', "fine-tuning.bge-m3.steps=2", "fine-tuning.colbert-xm.steps=2", "fine-tuning.mt5.steps=2",
             "fine-tuning.colbert-xm.batch_size=8", "fine-tuning.bge-m3.precision=float32",
             "fine-tuning.colbert-xm.precision=float32", "fine-tuning.colbert-xm.learning_rate=1e-3",
             "reranking.depth=5", "retrieval.depth=20", "comparison.resamples=200"]  # fmt: skip
    command = ["recipe", "run", "zero_shot_yue_zh", "--scale", "paper", *fewer, "--store", store]
    closing = " ".join(lsw(*command, **offline).stdout.split())
    assert "colbert-xm was trained from facebook/xmod-base, so its gain compares two starts" in closing

    def asked(sql: str) -> list[str]:
        return lsw("sql", sql, "--format", "csv", "--store", store).stdout.splitlines()[1:]

    assert asked("SELECT DISTINCT collection FROM runs") == ["mmarco-v2"]
    assert asked("SELECT system, trained_on, steps FROM finetunes ORDER BY ALL") == [
        f"{system},{on},2" for system in ("bge-m3", "colbert-xm", "mt5") for on in ("ca-fr", "high-only")
    ]  # fmt: skip
    # The authors' own triples too are asked in French.
    replayed = "SELECT trained_on, counts->>'replayed' = examples FROM finetunes WHERE system = 'bge-m3' ORDER BY ALL"
    assert asked(replayed) == ["ca-fr,", "high-only,True"]
    assert asked("SELECT count(DISTINCT run_id), count(*) FROM measures WHERE measure = 'RR@10'") == ["44,528"]
    # A reranker fed with the other variety's text looks fine and is worthless.
    wrong = """
        SELECT count(*) FROM scored_queries s JOIN runs r USING (run_id)
        JOIN queries q ON q.collection = r.collection AND q.variety <> r.query_variety AND q.qid = s.qid
        WHERE r.query_variety IN ('ca', 'fr') AND q.variety IN ('ca', 'fr') AND s.query = q.query
    """
    assert asked(wrong) == ["0"]
    kinds = set(asked("SELECT DISTINCT kind FROM stages"))
    assert {"scores", "hard-negatives", "docpairs", "published"} <= kinds
    assert asked("SELECT DISTINCT system, base, seed FROM finetunes ORDER BY ALL") == [
        "bge-m3,BAAI/bge-m3,42", "colbert-xm,facebook/xmod-base,42", "mt5,unicamp-dl/mt5-base-mmarco-v2,0"
    ]  # fmt: skip
    adapters = asked(
        "SELECT DISTINCT summary->>'adapter' FROM stages WHERE summary->>'adapter' IS NOT NULL ORDER BY ALL"
    )
    assert adapters == ["fr_XX", "zh_CN"]  # of the passages, as published
    beside = lsw("compare", "--reference", "--json", "--store", store).stdout
    ours = json.loads(beside)["apart"]  # few queries only: the rest is as published
    assert {row["query_variety"] for row in ours} >= {"yue", "ca"}
    assert {row["why_not"].partition(",")[0] for row in ours} == {"not all of its queries"}
    again = lsw(*command, **offline).stderr
    assert "0 stages run" in again


@pytest.mark.slow
def test_small_scale_samples_it(lsw: Lsw, offline: dict[str, str], tmp_path: Path) -> None:
    """The same, of a sample: BGE-M3's four ways to score, untrained."""
    (tmp_path / "r.toml").write_text(
        """
        title = "four ways"
        [retrieval]
        pairs = ["yue-zh"]
        systems = ["bge-m3", "bge-m3-sparse", "bge-m3-multi-vector", "bge-m3-hybrid"]
        depth = 10
        [comparison]
        contrasts = ["gap"]
        resamples = 200
        """,
        "utf-8",
    )
    changes = [f"collection.sample.{k}" for k in ("queries=5", "passages=30", "training_queries=0")]
    lsw("recipe", "run", tmp_path / "r.toml", "--scale", "small", *changes, "--store", tmp_path / "s", **offline)
    found = lsw("sql", "SELECT system, query_variety, n_queries FROM runs ORDER BY ALL", "--format", "csv",
                "--store", tmp_path / "s").stdout.splitlines()[1:]  # fmt: skip
    systems = ("bge-m3", "bge-m3-hybrid", "bge-m3-multi-vector", "bge-m3-sparse")
    assert found == [f"{system},{code},5" for system in systems for code in ("yue", "zh")]
    passages = lsw("sql", "SELECT summary->>'passages' FROM stages WHERE kind = 'passages'", "--format", "csv",
                   "--store", tmp_path / "s").stdout.splitlines()[1:]  # fmt: skip
    judged = lsw("sql", "SELECT count(DISTINCT docno) FROM qrels", "--format", "csv", "--store", tmp_path / "s").stdout
    assert int(passages[0]) == 30 + int(judged.splitlines()[1])
