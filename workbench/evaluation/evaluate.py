"""Measures of a run that is not in the store yet."""

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from workbench.evaluation.measures import EVALUATED, JUDGED, per_query


@dataclass(frozen=True)
class Evaluated:
    """What an evaluation leaves.

    Args:
        values: run_id, measure, qid, value.
        judged: run_id, qid, docno, rank, label of each judged result.
        queries: run_id, qid, retrieved, labelled, relevant, highest (label) of each judged query.
    """

    values: pa.Table
    judged: pa.Table
    queries: pa.Table

    def counts(self) -> dict[str, int]:
        """How many queries count, how many have no result, and how many no relevant passage: both count 0."""
        queries = self.queries.to_pydict()
        return {
            "queries": len(self.queries),
            "without_result": queries["retrieved"].count(0),
            "without_relevant": queries["relevant"].count(0),
        }


def evaluate(run_id: str, ranking: Path | pa.Table, qrels: Path | pa.Table, names: list[str]) -> Evaluated:
    """Evaluate a run whose ranks are set already.

    Args:
        run_id: of the run; it may have found nothing at all.
        ranking: Parquet file or table with run_id, qid, docno, rank (from 0).
        qrels: Parquet file or table with qid, docno, label.
        names: ir_measures names.

    Raises:
        LswError: an unknown measure.
    """
    import duckdb

    with duckdb.connect() as con:
        for name, source in (("chosen_ranking", ranking), ("qrel", qrels)):
            relation = con.read_parquet(str(source)) if isinstance(source, Path) else con.from_arrow(source)
            relation.create_view(name)
        con.execute(f"CREATE TABLE chosen_judged AS {JUDGED.format(ranking='chosen_ranking', qrel='qrel')}")
        con.execute("CREATE TABLE made AS SELECT ?::TEXT AS run_id", [run_id])
        every = EVALUATED.format(runs="made", ranking="chosen_ranking", qrel="qrel")
        con.execute(f"CREATE TABLE chosen_evaluated AS {every}")
        con.execute("CREATE VIEW chosen_wanted AS SELECT e.run_id, q.* FROM chosen_evaluated e JOIN qrel q USING (qid)")
        return Evaluated(
            per_query(con, names),
            con.sql("SELECT * FROM chosen_judged").to_arrow_table(),
            con.sql("SELECT * FROM chosen_evaluated").to_arrow_table(),
        )
