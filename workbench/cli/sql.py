"""`lsw sql`."""

from typing import Annotated

import typer
from typer.core import TyperCommand

from workbench.cli.console import JsonOption, StoreOption, data, grid, one_of, opened, out, print_json, shown, talk

SHOWN = 500
"""Rows of a table; other formats have all."""


class SqlCommand(TyperCommand):
    """Whose help lists the views as the store has them; duckdb is imported only then."""

    def format_epilog(self, ctx: typer.Context, formatter: "typer.HelpFormatter") -> None:  # type: ignore[name-defined, override]
        from store.schema import VIEWS

        with formatter.section("Views, and what one row of each is"):
            formatter.write_dl(list(VIEWS.items()))


def sql(
    statement: Annotated[str, typer.Argument(help="SELECT ... over runs, rankings, queries, qrels, measures, ...")],
    form: Annotated[str, typer.Option("--format", help="table, csv or json")] = "table",
    as_json: JsonOption = False,
    store: StoreOption = None,
) -> None:
    """Ask the store in SQL, read-only.

    `DESCRIBE runs` lists the columns of a view.
    """
    from store.query import select
    from workbench.cli import interrupt

    interrupt.at_once()
    form = "json" if as_json else one_of(form, ("table", "csv", "json"), "format")
    names, rows, more = select(opened(store), statement, SHOWN if form == "table" else None)
    if form == "json":
        print_json([dict(zip(names, row, strict=True)) for row in rows])
    elif form == "csv":
        import csv

        writer = csv.writer(data(), lineterminator="\n")
        writer.writerow(names)
        writer.writerows(rows)
    else:
        table = grid(*names)
        for row in rows:
            table.add_row(*map(shown, row))
        out().print(table)
        talk().print(f"Showing {len(rows)} of more than {len(rows)} rows; --format csv has all." if more else
                     f"{len(rows)} rows.")  # fmt: skip
