"""Public collections, read from files in the exact format that each source has on disk, made here."""

import gzip
import io
import json
import os
import tarfile
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from store import LswError
from tests.conftest import Lsw, table
from workbench.checkpoints import hub
from workbench.collections.base import Download, Extent
from workbench.collections.folder import Folder
from workbench.collections.public import PublicCollection
from workbench.collections.sample import Sampled
from workbench.collections.sources import irds, source
from workbench.costs.estimator import Estimator
from workbench.graph import Stage
from workbench.plans import sources as planned
from workbench.plans.planner import Planner
from workbench.plans.training import TriplesPlan
from workbench.recipe.load import checked, load, recipe_path, scale_path
from workbench.stages.qrels import ReadQrels
from workbench.training.tuning import Tuning

HOME = Path(os.environ["IR_DATASETS_HOME"])


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IR_DATASETS_DL_TRIES", "1")


def put(path: str, text: str) -> None:
    file = HOME / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(gzip.compress(text.encode()) if path.endswith(".gz") else text.encode())


def tar(path: str, **members: str) -> None:
    file = HOME / path
    file.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(file, "w:gz") as out:
        for name, text in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(text.encode())
            out.addfile(info, io.BytesIO(text.encode()))


@pytest.fixture(scope="module")
def mmarco() -> PublicCollection:
    """mMARCO v2 in French and Dutch: tab-separated, ids from 0, one file of judgements for all languages."""
    for name, texts in (("french", ["le chat", "un chien", "la mer"]), ("dutch", ["de kat", "een hond", "de zee"])):
        put(f"mmarco/v2/{name}_collection.tsv", "".join(f"{i}\t{t}\n" for i, t in enumerate(texts)))
        put(f"mmarco/v2/{name}.queries.dev.tsv", f"2\t{texts[0]} ?\n7\t{texts[1]} ?\n9\tnot in dev/small\n")
        put(f"mmarco/v2/{name}.queries.train.tsv", f"30\t{texts[2]} ?\n31\tunjudged\n")
    put("mmarco/qrels.dev.small.tsv", "2\t0\t0\t1\n7\t0\t1\t1\n")
    put("msmarco-passage/train/qrels", "30 0 2 1\n")
    put("lt/ca.tsv", "2\tel gat?\n7\tun gos?\n")
    return PublicCollection(
        "mmarco-v2",
        {"fr": "irds:mmarco/v2/fr", "nl": "irds:mmarco/v2/dt"},
        {"train": "train", "test": "dev/small"},
        {"test": {"ca": str(HOME / "lt/ca.tsv")}},
    )


def test_mmarco(mmarco: PublicCollection) -> None:
    assert table(mmarco, "nl").to_pylist()[1] == {"docno": "1", "text": "een hond"}
    queries = mmarco.queries("nl", "test").to_pylist()
    assert queries[0] == {"qid": "2", "query": "de kat ?", "topic": "2", "split": "test"}
    assert [q["qid"] for q in queries] == ["2", "7"]  # dev/small only
    assert mmarco.queries("ca", "test")["query"].to_pylist() == ["el gat?", "un gos?"]
    assert mmarco.qrels("fr", "test").to_pylist()[1] == {"qid": "7", "docno": "1", "label": 1}
    assert mmarco.qrels("fr", "train")["docno"].to_pylist() == ["2"]
    assert mmarco.queries("fr", "train")["qid"].to_pylist() == ["30"]  # what has no label is no training query


def test_parts_of_a_public_collection_are_told_apart(mmarco: PublicCollection) -> None:
    """By their names, splits among them; of a file of one's own by its content as well."""
    assert mmarco.origin("passages", "nl", "test") == {"from": "irds:mmarco/v2/dt"}
    assert mmarco.origin("qrels", "nl", "test") == {"from": "irds:mmarco/v2/dt/dev/small"}
    assert mmarco.origin("queries", "nl", "train") == {"from": "irds:mmarco/v2/dt/train", "fields": ["title"]}
    assert mmarco.origin("queries", "ca", "test").keys() == {"from", "sha256"}
    assert (mmarco.judged, PublicCollection("n", mmarco.sources, {"train": "train"}).judged) == (True, False)


def test_what_is_not_here_yet_is_as_large_as_is_published(mmarco: PublicCollection) -> None:
    """Translations on the hub are as many as the queries they were made from."""
    hub_file, splits = "hf://datasets/no/where/ca.tsv", {"train": "train", "test": "dev/small"}
    lt = {split: {code: hub_file for code in ("ca", "yue")} for split in splits}
    c = PublicCollection("m", {"fr": "irds:mmarco/v2/fr", "es": "irds:mmarco/v2/es"}, splits, lt)
    assert [c.queries_extent("fr", split).texts for split in ("test", "train")] == [2, 1]  # here, judged ones
    train, test = c.queries_extent("ca", "train"), c.queries_extent("ca", "test")
    assert (train.texts, test.texts) == (1, 2)
    assert (train.samples, test.samples) == ((), ())
    assert 20e6 < train.download < 30e6 and 3e5 < test.download < 4e5
    assert c.queries_extent("yue", "test").texts is None  # there are no Chinese ones
    assert c.queries_extent("es", "train").texts > 100_000 and c.queries_extent("es", "train").download > 1e6
    wanted = [[file.url for file in c.downloads(part, code, "test")] for part, code in
              (("passages", "es"), ("queries", "es"), ("qrels", "es"), ("qrels", ""), ("queries", "ca"))]  # fmt: skip
    assert ["collection" in " ".join(urls) for urls in wanted] == [True, False, False, False, False]
    assert wanted[3:] == [[], []]  # judgements over the first source's passages are here


def test_what_a_source_lacks_is_said(mmarco: PublicCollection) -> None:
    with pytest.raises(LswError, match="no passages in 'zh'"):
        next(mmarco.passages("zh"))
    with pytest.raises(LswError, match="no test queries in 'oc'") as caught:
        mmarco.queries("oc", "test")
    assert "collection.queries.test.oc" in caught.value.cure
    with pytest.raises(LswError, match="ir_datasets has no 'mmarco/v3/fr'"):
        next(PublicCollection("x", {"fr": "irds:mmarco/v3/fr"}).passages("fr"))
    with pytest.raises(LswError, match="no source of passages"):
        next(PublicCollection("x", {"fr": "mmarco"}).passages("fr"))


def test_files_of_ones_own_need_not_be_there_for_what_asks_the_source(tmp_path: Path) -> None:
    """An audit takes what is there as its reference; `docpairs` are of the source, whosoever wrote the queries."""
    files = {split: {"af": str(tmp_path / "no.tsv"), "nl": str(tmp_path / "no.tsv")} for split in ("train", "test")}
    splits = {"test": "dev/small", "train": "train"}
    collection = PublicCollection("p", {"nl": "irds:mmarco/v2/dt", "fr": "irds:mmarco/v2/fr"}, splits, files)
    assert [collection.has_queries(code) for code in ("af", "nl", "fr", "oc")] == [False, False, True, False]
    plan = Planner(load(recipe_path("zero_shot_yue_zh"), scale_path("mini")), tmp_path)
    plan.trained = collection
    assert (
        str(TriplesPlan(plan, Tuning(epochs=1, learning_rate=1, batch_size=1)).training_source("nl"))
        == "irds:mmarco/v2/dt/train"
    )


def test_a_source_that_is_not_here_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(LswError, match="'neuclir/1/fa' is not on this machine") as caught:
        next(PublicCollection("n", {"fa": "irds:neuclir/1/fa"}).passages("fa"))
    assert str(HOME / "neuclir/1/fas/docs.jsonl.gz") in caught.value.detail
    assert "https://" in caught.value.detail
    assert "licence" in caught.value.cure
    assert caught.value.exit_code == 2
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(LswError, match="neither on this machine nor") as caught:
        hub.file("hf://datasets/andreaschari/mmarco-lt/queries/dev_small/ca.tsv")
    assert "HF_HOME" in caught.value.cure
    with pytest.raises(LswError, match="Model 'BAAI/bge-m3' is neither"):
        hub.model("BAAI/bge-m3")
    with pytest.raises(LswError, match="no file of a data set"):
        hub.file("hf://models/x/y")


def test_a_file_of_the_hub_is_of_its_revision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is here in another revision is not the one that is asked for."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    root, old = tmp_path / "datasets--o--n", "1" * 40
    (root / "refs").mkdir(parents=True)
    (root / "refs" / "main").write_text("2" * 40)
    for revision in (old, "2" * 40):
        (root / "snapshots" / revision).mkdir(parents=True)
    (root / "snapshots" / old / "q.tsv").write_text("1\ta\n")
    assert hub.cached_file(f"hf://datasets/o/n@{old}/q.tsv") == root / "snapshots" / old / "q.tsv"
    assert hub.cached_file("hf://datasets/o/n/q.tsv") is None
    with pytest.raises(LswError, match="no file of a data set"):
        hub.cached_file("hf://datasets/o/n")


def test_msmarco_passage() -> None:
    """One archive with everything, its accents twice encoded."""
    tar(
        "msmarco-passage/collectionandqueries.tar.gz",
        **{"collection.tsv": "0\tthe cat\n1\ta cafÃ©\n", "queries.dev.small.tsv": "2\tcat?\n",
           "qrels.dev.small.tsv": "2\t0\t0\t1\n"},
    )  # fmt: skip
    c = PublicCollection("m", {"en": "irds:msmarco-passage"}, {"test": "dev/small"})
    assert table(c, "en")["text"].to_pylist() == ["the cat", "a café"]
    assert c.queries("en", "test")["query"].to_pylist() == ["cat?"]
    assert c.qrels("en", "test")["docno"].to_pylist() == ["0"]


def test_neumarco_asks_in_english_only() -> None:
    """Its queries are English: they are never taken for Persian ones."""
    name = "eng-fas/msmarco.collection.20210731-scale21-sockeye2-tm1.tsv"
    tar("neumarco/neuMSMARCO.tar.gz", **{name: "0\tگربه\n1\tسگ\n"})
    put("msmarco-passage/dev/small/queries.tsv", "2\tcat?\n")
    c = PublicCollection(
        "neumarco", {"fa": "irds:neumarco/fa"}, {"test": "dev/small"}, {"test": {"en": "irds:neumarco/fa/dev/small"}}
    )
    assert table(c, "fa")["docno"].to_pylist() == ["0", "1"]
    assert c.queries("en", "test")["query"].to_pylist() == ["cat?"]
    with pytest.raises(LswError, match="are in 'en', not in 'fa'"):
        c.queries("fa", "test")


def topic(number: str, words: str) -> str:
    """A neuCLIR topic: English, and translated by people and by machine."""

    def said(lang: str, source: str) -> dict[str, str]:
        return {"lang": lang, "source": source, "topic_title": f"{words} {lang} {source[:2]}",
                "topic_description": f"about {words} {lang}", "topic_narrative": f"more on {words} {lang}"}  # fmt: skip

    langs = [("eng", "original"), *((x, s) for x in ("fas", "rus", "zho") for s in ("human translation", "google"))]
    return json.dumps({"topic_id": number, "topics": [said(*which) for which in langs]})


def test_neuclir() -> None:
    doc = {"id": "a-b", "cc_file": "x", "time": "t", "title": "猫", "text": "很可爱", "url": "u"}
    put("neuclir/1/zho/docs.jsonl.gz", json.dumps(doc) + "\n")
    put("neuclir/trec-2022/topics.jsonl", topic("3", "cats") + "\n" + topic("4", "never judged") + "\n")
    put("neuclir/trec-2022/qrels", "3 zho a-b 3\n3 fas z-z 1\n")
    sources = {"zh": "irds:neuclir/1/zh"}
    asked_in = {"test": {"en": "irds:neuclir/1/zh/trec-2022"}}
    c = PublicCollection("neuclir", sources, {"test": "trec-2022"}, asked_in)
    assert table(c, "zh").to_pylist() == [{"docno": "a-b", "text": "猫 很可爱"}]
    assert c.queries("en", "test").to_pylist()[0]["query"] == "cats eng or"
    assert c.queries("zh", "test")["query"].to_pylist() == ["cats zho hu"]  # by people, judged in Chinese
    assert c.qrels("zh", "test").to_pylist() == [{"qid": "3", "docno": "a-b", "label": 3}]
    whole = PublicCollection("neuclir", sources, {"test": "trec-2022"}, asked_in, ("title", "description", "narrative"))
    assert whole.queries("en", "test")["query"].to_pylist() == ["cats eng or about cats eng more on cats eng"]
    wrong = PublicCollection("neuclir", sources, {"test": "trec-2022"}, asked_in, ("headline",))
    with pytest.raises(LswError, match="have no field 'headline'"):
        wrong.queries("en", "test")
    with pytest.raises(LswError, match="are in 'zh', not in 'ru'"):
        PublicCollection("n", sources, {}, {"test": {"ru": "irds:neuclir/1/zh/trec-2022"}}).queries("ru", "test")


def test_neuclir_of_2023() -> None:
    """ir_datasets keeps only topics that were judged in 2022 as well: none."""
    put("neuclir/trec-2022/qrels", "3 zho a-b 3\n")
    topics = [json.loads(topic(number, "cats")) for number in ("200", "201")]
    for one in topics:
        for said in one["topics"]:
            if said["source"] == "human translation":
                del said["topic_narrative"]
    put("neuclir/trec-2023/topics.jsonl", "\n".join(map(json.dumps, topics)) + "\n")
    tar("neuclir/trec-2023/qrels.tar.gz", **{"qrels.final.gains.zho": "200 0 a-b 3\n", "qrels.final.gains": ""})
    where = {"test": {"en": "irds:neuclir/1/multi/trec-2023"}}
    c = PublicCollection("n", {"zh": "irds:neuclir/1/zh"}, {"test": "trec-2023"}, where)
    assert c.queries("zh", "test").to_pylist()[0] | {"topic": ""} == {
        "qid": "200", "query": "cats zho hu", "topic": "", "split": "test"
    }  # fmt: skip
    assert c.queries("zh", "test")["qid"].to_pylist() == ["200"]
    assert c.queries("en", "test")["qid"].to_pylist() == ["200", "201"]
    whole = PublicCollection("n", c.sources, c.splits, where, ("title", "narrative"))
    with pytest.raises(LswError, match="no field 'ht_narrative'") as caught:
        whole.queries("zh", "test")
    assert caught.value.cure.endswith(": title, description.")


def test_a_fault_after_the_first_rows_is_the_sources() -> None:
    """MIRACL's files are downloaded one by one as they are come to."""
    put("miracl/v1.0/zh/docs/docs-0.jsonl.gz", json.dumps({"docid": "1#0", "title": "t", "text": "x"}) + "\n")
    with pytest.raises(LswError, match="'miracl/zh' is not on this machine") as caught:
        list(source("irds:miracl/zh").passages("zh"))
    assert "docs-1.jsonl.gz" in caught.value.detail
    (HOME / "miracl/v1.0/zh/docs/docs-0.jsonl.gz").unlink()
    put("miracl/v1.0/id/docs/docs-0.jsonl.gz", "")
    (HOME / "miracl/v1.0/id/docs/docs-0.jsonl.gz").write_bytes(b"no gzip")
    for i in (1, 2):
        put(f"miracl/v1.0/id/docs/docs-{i}.jsonl.gz", "")
    with pytest.raises(LswError, match="'miracl/id' could not be read") as caught:
        list(source("irds:miracl/id").passages("id"))
    assert "BadGzipFile" in caught.value.detail


def test_miracl_mr_tydi_and_wikiclir() -> None:
    for i in range(3):  # MIRACL's Indonesian passages are in three files
        row = {"docid": f"{i}#0", "title": f"Judul {i}", "text": f"isi {i}"}
        put(f"miracl/v1.0/id/docs/docs-{i}.jsonl.gz", json.dumps(row) + "\n")
    put("miracl/v1.0/id/dev/topics.tsv", "5\tapa?\n")
    put("miracl/v1.0/id/dev/qrels.tsv", "5\tQ0\t1#0\t1\n5\tQ0\t2#0\t0\n")
    c = PublicCollection("miracl", {"id": "irds:miracl/id"}, {"test": "dev"})
    assert table(c, "id").to_pylist()[2] == {"docno": "2#0", "text": "Judul 2 isi 2"}
    assert c.queries("id", "test")["query"].to_pylist() == ["apa?"]
    assert c.qrels("id", "test")["label"].to_pylist() == [1, 0]

    folder = "mr-tydi/id.data/mrtydi-v1.0-indonesian"
    put(f"{folder}/collection/docs.jsonl.gz", json.dumps({"id": "1#0", "contents": "Judul\n\nisi"}) + "\n")
    put(f"{folder}/topic.test.tsv", "5\tapa?\n")
    put(f"{folder}/qrels.test.txt", "5 Q0 1#0 1\n")
    (HOME / "mr-tydi/id.data/_built").touch()
    c = PublicCollection("mr-tydi", {"id": "irds:mr-tydi/id"}, {"test": "test"})
    assert table(c, "id")["text"].to_pylist() == ["Judul\n\nisi"]
    assert c.qrels("id", "test")["docno"].to_pylist() == ["1#0"]

    put("wikiclir/source/wiki-clir/catalan/wiki_ca.documents", "8\tGat\tÉs un animal\n")
    put("wikiclir/source/wiki-clir/catalan/en2ca.rel", "1\t8\t2\n")
    put("wikiclir/source/wiki-clir/english/wiki_en.queries", "1\tCat\tIt is an animal\n2\tDog\tAnother\n")
    (HOME / "wikiclir/source/_built").touch()
    c = PublicCollection("wikiclir", {"ca": "irds:wikiclir/ca"}, {"test": ""}, {"test": {"en": "irds:wikiclir/ca"}})
    assert table(c, "ca")["text"].to_pylist() == ["Gat És un animal"]
    assert c.queries("en", "test")["query"].to_pylist() == ["Cat"]
    assert c.qrels("ca", "test")["label"].to_pylist() == [2]
    work = ReadQrels(collection=c.name, origin=c.origin("qrels", "ca", "test"), split="test", variety="ca", source=c)
    cost = work.cost(Stage(work, "read test judgements"), Estimator(HOME, {}, print))
    assert cost.download == sum(f.size or 0 for f in c.downloads("qrels", "ca", "test"))  # no split


@pytest.fixture
def webfaq(tmp_path: Path) -> str:
    """A data set in the layout that WebFAQ, MTEB and BEIR have on the hub: a configuration for each part."""
    root = tmp_path / "webfaq"
    parts: dict[str, tuple[str, list[dict[str, object]]]] = {
        "fra-corpus": ("corpus", [{"_id": "d1", "title": "Chat", "text": "miaule"}, {"_id": "d2", "title": "", "text": "aboie"}]),
        "fra-queries": ("queries", [{"_id": "q1", "text": "qui miaule ?"}, {"_id": "q2", "text": "qui ?"}]),
        "fra-qrels": ("test", [{"query-id": "q1", "corpus-id": "d1", "score": 1.0}]),
    }  # fmt: skip
    said = "---\nconfigs:\n"
    for name, (split, rows) in parts.items():
        file = root / name.replace("-", "/") / f"{split}.parquet"
        file.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.Table.from_pylist(rows), file)
        where = file.relative_to(root)
        said += f"- config_name: {name}\n  data_files:\n  - split: {split}\n    path: {where}\n"
    (root / "README.md").write_text(said + "---\n", "utf-8")
    return str(root)


@pytest.fixture
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")


@pytest.mark.usefixtures("_own_cache")
def test_webfaq_and_any_data_set_in_beirs_layout(webfaq: str) -> None:
    c = PublicCollection("webfaq", {"fr": f"beir:{webfaq}:fra"}, {"test": "test"})
    assert table(c, "fr")["text"].to_pylist() == ["Chat miaule", "aboie"]
    assert c.queries("fr", "test").to_pylist() == [
        {"qid": "q1", "query": "qui miaule ?", "topic": "q1", "split": "test"}
    ]
    assert c.qrels("fr", "test").to_pylist() == [{"qid": "q1", "docno": "d1", "label": 1}]
    assert c.queries_extent("fr", "test") == Extent(None, 0.0)
    plain = Path(webfaq) / "README.md"  # SciFact and most of MTEB have no configuration for a language
    plain.write_text(plain.read_text("utf-8").replace("config_name: fra-", "config_name: "), "utf-8")
    c = PublicCollection("scifact", {"en": f"beir:{webfaq}"}, {"test": "test"})
    assert len(table(c, "en")) == 2
    assert c.queries("en", "test")["qid"].to_pylist() == ["q1"]
    whole = Path(webfaq) / "fra" / "queries" / "queries.parquet"  # later versions: a split for each
    rows = pq.read_table(whole)
    for split, some in (("train", rows.slice(0, 1)), ("test", rows.slice(1))):
        pq.write_table(some, whole.with_stem(split))
    said = plain.read_text("utf-8").replace(
        "  - split: queries\n    path: fra/queries/queries.parquet",
        "\n".join(f"  - split: {s}\n    path: fra/queries/{s}.parquet" for s in ("train", "test")),
    )
    plain.write_text(said.replace("config_name: queries", "config_name: later-queries"), "utf-8")
    later = source(f"beir:{webfaq}:later", ("title",))
    assert later.queries("fr") == {"q1": "qui miaule ?", "q2": "qui ?"}
    with pytest.raises(LswError, match="configuration 'deu-corpus'"):
        next(PublicCollection("webfaq", {"fr": f"beir:{webfaq}:deu"}).passages("fr"))


@pytest.mark.usefixtures("_own_cache")
@pytest.mark.parametrize("titles", [False, True])
def test_mlqa(tmp_path: Path, titles: bool) -> None:
    """SQuAD's rows, a configuration for each pair of languages; a context is a passage once."""
    root = tmp_path / "mlqa"
    said = "---\nconfigs:\n"
    for pair, context, question in (("zh.zh", "文章", "谁？"), ("zh.en", "文章", "who?"), ("en.en", "text ", "who?")):
        said += f"- config_name: mlqa.{pair}\n  data_files:\n"
        for split in ("validation", "test"):
            file = root / f"mlqa.{pair}" / f"{split}.parquet"
            file.parent.mkdir(parents=True, exist_ok=True)
            rows = [{"id": f"{split}-{i}", "context": f"{context}{i // 2}", "question": question,
                     "answers": {"text": ["文"], "answer_start": [0]}} for i in range(3)]  # fmt: skip
            if titles and pair == "en.en":
                rows = [{**row, "title": "One article"} for row in rows]
            pq.write_table(pa.Table.from_pylist(rows), file)
            said += f"  - split: {split}\n    path: mlqa.{pair}/{split}.parquet\n"
    (root / "README.md").write_text(said + "---\n", "utf-8")
    at = f"mlqa:{root}"
    c = PublicCollection("mlqa", {"zh": at, "en": at}, {"test": "test"}, {"test": {"en": f"{at}:zh.en:test"}})
    passages = table(c, "zh")
    assert passages["text"].to_pylist() == ["文章0", "文章1"]
    assert c.queries("zh", "test")["query"].to_pylist() == ["谁？"] * 3
    assert c.queries("en", "test")["query"].to_pylist() == ["who?"] * 3
    assert c.qrels("zh", "test")["docno"].to_pylist() == [passages["docno"].to_pylist()[i // 2] for i in range(3)]
    topics = [c.queries(code, "test")["topic"].to_pylist() for code in ("zh", "en")]
    assert topics[0] == topics[1]  # one article, whatever the language of question and context
    english = table(c, "en")["docno"].to_pylist()
    assert topics[0] == (["One article"] * 3 if titles else [english[0], english[0], english[1]])


def test_beir_and_trec_folders(tmp_path: Path) -> None:
    beir = tmp_path / "scifact"
    (beir / "qrels").mkdir(parents=True)
    (beir / "corpus.jsonl").write_text('{"_id": "1", "title": "T", "text": "x", "metadata": {}}\n', "utf-8")
    (beir / "queries.jsonl").write_text('{"_id": "a", "text": "q?"}\n{"_id": "b", "text": "trained on"}\n', "utf-8")
    (beir / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\na\t1\t1\n", "utf-8")
    (beir / "qrels" / "train.tsv").write_text("query-id\tcorpus-id\tscore\nb\t1\t1\n", "utf-8")
    c = Folder("scifact", beir)
    assert table(c, "en")["text"].to_pylist() == ["T x"]
    assert c.queries("en", "test")["query"].to_pylist() == ["q?"]
    assert c.queries("en", "train")["query"].to_pylist() == ["trained on"]
    assert c.qrels("en", "train")["qid"].to_pylist() == ["b"]
    assert c.judged
    c.distinguish(["en", "en"])
    with pytest.raises(LswError, match="cannot be both the 'en' and the 'gd' queries"):
        c.distinguish(["en", "gd"])
    here = {"title": "t", "collection": {"name": "scifact", "folder": str(beir)}}
    plan = Planner(checked({**here, "retrieval": {"pairs": ["gd-en"], "systems": ["bm25"]}}, tmp_path), tmp_path)
    planned.queries(plan, "en")
    planned.queries(plan, "en", "train")
    with pytest.raises(LswError, match="cannot be both the 'en' and the 'gd' queries"):
        planned.queries(plan, "gd")

    trec = tmp_path / "trec"
    trec.mkdir()
    (trec / "corpus.fr.trec").write_text(
        "<DOC>\r\n<DOCNO> A-1 </DOCNO>\r\n<TEXT>\nLe chat\nmiaule.\n</TEXT>\n</DOC>\n"
        "<DOC>\n<DOCNO>A-2</DOCNO>\n<TEXT>\nLa mer.\n</TEXT>\n</DOC>",  # and no line's end after the last
        "utf-8",
    )
    (trec / "queries.fr.trec").write_text(
        "<top>\n<num> Number: 51\n<title> chat\nnoir\n\n<desc> Description:\nOn cherche.\n\n<narr> Narrative:\nTout.\n</top>\n"
        "<top><num>52</num><title>mer</title></top>",
        "utf-8",
    )
    (trec / "qrels.tsv").write_text("51 0 A-1 2\n", "utf-8")
    c = Folder("trec", trec)
    assert table(c, "fr").to_pylist() == [
        {"docno": "A-1", "text": "Le chat miaule."}, {"docno": "A-2", "text": "La mer."}
    ]  # fmt: skip
    assert c.queries("fr").to_pylist()[0]["query"] == "chat noir"
    assert c.queries("fr")["qid"].to_pylist() == ["51", "52"]
    for part in (c.queries, c.qrels):
        with pytest.raises(LswError, match="which queries to train on"):  # never those it is tested on
            part("fr", "train")


def test_a_sample_is_seeded_and_the_same_in_every_variety(mmarco: PublicCollection, tmp_path: Path) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    rows = [json.dumps({"_id": str(i), "text": f"passage {i}"}) for i in range(500)]
    (folder / "corpus.jsonl").write_text("\n".join(rows), "utf-8")
    (folder / "queries.fr.tsv").write_text("".join(f"q{i}\ttext {i}\n" for i in range(40)), "utf-8")
    (folder / "qrels.tsv").write_text("".join(f"q{i} 0 {i * 3} 1\n" for i in range(40)), "utf-8")
    whole = Folder("many", folder)
    one, more, other = (Sampled(whole, ("",), n, 0, k, seed) for n, k, seed in ((5, 20, 1), (10, 50, 1), (5, 20, 2)))
    queries = one.queries("fr", "test")
    assert len(queries) == 5
    assert set(one.qrels("", "test")["qid"].to_pylist()) == set(queries["qid"].to_pylist())
    docnos = set(table(one, "fr")["docno"].to_pylist())
    assert len(docnos) == 5 + 20
    assert set(one.qrels("", "test")["docno"].to_pylist()) <= docnos
    assert docnos - set(table(more, "fr")["docno"].to_pylist()) == set()  # a larger sample holds the smaller one
    assert set(other.queries("fr", "test")["qid"].to_pylist()) != set(queries["qid"].to_pylist())
    assert one.origin("passages", "fr", "") != other.origin("passages", "fr", "")

    french, dutch = (
        table(Sampled(mmarco, ("fr", "nl"), 1, 0, 1, 7), code)["docno"].to_pylist() for code in ("fr", "nl")
    )
    assert french == dutch
    assert len(french) == 2


def test_files_behind_a_source_are_known_before_they_are_here() -> None:
    """What `lsw plan` says will be downloaded."""
    found = irds.files(irds.dataset("miracl/zh").docs_handler())
    assert len(found) == 10
    assert all(f.size and not f.there and f.url.startswith("https://") for f in found)


@pytest.mark.slow
def test_a_scale_over_ir_datasets_runs(lsw: Lsw, mmarco: PublicCollection, tmp_path: Path) -> None:
    """From a scale that names them to a ranking in the store, with the queries of each variety its own."""
    (tmp_path / "mine.toml").write_text(
        f"""
        [collection]
        name = "mmarco-v2"
        splits = {{ test = "dev/small" }}
        sources = {{ fr = "irds:mmarco/v2/fr", nl = "irds:mmarco/v2/dt" }}
        queries.test.ca = "{HOME / "lt/ca.tsv"}"
        """,
        "utf-8",
    )
    (tmp_path / "r.toml").write_text(
        'title = "t"\n[retrieval]\npairs = ["ca-fr", "fr-nl"]\nsystems = ["bm25"]\n[comparison]\ncontrasts = ["gap"]\n',
        "utf-8",
    )
    env = {"IR_DATASETS_HOME": str(HOME)}
    lsw("recipe", "run", tmp_path / "r.toml", "--scale", tmp_path / "mine.toml", "--store", tmp_path / "s", **env)
    said = lsw("sql", "SELECT query_variety, qid, query FROM scored_queries JOIN runs USING (run_id)"
               " WHERE document_variety = 'fr' ORDER BY ALL",
               "--format", "csv", "--store", tmp_path / "s").stdout  # fmt: skip
    assert said.splitlines()[1:] == ["ca,2,el gat?", "ca,7,un gos?", "fr,2,le chat ?", "fr,7,un chien ?"]
    values = lsw("sql", "SELECT query_variety, avg(value) FROM measures JOIN runs USING (run_id) WHERE measure = 'RR@10'"
                 " AND document_variety = 'fr' GROUP BY ALL ORDER BY ALL", "--format", "csv", "--store", tmp_path / "s").stdout  # fmt: skip
    assert values.splitlines()[1:] == ["ca,0.5", "fr,1.0"]
    # Dutch passages have judgements of their own, which count in no run over French ones.
    ids = lsw("sql", "SELECT run_id FROM runs WHERE document_variety = 'fr' ORDER BY query_variety", "--format", "csv",
              "--store", tmp_path / "s").stdout.split()[1:]  # fmt: skip
    told = json.loads(lsw("compare", *ids, "--measure", "AP", "--store", tmp_path / "s", "--json").stdout)
    assert told["comparisons"][0]["mean"] == 1.0
    run = tmp_path / "a.run"
    run.write_text("2 Q0 0 1 5.0 x\n", "utf-8")
    command = ("import", run, "--system", "x", "--query-variety", "fr", "--collection", "mmarco-v2")
    assert "--document-variety" in lsw(*command, "--store", tmp_path / "s", check=2).stderr
    lsw(*command, "--document-variety", "nl", "--store", tmp_path / "s")


def test_a_download_is_seen_as_it_grows(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    big = Download("https://example.org/big.tsv", tmp_path / "big.tsv", 1_000)
    with irds.watched([big], lambda done, total: told.append((done, total))):
        (tmp_path / "big.tsv.tmp").write_bytes(b"x" * 400)
        time.sleep(0.7)
        (tmp_path / "big.tsv.tmp").rename(tmp_path / "big.tsv")
        time.sleep(0.6)
    assert (400, 1_000) in told
    assert PublicCollection("n", {"fa": "irds:neuclir/1/fa"}).downloads("passages", "fa", "")[0].size == 2_359_094_118
