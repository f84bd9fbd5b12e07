"""`lsw tui`: open the screens, in the terminal or in a browser."""

import gc
import os
import shlex
import sys
import time
from threading import Thread
from typing import Annotated

import typer

from workbench.cli.console import StoreOption, opened, talk


def tui(
    runs: Annotated[
        list[str] | None,
        typer.Argument(
            help="Two to four runs to compare, the baseline first.", metavar="[RUN RUN]", show_default=False
        ),
    ] = None,
    web: Annotated[
        bool, typer.Option("--web", help="Serve the screens to a browser, on this machine only (localhost).")
    ] = False,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Of --web.")] = 8000,
    store: StoreOption = None,
) -> None:
    """See what a recipe found, then look at its runs query by query, side by side across varieties.

    Press ? on any screen for what it shows and its keys. A recipe may run meanwhile: the screens follow it.

    With --web, Ctrl+C or SIGTERM end the screens of every tab, free the port, and exit with 0.
    """
    from store import LswError
    from store.query import run

    at = opened(store)
    chosen = [run(at, name)["run_id"] for name in runs or []]
    if len(chosen) == 1 or len(chosen) > 4 or len(set(chosen)) < len(chosen):
        raise LswError("Give two to four different runs, or none.", cure="Mark them on the screen Runs instead.")
    if web:
        from tui.web import serve

        words = [sys.executable, "-m", "workbench.cli.main", "tui", *chosen, "--store", str(at.folder.resolve())]
        talk().print(f"http://localhost:{port} (this machine only; Ctrl+C stops it)")
        serve(shlex.join(words), port)
        return
    served = "TEXTUAL_DRIVER" in os.environ  # textual-serve's, which is no terminal
    if not served and not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise LswError(
            "The screens need a terminal.", cure="For scripts: `lsw compare --json`, `lsw sql --format csv`."
        )
    if served:
        Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    from tui.app import Workbench

    app = Workbench(at, chosen)
    app.run()
    gc.unfreeze()  # what the screens kept out of collections; duckdb complains of what is left at the end
    if app.return_code:
        raise typer.Exit(app.return_code)


def _end_with(parent: int) -> None:
    """End when what serves the screens was killed, which could not end them: nothing is left half done."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)
