"""A fused run is what PyTerrier's operators make of its parts."""

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyterrier as pt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyterrier_alpha.fusion import rr_fusion

from store import LswError
from workbench.evaluation.ties import ranked
from workbench.graph import Job
from workbench.stages.fuse import Fuse

QIDS = ("q1", "q2", "q3")
Scores = dict[tuple[str, str], float]


def fuse(method: str, weights: list[float], depth: int = 100) -> Fuse:
    return Fuse(
        method=method, weights=weights, system="a + b", query_variety="ca", document_variety="fr", depth=depth
    )  # fmt: skip


def fused(work: Fuse, parts: list[Scores]) -> tuple[pd.DataFrame, dict[str, object], list[str]]:
    """The ranking, the summary and the notes of a stage over runs with these scores."""
    with tempfile.TemporaryDirectory() as name:
        folder, notes = Path(name), list[str]()
        inputs = {"queries": folder / "queries"} | {f"run.{i}": folder / f"run.{i}" for i in range(len(parts))}
        for at in inputs.values():
            (at / "rows").mkdir(parents=True)
        asked = {"variety": ["ca"] * 3, "qid": QIDS, "query": ["x"] * 3}
        pq.write_table(pa.table({k: list(v) for k, v in asked.items()}), folder / "queries/rows/query.parquet")
        for i, scores in enumerate(parts):
            pq.write_table(table(scores), folder / f"run.{i}/rows/ranking.parquet")
            pq.write_table(pa.table({"system": [f"part {i}"]}), folder / f"run.{i}/rows/run.parquet")
        (folder / "out").mkdir()
        summary = work.run(Job("k" * 64, inputs, folder / "out", folder, lambda done, total: None, notes.append))
        return pq.read_table(folder / "out/rows/ranking.parquet").to_pandas(), summary, notes


def table(scores: Scores) -> pa.Table:
    return ranked(
        pa.table(
            {
                "qid": pa.array([q for q, _ in scores], pa.string()),
                "docno": pa.array([d for _, d in scores], pa.string()),
                "score": pa.array(list(scores.values()), pa.float64()),
            }
        ),
        100,
    )


def frame(scores: Scores) -> pd.DataFrame:
    return table(scores).to_pandas().assign(query="x").astype({"score": float})


runs = st.dictionaries(
    st.tuples(st.sampled_from(QIDS), st.sampled_from("abcdefgh")),
    st.integers(1, 1 << 20).map(lambda i: i / 1024),
    min_size=1,
).filter(lambda scores: len(set(scores.values())) == len(scores))


def same(got: pd.DataFrame, expected: pd.DataFrame) -> None:
    left = got.set_index(["qid", "docno"])["score"].sort_index()
    right = expected.set_index(["qid", "docno"])["score"].sort_index()
    assert left.index.equals(right.index)
    assert np.allclose(left, right, rtol=1e-6, atol=0)


@settings(max_examples=15)
@given(parts=st.lists(runs, min_size=2, max_size=3))
def test_rrf_is_that_of_cormack(parts: list[Scores]) -> None:
    """PyTerrier counts ranks from 0 and adds 60; Cormack et al. count them from 1."""
    got, _, _ = fused(fuse("rrf", [1.0] * len(parts)), parts)
    same(got, rr_fusion(*map(frame, parts), k=61, num_results=1000))
    again, _, _ = fused(fuse("rrf", [1.0] * len(parts)), parts[::-1])
    assert again.equals(got)


@settings(max_examples=15)
@given(
    parts=st.lists(runs, min_size=3, max_size=3),
    weights=st.lists(st.sampled_from([0.25, 1.0, 3.0]), min_size=3, max_size=3),
)
def test_a_sum_is_that_of_pyterrier(parts: list[Scores], weights: list[float]) -> None:
    got, summary, _ = fused(fuse("sum", weights), parts)
    a, b, c = (w * pt.Transformer.from_df(frame(part)) for w, part in zip(weights, parts, strict=True))
    same(got, (a + b + c)(pd.DataFrame({"qid": list(QIDS), "query": "x"})))
    assert summary["found_by_all"] == len(parts[0].keys() & parts[1].keys() & parts[2].keys())


def test_ties_are_broken_by_docno_descending_and_depth_cuts() -> None:
    parts = [{("q1", "a"): 2.0, ("q1", "b"): 1.0}, {("q1", "b"): 2.0, ("q1", "a"): 1.0, ("q2", "z"): 0.5}]
    got, summary, notes = fused(fuse("rrf", [1.0, 1.0], depth=1), parts)
    assert got[["qid", "docno", "rank"]].to_numpy().tolist() == [["q1", "b", 0], ["q2", "z", 0]]
    assert got["score"].tolist() == pytest.approx([1 / 61 + 1 / 62, 1 / 61])
    assert (summary["queries"], summary["queries_without_result"], notes) == (3, 1, [])


def test_scores_below_0_are_told() -> None:
    """A passage that such a system never saw stands above all that it saw: PyTerrier adds 0 for it, and so do we."""
    parts = [{("q1", "a"): 1.0, ("q1", "b"): 0.5}, {("q1", "a"): -3.0}]
    got, _, notes = fused(fuse("sum", [1.0, 1.0]), parts)
    assert got["docno"].tolist() == ["b", "a"]
    assert notes and "part 1 are below 0" in notes[0]
    assert fused(fuse("rrf", [1.0, 1.0]), parts)[2] == []


def test_an_unknown_fusion_is_refused() -> None:
    with pytest.raises(LswError, match="Unknown fusion 'rff'") as refused:
        fused(fuse("rff", [1.0]), [{("q1", "a"): 1.0}])
    assert "'rrf'" in refused.value.cure
