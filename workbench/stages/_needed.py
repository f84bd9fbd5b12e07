"""What training steps and objectives read beside the triples, as it was made."""

import pyarrow as pa

from workbench.graph import Job
from workbench.text import convert

TABLES = ("bitext", "lexicon", "query", "wording")


def needed(job: Job, role: str, script: str) -> pa.Table:
    """The table that an input left, its texts in the declared script: columns source, target, and what it has beside;
    of queries variety, query, and what they have beside.

    Args:
        job: of the training.
        role: of the input, whose settings name both varieties.
        script: one of `workbench.text.SCRIPTS`.
    """
    [name] = [table for table in TABLES if job.rows(role, table).exists()]
    table = job.read(role, name)
    if "query" in table.column_names:
        [code] = table["variety"].unique().to_pylist() or [""]
        texts = convert(table["query"].to_pylist(), code, script) if code else []
        return table.set_column(table.schema.get_field_index("query"), "query", pa.array(texts, pa.string()))
    codes = table.schema.metadata or {}
    for column in ("source", "target"):
        code = codes[column.encode()].decode()
        texts = convert(table[column].to_pylist(), code, script)
        table = table.set_column(table.schema.get_field_index(column), column, pa.array(texts, pa.string()))
    return table
