"""TREC runs in and out: any shape of file, any size of block, every fault by its line."""

import bz2
import gzip
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from store import LswError
from workbench.evaluation import run_files as trec
from workbench.evaluation.run_files import RunWriter, Twice, ahead, lines, read_run
from workbench.evaluation.ties import ranked

ids = st.text("abc019é_-", min_size=1, max_size=4)
scores = st.sampled_from([0.5, 1.0, 1.0 + 1e-9, -2.0, 1e-30, 3e38, 1e300]) | st.floats(-1e3, 1e3).map(float)
runs = st.dictionaries(st.tuples(ids, ids), scores, min_size=1, max_size=40)
seps = st.sampled_from([" ", "\t", "  ", " \t "])


def written(path: Path, out: Path) -> pa.Table:
    """What an import leaves."""
    writer = RunWriter(out, "0123456789ab")
    for table, _ in read_run(path):
        writer.add(table)
    writer.close()
    found = pq.read_table(out)
    assert writer.rows == len(found)
    assert writer.queries == set(found["qid"].to_pylist())
    assert writer.depth == max(found["rank"].to_pylist()) + 1
    return found


@pytest.mark.slow
@given(
    run=runs, order=st.sampled_from(["as it comes", "by query", "sorted"]), block=st.integers(8, 400), data=st.data()
)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_file_is_read_as_trec_eval_reads_it(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    run: dict[tuple[str, str], float],
    order: str,
    block: int,
    data: st.DataObject,
) -> None:
    monkeypatch.setattr(trec, "BLOCK", block)
    monkeypatch.setattr(trec, "GROUP", data.draw(st.sampled_from([1, 7, 122_880])))
    rows = list(run.items())
    if order == "by query":
        rows.sort(key=lambda row: row[0][0])
    if order == "sorted":
        rows.sort(key=lambda row: (row[0][0], -np.float32(min(row[1], 3e38)), [-ord(c) for c in row[0][1]]))
    text = ""
    same = data.draw(seps | st.none())
    for (qid, docno), score in rows:
        sep = same or data.draw(seps)
        text += sep.join([qid, "Q0", docno, "0", repr(score), "a_tag"]) + data.draw(
            st.sampled_from(["\n", "\r\n", " \n", "\n\n"])
        )
    path = tmp_path / "run.trec"
    path.write_bytes(text.rstrip("\n").encode() if data.draw(st.booleans()) else text.encode())
    found = written(path, tmp_path / "ranking.parquet")
    reference = {}
    for (qid, docno), score in rows:
        with np.errstate(over="ignore"):
            reference.setdefault(qid, []).append((min(np.float32(score), np.finfo(np.float32).max), docno.encode()))
    for qid, expected in reference.items():
        ours = [r for r in found.to_pylist() if r["qid"] == qid]
        assert [(np.float32(r["score"]), r["docno"].encode()) for r in ours] == sorted(expected, reverse=True)
        assert [r["rank"] for r in ours] == list(range(len(ours)))
    assert set(found["run_id"].to_pylist()) == {"0123456789ab"}


ORDERS = {
    "as they come": lambda row: (row["qid"], 0),
    "by falling score": lambda row: (row["qid"], -row["score"]),
    "by rising score": lambda row: (row["qid"], row["score"]),
    "mixed": lambda row: (row["docno"][-1], row["qid"]),
}


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(("block", "group", "even"), [(600, 7, False), (1 << 20, 122_880, True)])
def test_an_import_orders_as_retrieval_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, order: str, block: int, group: int, even: bool
) -> None:
    """Whatever the order of the lines, many of equal score, and whether queries have as many results each or not."""
    monkeypatch.setattr(trec, "BLOCK", block)
    monkeypatch.setattr(trec, "GROUP", group)
    if order != "mixed":
        monkeypatch.setattr(RunWriter, "_order", None)  # only scattered queries are sorted on disk
    rng = np.random.default_rng(1)
    qids = [f"q{i % 7 if even else int(i**0.5) % 7}" for i in range(140)]
    rows = [{"qid": q, "docno": f"d{i}", "score": int(rng.integers(3)) / 7} for i, q in enumerate(qids)]
    rows.sort(key=ORDERS[order])
    path = tmp_path / "run.trec"
    path.write_text("".join(f"{r['qid']} Q0 {r['docno']} 0 {r['score']!r} t\n" for r in rows), "utf-8")
    found = written(path, tmp_path / "r.parquet").drop("run_id").select(["qid", "docno", "rank", "score"])
    expected = ranked(pa.Table.from_pylist(rows), 1000).to_pylist()
    assert found.to_pylist() == sorted(expected, key=lambda row: row["qid"])


def test_scores_that_tie_between_queries_tie_nothing(tmp_path: Path) -> None:
    path = tmp_path / "run.trec"
    rows = ("1", "a", 3), ("1", "b", 2), ("2", "z", 2), ("2", "y", 1), ("3", "c", 1)
    path.write_text("".join(f"{qid} Q0 {docno} 0 {score} t\n" for qid, docno, score in rows))
    assert written(path, tmp_path / "r.parquet")["docno"].to_pylist() == ["a", "b", "z", "y", "c"]


def test_separators_may_be_mixed(tmp_path: Path) -> None:
    path = tmp_path / "run.trec"
    for text in ("q1 Q0  d1 0 2.5 t\nq1\tQ0\td2 0\t1.5 t\r\n", "q1\tQ0\td1\t0\t2.5\tt\n\nq1 Q0\td2 0 1.5 t ",
                 "q1\tQ0\td1\t0\t2.5\tt\nq1\tQ0\td2\t0\t1.5\tt"):  # fmt: skip
        path.write_bytes(text.encode())
        tables, read = zip(*read_run(path), strict=True)
        rows = [tuple(row.values()) for row in pa.concat_tables(tables).to_pylist()]
        assert rows == [("q1", "d1", 2.5), ("q1", "d2", 1.5)] and read[-1] == len(text)


@pytest.mark.parametrize("pack", ["gz", "bz2", "zst"])
def test_packed_files(tmp_path: Path, pack: str) -> None:
    text = b"".join(b"q%d Q0 d%d 0 %d t\n" % (q, d, -d) for q in range(300) for d in range(50))
    path = tmp_path / f"run.trec.{pack}"
    packed = {"gz": gzip.compress, "bz2": bz2.compress, "zst": lambda b: pa.compress(b, "zstd", asbytes=True)}[pack](
        text
    )
    path.write_bytes(packed)
    assert len(written(path, tmp_path / "ranking.parquet")) == 15_000
    path.write_bytes(packed[: len(packed) // 2])
    with pytest.raises(LswError, match=r"cannot be unpacked|columns; 6 expected"):
        written(path, tmp_path / "ranking.parquet")
    path.write_bytes(text)
    with pytest.raises(LswError, match="cannot be unpacked"):
        written(path, tmp_path / "ranking.parquet")


@pytest.mark.parametrize(
    ("line", "title"),
    [
        (b"q1 Q0 d 0 1.5", "5 columns; 6 expected"),
        (b"q1 Q0 d 0 1.5 my tag", "7 columns; 6 expected"),
        (b"q1  Q0 d  1.5 tag", "5 columns; 6 expected"),
        (b"q1\tQ0\td\t0\t1.5", "5 columns; 6 expected"),
        (b" Q0 d 0 1.5 tag", "5 columns; 6 expected"),
        (b"q1 Q0 d 0 high tag", "Score 'high' is not a finite number"),
        (b"q1 Q0 d 0 1_0 tag", "Score '1_0' is not a finite number"),
        (b"q1 Q0 d 0 nan tag", "Score 'nan' is not a finite number"),
        (b"q1 Q0 d 0 inf tag", "Score 'inf' is not a finite number"),
        (b"q1 Q0 d 0 NA tag", "Score 'NA' is not a finite number"),
        (b"q1 Q0 \xff 0 1 tag", "Invalid UTF-8"),
        (b"q1 Q0 d\0 0 1 tag", "A control character"),
        (b"q\x1b Q0 d 0 1 tag", "A control character"),
        pytest.param(b"q1 Q0 " + b"d" * 5_000_000 + b" 0 1 tag", "A line of more than 1 MB", id="long"),
    ],
)
@pytest.mark.parametrize("block", [64, 1 << 24])
def test_the_first_bad_line_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: bytes, title: str, block: int
) -> None:
    monkeypatch.setattr(trec, "BLOCK", block)
    good = [b"q%d Q0 d%d 0 %d t" % (q, d, -d) for q in range(5) for d in range(20)]
    path = tmp_path / "run.trec"
    path.write_bytes(b"\n".join([*good[:90], b"", line, *good[90:95], b"and worse"]))
    with pytest.raises(LswError) as caught:
        written(path, tmp_path / "ranking.parquet")
    assert title in caught.value.title
    assert caught.value.detail.endswith("line 92")


@pytest.mark.parametrize("block", [64, 1 << 24])
@pytest.mark.parametrize("again", ["within its query", "later"])
def test_the_first_line_that_ranks_a_passage_again_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, again: str, block: int
) -> None:
    monkeypatch.setattr(trec, "BLOCK", block)
    rows = [f"q{q} Q0 d{d} 0 {-d} t" for q in range(5) for d in range(20)]
    if again == "within its query":
        rows[50:50] = ["q2 Q0 d5 0 0.5 t", "q2 Q0 d3 0 0.5 t", "q2 Q0 d3 0 0.4 t"]
    else:
        rows[50:50] = ["q0 Q0 d5 0 0.5 t", "q0 Q0 d3 0 0.5 t", "q1 Q0 d0 0 0.5 t", "q0 Q0 d5 0 0.4 t"]
    path = tmp_path / "run.trec"
    path.write_text("\n".join(rows), "utf-8")
    with pytest.raises(Twice) as caught:
        written(path, tmp_path / "ranking.parquet")
    told = caught.value.found(path)
    assert told.title == f"'d5' is ranked twice for query '{'q2' if again == 'within its query' else 'q0'}'."
    assert told.detail.endswith("line 51")


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_line_that_never_ends_is_refused_before_it_fills_the_memory(
    tmp_path: Path, pack: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / ("run.trec" if pack is bytes else "run.trec.gz")
    path.write_bytes(pack(b"q1 Q0 d 0 1 t\n" + b"x" * (100 << 20)))
    tracemalloc.start()
    try:
        with pytest.raises(LswError, match="A line of more than 1 MB") as caught:
            list(read_run(path))
        assert tracemalloc.get_traced_memory()[1] < 40 << 20
    finally:
        tracemalloc.stop()
    assert caught.value.detail == f"{path}, line 2"


def test_a_byte_order_mark_is_no_part_of_a_qid(tmp_path: Path) -> None:
    path = tmp_path / "run.trec"
    path.write_bytes(b"\xef\xbb\xbfq1 Q0 d1 0 1 \xff\nq1 Q0 d1 0 1 \xff\n")
    [(table, _)] = read_run(path)
    assert table["qid"].to_pylist() == ["q1", "q1"]
    assert Twice("q1", "d1").found(path).detail == f"{path}, line 2"  # whatever the tag is written in


def test_an_empty_run_is_refused(tmp_path: Path) -> None:
    for text in ("", "\n \n", "\ufeff", "\ufeff\n"):
        (tmp_path / "run.trec").write_text(text, "utf-8")
        with pytest.raises(LswError, match="The run is empty"):
            list(read_run(tmp_path / "run.trec"))


@pytest.mark.slow
@given(run=runs)
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_written_reads_back(tmp_path: Path, run: dict[tuple[str, str], float]) -> None:
    table = pa.table({"qid": [q for q, _ in run], "docno": [d for _, d in run], "score": list(run.values())})
    there = ranked(table, 1000)
    path = tmp_path / "run.trec"
    path.write_bytes(b"".join(lines(there, "bge-m3 >> mt5")))
    back = written(path, tmp_path / "ranking.parquet").drop("run_id")
    assert sorted(map(str, back.to_pylist())) == sorted(map(str, there.to_pylist()))


def test_a_run_is_written_in_six_columns() -> None:
    run = pa.table({"qid": ["q2", "q2", "q1"], "docno": ["é", "b", "a"], "score": [0.1, 3e38, -2.0]})
    text = b"".join(lines(ranked(run, 1000), "bge-m3 >> mt5")).decode()
    assert [line.split(" ") for line in text.splitlines()] == [
        ["q2", "Q0", "b", "0", "3e+38", "bge-m3>>mt5"], ["q2", "Q0", "é", "1", "0.1", "bge-m3>>mt5"],
        ["q1", "Q0", "a", "0", "-2", "bge-m3>>mt5"],
    ]  # fmt: skip
    assert text.endswith("\n") and b"".join(lines(ranked(run, 1), " ")).split()[5] == b"lsw"


def test_items_are_made_ahead_and_in_order() -> None:
    made: list[int] = []

    def items() -> Iterator[int]:
        for i in range(5):
            made.append(i)
            yield i
        raise LswError("broken off")

    taken = []
    with pytest.raises(LswError, match="broken off"):
        for item in ahead(items()):
            taken.append(item)
            assert made[: item + 1] == taken
    assert taken == list(range(5)) and list(ahead(iter([]))) == []


def test_names_that_six_columns_cannot_hold_are_refused() -> None:
    there = ranked(pa.table({"qid": ["q"], "docno": ["a b"], "score": [1.0]}), 1)
    with pytest.raises(LswError, match="The docno 'a b' has white space"):
        list(lines(there, "x"))
