"""`lsw store`: path, check, upgrade."""

import typer

from workbench.cli.console import JsonOption, StoreOption, opened, print_json, talk

app = typer.Typer(help="The store: check it, upgrade it, find it.", no_args_is_help=True)


@app.command()
def path(store: StoreOption = None) -> None:
    """Print where the store is."""
    typer.echo(opened(store).folder.resolve())


@app.command()
def check(store: StoreOption = None, as_json: JsonOption = False) -> None:
    """Hash every artifact again, and hold the database against them."""
    from rich.progress import track

    from store.artifacts import short
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
        talk().print(f"{short(fault['key'])}: {fault['fault']}")
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
