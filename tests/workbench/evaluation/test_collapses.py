"""Pages scored by their windows: against PyTerrier and against pandas, on random scores."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyterrier.text import MaxPassage

from workbench.evaluation.collapses import COLLAPSES, named
from workbench.evaluation.collapses.base import Found

WINDOWS = {"a": 1, "b": 2, "c": 5, "d": 4}
"""Of each page."""
ALL = [(q, page, at) for q in ("q1", "q2") for page, n in WINDOWS.items() for at in range(n)]
scores = st.lists(st.none() | st.integers(-400, 400).map(lambda i: i / 8), min_size=len(ALL), max_size=len(ALL))
LEAST = {"q1": -60.0, "q2": -51.0}


def found(values: list[float | None], held: list[tuple[str, str, int]] | None = None) -> tuple[Found, pd.DataFrame]:
    rows = pd.DataFrame([(*at, s) for at, s in zip(ALL, values, strict=True) if s is not None])
    rows = rows.reindex(columns=range(4)).set_axis(["qid", "docno", "position", "score"], axis=1)
    rows = rows.astype({"qid": str, "docno": str, "position": "int32", "score": float})
    rows["windows"] = rows["docno"].map(WINDOWS).astype("int64")
    pages = rows[["qid", "docno"]].drop_duplicates()
    least = pa.Table.from_pandas(pages.assign(score=pages["qid"].map(LEAST).astype(float)), preserve_index=False)
    known = None
    if held is not None:
        known = pa.Table.from_pylist(
            [dict(zip(("qid", "docno", "position"), row, strict=True)) for row in held],
            schema=pa.schema([("qid", pa.string()), ("docno", pa.string()), ("position", pa.int32())]),
        )
    return Found(pa.Table.from_pandas(rows, preserve_index=False), least, known), rows


def scored(name: str, of: Found) -> tuple[dict[tuple[str, str], float], dict[str, object]]:
    pages, counts = named(name).pages(of)
    assert pages.column_names == ["qid", "docno", "score"]
    return {(row["qid"], row["docno"]): row["score"] for row in pages.to_pylist()}, counts


@settings(max_examples=10)
@given(values=scores.filter(lambda values: any(v is not None for v in values)))
def test_the_best_window_is_that_of_pyterrier(values: list[float | None]) -> None:
    of, rows = found(values)
    passages = rows.assign(docno=rows["docno"] + "%p" + rows["position"].astype(str), query="x", rank=0)
    expected = MaxPassage()(passages).set_index(["qid", "docno"])["score"].to_dict()
    assert scored("max", of)[0] == expected
    assert scored("first", of)[0] == scored("random", of)[0] == expected  # one window of each page is there


@settings(max_examples=10)
@given(values=scores)
def test_the_mean_of_the_best_three_is_that_of_pandas(values: list[float | None]) -> None:
    of, rows = found(values)
    expected, lacking = {}, 0
    for (qid, page), group in rows.groupby(["qid", "docno"]):
        wanted = min(3, WINDOWS[page])
        best = sorted(group["score"], reverse=True)[:wanted]
        lacking += wanted - len(best)
        expected[qid, page] = np.mean(best + [LEAST[qid]] * (wanted - len(best)))
    got, counts = scored("mean-top-3", of)
    assert got == pytest.approx(expected)
    assert counts == {"windows_not_found": lacking}


@settings(max_examples=10)
@given(values=scores, held=st.lists(st.sampled_from(ALL), max_size=14, unique=True))
def test_the_oracle_takes_the_window_that_holds_what_is_relevant(
    values: list[float | None], held: list[tuple[str, str, int]]
) -> None:
    of, _ = found(values, held)
    score = {at: s for at, s in zip(ALL, values, strict=True) if s is not None}
    expected, known, lacking = {}, 0, 0
    for qid, page in dict.fromkeys(at[:2] for at in score):
        holding = [at for at in held if at[:2] == (qid, page)]
        there = [score[at] for at in holding if at in score]
        known += bool(holding)
        lacking += bool(holding) and not there
        every = [s for at, s in score.items() if at[:2] == (qid, page)]
        expected[qid, page] = (max(there) if there else LEAST[qid]) if holding else max(every)
    got, counts = scored("oracle", of)
    assert got == expected
    assert counts == {
        "by_relevant_window": known, "by_best_window": len(expected) - known, "windows_not_found": lacking
    }  # fmt: skip
    best = scored("max", of)[0]
    assert all(got[page] <= best[page] for page in got)


def test_what_is_indexed_is_one_window_where_one_is_used() -> None:
    for name in COLLAPSES.names():
        way = named(name)
        picked = [list(way.picked(f"page {i}", 5)) for i in range(200)]
        assert all(set(each) <= set(range(5)) and each for each in picked)
        assert way.picks == (picked[0] != list(range(5)))
        assert list(way.picked("one", 1)) == [0]
    drawn = [named("random").picked(f"page {i}", 5)[0] for i in range(200)]
    assert drawn == [named({"collapse": "random", "seed": 42}).picked(f"page {i}", 5)[0] for i in range(200)]
    assert drawn != [named({"collapse": "random", "seed": 1}).picked(f"page {i}", 5)[0] for i in range(200)]
    assert min(np.bincount(drawn, minlength=5)) > 20
    assert {named("first").picked("page", n)[0] for n in (1, 3)} == {0}
