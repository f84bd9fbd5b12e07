"""`lsw export`: a run as other tools read it."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from workbench.cli.console import RunId, StoreOption, data, one_of, opened


def export(
    name: RunId,
    form: Annotated[str, typer.Option("--format", help="trec, csv or parquet")] = "trec",
    to: Annotated[Path | None, typer.Option("--to", help="A file.  [default: stdout]", show_default=False)] = None,
    store: StoreOption = None,
) -> None:
    """Write a run: as trec_eval reads it, as CSV, or as Parquet."""
    from store import LswError
    from store.query import ranking, run

    one_of(form, ("trec", "csv", "parquet"), "format")
    if form == "parquet" and to is None and sys.stdout.isatty():
        raise LswError("Parquet is binary.", cure="Give a file: --to run.parquet")
    at = opened(store)
    chosen = run(at, name)
    table = ranking(at, chosen["run_id"])
    if form == "trec":
        from workbench.evaluation.run_files import lines

        chunks = lines(table, chosen["system"])
    stdout = data()  # held: it closes its buffer when it goes
    target: Any = to.open("wb") if to else stdout.buffer
    try:
        if form == "parquet":
            import pyarrow.parquet as pq

            pq.write_table(table, target)
        elif form == "csv":
            import pyarrow.csv as pc

            pc.write_csv(table, target)
        else:
            for chunk in chunks:
                target.write(chunk)
    finally:
        if to:
            target.close()
