"""Measures per query, for many runs at once, from what is judged in them: sets in SQL, or ir_measures.

Of a ranking, a measure needs the ranks of its judged passages and no more: `judged` holds them (about one row a query
on MS MARCO, of 1,000), and `evaluated` the queries that count. So any cutoff, threshold or gain is a small join.

Order and ties are trec_eval's for every measure (score as float32 descending, then docno descending). ir_measures
itself breaks ties otherwise for RR with a cutoff and for Judged (docno ascending), and agrees where scores differ.
Queries without result count 0; so do queries without a relevant passage, as in ir_measures. A judged query that a run
was never asked, for want of a wording in its variety, does not count.
"""

import re
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa

from store.errors import LswError, nearest

SCHEMA = pa.schema([("run_id", pa.string()), ("measure", pa.string()), ("qid", pa.string()), ("value", pa.float64())])
DEFAULT = ["RR@10", "nDCG@10", "R@1000"]
"""What is measured unless somebody says otherwise."""
LARGEST = (1 << 31) - 1
"""Number in a measure's name: trec_eval counts with 32 bits."""
USUAL = ["RR@10", "nDCG@10", "R@1000", "AP", "P@10", "R@100", "Success@10", "Judged@10", "Bpref"]

JUDGED = """
SELECT r.run_id, r.qid, r.docno, r.rank, q.label
FROM {ranking} r JOIN {qrel} q ON r.qid = q.qid AND r.docno = q.docno ORDER BY r.run_id, r.qid, r.rank
"""
"""Rows of the table `judged`, from the rankings and judgements named."""

EVALUATED = """
WITH asked AS (SELECT qid, count(*) AS labelled, count(*) FILTER (label > 0) AS relevant,
    max(label) AS highest FROM {qrel} GROUP BY qid),
got AS (SELECT run_id, qid, count(*) AS retrieved FROM {ranking} GROUP BY ALL)
SELECT run_id, qid, coalesce(retrieved, 0)::INTEGER AS retrieved, labelled::INTEGER AS labelled,
    relevant::INTEGER AS relevant, highest
FROM {runs} CROSS JOIN asked LEFT JOIN got USING (run_id, qid) ORDER BY run_id, qid
"""
"""Rows of the table `evaluated`: every judged query of each run named, whether it found anything for it or not."""


@dataclass(frozen=True)
class Measure:
    """One measure as SQL: per query `value`, over one row a query with the sums that `hits` and `wants` name.

    `hits` are aggregates over a query's judged results, `wants` over its judgements, `ideals` over its judgements in
    the order of their `gain`; all are named by their own text.
    """

    name: str
    value: str
    hits: tuple[str, ...] = ()
    wants: tuple[str, ...] = ()
    ideal: tuple[str, str] | None = None


def parsed(name: str) -> Any:
    """The ir_measures measure of this name.

    Raises:
        LswError: there is none, it takes no such parameters, or nothing installed computes it.
    """
    import ir_measures

    try:
        measure = ir_measures.parse_measure(name)
        measure.validate_params()
        numbers = [n for value in measure.params.values() for n in _numbers(value)]
        if measure.params.get("cutoff", 1) <= 0 or any(abs(n) > LARGEST for n in numbers):
            raise ValueError("trec_eval would end the process")
        known = bool(_sql(name, measure)) or ir_measures.DefaultPipeline.supports(measure)
    except (NameError, ValueError, SyntaxError, TypeError, AssertionError, AttributeError):
        cure = nearest(name, USUAL) + " Names are those of ir_measures."
        raise LswError(f"Unknown measure '{name}'.", cure=cure) from None
    if not known:
        raise LswError(f"Nothing here computes '{name}'.", cure="Choose another, as in " + ", ".join(USUAL[:4]) + ".")
    return measure


def _numbers(value: Any) -> list[float]:
    """The numbers of a parameter: itself, or labels and their gains."""
    if isinstance(value, dict):
        return [n for part in (*value.keys(), *value.values()) for n in _numbers(part)]
    return [value] if isinstance(value, int | float) else []


def threshold(name: str) -> int:
    """The lowest label that is relevant to a measure."""
    return int(parsed(name).params.get("rel", 1))


def _sql(name: str, of: Any) -> Measure | None:
    """The measure in SQL; None if ir_measures has to compute it."""
    parameters = dict(of.params)
    k, rel, gains = parameters.pop("cutoff", None), parameters.pop("rel", 1), parameters.pop("gains", None)
    if parameters.pop("dcg", "log2") != "log2" or parameters.pop("judged_only", False) or parameters:
        return None
    if rel < 1 or (k is not None and k < 1):  # trec_eval gives unjudged passages labels of their own below 1
        return None
    within = f" AND rank < {k}" if k else ""
    relevant = f"count(*) FILTER (label >= {rel}{within})"
    wanted = f"count(*) FILTER (label >= {rel})"
    if of.NAME == "RR":
        first = f"max(1 / (rank + 1)) FILTER (label >= {rel}{within})"
        return Measure(name, f'coalesce("{first}", 0)', (first,))
    if of.NAME == "P" and k:
        return Measure(name, f'coalesce("{relevant}", 0) / {k}', (relevant,))
    if of.NAME == "R" and k:
        return Measure(name, f'coalesce("{relevant}" / nullif("{wanted}", 0), 0)', (relevant,), (wanted,))
    if of.NAME == "Success" and k:
        return Measure(name, f'(coalesce("{relevant}", 0) > 0)::DOUBLE', (relevant,))
    if of.NAME == "AP":
        precisions = f"sum(relevant_{rel} / (rank + 1)) FILTER (label >= {rel}{within})"
        return Measure(name, f'coalesce("{precisions}" / nullif("{wanted}", 0), 0)', (precisions,), (wanted,))
    if of.NAME == "Judged":
        seen = f"count(*) FILTER (true{within})"
        shown = f"least(retrieved, {k})" if k else "retrieved"
        return Measure(name, f'coalesce("{seen}" / nullif({shown}, 0), 0)', (seen,))
    if of.NAME == "nDCG":
        gain = "label"
        if gains:
            cases = " ".join(f"WHEN {int(label)} THEN {int(gain)}" for label, gain in gains.items())
            gain = f"CASE label {cases} ELSE label END"
        got = f"sum({gain} / log2(rank + 2)) FILTER ({gain} > 0{within})"
        best = f"sum(gain / log2(place + 1)) FILTER ({f'place <= {k}' if k else 'true'})"
        return Measure(name, f'coalesce("{got}" / "{best} of {gain}", 0)', (got,), ideal=(gain, best))
    return None


def query_of(measures: list[Measure]) -> str:
    """The statement that gives run_id, measure, qid and value, in the order of runs and qids.

    It reads relations `chosen_judged` and `chosen_evaluated`, and `chosen_wanted` (run_id, qid, docno, label), all
    judgements of the evaluated queries.
    """
    thresholds = sorted({int(n) for m in measures for h in m.hits for n in re.findall(r"relevant_(\d+)", h)})
    hits = list(dict.fromkeys(h for m in measures for h in m.hits))
    wants = list(dict.fromkeys(w for m in measures for w in m.wants))
    ideals = dict.fromkeys(m.ideal for m in measures if m.ideal)
    gains = list(dict.fromkeys(gain for gain, _ in ideals))

    def named(expressions: list[str], suffix: str = "") -> str:
        return "".join(f', {e} AS "{e}{suffix}"' for e in expressions)

    counts = "".join(
        f", sum((label >= {r})::INTEGER) OVER (PARTITION BY run_id, qid ORDER BY rank) AS relevant_{r}"
        for r in thresholds
    )
    parts = [
        f"hit AS (SELECT *{counts} FROM chosen_judged)",
        f"found AS (SELECT run_id, qid{named(hits)} FROM hit GROUP BY ALL)",
        f"needed AS (SELECT run_id, qid{named(wants)} FROM chosen_wanted GROUP BY ALL)",
    ]
    joins = ""
    for i, gain in enumerate(gains):
        sums = [best for g, best in ideals if g == gain]
        parts.append(
            f"""ideal_{i} AS (SELECT run_id, qid{named(sums, f" of {gain}")} FROM (
                SELECT run_id, qid, {gain} AS gain,
                    row_number() OVER (PARTITION BY run_id, qid ORDER BY {gain} DESC) AS place
                FROM chosen_wanted WHERE {gain} > 0) GROUP BY ALL)"""
        )
        joins += f" LEFT JOIN ideal_{i} USING (run_id, qid)"
    values = ", ".join(m.value for m in measures)
    names = ", ".join("'" + m.name.replace("'", "''") + "'" for m in measures)
    return f"""
        WITH {", ".join(parts)}
        SELECT run_id, unnest([{names}]) AS measure, qid, unnest([{values}])::DOUBLE AS value
        FROM chosen_evaluated LEFT JOIN found USING (run_id, qid) LEFT JOIN needed USING (run_id, qid){joins}
        ORDER BY run_id, qid
    """


def per_query(con: duckdb.DuckDBPyConnection, names: list[str]) -> pa.Table:
    """Values of measures for each evaluated query of each run.

    Args:
        con: a connection with the relations that `query_of` names and, for measures that only ir_measures computes,
            `chosen_ranking` (run_id, qid, docno, rank).
        names: ir_measures names.

    Returns:
        columns run_id, measure, qid, value (double); rows of one measure in the order of runs and qids.

    Raises:
        LswError: an unknown measure.
    """
    wanted = {name: parsed(name) for name in dict.fromkeys(names)}
    sets = {name: _sql(name, of) for name, of in wanted.items()}
    in_sets = [m for m in sets.values() if m]
    others = {name: wanted[name] for name, m in sets.items() if m is None}
    tables = []
    if in_sets:
        tables.append(con.sql(query_of(in_sets)).to_arrow_table().cast(SCHEMA))
    if others:
        tables.append(_by_ir_measures(con, others))
    return pa.concat_tables(tables) if tables else SCHEMA.empty_table()


def _by_ir_measures(con: duckdb.DuckDBPyConnection, wanted: dict[str, Any]) -> pa.Table:
    """Measures that are not in SQL here. Scores are the ranks, negated: every tool then sees trec_eval's order."""
    import ir_measures

    names = {of: name for name, of in wanted.items()}
    runs = [r[0] for r in con.sql("SELECT DISTINCT run_id FROM chosen_evaluated ORDER BY ALL").fetchall()]
    tables = []
    for run_id in runs:
        # pytrec_eval crashes the process on a query whose labels are all negative; nothing is relevant to it anyway.
        qrels = con.sql(
            """SELECT qid AS query_id, docno AS doc_id,
                   if(max(label) OVER (PARTITION BY qid) < 0, 0, label) AS relevance FROM chosen_wanted
               WHERE run_id = ?""",
            params=[run_id],
        ).df()
        ranking = con.sql(
            """SELECT qid AS query_id, docno AS doc_id, -rank::DOUBLE AS score FROM chosen_ranking
               WHERE run_id = ? AND qid IN (SELECT qid FROM chosen_evaluated WHERE run_id = ?) ORDER BY qid, rank""",
            params=[run_id, run_id],
        ).df()
        try:
            values = list(ir_measures.iter_calc(list(names), qrels, ranking))
        except Exception as error:  # each of its providers fails in its own way
            failed = ", ".join(wanted)
            raise LswError(f"ir_measures could not compute {failed}.", str(error), "Choose another measure.") from None
        by_query = {(names[m.measure], m.query_id): float(m.value) for m in values}
        keys = sorted(by_query)
        columns = [[run_id] * len(keys), [k[0] for k in keys], [k[1] for k in keys], [by_query[k] for k in keys]]
        tables.append(pa.table(columns, schema=SCHEMA))
    return pa.concat_tables(tables) if tables else SCHEMA.empty_table()


def of_runs(con: duckdb.DuckDBPyConnection, run_ids: list[str], names: list[str]) -> pa.Table:
    """As `per_query`, for runs of the store: what was recorded is taken, the rest computed.

    Args:
        con: a read-only connection to the store.
        run_ids: of runs that have judgements; others have no rows in the result.
        names: ir_measures names.
    """
    con.execute("CREATE TEMP TABLE chosen AS SELECT unnest(?::TEXT[]) AS run_id", [run_ids])
    try:
        have = {
            r[0]
            for r in con.execute(
                """SELECT measure FROM measure SEMI JOIN chosen USING (run_id)
                   GROUP BY measure HAVING count(DISTINCT run_id) =
                       (SELECT count(DISTINCT run_id) FROM evaluated SEMI JOIN chosen USING (run_id))"""
            ).fetchall()
        }
        missing = [name for name in names if name not in have]
        recorded = con.sql(
            """SELECT run_id, measure, qid, value FROM measure SEMI JOIN chosen USING (run_id)
               WHERE measure IN (SELECT unnest(?::TEXT[])) ORDER BY run_id, qid""",
            params=[[name for name in names if name in have]],
        ).to_arrow_table()
        if not missing:
            return recorded.cast(SCHEMA)
        for name, table in (("judged", "judged"), ("evaluated", "evaluated"), ("ranking", "rankings")):
            con.execute(f"CREATE TEMP VIEW chosen_{name} AS SELECT * FROM {table} SEMI JOIN chosen USING (run_id)")
        con.execute(
            """CREATE TEMP VIEW chosen_wanted AS SELECT e.run_id, q.qid, q.docno, q.label
               FROM chosen_evaluated e JOIN run r ON r.run_id = e.run_id
               JOIN qrel q ON q.collection = r.collection AND q.qid = e.qid
                   AND coalesce(q.document_variety = r.document_variety, true)"""
        )
        return pa.concat_tables([recorded.cast(SCHEMA), per_query(con, missing)])
    finally:
        for table in ("wanted", "judged", "evaluated", "ranking"):
            con.execute(f"DROP VIEW IF EXISTS temp.chosen_{table}")
        con.execute("DROP TABLE temp.chosen")
