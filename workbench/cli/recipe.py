"""`lsw recipe`: list, show, check, run."""

import os
import sys
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.cli.console import (
    FormatOption,
    JsonOption,
    ScaleOption,
    StoreOption,
    checked_format,
    grid,
    opened,
    out,
    print_json,
    show_results,
    talk,
)

if TYPE_CHECKING:
    from workbench.plans.recipe import Plan
    from workbench.recipe.schema import Recipe
    from workbench.stages import Stage

app = typer.Typer(help="Recipes: experiments as TOML files.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="A recipe's name (see `lsw recipe list`) or a TOML file.")]


@app.command("list")
def list_recipes(as_json: JsonOption = False) -> None:
    """The recipes that come with lsw."""

    from workbench.recipe import schema as recipe

    found = [{"name": n, "title": recipe.read_toml(recipe.recipe_path(n))["title"]} for n in recipe.names()]
    if as_json:
        print_json(found)
        return
    table = grid("recipe", "what it asks")
    for row in found:
        table.add_row(row["name"], row["title"])
    out().print(table)


@app.command()
def show(name: Name, scale: ScaleOption = "mini", as_json: JsonOption = False) -> None:
    """A recipe with everything that its scale fills in, like the method section of a paper."""
    import json

    from workbench.recipe import schema as recipe

    loaded = recipe.load(recipe.recipe_path(name), recipe.scale_path(scale))
    whole = loaded.model_dump(mode="json", by_alias=True, exclude_none=True)
    if as_json:
        print_json(whole)
        return

    def lines(section: dict[str, Any], path: str = "") -> list[str]:
        plain = {k: v for k, v in section.items() if not isinstance(v, dict)}
        body = [f"{k} = {json.dumps(v, ensure_ascii=False)}" for k, v in plain.items()]
        said = ([f"\n[{path}]"] if path and body else []) + body
        for key, value in section.items():
            if isinstance(value, dict):
                said += lines(value, f"{path}.{key}" if path else key)
        return said

    typer.echo("\n".join(lines(whole)).strip())


@app.command()
def check(name: Name, scale: ScaleOption = "mini") -> None:
    """Say whether a recipe is sound, without running anything."""
    plan = _plan(name, scale, [], fetch=False)
    runs, stages = len(plan.runs), len(plan.stages)
    talk().print(f"{name} is sound at {scale} scale: {stages} stages, {runs} runs.")


@app.command()
def run(
    name: Name,
    overrides: Annotated[
        list[str] | None, typer.Argument(help="Changes, as section.key=value.", metavar="[SECTION.KEY=VALUE]...")
    ] = None,
    scale: ScaleOption = "mini",
    store: StoreOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and why.")] = False,
    force: Annotated[
        str | None, typer.Option(help="Run again: a kind of stage, a key's beginning, or all.", metavar="STAGE")
    ] = None,
    form: FormatOption = "table",
    as_json: JsonOption = False,
) -> None:
    """Run a recipe: take what is cached, make what is not, record everything, print the result.

    Ctrl+C loses nothing: the same command goes on where it stopped.
    """
    from workbench.comparison.results import Results
    from workbench.engine.execute import execute, foresee
    from workbench.reports.table import closing

    form = checked_format(form, as_json)
    plan = _plan(name, scale, overrides or [], fetch=not dry_run)
    at = opened(store)
    if dry_run:
        fates = foresee(plan, at, force)
        if form == "json":
            print_json(
                [
                    {"key": f.stage.key, "kind": f.stage.kind, "stage": f.stage.label, "outcome": f.outcome,
                     "reason": f.reason}
                    for f in fates
                ]
            )  # fmt: skip
            return

        table = grid("stage", "", "why")
        for fate in fates:
            table.add_row(fate.stage.label, fate.outcome, fate.reason)
        out().print(table)
        to_run = sum(f.outcome != "cached" for f in fates)
        talk().print(f"{to_run} to run, {len(fates) - to_run} cached.")
        return
    started = time.monotonic()
    with Shown(plan.recipe) as shown:
        counts = execute(plan, at, shown, force)
    talk().print(
        f"{counts['ran']} stages run, {counts['cached']} cached, {time.monotonic() - started:.1f} s."
        f" Recorded in {at.folder} as {plan.recipe_run_id}."
    )
    if plan.runs or form == "json":
        show_results(Results.of_recipe(at, plan.recipe_run_id, plan.recipe.measures.names), form, closing)
    else:
        for stage in plan.stages:
            if stage.kind == "release":
                typer.echo(f"{stage.parameters['system']}: {at.artifacts.path(stage.key) / 'checkpoint'}")


def _plan(name: str, scale: str, overrides: list[str], fetch: bool = True) -> "Plan":
    from workbench.plans.recipe import compile_recipe
    from workbench.recipe import schema as recipe

    path, behind = recipe.recipe_path(name), recipe.scale_path(scale)
    loaded = recipe.load(path, behind, overrides)
    return compile_recipe(loaded, path.stem, behind.stem, behind.parent, fetch)


class Shown:
    """An observer that shows a bar for the stage at work and leaves a line for each stage made."""

    def __init__(self, recipe: "Recipe") -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        self.recipe = recipe
        # A copy of stderr: while native code is hushed, the bars go on.
        self.stream = os.fdopen(os.dup(sys.stderr.fileno()), "w", encoding="utf-8")
        self.console = Console(file=self.stream, highlight=False, markup=False)
        self.bars = Progress(
            TextColumn("{task.fields[place]}"),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self.console,
            transient=True,
        )

    def __enter__(self) -> "Shown":
        import warnings

        from workbench.silence import advise

        self.console.print(self.recipe.title, style="bold")
        advise()
        warnings.filterwarnings("ignore")
        self.bars.start()
        self.task = self.bars.add_task("", total=None, place="")
        return self

    def __exit__(self, *_: object) -> None:
        self.bars.stop()
        self.stream.close()

    def begin(self, stage: "Stage", position: int, total: int) -> None:
        self.bars.remove_task(self.task)  # resetting one keeps its old total
        self.task = self.bars.add_task(stage.label, total=None, place=f"{position}/{total}")

    def progress(self, stage: "Stage", done: int, total: int) -> None:
        self.bars.update(self.task, completed=done, total=total)

    def note(self, text: str) -> None:
        self.console.print(f"  {text}", style="yellow")

    def end(self, stage: "Stage", outcome: str, seconds: float, summary: dict[str, Any]) -> None:
        if outcome == "cached":
            return
        facts = ", ".join(f"{k.replace('_', ' ')} {_fact(v)}" for k, v in summary.items() if v is not None)
        self.console.print(f"  {seconds:6.1f} s  {stage.label}" + (f": {facts}" if facts else ""), soft_wrap=True)


def _fact(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
