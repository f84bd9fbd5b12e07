"""`lsw`: the commands, and what happens to errors."""

import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from workbench.cli import (
    alignment,
    audit,
    compare,
    doctor,
    export,
    inspect,
    interrupt,
    plan,
    recipe,
    retrieve,
    runs,
    sql,
    store,
    study,
    tui,
    varieties,
)
from workbench.cli.console import debugging, fail

app = typer.Typer(
    name="lsw",
    help=(
        "Linguistic similarity workbench: cross-variety retrieval experiments as recipes, recorded in DuckDB.\n\n"
        "Begin with: lsw recipe run zero_shot_yue_zh"
    ),
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(recipe.app, name="recipe")
app.add_typer(study.app, name="study")
app.add_typer(runs.app, name="runs")
app.add_typer(store.app, name="store")
app.command("plan")(plan.plan)
app.command("compare")(compare.compare)
app.command("retrieve")(retrieve.retrieve)
app.command("import")(retrieve.import_run)
app.command("export")(export.export)
app.command("audit")(audit.audit)
app.command("alignment")(alignment.alignment)
app.command("inspect")(inspect.inspect)
app.command("varieties")(varieties.varieties)
app.command("sql", cls=sql.SqlCommand)(sql.sql)
app.command("tui")(tui.tui)
app.command("doctor")(doctor.doctor)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"lsw {version('lsw-workbench')}")
        raise typer.Exit


@app.callback()
def options(
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and stop.")
    ] = False,
) -> None:
    if debug:
        os.environ["LSW_DEBUG"] = "1"


def own_store() -> None:
    """Make sure that the package `store` is ours, before it is imported: others have one of that name too.

    Raises:
        SystemExit: it is another's.
    """
    ours = Path(__file__).parents[2] / "store" / "__init__.py"
    spec = find_spec("store")
    theirs = Path(spec.origin) if spec and spec.origin else None
    if theirs is None or theirs.resolve() != ours.resolve():
        fail(
            "The package `store` that Python finds is not that of lsw.",
            f"It is {theirs or 'nowhere'}; that of lsw is {ours}.",
            "Give lsw an environment of its own: `uv tool install lsw-workbench` or `pipx install lsw-workbench`.",
        )
        sys.exit(1)


def _utf8(arguments: list[str]) -> None:
    """Make sure that what was typed can be recorded and shown.

    Raises:
        LswError: an argument holds bytes that are no UTF-8.
    """
    for argument in arguments:
        try:
            argument.encode()
        except UnicodeEncodeError:
            from store.errors import LswError

            raise LswError(f"The argument {argument!a} is not UTF-8.", cure="Rename the file.") from None


def main() -> None:
    """Run the command line; every error leaves by here."""
    own_store()
    interrupt.watch()
    try:
        _utf8(sys.argv)
        app()
    except KeyboardInterrupt:
        interrupt.leave()
    except SystemExit as stop:
        if stop.code == 130:  # Typer has caught Ctrl+C already
            interrupt.leave()
        raise
    except BrokenPipeError:  # as in `lsw export RUN | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:
        from store.errors import LswError

        if interrupt.asked():
            interrupt.leave()
        if debugging():
            raise
        if isinstance(error, LswError):
            fail(error.title, error.detail, error.cure)
            sys.exit(error.exit_code)
        if isinstance(error, OSError) and error.strerror:
            fail(
                f"{error.strerror}: {error.filename or 'while writing'}.",
                cure="Check the path, its rights and its disk.",
            )
            sys.exit(2)
        if isinstance(error, MemoryError):
            fail(
                "The memory of this machine is too small for this.",
                str(error),
                "Lower depths or computing.token_budget, or take a smaller collection.",
            )
            sys.exit(1)
        fail(
            f"{type(error).__name__}: {error}",
            cure="This is a fault of lsw. Type the command again as `lsw --debug ...` to see where.",
        )
        sys.exit(1)


if __name__ == "__main__":
    main()
