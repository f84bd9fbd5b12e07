"""In how many passages each word occurs, where no index of the store says it: counted once, and kept in the store."""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from threading import Lock, get_ident
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from store import Store
from store.passages import FILE, Passages
from workbench.text import HAN, convert
from workbench.varieties import variety

KEPT = ".frequencies"
"""Beside the artifacts: what can be counted again is not one."""
_COUNTING = Lock()
BATCH = 16_384
"""Passages folded at once."""

_RUNS = f"""
    flatten(list_transform(
        regexp_extract_all(text, '[\\p{{L}}\\p{{N}}]+'), lambda run: regexp_extract_all(run, '[{HAN}]+|[^{HAN}]+')))
"""
"""Runs of letters and digits, of Han characters and of others apart, as `workbench.text.runs` finds them."""
_HAN_TERMS = f"""
    CASE WHEN regexp_matches(run, '^[{HAN}]') THEN list_concat(
        list_transform(range(1, length(run) + 1), lambda i: substring(run, i, 1)),
        list_transform(range(1, length(run)), lambda i: substring(run, i, 2)))
    ELSE [run] END
"""
"""Characters and pairs of them, as `workbench.text.terms` makes them."""


def counted(
    store: Store, key: str, code: str, script: str, wanted: list[str], note: Callable[[str], Any]
) -> tuple[dict[str, int], int]:
    """In how many passages some words occur, and how many passages there are.

    The first time all words are counted, by DuckDB, which spills to disk what memory does not hold.

    Args:
        store: where the passages are.
        key: of the stage that read them.
        code: their variety, by whose rules words are made.
        script: one of `workbench.text.SCRIPTS`.
        wanted: the words.
        note: told what takes long.
    """
    import duckdb

    passages = Passages(store.artifacts.path(key) / FILE)
    kept = store.artifacts.folder / KEPT / f"{key}-{script.replace(' ', '-')}.parquet"
    with _COUNTING, duckdb.connect() as con:  # who comes meanwhile finds what was counted
        if not kept.exists():
            note(f"counting the words of {len(passages):,} passages")
            table = _count(con, passages, code, script)
            with suppress(OSError):  # a store that cannot be written is counted each time
                kept.parent.mkdir(exist_ok=True)
                aside = kept.with_name(f".{kept.name}-{os.getpid()}-{get_ident()}")
                pq.write_table(table, aside)
                aside.replace(kept)
            con.register("counts", table)
        else:
            con.read_parquet(str(kept)).create_view("counts")
        found = con.execute("SELECT term, df FROM counts WHERE term IN (SELECT unnest(?::TEXT[]))", [wanted]).fetchall()
    return dict(found), len(passages)


def _count(con: Any, passages: Passages, code: str, script: str) -> pa.Table:
    """Each word of some passages: term, df (int32), by term."""
    schema = pa.schema([("text", pa.string())])

    def folded() -> Iterator[pa.RecordBatch]:
        for batch in passages.batches(0, BATCH):
            texts = convert(batch["text"].to_pylist(), code, script)
            yield pa.record_batch([pa.array([text.casefold() for text in texts], pa.string())], schema)

    con.register("folded", pa.RecordBatchReader.from_batches(schema, folded()))
    runs = _RUNS
    if variety(code).words == "han":
        runs = f"flatten(list_transform({_RUNS}, lambda run: {_HAN_TERMS}))"
    return con.sql(
        f"""
        SELECT term, count(*)::INTEGER AS df FROM (SELECT unnest(list_distinct({runs})) AS term FROM folded)
        GROUP BY term ORDER BY term
        """
    ).to_arrow_table()
