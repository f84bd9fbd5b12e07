"""Input as nobody should write it: one clear error, or work done whole; never a fault of lsw, never half a row."""

import gzip
import json
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from store import LswError, Store
from store.query import select
from workbench.collections.folder import Folder
from workbench.engine.execute import execute
from workbench.evaluation.run_files import RunWriter, Twice, read_run
from workbench.plans.import_run import import_plan
from workbench.plans.recipe import compile_recipe
from workbench.recipe.load import load, scale_path
from workbench.translation.base import Desk
from workbench.translation.file import TranslationFile


def times(examples: int) -> settings:
    """The same examples every time."""
    return settings(
        max_examples=examples, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )


NASTY = [
    "", " ", "\t", "\n", "\r", "\r\n", "\0", "\x1b[31m", "\x85", "\u2028", "\ufeff", "\u200b", "é", "١", "²", "½", "1_0",
    "+1", "-1", "1.0", "1e3", "1e400", "nan", "inf", "-inf", "0x10", "2147483648", "-2147483649", "9" * 5_000, '"', "'",
    "{", "[" * 5_000, "\\ud800", "\\u0000", "~nobody/x", "/", "null", "q1", "d1", "0", "Q0", "x" * 3_000,
]  # fmt: skip
BYTES = [b"\xff", b"\xed\xa0\x80", b"\xc3", b"\xef\xbb\xbf", b"\x1f\x8b", b"\0"]
pieces = st.sampled_from([text.encode() for text in NASTY] + BYTES) | st.binary(max_size=6)


def mangled(good: bytes) -> st.SearchStrategy[bytes]:
    """A good file with some pieces put in, cut out, or in the place of a word."""

    def change(changes: list[tuple[int, int, bytes]]) -> bytes:
        data = good
        for start, length, piece in changes:
            if length < 0:
                words = re.split(rb"(\W+)", data)
                words[start % len(words)] = piece
                data = b"".join(words)
            else:
                at = start % (len(data) + 1)
                data = data[:at] + piece + data[at + length :]
        return data

    spots = st.tuples(st.integers(0, 10_000), st.sampled_from([-1, -1, 0, 1, 12]), pieces)
    return st.lists(spots, min_size=1, max_size=3).map(change)


@contextmanager
def refused_clearly() -> Iterator[None]:
    """Nothing comes out but an error in words."""
    try:
        yield
    except LswError as error:
        str(error).encode()  # and can be shown


def folder_of(files: dict[str, bytes], path: Path) -> Folder:
    for name, content in files.items():
        (path / name).write_bytes(content)
    return Folder("c", path)


CORPUS = b"".join(b'{"_id": "d%d", "title": "T", "text": "some words %d"}\n' % (i, i) for i in range(4))
QUERIES = b"".join(b"q%d\twords %d\n" % (i, i) for i in range(4))
QRELS = b"".join(b"q%d 0 d%d 1\n" % (i, i) for i in range(4))
BEIR = b"query-id\tcorpus-id\tscore\n" + b"".join(b"q%d\td%d\t1\n" % (i, i) for i in range(4))
DOCUMENTS = b"".join(b"<DOC>\n<DOCNO>d%d</DOCNO>\n<TEXT>words</TEXT>\n</DOC>\n" % i for i in range(3))
TOPICS = b"".join(b"<top><num>Number: %d</num><title>words</title></top>\n" % i for i in range(3))
RUN = b"".join(b"q%d Q0 d%d %d %d.5 t\n" % (q, d, d, 9 - d) for q in range(3) for d in range(3))
FILES: dict[str, bytes] = {
    "corpus.zh.jsonl": CORPUS, "corpus.zh.jsonl.gz": CORPUS, "corpus.zh.trec": DOCUMENTS, "queries.zh.tsv": QUERIES,
    "queries.zh.jsonl": CORPUS, "queries.zh.trec": TOPICS, "qrels.tsv": QRELS, "qrels.beir": BEIR,
    "topics.tsv": b"q1\ttest\nq2\ttrain\n",
}  # fmt: skip


@st.composite
def collections(draw: Callable[..., Any]) -> dict[str, bytes]:
    name = draw(st.sampled_from(list(FILES)))
    content = draw(mangled(FILES[name]))
    if name.endswith(".gz"):
        content = gzip.compress(content)
        content = content[: draw(st.sampled_from([len(content), len(content) // 2]))]
    return {"qrels.tsv" if name == "qrels.beir" else name: content}


@times(400)
@given(files=collections())
@example({"corpus.zh.jsonl": b'{"_id": "d", "text": "\\ud800"}'})
@example({"corpus.zh.jsonl": b'{"_id": "d", "text": "a", "n": ' + b"9" * 6_000 + b"}"})
@example({"corpus.zh.jsonl": b"[" * 100_000})
@example({"qrels.tsv": b"q1 0 d1 2147483648\n"})
def test_a_collection_is_read_or_refused(files: dict[str, bytes]) -> None:
    with tempfile.TemporaryDirectory() as path:
        folder = folder_of(files, Path(path))
        for read in (
            lambda: folder.topics,
            lambda: [batch.validate(full=True) for batch in folder.passages("zh")],
            lambda: folder.queries("zh").validate(full=True),
            lambda: folder.qrels().validate(full=True),
            lambda: folder.passages_extent("zh"),
        ):
            with refused_clearly():
                read()


@times(180)
@given(content=mangled(RUN), pack=st.booleans())
def test_a_run_is_read_or_refused(content: bytes, pack: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / ("run.trec.gz" if pack else "run.trec")
        path.write_bytes(gzip.compress(content) if pack else content)
        with refused_clearly():
            writer = RunWriter(Path(folder) / "ranking.parquet", "0123456789ab")
            try:
                for table, _ in read_run(path):
                    writer.add(table)
                writer.close()
            except Twice as twice:
                raise twice.found(path) from None


@times(200)
@given(content=mangled(QUERIES))
@example(b"\xef\xbb\xbfq0\tone\xe2\x80\xa8two\n\n")
@example(b"q0\t\xe9\n")
def test_a_file_of_translations_is_read_or_refused(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.tsv"
        path.write_bytes(content)
        desk = Desk("zh", "yue", path.parent, lambda done, total: None, print)
        with refused_clearly():
            TranslationFile(translator="file", file=str(path)).translate({"q0": "x"}, desk)


RECIPE: dict[str, dict[str, Any]] = {
    "retrieval": {"pairs": ["yue-zh"], "systems": ["bm25"], "ask": ["low", "high"], "depth": 10, "script": "simplified"},
    "reranking": {"depth": 5, "first_stage": "base"},
    "measures": {"names": ["RR@10", "nDCG@10"]},
    "comparison": {"test": "t", "resamples": 100, "confidence": 0.9, "seed": 1, "contrasts": ["gap"], "interval": "bca"},
    "negatives": {"depth": 5, "margin": 0.1, "seed": 1, "limit": 10, "source": "mined", "queries": "high"},
    "fine-tuning": {"pair": "ca-fr", "systems": ["bge-m3"], "steps": [{"step": "sample", "queries": 5, "seed": 1}]},
    "translation": {"translator": "google", "rate": 1.0, "retries": 2, "timeout": 3.0},
    "collection": {"name": "mini", "folder": "package:collection", "pairs": ["yue-zh"], "fields": ["title"]},
    "computing": {"token_budget": 100, "processes": 1, "precision": "float32"},
    "audit": {"measure": "RR@10", "confidence": 0.9, "seed": 1, "back": "google"},
    "pre-training": {"varieties": ["fr"], "systems": ["bge-m3"], "seed": 1, "noise": 0.1},
    "vocabulary": {"size": 100},
    "published": {"ca-fr": {"bge-m3": "a/b"}},
    "systems": {"new": {"architecture": "bm25", "k1": 0.9}},
}  # fmt: skip
ODD: dict[type, list[Any]] = {
    int: [0, -1, 1, 3, 1_000_000, (1 << 31) - 1, 1 << 31, (1 << 32) - 1, 1 << 32, 1 << 64, 10**400, True],
    float: [0.0, -0.5, 0.5, 1.0, 3.0, 1e-320, 1e308, float("inf"), float("nan")],
    str: [text.encode().decode("unicode_escape", "ignore") for text in NASTY if len(text) < 5_000]
    + ["bm25 >> bge-m3", "bge-m3", "mt5", "yue", "yue-zh", "zh-zh", "-", "P@0", "AP", "nDCG@2147483648", "seq2seq"],
    list: [[], [[]], ["bm25"], ["bge-m3 >> mt5"], ["yue-zh"], ["zh-yue"], ["low", "low"], ["RR@0"], ["P(rel=0)@5"]],
    dict: [{}, {"a": 1}, {"translator": "file", "file": "\0"}],
}
"""Values that are odd, by the type of what they stand for."""


@st.composite
def recipes(draw: Callable[..., Any]) -> str:
    """A recipe with some sections, some values of which are odd, or whose text is odd."""
    chosen = {"retrieval", *draw(st.sets(st.sampled_from(list(RECIPE)), max_size=4))}
    whole = {name: dict(section) for name, section in RECIPE.items() if name in chosen}
    for _ in range(draw(st.integers(1, 2))):
        section = draw(st.sampled_from(sorted(whole)))
        key = draw(st.sampled_from(sorted(whole[section]) * 3 + ["", "odd", "a.b"]))
        kind = draw(st.sampled_from([type(whole[section].get(key))] * 5 + list(ODD)))
        value = draw(st.sampled_from(ODD.get(kind, ODD[str])))
        again = isinstance(whole[section].get(key), list) and draw(st.booleans())
        whole[section][key] = [value] if again else value
    lines = ['title = "x"']
    for section, settings_of_it in whole.items():
        lines.append(f"[{section}]")
        lines += [f"{json.dumps(key)} = {toml(value)}" for key, value in settings_of_it.items()]
    return "\n".join(lines)


def toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(k)} = {toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    if isinstance(value, float) and value != value:
        return "nan"
    return json.dumps(value).replace("Infinity", "inf").replace("\x7f", "\\u007f")


def compiled(text: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder, refused_clearly():
        path, scale = Path(folder) / "r.toml", scale_path("mini")
        path.write_bytes(text)
        compile_recipe(load(path, scale), "r", "mini", scale.parent, fetch=False)


@times(500)
@given(text=recipes())
def test_a_recipe_of_odd_values_compiles_or_is_refused(text: str) -> None:
    compiled(text.encode())


@times(60)
@given(text=mangled(b'title = "x"\n[retrieval]\npairs = ["yue-zh"]\nsystems = ["bm25"]\ndepth = 10\n'))
def test_a_recipe_of_odd_text_compiles_or_is_refused(text: bytes) -> None:
    compiled(text)


class Silent:
    def begin(self, *_: Any) -> None: ...
    def progress(self, *_: Any) -> None: ...
    def note(self, *_: Any) -> None: ...
    def end(self, *_: Any) -> None: ...


HALVES = """
SELECT 'a run without its ranking', count(*) FROM runs ANTI JOIN rankings USING (run_id)
UNION ALL SELECT 'a ranking without its run', count(*) FROM rankings ANTI JOIN runs USING (run_id)
UNION ALL SELECT 'rows of a stage that failed', count(*) FROM runs r JOIN stages s USING (key) WHERE s.status <> 'done'
"""


def test_a_store_has_all_of_an_import_or_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    done = 0

    @times(16)
    @given(run=st.just(RUN) | mangled(RUN), qrels=st.just(QRELS) | mangled(QRELS))
    @example(RUN, QRELS)
    @example(RUN, b"q1 0 d1 2147483648\n")
    @example(b"\xef\xbb\xbf" + RUN, QRELS)
    def imported(run: bytes, qrels: bytes) -> None:
        nonlocal done
        (tmp_path / "run.trec").write_bytes(run)
        (tmp_path / "q.tsv").write_bytes(qrels)
        with refused_clearly():
            plan, _ = import_plan(store, tmp_path / "run.trec", "x", None, "yue", None, None, tmp_path / "q.tsv")
            execute(plan, store, Silent())
            done += 1
        assert [row for row in select(store, HALVES)[1] if row[1]] == []
        left = [p.name for p in store.artifacts.folder.iterdir() if p.name.startswith((".making", ".doomed"))]
        assert left == []

    imported()
    assert done
