"""Measures in SQL against ir_measures, on input made to trip them up; and over the store."""

import random
from pathlib import Path

import duckdb
import ir_measures
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store import LswError, Store
from store.database import connect
from store.query import select
from store.schema import MIGRATIONS, migrate
from tests.conftest import Lsw
from workbench.evaluation.evaluate import evaluate
from workbench.evaluation.measures import EVALUATED, JUDGED, _sql, of_runs, parsed, per_query, threshold
from workbench.evaluation.ties import ranked

IN_SQL = [
    "RR@10", "RR", "RR(rel=2)@10", "RR@2", "nDCG@10", "nDCG@2", "nDCG", "nDCG(gains={1:3,2:1,0:2})@3", "R@1000", "R@2",
    "R(rel=2)@2", "P@2", "P(rel=2)@5", "AP", "AP@2", "AP(rel=2)@3", "Success@1", "Success(rel=2)@2", "Judged@2", "Judged",
]  # fmt: skip
NOT_IN_SQL = ["Bpref", "Rprec", "P(judged_only=True)@2", "IPrec@0.1"]
BY_ASCENDING_DOCNO = ("RR@", "RR(rel=2)@", "Judged")
"""What ir_measures computes with another tie rule than trec_eval's."""

ids = st.sampled_from(["a", "b", "1", "01", "10", "9", "B", "é"])
runs = st.dictionaries(
    st.tuples(ids, ids), st.sampled_from([0.5, 1.0, 1 + 1e-9, -2.0, 3e38, 0.0]), min_size=1, max_size=30
)
labels = st.dictionaries(st.tuples(ids, ids), st.integers(-2, 3), min_size=1, max_size=25)


def test_the_usual_measures_are_in_sql() -> None:
    assert all(_sql(name, parsed(name)) for name in IN_SQL)
    assert not any(_sql(name, parsed(name)) for name in [*NOT_IN_SQL, "P(rel=0)@5", "nDCG(dcg='exp-log2')@5"])
    assert [threshold(name) for name in ("RR@10", "P(rel=2)@5")] == [1, 2]


def test_values_are_those_of_ir_measures() -> None:
    """Ties, passages that nobody judged, labels below 0, queries without a result and queries that nobody judged."""
    rng = random.Random(5)
    names = [f"d{i}" for i in range(12)]
    run = {(q, d): rng.choice([0.5, 1.0, 1 + 1e-9, 2.0, -3.0]) for q in "abcdfg" for d in rng.sample(names, 8)}
    qrels = {(q, d): rng.choice([-1, 0, 0, 1, 2, 3]) for q in "abcdeh" for d in rng.sample(names, 7)}
    _are_those_of_ir_measures(run, qrels | {("d", d): 0 for d in names} | {("b", d): 1 for d in names[:3]})


@pytest.mark.slow
@given(run=runs, qrels=labels)
@settings(max_examples=40)
def test_every_value_is_that_of_ir_measures(
    run: dict[tuple[str, str], float], qrels: dict[tuple[str, str], int]
) -> None:
    _are_those_of_ir_measures(run, qrels)


def _are_those_of_ir_measures(run: dict[tuple[str, str], float], qrels: dict[tuple[str, str], int]) -> None:
    table = pa.table({"qid": [q for q, _ in run], "docno": [d for _, d in run], "score": list(run.values())})
    ordered = ranked(table, 1000)
    judged = pa.table(
        {
            "qid": [q for q, _ in qrels],
            "docno": [d for _, d in qrels],
            "label": pa.array(list(qrels.values()), pa.int32()),
        }
    )
    names = IN_SQL + NOT_IN_SQL
    found = evaluate("r", ordered.add_column(0, "run_id", pa.repeat("r", len(ordered))), judged, names)
    ours = {(r["measure"], r["qid"]): r["value"] for r in found.values.to_pylist()}
    # pytrec_eval crashes on a query with negative labels only. Nothing is relevant to it, so zeros say the same,
    # but not to gains that make something of a zero.
    bad = {q for q, _ in qrels if max(label for (other, _), label in qrels.items() if other == q) < 0}
    safe = [ir_measures.Qrel(q, d, 0 if q in bad else label) for (q, d), label in qrels.items()]
    as_scored = [ir_measures.ScoredDoc(q, d, s) for (q, d), s in run.items()]
    as_ranked = [ir_measures.ScoredDoc(r["qid"], r["docno"], -float(r["rank"])) for r in ordered.to_pylist()]
    for name in names:
        if bad and "0:" in name:
            continue
        for scored in (as_ranked, as_scored):
            if scored is as_scored and name.startswith(BY_ASCENDING_DOCNO):
                continue
            theirs = {m.query_id: m.value for m in ir_measures.iter_calc([parsed(name)], safe, scored)}
            assert {q for n, q in ours if n == name} == set(theirs)
            for qid, value in theirs.items():
                assert ours[name, qid] == pytest.approx(value, abs=1e-9), (name, qid)
    # trec_eval has no RR with a cutoff, but its RR and its tie rule say what that is.
    for m in ir_measures.iter_calc([ir_measures.RR], safe, as_scored):
        assert ours["RR@2", m.query_id] == pytest.approx(m.value if m.value >= 0.5 else 0, abs=1e-9)
    assert found.counts() == {
        "queries": len({q for q, _ in qrels}),
        "without_result": len({q for q, _ in qrels} - {q for q, _ in run}),
        "without_relevant": len({q for q, _ in qrels} - {q for (q, _), label in qrels.items() if label > 0}),
        "not_asked": 0,
    }


@pytest.mark.parametrize(
    "name",
    ["RR@ten", "P", "nDGC@10", "RR(real=2)@10", "RBP", "RR(judged_only=True)@10", "", "RR@10; 1", "RR@0", "P@0",
     "nDCG@0", "P@2147483648", "P(rel=-1)@5", "RR(rel=2147483648)", "nDCG(gains={1:" + "9" * 400 + "})@10"],
)  # fmt: skip
def test_unknown_measures_are_refused(name: str) -> None:
    with pytest.raises(LswError, match=r"Unknown measure|Nothing here computes"):
        parsed(name)


def test_several_runs_are_measured_at_once() -> None:
    """Each by itself, in SQL and by ir_measures; the values are in the order of runs and queries."""
    rows = [("r2", "b", "x", 0), ("r2", "b", "y", 1), ("r1", "a", "y", 0), ("r1", "b", "y", 0), ("r2", "a", "y", 0)]
    ranking = pa.Table.from_pylist([dict(zip(("run_id", "qid", "docno", "rank"), row, strict=True)) for row in rows])
    qrel = pa.table({"qid": ["b", "a"], "docno": ["y", "x"], "label": [1, 1]})
    with duckdb.connect() as con:
        for name, source in (("chosen_ranking", ranking), ("qrel", qrel)):
            con.from_arrow(source).create_view(name)
        con.execute(f"CREATE TABLE chosen_judged AS {JUDGED.format(ranking='chosen_ranking', qrel='qrel')}")
        con.execute("CREATE TABLE runs AS SELECT DISTINCT run_id FROM chosen_ranking")
        con.execute(
            f"CREATE TABLE chosen_evaluated AS {EVALUATED.format(runs='runs', ranking='chosen_ranking', qrel='qrel')}"
        )
        con.execute("CREATE VIEW chosen_wanted AS SELECT e.run_id, q.* FROM chosen_evaluated e JOIN qrel q USING (qid)")
        found = [tuple(row.values()) for row in per_query(con, ["RR@10", "Rprec"]).to_pylist()]
    keys = [("r1", "a"), ("r1", "b"), ("r2", "a"), ("r2", "b")]
    assert found == [(r, "RR@10", q, v) for (r, q), v in zip(keys, (0, 1, 0, 0.5), strict=True)] + [
        (r, "Rprec", q, v) for (r, q), v in zip(keys, (0, 1, 0, 0), strict=True)
    ]


def test_all_runs_of_a_store_at_once(finished: Store) -> None:
    ids = [str(r[0]) for r in select(finished, "SELECT run_id FROM runs ORDER BY run_id")[1]]
    with finished.reading() as con:
        table = of_runs(con, ids, ["RR@10", "AP@100", "R@5"])
        table = pa.concat_tables([table, of_runs(con, ids[::9], ["Rprec"])])
        again = of_runs(con, ids[:2], ["AP@100"])
    recorded = select(finished, "SELECT run_id, qid, value FROM measures WHERE measure = 'RR@10' ORDER BY ALL")[1]
    rows = table.to_pylist()
    assert sorted((r["run_id"], r["qid"], r["value"]) for r in rows if r["measure"] == "RR@10") == recorded
    qrels = [
        ir_measures.Qrel(*map(str, r[:2]), int(str(r[2])))
        for r in select(finished, "SELECT qid, docno, label FROM qrels")[1]
    ]
    tested = {r["qid"] for r in rows}
    for run_id in ids[::9]:
        scored = [
            ir_measures.ScoredDoc(str(q), str(d), -float(str(r)))
            for q, d, r in select(finished, f"SELECT qid, docno, rank FROM rankings WHERE run_id = '{run_id}'")[1]
        ]
        for name in ("AP@100", "R@5", "Rprec"):
            theirs = {
                m.query_id: m.value
                for m in ir_measures.iter_calc([parsed(name)], qrels, scored)
                if m.query_id in tested
            }
            ours = {r["qid"]: r["value"] for r in rows if (r["run_id"], r["measure"]) == (run_id, name)}
            assert ours == pytest.approx(theirs, abs=1e-9)
    assert again.to_pylist() == [r for r in rows if r["measure"] == "AP@100" and r["run_id"] in ids[:2]]


@pytest.mark.slow
def test_a_run_measured_again_has_each_value_once(lsw: Lsw, small_scale: Path, tmp_path: Path) -> None:
    """Two recipes that want other measures of one run share it; neither doubles the values of the other."""
    recipe, store = tmp_path / "bm25.toml", Store(tmp_path / "s")
    recipe.write_text('title = "BM25"\n[retrieval]\npairs = ["ca-fr"]\nsystems = ["bm25"]\n', "utf-8")
    command = ("recipe", "run", recipe, "--scale", small_scale, "--store", store.folder)
    lsw(*command)
    before = select(store, "SELECT count(*), count(DISTINCT measure) FROM measures")[1]
    lsw(*command, "measures.names=['RR@10', 'P@1', 'Rprec']")
    after = select(store, "SELECT count(*), count(DISTINCT measure) FROM measures")[1]
    each = int(str(before[0][0])) // 3
    assert (before, after) == ([(3 * each, 3)], [(5 * each, 5)])
    judged = "SELECT count(*) FROM judged_results GROUP BY run_id, qid, docno HAVING count(*) > 1"
    assert select(store, judged)[1] == []
    assert select(store, "SELECT count(*) FROM runs")[1] == [(2,)]


def test_a_store_of_the_first_schema_learns_what_is_judged(tmp_path: Path) -> None:
    with connect(tmp_path / "runs.duckdb", read_only=False) as con:
        for number, name, sql in MIGRATIONS[:1]:
            con.execute(
                "CREATE TABLE migrations (number INTEGER, name TEXT, applied_at TIMESTAMP, duckdb_version TEXT)"
            )
            con.execute(sql)
            con.execute("INSERT INTO migrations VALUES (?, ?, now()::TIMESTAMP, ?)", [number, name, duckdb.__version__])
        con.execute("INSERT INTO run (run_id, collection, key) VALUES ('r', 'c', 'k')")
        con.execute(
            "INSERT INTO ranking VALUES ('r', 'q1', 'd1', 0, 2.5), ('r', 'q1', 'd2', 1, 1.5), ('r', 'train', 'd1', 0, 1)"
        )
        con.execute(
            "INSERT INTO qrel VALUES ('c', 'q1', 'd2', 1), ('c', 'q1', 'd9', 0), ('c', 'q2', 'd1', 0), ('c', 'train', 'd1', 1)"
        )
        con.execute("INSERT INTO measure VALUES ('r', 'RR@10', 'q1', 0.5, 'm'), ('r', 'RR@10', 'q2', 0, 'm')")
        assert len(migrate(con)) == len(MIGRATIONS) - 1
        assert con.execute("SELECT * FROM judged_results").fetchall() == [("r", "q1", "d2", 1, 1)]
        assert con.execute("SELECT * FROM evaluated_queries ORDER BY qid").fetchall() == [
            ("r", "q1", 2, 2, 1, 1),
            ("r", "q2", 0, 1, 0, 0),
        ]
        assert con.execute("SELECT score FROM rankings ORDER BY ALL").fetchall() == [(1.0,), (1.5,), (2.5,)]
        got = of_runs(con, ["r"], ["RR@10", "Judged@10"]).to_pylist()
    assert [(r["measure"], r["qid"], r["value"]) for r in got] == [
        ("RR@10", "q1", 0.5), ("RR@10", "q2", 0), ("Judged@10", "q1", 0.5), ("Judged@10", "q2", 0),
    ]  # fmt: skip


def test_an_artifact_is_read_where_it_lies(tmp_path: Path) -> None:
    """The measure stage reads Parquet files, and a path may hold a quote."""
    folder = tmp_path / "it's here"
    folder.mkdir()
    pq.write_table(
        pa.table({"run_id": ["r"], "qid": ["q"], "docno": ["d"], "rank": pa.array([0], pa.int32())}),
        folder / "ranking.parquet",
    )
    pq.write_table(
        pa.table({"qid": ["q"], "docno": ["d"], "label": pa.array([1], pa.int32())}), folder / "qrel.parquet"
    )
    found = evaluate("r", folder / "ranking.parquet", folder / "qrel.parquet", ["RR@10"])
    assert found.values["value"].to_pylist() == [1.0]


def test_a_run_that_found_nothing_counts_0_everywhere() -> None:
    nothing = pa.table({"run_id": pa.array([], pa.string()), "qid": pa.array([], pa.string()),
                        "docno": pa.array([], pa.string()), "rank": pa.array([], pa.int32())})  # fmt: skip
    judged = pa.table({"qid": ["1", "2", "3"], "docno": ["a", "b", "a"], "label": pa.array([1, 0, 0], pa.int32())})
    found = evaluate("r", nothing, judged, ["RR@10", "AP", "Bpref"])
    assert found.values["value"].to_pylist() == [0.0] * 9
    assert found.counts() == {"queries": 3, "without_result": 3, "without_relevant": 2, "not_asked": 0}


def test_a_query_that_was_never_asked_does_not_count() -> None:
    """Judged, but without a wording in the run's variety; of a run made elsewhere nobody knows, so there it counts."""
    ranking = pa.table({"run_id": ["r", "r"], "qid": ["q1", "q2"], "docno": ["a", "b"], "rank": [0, 0]})
    qrels = pa.table({"qid": ["q1", "q2", "q3", "q4"], "docno": ["a", "b", "c", "d"], "label": [1, 1, 1, 1]})
    asked = pa.table({"run_id": ["r"] * 4, "qid": ["q1", "q2", "q3", "unjudged"]})
    found = evaluate("r", ranking, qrels, ["RR@10"], asked)
    assert dict(zip(found.values["qid"].to_pylist(), found.values["value"].to_pylist(), strict=True)) == {
        "q1": 1, "q2": 1, "q3": 0,
    }  # fmt: skip
    assert found.unasked.to_pylist() == [{"run_id": "r", "qid": "q4"}]
    assert found.counts() == {"queries": 3, "without_result": 1, "without_relevant": 0, "not_asked": 1}
    assert len(evaluate("r", ranking, qrels, ["RR@10"]).values) == 4
