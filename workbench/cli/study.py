"""`lsw study`: list, show, run, analyse, results, figure."""

import sys
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.cli.console import JsonOption, ScaleOption, StoreOption, grid, opened, out, print_json, talk, waiting
from workbench.cli.study_results import StudyFormatOption, figure, results, show_study

if TYPE_CHECKING:
    from pathlib import Path

    from store import Store
    from workbench.plans.study import StudyPlan

app = typer.Typer(help="Studies: recipes with a grid, and what is estimated from it.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="A study's name (see `lsw study list`) or a TOML file.")]
Overrides = Annotated[
    list[str] | None, typer.Argument(help="Changes, as section.key=value.", metavar="[SECTION.KEY=VALUE]...")
]


@app.command("list")
def list_studies(as_json: JsonOption = False) -> None:
    """The studies that come with lsw."""
    from workbench.recipe.load import load, recipe_path, scale_path, studies

    rows = []
    for name in studies():
        recipe = load(recipe_path(name), scale_path("mini"))
        assert recipe.study
        rows.append({"name": name, "title": recipe.title, "analysis": recipe.study.analysis.name})
    if as_json:
        print_json(rows)
        return
    table = grid("study", "what it asks", "analysis")
    for row in rows:
        table.add_row(row["name"], row["title"], row["analysis"])
    out().print(table)


@app.command()
def show(
    name: Name, overrides: Overrides = None, scale: ScaleOption = "mini", store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    """The cells of a study in the order in which they are run, and which of them are done."""
    from workbench.engine.study import to_run

    study, _ = _compiled(name, scale, overrides, fetch=False)
    todo = {cell.number for cell, _ in to_run(study, opened(store))}
    rows = [
        {"cell": cell.number, "recipe_run_id": plan.recipe_run_id, "levels": cell.levels, "runs": len(plan.runs),
         "stages": len(plan.stages), "status": "to run" if cell.number in todo else "done"}
        for cell, plan in study.cells
    ]  # fmt: skip
    if as_json:
        print_json(rows)
        return
    assert study.recipe.study
    factors = study.recipe.study.factors
    table = grid("cell", "recipe run", *(name.rpartition(".")[2] for name in factors), "runs", "stages", "status")
    for row in rows:
        levels: Any = row["levels"]
        about = (str(row[column]) for column in ("runs", "stages", "status"))
        table.add_row(str(row["cell"]), str(row["recipe_run_id"]), *(str(levels[name]) for name in factors), *about)
    out().print(table)
    _say(study, study.recipe.title)


@app.command()
def run(
    name: Name,
    overrides: Overrides = None,
    scale: ScaleOption = "mini",
    store: StoreOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say which cells would be run, and how long.")] = False,
    force: Annotated[
        str | None, typer.Option(help="Run again: a kind of stage, a key's beginning, or all.", metavar="STAGE")
    ] = None,
    go_on: Annotated[
        bool, typer.Option("--go-on", help="Go on when a cell fails; the analysis counts it as missing.")
    ] = False,
    forecast: Annotated[
        bool, typer.Option("--forecast/--no-forecast", help="Time this machine first, to say how long it will take.")
    ] = True,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="A line for each stage too.")] = False,
    form: StudyFormatOption = "screen",
    as_json: JsonOption = False,
) -> None:
    """Run a study: each cell of its grid that is not cached, the extremes first, then the analysis.

    Each cell is a recipe run like any other. Ctrl+C loses nothing: the same command goes on where it stopped, and
    `lsw study analyse NAME` looks at what is there.
    """
    from store import LswError
    from workbench.cli.watch_grid import GridWatcher
    from workbench.engine.study import run_study, to_run
    from workbench.reports.study import STUDY_REPORTS

    form = "json" if as_json else STUDY_REPORTS.known(form)
    study, base = _compiled(name, scale, overrides, fetch=not dry_run)
    at = opened(store)
    todo = study.cells if force else to_run(study, at)
    seconds = _seconds(study, at, base) if forecast and todo else {}
    told = f"{len(todo)} of {len(study.cells)} cells to run"
    unknown = seconds and any(value is None for value in seconds.values())
    known = {number: value for number, value in seconds.items() if value is not None}
    if seconds:
        told += f"; about {_time(sum(known.values()))} on this machine{', parts not estimated' if unknown else ''}"
    talk().print(f"{told}.")
    if dry_run:
        for cell, _ in todo:
            talk().print(f"  {cell.label}")
        return
    started = time.monotonic()
    with GridWatcher(study.recipe.title, at, known, len(study.cells), verbose) as watcher:
        outcome = run_study(study, at, watcher, force, go_on)
    talk().print(
        f"{outcome.ran} stages run, {outcome.cached} cached, {time.monotonic() - started:.1f} s."
        f" Recorded in {at.folder} as {study.study_id}."
    )
    show_study(at, study.study_id, form)
    if outcome.failed:
        raise LswError(
            f"{len(outcome.failed)} of {len(study.cells)} cells failed; the analysis is of the others.",
            cure="Mend what was said above, and type the command again.",
            exit_code=1,
        )


@app.command()
def analyse(
    name: Name,
    overrides: Overrides = None,
    scale: ScaleOption = "mini",
    store: StoreOption = None,
    form: StudyFormatOption = "screen",
    as_json: JsonOption = False,
) -> None:
    """Analyse the cells of a study that are there, and run none: for a first look at one that was interrupted."""
    from workbench.cli.watch import Watcher
    from workbench.engine.study import analyse as analyse_cells
    from workbench.reports.study import STUDY_REPORTS

    form = "json" if as_json else STUDY_REPORTS.known(form)
    study, _ = _compiled(name, scale, overrides, fetch=False)
    at = opened(store)
    with Watcher(study.recipe.title) as watcher:
        missing = analyse_cells(study, at, watcher)
    if missing:
        talk().print(f"{len(missing)} of {len(study.cells)} cells have not run: lsw study run {name}.", style="yellow")
    show_study(at, study.study_id, form)


app.command()(results)
app.command()(figure)


def _compiled(name: str, scale: str, overrides: list[str] | None, fetch: bool) -> "tuple[StudyPlan, Path]":
    from workbench.plans.study import compile_study
    from workbench.recipe.load import load_grid, recipe_path, scale_path

    path, behind = recipe_path(name), scale_path(scale)
    recipe, cells = load_grid(path, behind, overrides)
    progress = None
    if len(cells) > 20 and sys.stderr.isatty():
        with waiting("laying out the grid") as progress:
            return compile_study(recipe, cells, path.stem, behind.stem, behind.parent, fetch, progress), behind.parent
    return compile_study(recipe, cells, path.stem, behind.stem, behind.parent, fetch), behind.parent


def _seconds(study: "StudyPlan", at: "Store", base: "Path") -> dict[int, float | None]:
    from workbench.costs.estimator import Estimator
    from workbench.engine.study import seconds_by_cell
    from workbench.recipe.load import FOLDER, read_toml
    from workbench.talk import advise

    advise()
    table = {k: float(v) for k, v in read_toml(FOLDER / "prices.toml").items()}
    with waiting("timing this machine") as progress:
        return seconds_by_cell(study, at, Estimator(base, table, lambda text: progress(0, 0)))


def _say(study: "StudyPlan", title: str) -> None:
    equal = len(study.cells) - len({plan.recipe_run_id for _, plan in study.cells})
    more = f"; {equal} of them are the same as another" if equal else ""
    talk().print(f"{title}\n{len(study.cells)} cells{more}.")


def _time(seconds: float) -> str:
    if seconds >= 3600:
        return f"{seconds / 3600:,.1f} h"
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"
