"""One run of pages, of the windows that were found."""

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import SerializeAsAny

from store import LswError
from workbench.costs.base import Cost
from workbench.costs.estimator import RESULT, STAGE, Estimator
from workbench.evaluation.collapses.base import Collapse, Found
from workbench.graph import Job, Stage
from workbench.stages._behind import passages_of, queries_of
from workbench.stages._ranking import ROW_BYTES, Runs
from workbench.stages._windows import WINDOWS, Windows, windows
from workbench.talk import Summary


class CollapseWindows(Runs):
    """Leaves a run, whose docnos are those of pages. Reads `found` (windows), `windows`, `queries`; for a way that is
    `judged` also `passages` (the pages) and `qrels`.

    A window that was not found counts, where a way asks for it, as the last one that was found for its query; where
    nothing was cut off, as 0, or as the last one if that is below. After a reranker it counts as the last one that was
    scored, of a page below those that were scored as the last one of all.

    Args:
        collapse: how pages are scored by their windows.
    """

    collapse: SerializeAsAny[Collapse]

    def run(self, job: Job) -> Summary:
        """Score pages, and order them.

        Raises:
            LswError: a window of no page was found.
        """
        queries, there = self.queries(job), windows(job)
        held, split = self._held(job, there)
        rows = self._rows(job, there)
        sought = there.sought(self.depth)
        found = Found(rows, _least(rows, sought, there), held)
        scored, counts = self.collapse.pages(found)
        wanted = min(self.depth, there.pages)
        fewer = _fewer(rows, sought if sought < there.count else 0, wanted)
        if fewer:
            job.note(f"{fewer:,} queries have fewer than {wanted:,} pages: their {sought:,} best windows are of fewer")
        results = _ordered(scored, queries)
        summary = {"windows": len(rows), "fewer_pages": fewer, **counts, **split}
        return {**summary, **self.record(job, results, queries)}

    def _rows(self, job: Job, there: Windows) -> pa.Table:
        """What was found, by page (`Found.rows`); and `scored`, null where no reranker says so."""
        import duckdb

        found = job.read("found", "found")
        if "scored" not in found.column_names:
            found = found.append_column("scored", pa.nulls(len(found), pa.bool_()))
        with duckdb.connect() as con:
            con.register("found", found)
            con.read_parquet(str(there.table)).create_view("cut")
            rows = con.sql(
                """
                SELECT qid, parent AS docno, position, score::DOUBLE AS score, windows, scored,
                    docno AS window_docno
                FROM found f LEFT JOIN cut c USING (docno)
                LEFT JOIN (SELECT parent, count(*) AS windows FROM cut GROUP BY parent) USING (parent)
                """
            ).to_arrow_table()
        if rows["docno"].null_count:
            lost = rows.filter(rows["docno"].is_null())["window_docno"][0].as_py()
            raise LswError(
                f"Window '{lost}' was found and is of no page.",
                cure="Search windows of the same pages: run the recipe with --force all.",
                exit_code=1,
            )
        return rows.drop_columns("window_docno")

    def _held(self, job: Job, there: Windows) -> tuple[pa.Table | None, Summary]:
        """For a way that is `judged`: the windows that hold most of each relevant passage, the first of those that hold
        as much; and how many passages no window holds whole."""
        import duckdb

        if not self.collapse.judged:
            return None, {}
        relevant, parts = job.rows("qrels", "relevant"), job.rows("passages", "parent")
        with duckdb.connect() as con:
            for name, path in (("relevant", relevant), ("part", parts), ("cut", there.table)):
                con.read_parquet(str(path)).create_view(name)
            held = con.sql(
                """
                SELECT r.qid, r.docno, c.position, p.ends - p.begins AS length,
                    least(c.ends, p.ends) - greatest(c.begins, p.begins) AS held
                FROM relevant r JOIN part p ON p.docno = r.part JOIN cut c ON c.parent = r.docno
                WHERE held > 0
                QUALIFY row_number() OVER (PARTITION BY r.qid, r.part ORDER BY held DESC, c.position) = 1
                ORDER BY r.qid, r.docno, c.position
                """
            ).to_arrow_table()
        whole = sum(a == b for a, b in zip(held["held"].to_pylist(), held["length"].to_pylist(), strict=True))
        lacking = pq.read_metadata(relevant).num_rows - len(held)
        counts = {"held_whole": whole, "held_in_part": len(held) - whole, "held_by_none": lacking}
        return held.select(["qid", "docno", "position"]), counts

    def cost(self, stage: Stage, estimator: Estimator) -> Cost:
        queries = queries_of(stage.inputs["queries"], estimator).texts or 0
        cut = stage.inputs[WINDOWS]
        count, pages = (passages_of(of, estimator).texts or 0 for of in (cut, cut.inputs["passages"]))
        rows = queries * min(self.depth, pages)
        found = rows * max(1, count / max(pages, 1))
        return Cost(seconds=STAGE + (found * 2 + rows) * RESULT, disk=rows * ROW_BYTES)


def _least(rows: pa.Table, sought: int, there: Windows) -> pa.Table:
    """What a window that was not found counts, for each page of each query (`Found.least`)."""
    import duckdb

    cut_off = f"count(*) >= {sought}" if sought < there.count else "false"
    with duckdb.connect() as con:
        con.register("found", rows)
        return con.sql(
            f"""
            WITH of_query AS (
                SELECT qid, {cut_off} AS cut_off, min(score) AS last, min(score) FILTER (scored) AS last_scored
                FROM found GROUP BY qid
            ), of_page AS (SELECT qid, docno, bool_or(scored) AS scored FROM found GROUP BY qid, docno)
            SELECT qid, docno, CASE
                WHEN scored THEN last_scored
                WHEN cut_off OR last_scored IS NOT NULL THEN last
                ELSE least(last, 0) END AS score
            FROM of_page JOIN of_query USING (qid)
            """
        ).to_arrow_table()


def _fewer(rows: pa.Table, cut_off: int, wanted: int) -> int:
    """Queries that have fewer pages than are wanted though more windows might have been found; 0 if all were sought."""
    import duckdb

    if not cut_off:
        return 0
    with duckdb.connect() as con:
        con.register("found", rows)
        short = f"SELECT qid FROM found GROUP BY qid HAVING count(*) >= {cut_off} AND count(DISTINCT docno) < {wanted}"
        [[count]] = con.sql(f"SELECT count(*) FROM ({short})").fetchall()
    return int(count)


def _ordered(scored: pa.Table, queries: pa.Table) -> pa.Table:
    """Scores by query, in the order of the queries."""
    import duckdb

    with duckdb.connect() as con:
        con.register("scored", scored)
        con.register("asked", queries.select(["qid"]))
        return con.sql(
            """
            WITH numbered AS (SELECT qid, row_number() OVER () AS place FROM asked)
            SELECT qid, docno, score FROM scored JOIN numbered USING (qid) ORDER BY place, docno
            """
        ).to_arrow_table()
