"""`lsw doctor`."""

import typer

from workbench.cli.console import JsonOption, StoreOption, grid, opened, out, print_json


def doctor(store: StoreOption = None, as_json: JsonOption = False) -> None:
    """What works on this machine, what is missing, and how to get it."""

    from workbench.cli.checks import examine

    checks = examine(opened(store))
    if as_json:
        print_json(checks)
    else:
        table = grid("", "what", "state", "cure")
        for row in checks:
            table.add_row("ok" if row["ok"] else "no", row["what"], row["state"], row["cure"])
        out().print(table)
    if not all(row["ok"] or row["optional"] for row in checks):
        raise typer.Exit(1)
