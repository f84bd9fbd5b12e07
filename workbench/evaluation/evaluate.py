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
        queries: run_id, qid, retrieved, labelled, relevant, highest (label) of each judged query that was asked.
        unasked: run_id, qid of each judged query that the run was never asked.
    """

    values: pa.Table
    judged: pa.Table
    queries: pa.Table
    unasked: pa.Table

    def counts(self) -> dict[str, int]:
        """How many queries count, how many of them have no result or no relevant passage (both count 0), and how many
        were never asked (they do not count)."""
        queries = self.queries.to_pydict()
        return {
            "queries": len(self.queries),
            "without_result": queries["retrieved"].count(0),
            "without_relevant": queries["relevant"].count(0),
            "not_asked": len(self.unasked),
        }


def evaluate(
    run_id: str,
    ranking: Path | pa.Table,
    qrels: Path | pa.Table,
    names: list[str],
    asked: Path | pa.Table | None = None,
) -> Evaluated:
    """Evaluate a run whose ranks are set already.

    Args:
        run_id: of the run; it may have found nothing at all.
        ranking: Parquet file or table with run_id, qid, docno, rank (from 0).
        qrels: Parquet file or table with qid, docno, label.
        names: ir_measures names.
        asked: Parquet file or table with the qid of each query that the run was asked; None if nobody knows (a run made
            elsewhere): then every judged query counts, as trec_eval -c has it.

    Raises:
        LswError: an unknown measure.
    """
    import duckdb

    with duckdb.connect() as con:
        known = {"chosen_ranking": ranking, "qrel": qrels} | ({} if asked is None else {"asked": asked})
        for name, source in known.items():
            relation = con.read_parquet(str(source)) if isinstance(source, Path) else con.from_arrow(source)
            relation.create_view(name)
        con.execute(f"CREATE TABLE chosen_judged AS {JUDGED.format(ranking='chosen_ranking', qrel='qrel')}")
        con.execute("CREATE TABLE made AS SELECT ?::TEXT AS run_id", [run_id])
        every = EVALUATED.format(runs="made", ranking="chosen_ranking", qrel="qrel")
        con.execute(f"CREATE TABLE judged_query AS {every}")
        only = "" if asked is None else "SEMI JOIN asked USING (qid)"
        con.execute(f"CREATE TABLE chosen_evaluated AS SELECT * FROM judged_query {only} ORDER BY qid")
        con.execute("CREATE VIEW chosen_wanted AS SELECT e.run_id, q.* FROM chosen_evaluated e JOIN qrel q USING (qid)")
        return Evaluated(
            per_query(con, names),
            con.sql("SELECT * FROM chosen_judged").to_arrow_table(),
            con.sql("SELECT * FROM chosen_evaluated").to_arrow_table(),
            con.sql("SELECT run_id, qid FROM judged_query ANTI JOIN chosen_evaluated USING (qid)").to_arrow_table(),
        )
