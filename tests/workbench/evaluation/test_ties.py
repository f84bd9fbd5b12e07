"""Order of ties, against trec_eval's own rules."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.evaluation.ties import ranked

ids = st.text("abc019", min_size=1, max_size=3)
runs = st.dictionaries(st.tuples(ids, ids), st.sampled_from([0.5, 1.0, 1.0 + 1e-9, -2.0]), min_size=1, max_size=25)


def run_table(run: dict[tuple[str, str], float]) -> pa.Table:
    return pa.table({"qid": [q for q, _ in run], "docno": [d for _, d in run], "score": list(run.values())})


@pytest.mark.slow
@given(run=runs)
def test_ties_break_by_docno_descending_in_float32(run: dict[tuple[str, str], float]) -> None:
    got = ranked(run_table(run), 1000).to_pylist()
    for qid in {q for q, _ in run}:
        rows = [r for r in got if r["qid"] == qid]
        assert [r["rank"] for r in rows] == list(range(len(rows)))
        # 1 and 1 + 1e-9 are one score to trec_eval, which holds floats.
        keys = [(round(r["score"], 6), r["docno"]) for r in rows]
        assert keys == sorted(keys, reverse=True)


def test_what_ties_in_float32_is_ordered_by_docno() -> None:
    """As trec_eval holds scores; what is larger than a float is the largest."""
    run = {
        ("q", "a"): 1.0,
        ("q", "é"): 1.0 + 1e-9,
        ("q", "b"): 1.0,
        ("q", "c"): 1e300,
        ("q", "d"): 3.5e38,
        ("q", "e"): -1e300,
    }
    got = ranked(run_table(run), 1000)
    assert got["docno"].to_pylist() == ["d", "c", "é", "b", "a", "e"]
    assert got["rank"].to_pylist() == [0, 1, 2, 3, 4, 5]


def test_depth_cuts_each_query() -> None:
    got = ranked(run_table({("q", str(i)): float(i) for i in range(5)} | {("p", "0"): 1.0}), 2)
    assert got.select(["qid", "docno"]).to_pylist() == [
        {"qid": "q", "docno": "4"}, {"qid": "q", "docno": "3"}, {"qid": "p", "docno": "0"},
    ]  # fmt: skip
