"""What the stages over windows refuse and count."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from store import LswError
from store.passages import FILE, Passages, write
from workbench.collections.cuts import named as cut
from workbench.collections.formats import batched
from workbench.collections.pages import PARENT, RELEVANT
from workbench.evaluation.collapses import named as collapse
from workbench.graph import Job
from workbench.stages import _ranking
from workbench.stages.collapse import CollapseWindows
from workbench.stages.cut import CutPages

Rows = list[tuple[Any, ...]]


def job(folder: Path, *roles: str) -> tuple[Job, list[str]]:
    notes = list[str]()
    (folder / "out").mkdir()
    inputs = {role: folder / role for role in roles}
    return Job("k" * 64, inputs, folder / "out", folder, lambda done, total: None, notes.append), notes


def cut_into_twos(folder: Path, pages: dict[str, str], most: int = 30) -> tuple[Job, list[str], dict[str, Any]]:
    (folder / "passages").mkdir()
    write(folder / "passages" / FILE, batched(iter(pages.items())))
    at, notes = job(folder, "passages")
    work = CutPages(document_variety="fr", cut=cut({"words": 2, "stride": 1, "most": most}))
    return at, notes, work.run(at)


def test_windows_are_passages_of_their_own(tmp_path: Path) -> None:
    at, notes, summary = cut_into_twos(tmp_path, {"p": "un deux trois", "q": "seul"})
    assert Passages(at.out / FILE).texts(["p#0", "p#1", "q#0", "p#2"]) == {
        "p#0": "un deux", "p#1": "deux trois", "q#0": "seul"
    }  # fmt: skip
    assert pq.read_table(at.out / "rows/parent.parquet").to_pylist() == [
        {"docno": "p#0", "parent": "p", "position": 0, "begins": 0, "ends": 7},
        {"docno": "p#1", "parent": "p", "position": 1, "begins": 3, "ends": 13},
        {"docno": "q#0", "parent": "q", "position": 0, "begins": 0, "ends": 4},
    ]
    assert (summary, notes) == ({"pages": 2, "windows": 3, "left_out": 0, "pages_cut_short": 0}, [])


def test_what_is_left_out_is_told(tmp_path: Path) -> None:
    _, notes, summary = cut_into_twos(tmp_path, {"p": "1 2 3 4 5 6", "q": "1 2 3"}, most=2)
    assert (summary["left_out"], summary["pages_cut_short"], summary["windows"]) == (3, 1, 4)
    assert notes == ["1 pages have more windows than are shown: 3 left out"]


@pytest.mark.parametrize(
    ("pages", "told"),
    [
        ({"p": "un deux trois", "p#1": "autre"}, "'p#1' is called as a window of another page is"),
        ({"p": "un deux", "q": " \n "}, "'q' has no window"),
    ],
)
def test_clashing_names_and_pages_without_windows_are_refused(pages: dict[str, str], told: str, tmp_path: Path) -> None:
    with pytest.raises(LswError, match=told):
        cut_into_twos(tmp_path, pages)


def test_a_page_may_have_the_sign_in_its_name(tmp_path: Path) -> None:
    at, _, _ = cut_into_twos(tmp_path, {"p#7": "un deux trois", "p": "seul"})
    assert set(Passages(at.out / FILE).docnos.to_pylist()) == {"p#7#0", "p#7#1", "p#0"}


def collapsed(folder: Path, way: str, depth: int, tables: dict[tuple[str, str], tuple[Any, Rows]]) -> Any:
    """The ranking, the summary and the notes of a stage over these tables, by role and name."""
    for (role, name), (schema, values) in tables.items():
        (folder / role / "rows").mkdir(parents=True, exist_ok=True)
        some = [dict(zip(schema.names, row, strict=True)) for row in values]
        pq.write_table(pa.Table.from_pylist(some, schema=schema), folder / role / "rows" / f"{name}.parquet")
    (folder / "queries" / "rows").mkdir(parents=True)
    asked = {"variety": ["ca", "ca"], "qid": ["q2", "q1"], "query": ["x", "y"]}
    pq.write_table(pa.table(asked), folder / "queries/rows/query.parquet")
    at, notes = job(folder, "queries", "passages", "qrels", *{role for role, _ in tables})
    work = CollapseWindows(
        system="s", query_variety="ca", document_variety="fr", depth=depth, collapse=collapse(way)
    )  # fmt: skip
    summary = work.run(at)
    ranked = pq.read_table(at.out / "rows/ranking.parquet").select(["qid", "docno", "score"]).to_pylist()
    return [tuple(row.values()) for row in ranked], summary, notes


FOUND = pa.schema([("qid", pa.string()), ("docno", pa.string()), ("score", pa.float32())])
CUT = [("p#0", "p", 0, 0, 10), ("p#1", "p", 1, 5, 15), ("p#2", "p", 2, 10, 20), ("r#0", "r", 0, 0, 9)]
SCORES = [("q1", "p#0", 1.0), ("q1", "p#1", 3.0), ("q1", "p#2", 2.0), ("q1", "r#0", 2.5), ("q2", "r#0", 4.0)]


@pytest.mark.parametrize(
    ("part", "score", "held"),
    [((0, 4), 1.0, "held_whole"), ((6, 15), 3.0, "held_whole"), ((9, 20), 2.0, "held_in_part"),
     ((5, 10), 1.0, "held_whole")],
)  # fmt: skip
def test_the_oracle_is_told_where_the_relevant_passage_stands(
    part: tuple[int, int], score: float, held: str, tmp_path: Path
) -> None:
    """The window with most of it; of several the first."""
    tables = {
        ("found", "found"): (FOUND, SCORES), ("windows", "parent"): (PARENT, CUT),
        ("passages", "parent"): (PARENT, [("a", "p", 0, *part), ("b", "r", 0, 0, 9)]),
        ("qrels", "relevant"): (RELEVANT, [("q1", "p", "a", 1)]),
    }  # fmt: skip
    ranking, summary, notes = collapsed(tmp_path, "oracle", 10, tables)
    pages = [("q1", "p", score), ("q1", "r", 2.5)]
    assert ranking == [("q2", "r", 4.0), *sorted(pages, key=lambda row: -row[2])]
    counts = {"held_whole": 0, "held_in_part": 0, "held_by_none": 0} | {held: 1}
    assert {name: summary[name] for name in counts} == counts and notes == []
    assert (summary["by_relevant_window"], summary["by_best_window"]) == (1, 2)


def test_a_window_that_was_not_found_counts_0_where_nothing_was_cut_off(tmp_path: Path) -> None:
    some = [("q1", "p#0", 1.0), ("q1", "p#1", 3.0), ("q1", "r#0", 2.5), ("q2", "p#2", 4.0), ("q2", "r#0", -1.0)]
    tables = {("found", "found"): (FOUND, some), ("windows", "parent"): (PARENT, CUT)}
    ranking, summary, _ = collapsed(tmp_path, "mean-top-3", 10, tables)
    least = pytest.approx((4 - 1 - 1) / 3)  # or as the last one, if that is below
    assert ranking == [("q2", "p", least), ("q2", "r", -1.0), ("q1", "r", 2.5), ("q1", "p", pytest.approx(4 / 3))]
    assert summary["windows_not_found"] == 3


def test_a_window_that_was_not_found_counts_as_the_last_where_the_list_was_cut_off(tmp_path: Path) -> None:
    """For one page three windows are sought, as many as one has at most; there are six."""
    there = [*CUT, ("s#0", "s", 0, 0, 5), ("s#1", "s", 1, 3, 8)]
    some = [("q1", "p#0", 4.0), ("q1", "p#1", 3.0), ("q1", "s#1", 2.0)]
    tables = {("found", "found"): (FOUND, some), ("windows", "parent"): (PARENT, there)}
    ranking, summary, _ = collapsed(tmp_path, "mean-top-3", 1, tables)
    assert ranking == [("q1", "p", 3.0)]  # (4 + 3 + 2) / 3
    assert summary["windows_not_found"] == 2  # p#2 and s#0


def test_after_a_reranker_a_window_that_was_not_found_counts_as_the_last_that_was_scored(tmp_path: Path) -> None:
    """Of a page that was not scored as the last of all: below the depth the first stage's order is kept."""
    some = [
        ("q1", "p#0", 5.0, True), ("q1", "p#1", 4.0, True), ("q1", "t#0", 0.1, True), ("q1", "t#1", 0.1, True),
        ("q1", "r#0", -3.9, False), ("q1", "u#0", -4.9, False), ("q1", "u#1", -5.9, False), ("q1", "s#0", -6.9, False),
    ]  # fmt: skip
    there = [*CUT, *((f"{page}#{at}", page, at, 0, 5) for page in "stu" for at in (0, 1))]
    reranked = FOUND.append(pa.field("scored", pa.bool_()))
    tables = {("found", "found"): (reranked, some), ("windows", "parent"): (PARENT, there)}
    ranking, summary, _ = collapsed(tmp_path, "mean-top-3", 10, tables)
    last = {"p": (5 + 4 + 0.1) / 3, "t": 0.1, "r": -3.9, "u": (-4.9 - 5.9) / 2, "s": -6.9}
    assert ranking == [("q1", page, pytest.approx(score)) for page, score in last.items()]
    assert summary["windows_not_found"] == 2  # p#2 and s#1


def test_a_window_of_no_page_is_refused(tmp_path: Path) -> None:
    tables = {("found", "found"): (FOUND, [("q1", "z#0", 1.0)]), ("windows", "parent"): (PARENT, CUT)}
    with pytest.raises(LswError, match="'z#0' was found and is of no page"):
        collapsed(tmp_path, "max", 10, tables)


def test_queries_with_fewer_pages_than_there_could_be_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which needs more windows than can be held: three of q1 are all p's."""
    monkeypatch.setattr(_ranking, "DEEPEST", 3)
    tables = {("found", "found"): (FOUND, SCORES[:3]), ("windows", "parent"): (PARENT, CUT)}
    ranking, summary, notes = collapsed(tmp_path, "max", 2, tables)
    assert ranking == [("q1", "p", 3.0)] and summary["fewer_pages"] == 1
    assert notes == ["1 queries have fewer than 2 pages: their 3 best windows are of fewer"]
