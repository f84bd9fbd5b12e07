"""Translation services as they fail: too slow, too busy, broken, cut short; nothing is lost and nothing asked for twice."""

import json
import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlparse

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

from store import LswError, Store
from store.query import rows
from tests.conftest import Lsw
from workbench.graph import Job
from workbench.stages.translate import Translate
from workbench.translation import TRANSLATORS, _service, apertium
from workbench.translation._service import Service, describe, patiently
from workbench.translation.apertium import PACKAGES
from workbench.translation.base import Desk, Journal
from workbench.translation.file import TranslationFile
from workbench.translation.seq2seq import told, translated
from workbench.varieties import table

GOOD = "good"


class Faulty:
    """A local server that answers as Google's page and as LibreTranslate do, after the faults it was told to make.

    `answered` counts the texts whose translation was sent whole: what a service would charge for.
    """

    def __init__(self) -> None:
        self.faults: list[str] = []
        self.answered: Counter[str] = Counter()
        self.says: Callable[[str], str] = lambda text: text.upper()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self.answer("html")

            def do_POST(self) -> None:
                self.answer("json")

            def answer(self, form: str) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                self.rfile.read(length)
                asked = parse_qs(urlparse(self.path).query)["q"][0]
                fault = outer.faults.pop(0) if outer.faults else GOOD
                answer = outer.says(asked)
                if fault in ("429", "500", "403"):
                    self.body(int(fault), b"no")
                elif fault == "slow":
                    time.sleep(0.6)
                    self.body(200, b"late")
                elif fault == "page":
                    self.body(200, b"<html><body>Please show that you are not a robot</body></html>")
                elif fault == "empty":
                    self.body(200, self.page("", form))
                elif fault == "cut":
                    whole = self.page(answer, form)
                    self.send_response(200)
                    self.send_header("Content-Length", str(len(whole) + 100))
                    self.end_headers()
                    self.wfile.write(whole[: len(whole) // 2])
                    self.close_connection = True
                else:
                    outer.answered[asked] += 1
                    self.body(200, self.page(answer, form))

            def page(self, text: str, form: str) -> bytes:
                if form == "json":
                    return json.dumps({"translatedText": text}).encode()
                return f'<html><div class="result-container">{text}</div></html>'.encode()

            def body(self, status: int, content: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: Any) -> None: ...

        self.server = ThreadingHTTPServer(("localhost", 0), Handler)
        self.url = f"http://localhost:{self.server.server_port}/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def faulty(monkeypatch: pytest.MonkeyPatch) -> Iterator[Faulty]:
    """The server, in Google's place; waiting between attempts takes no time."""
    from deep_translator.constants import BASE_URLS

    server = Faulty()
    monkeypatch.setitem(BASE_URLS, "GOOGLE_TRANSLATE", server.url)
    monkeypatch.setattr(_service, "sleep", lambda _: None)
    yield server
    server.server.shutdown()


NOTES: list[str] = []
TEXTS = [f"question number {i}" for i in range(12)]


def stage(translator: str = "google", retries: int = 6, **settings: Any) -> Translate:
    """A translate stage, French to Catalan."""
    settings = {"translator": translator, "rate": 1000.0, "retries": retries, "timeout": 0.3, **settings}
    return Translate(translator=TRANSLATORS.part(translator)(**settings), source_variety="fr", target_variety="ca")


def service(name: str) -> Service:
    """A translation service that waits a second for an answer."""
    part = TRANSLATORS.part(name)
    assert issubclass(part, Service)
    return part(translator=name, timeout=1)


def job(folder: Path, texts: list[str] = TEXTS) -> Job:
    """Some French queries to translate."""
    source = folder / "source" / "rows"
    source.mkdir(parents=True, exist_ok=True)
    n = len(texts)
    columns = {"variety": ["fr"] * n, "qid": [f"q{i}" for i in range(n)], "query": texts, "topic": ["t"] * n}
    pq.write_table(pa.table({**columns, "split": ["test"] * n}), source / "query.parquet")
    for name in ("out", "work"):
        (folder / name).mkdir(exist_ok=True)
    return Job("a" * 64, {"source": source.parent}, folder / "out", folder / "work", lambda *_: None, NOTES.append)


def test_after_every_kind_of_fault_all_is_there_in_order_and_was_asked_for_once(tmp_path: Path, faulty: Faulty) -> None:
    faulty.faults = ["429", "slow", GOOD, "500", "page", "cut", "empty", GOOD, GOOD, "429", "429", "cut", "403"]
    at = job(tmp_path)
    summary = stage().run(at)
    translations = pq.read_table(at.out / "rows" / "translation.parquet").to_pydict()
    assert translations["text"] == [t.upper() for t in TEXTS]
    assert translations["source_text"] == TEXTS
    assert translations["translator"] == ["google"] * len(TEXTS)
    assert faulty.answered == Counter(TEXTS)
    assert (summary["asked"], summary["faults"]) == (12, 10)
    assert summary["version"].startswith("deep-translator ")
    assert "google: too many requests (429); asking again in 1 s" in NOTES
    wording = pq.read_table(at.out / "rows" / "wording.parquet").to_pydict()
    assert wording["query"] == translations["text"]
    assert set(wording["variety"]) == {"ca"}


def test_what_was_had_before_an_interruption_is_not_asked_for_again(tmp_path: Path, faulty: Faulty) -> None:
    faulty.faults = [GOOD] * 5 + ["500"] * 3
    at, work = job(tmp_path), stage(retries=2)
    with pytest.raises(LswError, match="gave nothing for query 'q5': the service answered with an error") as told:
        work.run(at)
    assert "5 of 12 queries are translated, and kept" in told.value.detail
    assert told.value.exit_code == 1
    with (at.work / "translations.jsonl").open("a") as file:  # and then the power went while a line was written
        file.write('["question number 7", "QUES')
    assert work.run(at)["asked"] == 7
    assert faulty.answered == Counter(TEXTS)
    assert len((at.work / "translations.jsonl").read_text().splitlines()) == 12


def test_equal_texts_are_asked_for_once_and_long_ones_not_at_all(tmp_path: Path, faulty: Faulty) -> None:
    assert stage().run(job(tmp_path / "a", ["same", "other", "same"]))["asked"] == 2
    assert faulty.answered == Counter(["same", "other"])
    with pytest.raises(LswError, match="it has 5001 characters, and google takes 5000"):
        stage().run(job(tmp_path / "b", ["x" * 5001]))
    assert sum(faulty.answered.values()) == 2


def test_google_takes_every_variety_others_say_what_they_lack(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIBRE_API_KEY", "k")
    monkeypatch.delenv("DEEPL_API_KEY", raising=False)
    for v in table().values():
        if v.high:
            service("google").asking(v.high, v.code)
    service("libre").asking("fr", "ca")
    monkeypatch.setenv("YANDEX_API_KEY", "k")
    with pytest.raises(LswError, match="does not offer Italian to Sicilian"):
        service("mymemory").asking("it", "scn")
    with pytest.raises(LswError, match="wants a key") as told:
        service("deepl").asking("fr", "ca")
    assert "DEEPL_API_KEY" in told.value.cure
    with pytest.raises(LswError, match="Unknown translator 'gogle'") as told:
        service("gogle").asking("fr", "ca")
    assert "google" in told.value.cure


def test_no_key_is_ever_shown(tmp_path: Path, faulty: Faulty, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIBRE_API_KEY", "very-secret")
    faulty.faults = ["403"] * 50
    work = stage("libre", retries=1, url=faulty.url)
    with pytest.raises(LswError, match="does not take the key") as told:
        work.run(job(tmp_path))
    kept = "".join(p.read_text("utf-8", errors="replace") for p in tmp_path.rglob("*") if p.is_file())
    assert "very-secret" not in str(told.value) + kept
    from deep_translator.exceptions import ApiKeyException, AuthorizationException

    for fault in (AuthorizationException("very-secret"), ApiKeyException("very-secret")):
        assert "very-secret" not in describe(fault)


@pytest.mark.parametrize(
    "url",
    [
        "http://me:very-secret@localhost:5000/",
        "http://very-secret@localhost:5000/",
        "http://localhost:5000/?api_key=very-secret",
        "http://localhost:5000/?x=1&Access-Token=very-secret",
        "http://localhost:5000/#key=very-secret",
        "http://me:very-secret@[",
    ],
)
def test_a_url_with_a_password_or_a_key_is_refused_and_not_shown(tmp_path: Path, lsw: Lsw, url: str) -> None:
    with pytest.raises(ValidationError) as told:
        stage("libre", url=url)
    [fault] = told.value.errors(include_input=False)
    assert fault["type"] == "lsw"
    assert "very-secret" not in str(fault)
    if "api_key" in url:
        asked = ('translation.translator="libre"', f'translation.url="{url}"', "--store", tmp_path / "s")
        said = lsw("recipe", "run", "zero_shot_yue_zh", *asked, check=2).stderr
        assert "has a password or a key in it" in said
        assert "LIBRE_API_KEY" in said
        assert "very-secret" not in said
        assert not (tmp_path / "s").exists()


def test_a_url_without_a_key_is_taken() -> None:
    for url in (None, "http://localhost:5000/", "https://translate.example/v1?format=text"):
        assert TRANSLATORS.part("libre")(translator="libre", url=url).model_dump()["url"] == url


def test_services_are_asked_no_more_often_than_agreed(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr(_service, "sleep", waited.append)
    ask = patiently(lambda text: text, rate=4, retries=0, note=print)
    for text in "abcdef":
        ask(text)
    assert waited[0] == 0
    assert all(0.2 < wait <= 0.25 for wait in waited[1:])


def test_waits_double_from_fault_to_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr(_service, "sleep", waited.append)

    def fails(_: str) -> str:
        raise ConnectionError

    with pytest.raises(ConnectionError):
        patiently(fails, rate=1e9, retries=8, note=print)("x")
    waits = [w for w in waited if w > 0.5]
    assert len(waits) == 8
    for i, wait in enumerate(waits):
        assert min(60, 2**i) <= wait <= min(60, 2**i) * 1.25


def test_every_service_is_there() -> None:
    import deep_translator

    parts = {name: TRANSLATORS.part(name) for name in TRANSLATORS.names()}
    classes = {name: part.translator_class for name, part in parts.items() if issubclass(part, Service)}
    assert set(classes) == {
        "google", "mymemory", "deepl", "libre", "microsoft", "yandex", "papago", "qcri", "baidu"
    }  # fmt: skip
    for name, translator_class in classes.items():
        assert hasattr(deep_translator, translator_class), name


@pytest.mark.slow
@pytest.mark.parametrize("translator", ["libre", "file"])
def test_a_recipe_asks_in_the_words_that_were_translated(
    small: Path, small_recipe: Path, small_scale: Path, tmp_path: Path, lsw: Lsw, translator: str
) -> None:
    """The collection has no Catalan queries: they come from a service of one's own, or from a file."""
    lines = {
        v: dict(x.split("\t") for x in (small / f"queries.{v}.tsv").read_text().splitlines()) for v in ("ca", "fr")
    }
    (small / "queries.ca.tsv").rename(tmp_path / "theirs.tsv")
    catalan = {lines["fr"][qid]: text for qid, text in lines["ca"].items()}
    server = Faulty()
    server.says = catalan.__getitem__
    options = {
        "libre": ["translation.rate=1000.0", f'translation.url="{server.url}"'],
        "file": [f'translation.file="{tmp_path / "theirs.tsv"}"'],
    }[translator]
    command = [
        "recipe", "run", small_recipe, "--scale", small_scale, "--store", tmp_path / "store",
        f'translation.translator="{translator}"', *options, 'retrieval.systems=["bm25"]', "fine-tuning.systems=[]",
    ]  # fmt: skip
    lsw(*command)
    store = Store(tmp_path / "store")
    with store.reading() as con:
        asked = rows(
            con, "SELECT qid, s.query FROM scored_queries s JOIN runs USING (run_id) WHERE query_variety = 'ca'"
        )
        kept = rows(con, "SELECT translator, qid, text FROM translations")
    assert asked
    assert all(row["query"] == lines["ca"][row["qid"]] for row in asked)
    assert {row["translator"] for row in kept} == {translator}
    before = sum(server.answered.values())
    assert "0 stages run" in lsw(*command).stderr
    assert sum(server.answered.values()) == before  # and nothing is paid for twice
    server.server.shutdown()


@pytest.mark.slow
def test_a_file_that_lacks_a_query_is_refused(
    small: Path, small_recipe: Path, small_scale: Path, tmp_path: Path, lsw: Lsw
) -> None:
    (tmp_path / "few.tsv").write_text("q1\tone\n")
    command = ["recipe", "run", small_recipe, "--scale", small_scale, "--store", tmp_path / "store",
               'translation.translator="file"', 'retrieval.systems=["bm25"]', "fine-tuning.systems=[]"]  # fmt: skip
    assert "'translation.file' is missing" in lsw(*command, check=2).stderr
    assert "is not there" in lsw(*command, f'translation.file="{tmp_path / "nowhere.tsv"}"', check=2).stderr
    assert "is missing in 'ca'" in lsw(*command, f'translation.file="{tmp_path / "few.tsv"}"', check=2).stderr
    (tmp_path / "bad.tsv").write_text("q1\tone\nno tab here\n")
    told = lsw(*command, f'translation.file="{tmp_path / "bad.tsv"}"', check=2).stderr
    assert "bad.tsv, line 2" in told.replace("\n", "")


def from_file(path: Path, *qids: str) -> dict[str, str]:
    """What a file of translations has for some queries."""
    desk = Desk("fr", "ca", path.parent, lambda done, total: None, print)
    return TranslationFile(translator="file", file=str(path)).translate(dict.fromkeys(qids, "?"), desk)[0]


def test_a_file_of_translations_is_read_as_queries_are(tmp_path: Path) -> None:
    path = tmp_path / "theirs.tsv"
    path.write_bytes("\ufeffq1\tone\u2028two \r\n\n\nq2\tthree\x85four".encode())
    assert from_file(path, "q1", "q2") == {"q1": "one\u2028two", "q2": "three\x85four"}


@pytest.mark.parametrize(
    ("line", "title"),
    [
        (b"\xe9\tx", "Invalid UTF-8"),
        (b"q2", "No tab"),
        (b"q2\t ", "has an empty text"),
        (b"q1\tagain", "Qid 'q1' is on line 1 already"),
    ],
)
def test_a_bad_line_of_a_file_of_translations_is_named(tmp_path: Path, line: bytes, title: str) -> None:
    path = tmp_path / "theirs.tsv"
    path.write_bytes(b"q1\tone\n" + line + b"\n")
    with pytest.raises(LswError, match=title) as caught:
        from_file(path, "q1")
    assert caught.value.detail == f"{path}, line 2"


def test_a_journal_has_what_was_paid_for_whatever_is_in_the_text(tmp_path: Path) -> None:
    path = tmp_path / "translations.jsonl"
    texts = {"one\u2028two": "dos\u2029", "three\x85": "quatre\x1e", "é": "è"}
    for text, answer in texts.items():
        Journal(path).add(text, answer)
    assert Journal(path).had == texts
    path.write_bytes(path.read_bytes()[:-4])  # killed within a character
    assert Journal(path).had == dict(list(texts.items())[:2])
    Journal(path).add("é", "è")
    assert Journal(path).had == texts


@pytest.fixture(scope="module")
def nllb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A very small NLLB: its architecture and its tokenizer, random weights."""
    import torch
    from transformers import M2M100Config, M2M100ForConditionalGeneration, NllbTokenizer

    folder = tmp_path_factory.mktemp("nllb")
    pieces = ["<s>", "<pad>", "</s>", "<unk>", "▁", *"abcdefghijklmnopqrstuvwxyz0123456789'?"]
    codes = ["fra_Latn", "cat_Latn", "eng_Latn"]
    vocab = {piece: i for i, piece in enumerate([*pieces, *codes])}
    NllbTokenizer(vocab=vocab, merges=[], extra_special_tokens=codes).save_pretrained(folder)
    torch.manual_seed(0)
    config = M2M100Config(
        vocab_size=len(vocab) + 1, d_model=32, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2,
        decoder_attention_heads=2, encoder_ffn_dim=64, decoder_ffn_dim=64, max_position_embeddings=128,
    )  # fmt: skip
    M2M100ForConditionalGeneration(config).save_pretrained(folder)
    return folder


def test_a_checkpoint_translates_as_it_does_text_by_text(nllb: Path) -> None:
    import torch
    from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

    texts = [f"{'que es ' * (i % 5)}la mer {i}" for i in range(20)]
    made: dict[str, str] = {}
    for some, answers in translated(nllb, texts, "fr", "ca", beams=2, length=24):
        made |= dict(zip(some, answers, strict=True))
    tokenizer = AutoTokenizer.from_pretrained(nllb, src_lang="fra_Latn")
    model = AutoModelForSeq2SeqLM.from_pretrained(nllb).eval()
    catalan = tokenizer.convert_tokens_to_ids("cat_Latn")
    for text in texts:
        inputs = tokenizer(text, return_tensors="pt")
        with torch.inference_mode():
            ids = model.generate(**inputs, num_beams=2, max_new_tokens=24, forced_bos_token_id=catalan)
        assert int(ids[0, 1]) == catalan
        assert made[text] == " ".join(tokenizer.decode(ids[0], skip_special_tokens=True).split())


def test_a_checkpoint_without_a_variety_says_so(nllb: Path) -> None:
    with pytest.raises(LswError, match="no code for Occitan"):
        next(translated(nllb, ["la mer"], "fr", "oc", 1, 8))


class Words:
    """A tokenizer as far as it is asked here: the words that it knows."""

    def __init__(self, *words: str) -> None:
        self.known = {word: i for i, word in enumerate(words)}

    def get_vocab(self) -> dict[str, int]:
        return self.known


def test_a_checkpoint_of_many_varieties_is_told_which() -> None:
    at = Path("checkpoint")
    m2m: Any = Words("__en__", "__fr__", "__ca__")
    assert told(m2m, "fr", "ca", at) == ("", {"forced_bos_token_id": 2})
    assert m2m.src_lang == "fr"
    assert told(Words("<2en>", "<2ca>"), "fr", "ca", at) == ("<2ca> ", {})
    assert told(Words(">>afr<<", ">>cat<<"), "fr", "ca", at) == (">>cat<< ", {})
    assert told(Words(">>yue_Hant<<", ">>cat<<"), "zh", "yue", at) == (">>yue_Hant<< ", {})
    assert told(Words("▁la", "▁mer"), "fr", "ca", at) == ("", {})  # of one pair
    for words in (("__en__", "__fr__"), ("<2en>",), (">>afr<<",)):
        with pytest.raises(LswError, match="no code for Catalan"):
            told(Words(*words), "fr", "ca", at)


@pytest.mark.slow
def test_a_recipe_translates_with_a_checkpoint(
    nllb: Path, small: Path, small_recipe: Path, small_scale: Path, tmp_path: Path, lsw: Lsw
) -> None:
    (small / "queries.ca.tsv").unlink()
    command = ["recipe", "run", small_recipe, "--scale", small_scale, "--store", tmp_path / "store",
               'translation.translator="seq2seq"', "translation.beams=1", "translation.length=16",
               'retrieval.systems=["bm25"]', "fine-tuning.systems=[]"]  # fmt: skip
    assert "'translation.checkpoint' is missing" in lsw(*command, check=2).stderr
    lsw(*command, f'translation.checkpoint="{nllb}"')
    with Store(tmp_path / "store").reading() as con:
        [[n, models]] = con.execute(
            "SELECT count(*), count(DISTINCT s.inputs->>'model') FROM translations t JOIN stages s USING (key)"
            " WHERE translator = 'seq2seq' AND source_variety = 'fr'"
        ).fetchall()
    assert n > 0 and models == 1


needs_apertium = pytest.mark.skipif(shutil.which("apertium") is None, reason=f"no Apertium: apt install {PACKAGES}")


@needs_apertium
@pytest.mark.parametrize(
    ("source", "target", "text", "word"),
    [
        ("fr", "ca", "combien coûte un billet de train pour Paris", "bitllet"),
        ("fr", "oc", "combien coûte un billet de train pour Paris", "bilhet"),
        ("nl", "af", "waarom is de lucht blauw", "blou"),
        ("id", "ms", "mengapa langit berwarna biru", "langit"),
    ],
)
def test_apertium_translates(source: str, target: str, text: str, word: str) -> None:
    odd = ["<b>[x] ^y/z$ \\ & *star*", "zzqx", text, "deux\nlignes"]
    made = apertium.translated([*odd, text], source, target)
    assert len(made) == 5
    assert word in made[2].split()
    assert made[4] == made[2]  # whatever stands before it
    assert "*" not in made[1]


@needs_apertium
def test_apertium_says_which_directions_it_has() -> None:
    with pytest.raises(LswError, match=r"does not translate Mandarin.* to Cantonese") as told:
        apertium.translated(["x"], "zh", "yue")
    assert "fra-cat" in told.value.detail


def test_without_apertium_one_is_told_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(LswError, match="not installed") as told:
        apertium.translated(["x"], "fr", "ca")
    assert "apt install apertium" in told.value.cure


@pytest.mark.slow
@needs_apertium
def test_a_recipe_translates_with_apertium(
    small: Path, small_recipe: Path, small_scale: Path, tmp_path: Path, lsw: Lsw
) -> None:
    (small / "queries.ca.tsv").unlink()
    lsw(
        "recipe", "run", small_recipe, "--scale", small_scale, "--store", tmp_path / "store",
        'translation.translator="apertium"', 'retrieval.systems=["bm25"]', "fine-tuning.systems=[]",
    )  # fmt: skip
    with Store(tmp_path / "store").reading() as con:
        kept = rows(con, "SELECT t.text, s.query FROM translations t JOIN scored_queries s USING (qid) JOIN runs r"
                         " ON r.run_id = s.run_id AND r.query_variety = 'ca'")  # fmt: skip
        [[version]] = con.execute("SELECT summary->>'version' FROM stages WHERE kind = 'translate'").fetchall()
    assert kept and all(row["text"] == row["query"] for row in kept)
    assert "pertium" in version
