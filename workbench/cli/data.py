"""Commands on the store itself: `sql`, `store`, `doctor`."""

import sys
from typing import Annotated

import typer

from workbench.cli.console import JsonOption, StoreOption, grid, opened, out, print_json, shown, talk

app = typer.Typer(help="The store: check it, upgrade it, find it.", no_args_is_help=True)

SHOWN = 500


def sql(
    statement: Annotated[str, typer.Argument(help="SELECT ... over runs, rankings, queries, qrels, measures, ...")],
    form: Annotated[str, typer.Option("--format", help="table, csv or json")] = "table",
    as_json: JsonOption = False,
    store: StoreOption = None,
) -> None:
    """Ask the store in SQL, read-only.

    Views: runs, rankings, queries, qrels, measures, comparisons, translations, finetunes, stages, triples, losses,
    recipe_runs, recipe_stages, scored_queries, judged_results, evaluated_queries, audits, translation_costs.
    `DESCRIBE runs` lists its columns.
    """
    from store import LswError, nearest
    from store.query import select

    form = "json" if as_json else form
    if form not in ("table", "csv", "json"):
        raise LswError(f"Unknown format '{form}'.", cure=nearest(form, ["table", "csv", "json"]))
    names, rows, more = select(opened(store), statement, SHOWN if form == "table" else None)
    if form == "json":
        print_json([dict(zip(names, row, strict=True)) for row in rows])
    elif form == "csv":
        import csv

        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(names)
        writer.writerows(rows)
    else:
        table = grid(*names)
        for row in rows:
            table.add_row(*map(shown, row))
        out().print(table)
        talk().print(f"Showing {len(rows)} of more than {len(rows)} rows; --format csv has all." if more else
                     f"{len(rows)} rows.")  # fmt: skip


@app.command()
def path(store: StoreOption = None) -> None:
    """Print where the store is."""
    typer.echo(opened(store).folder.resolve())


@app.command()
def check(store: StoreOption = None, as_json: JsonOption = False) -> None:
    """Hash every artifact again, and hold the database against them."""
    from rich.progress import track

    from store.query import rows

    at = opened(store)
    with at.reading() as con:
        recorded = {r["key"]: r["kind"] for r in rows(con, "SELECT key, kind FROM stages WHERE status = 'done'")}
    keys = at.artifacts.complete()
    faults = []
    for key in track(keys, description="checking", console=talk(), transient=True):
        verdict = at.artifacts.check(key, thorough=True)
        if verdict.state != "complete":
            faults.append({"key": key, "fault": verdict.reason})
        elif key not in recorded:
            faults.append({"key": key, "fault": "not in the database"})
    faults += [
        {"key": k, "fault": "in the database, but its artifact is gone"} for k in sorted(recorded.keys() - set(keys))
    ]
    if as_json:
        print_json({"artifacts": len(keys), "faults": faults})
    for fault in faults:
        talk().print(f"{fault['key'][:12]}: {fault['fault']}")
    talk().print(f"{len(keys)} artifacts, {len(faults)} faults.")
    if faults:
        talk().print("Damaged artifacts are made again by the recipe; `lsw store upgrade` puts missing ones back in.")
        raise typer.Exit(1)


@app.command()
def upgrade(store: StoreOption = None) -> None:
    """Bring the schema up to date, and put artifacts that the database lacks back into it."""
    from store import LswError
    from store.ingest import rebuild
    from store.schema import LATEST

    at = opened(store)
    if not at.folder.exists():
        raise LswError(f"There is no store at {at.folder}.", cure="Make one with `lsw recipe run zero_shot_yue_zh`.")
    at.create()
    added = rebuild(at)
    talk().print(f"Schema {LATEST}; {added} artifacts put back.")


def doctor(store: StoreOption = None, as_json: JsonOption = False) -> None:
    """What works on this machine, what is missing, and how to get it."""

    from workbench.cli.checks import examine

    found = examine(opened(store))
    if as_json:
        print_json(found)
    else:
        table = grid("", "what", "state", "cure")
        for row in found:
            table.add_row("ok" if row["ok"] else "no", row["what"], row["state"], row["cure"])
        out().print(table)
    if not all(row["ok"] or row["optional"] for row in found):
        raise typer.Exit(1)
