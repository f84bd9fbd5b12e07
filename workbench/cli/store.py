"""`lsw store`: path, check, upgrade."""

import typer

from workbench.cli.console import JsonOption, StoreOption, opened, print_json, put, talk

app = typer.Typer(help="The store: check it, upgrade it, find it.", no_args_is_help=True)
COMMANDS = ("retrieve", "import", "audit")
"""Those whose work is recorded as a recipe's is, under their own name."""


@app.command()
def path(store: StoreOption = None) -> None:
    """Print where the store is."""
    put(f"{opened(store).folder.resolve()}\n")


@app.command()
def check(store: StoreOption = None, as_json: JsonOption = False) -> None:
    """Hash every artifact again, and hold every row of the database against them."""
    from contextlib import suppress
    from dataclasses import asdict

    from rich.progress import track

    from store.artifacts import short
    from store.check import Fault, database_faults
    from store.errors import Damaged
    from store.record import makers

    at = opened(store)
    with suppress(Damaged), at.reading():
        pass  # there is a store, of this schema: said before anything is hashed
    cures = []
    faults = []
    whole = []
    keys = at.artifacts.all_keys()
    for key in track(keys, description="checking", console=talk(), transient=True):
        verdict = at.artifacts.check(key, thorough=True)
        if verdict.state == "complete":
            whole.append(key)
        else:
            faults.append(Fault(verdict.reason or "it is gone", key, again=True))
    try:
        faults += database_faults(at, whole)
    except Damaged as damaged:
        faults.append(Fault(f"{damaged.title} {damaged.detail}"))
        cures.append(damaged.cure)
    else:
        if any(not fault.again for fault in faults):
            cures.append("Type `lsw store upgrade`: it reads again what the artifacts have.")
    if again := {fault.key for fault in faults if fault.again}:
        begin = [
            f"`lsw {recipe} ...`" if recipe in COMMANDS else f"`lsw recipe run {recipe} --scale {scale}`"
            for recipe, scale in makers(at, again)
        ]
        commands = f": {', '.join(begin)}" if begin else ""
        cures.append(f"Type the command again that made what is damaged or gone{commands}; nothing else is made again.")
    if as_json:
        print_json({"artifacts": len(keys), "faults": [asdict(fault) for fault in faults], "cures": cures})
    for fault in faults:
        talk().print(f"{short(fault.key)}: {fault.fault}" if fault.key else fault.fault)
    talk().print(f"{len(keys)} artifacts, {len(faults)} faults.")
    for cure in cures:
        talk().print(cure)
    if faults:
        raise typer.Exit(1)


@app.command()
def upgrade(store: StoreOption = None) -> None:
    """Bring the schema up to date, and read again what the database lacks of the artifacts."""
    from store import LswError
    from store.rebuild import rebuild
    from store.schema import LATEST

    at = opened(store)
    if not at.folder.exists():
        raise LswError(f"There is no store at {at.folder}.", cure="Make one with `lsw recipe run zero_shot_yue_zh`.")
    at.create()
    done = rebuild(at)
    changes = [
        f"{done.added} artifacts put back",
        *([f"{done.mended} artifacts read again"] if done.mended else []),
        *([f"queries and judgements of {done.collections} collections read again"] if done.collections else []),
        *([f"{done.recipe_runs} recipe runs put back"] if done.recipe_runs else []),
    ]
    talk().print(f"Schema {LATEST}; {', '.join(changes)}.")
    for recipe_run_id, recipe in done.unrecorded.items():
        talk().print(f"Recipe run {recipe_run_id} ({recipe}) has no record: type its command again to have one.")
