"""Measures of one run, per query, by ir_measures."""

import pyarrow as pa

SCHEMA = pa.schema([("measure", pa.string()), ("qid", pa.string()), ("value", pa.float64())])


def per_query(ranking: pa.Table, qrels: pa.Table, names: list[str]) -> pa.Table:
    """Value of each measure for each judged query; a query without result counts as ir_measures counts it (0).

    Args:
        ranking: columns qid, docno, score.
        qrels: columns qid, docno, label.
        names: ir_measures names.

    Returns:
        columns measure, qid, value.
    """
    import ir_measures

    run = ranking.select(["qid", "docno", "score"]).to_pandas()
    run.columns = ["query_id", "doc_id", "score"]
    judged = qrels.select(["qid", "docno", "label"]).to_pandas()
    judged.columns = ["query_id", "doc_id", "relevance"]
    wanted = {ir_measures.parse_measure(name): name for name in names}
    rows = [
        {"measure": wanted[m.measure], "qid": m.query_id, "value": float(m.value)}
        for m in ir_measures.iter_calc(list(wanted), judged, run)
    ]
    return pa.Table.from_pylist(rows, schema=SCHEMA)
