"""`lsw recipe`: list, show, check, run, results."""

import shlex
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.cli.console import (
    JsonOption,
    ResultsFormatOption,
    ScaleOption,
    StoreOption,
    checked_format,
    grid,
    one_of,
    opened,
    out,
    print_json,
    put,
    show_results,
    talk,
)

if TYPE_CHECKING:
    from store import Store
    from workbench.graph import Plan

NEWCOMERS = "robustness"
"""The recipe whose effect is large on any model."""

app = typer.Typer(help="Recipes: experiments as TOML files.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="A recipe's name (see `lsw recipe list`) or a TOML file.")]


@app.command("list")
def list_recipes(as_json: JsonOption = False) -> None:
    """The recipes that come with lsw."""

    from workbench.recipe.load import names, read_toml, recipe_path, studies

    grids = studies()
    recipes = [{"name": name, "title": read_toml(recipe_path(name))["title"]} for name in names() if name not in grids]
    if as_json:
        print_json(recipes)
        return
    table = grid("recipe", "what it asks")
    for row in recipes:
        table.add_row(row["name"], row["title"])
    out().print(table)
    talk().print(f"And {len(grids)} studies, recipes with a grid: lsw study list.")


@app.command()
def show(name: Name, scale: ScaleOption = "mini", as_json: JsonOption = False) -> None:
    """A recipe with everything that its scale fills in, like the method section of a paper.

    Where a scale stands for published work, a table follows on stderr: what was published, what is done here, and why.
    """
    import json

    from workbench.recipe.load import load, recipe_path, scale_path

    loaded = load(recipe_path(name), scale_path(scale))
    whole = loaded.model_dump(mode="json", by_alias=True, exclude_none=True)
    if as_json:
        print_json(whole)
        return

    rows = whole.pop("fidelity", [])

    def lines(section: dict[str, Any], path: str = "") -> list[str]:
        plain = {k: v for k, v in section.items() if not isinstance(v, dict)}
        body = [f"{_key(k)} = {json.dumps(v, ensure_ascii=False)}" for k, v in plain.items()]
        text = ([f"\n[{path}]"] if path and body else []) + body
        for key, value in section.items():
            if isinstance(value, dict):
                text += lines(value, f"{path}.{_key(key)}" if path else _key(key))
        return text

    put("\n".join(lines(whole)).strip() + "\n")
    if rows:
        table = grid("what", "published", "here", "why", title="How faithful this is")
        for column in table.columns:
            column.overflow = "fold"
        apply = [row for row in rows if all(_section(path, whole) is not None for path in row.get("setting", ()))]
        for row in apply:
            source = f" ({row['source']})" if row.get("source") else ""
            table.add_row(row["what"], row["published"] + source, *_here(row, whole))
        talk().print(table)
        if len(apply) < len(rows):
            talk().print(f"{len(rows) - len(apply)} more rows are of what this recipe does not do.")


def _key(name: str) -> str:
    """A key as TOML takes it."""
    return name if all(letter.isalnum() or letter in "_-" for letter in name) else f'"{name}"'


def _section(path: str, recipe: dict[str, Any]) -> dict[str, Any] | None:
    """The section of a setting, if the recipe has it."""
    section: Any = recipe
    for name in path.split(".")[:-1]:
        section = section.get(name) if isinstance(section, dict) else None
    return section if isinstance(section, dict) else None


def _here(row: dict[str, Any], recipe: dict[str, Any]) -> tuple[str, str]:
    """What is done here, settings as they are now; and why it is not what was published, if it is not."""
    from workbench.training.tuning import Tuning

    values = []
    for path in row.get("setting", ()):
        name = path.rpartition(".")[2]
        value: Any = (_section(path, recipe) or {}).get(name)
        if value is None and path.startswith("fine-tuning.") and name in Tuning.model_fields:
            value = Tuning.model_fields[name].default
        values.append((name, value))
    words = [f"{name} = {'-' if value in (None, '') else value}" for name, value in values]
    same = bool(row.get("equals")) and [value for _, value in values] == row["equals"]
    why = row.get("why") or ("as published" if same else "changed" if row.get("equals") else "")
    return "; ".join([*words, *([row["here"]] if row.get("here") else [])]), why


@app.command()
def check(name: Name, scale: ScaleOption = "mini") -> None:
    """Say whether a recipe is sound, without running anything."""
    from workbench.plans.study import compile_study
    from workbench.recipe.load import load_grid, read_toml, recipe_path, scale_path

    path, behind = recipe_path(name), scale_path(scale)
    if "study" in read_toml(path):
        study = compile_study(*load_grid(path, behind), path.stem, behind.stem, behind.parent, fetch=False)
        plan, what = study.whole, f"{len(study.cells)} cells, "
    else:
        plan, what = _plan(name, scale, [], fetch=False), ""
    talk().print(f"{name} is sound at {scale} scale: {what}{len(plan.stages)} stages, {len(plan.runs)} runs.")


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
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="On a terminal too, a line for each stage.")] = False,
    form: ResultsFormatOption = "screen",
    as_json: JsonOption = False,
) -> None:
    """Run a recipe: take what is cached, make what is not, record everything, print what was found.

    Ctrl+C loses nothing: the same command goes on where it stopped.
    """

    from workbench.cli.watch import Watcher
    from workbench.comparison.results import Results
    from workbench.engine.dry_run import foresee
    from workbench.engine.execute import execute

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
    each = verbose or not sys.stderr.isatty()  # a log has no bar to look at
    with Watcher(plan.title, () if each else plan.stages) as watcher:
        counts = execute(plan, at, watcher, force)
    talk().print(
        f"{counts['ran']} stages run, {counts['cached']} cached, {time.monotonic() - started:.1f} s."
        f" Recorded in {at.folder} as {plan.recipe_run_id}."
    )
    if plan.runs or form == "json":
        show_results(Results.of_recipe(at, plan.recipe_run_id, list(plan.measures)), form)
        if form == "screen":
            _say_next(plan, at, store)
    else:
        from workbench.stages.release import Release

        for stage in plan.stages:
            if isinstance(stage.work, Release):
                put(f"{stage.work.system}: {at.artifacts.path(stage.key) / 'checkpoint'}\n")


def _say_next(plan: "Plan", at: "Store", store: Path | None) -> None:
    """What may be typed next; of the recipe that shows most and trains nothing, until it has run."""
    from store.query import rows

    told = {f"lsw recipe results {plan.recipe_run_id}": "every table", "lsw tui": "query by query"}
    with at.reading() as con:
        ran = {row["recipe"] for row in rows(con, "SELECT recipe FROM recipe_runs")}
    if plan.scale == "mini" and NEWCOMERS not in ran:
        told[f"lsw recipe run {NEWCOMERS}"] = "what such queries lose on seven pairs"
    option = f" --store {shlex.quote(str(store))}" if store else ""
    longest = max(map(len, told))
    for i, (command, what) in enumerate(told.items()):
        talk().print(f"{'' if i else 'Next:':6}{command}{option}{'':{longest - len(command)}}  {what}", soft_wrap=True)


@app.command()
def results(
    name: Annotated[
        str | None,
        typer.Argument(
            help="A recipe run's id or how it begins, or a recipe: its latest run.  [default: the latest]",
            show_default=False,
        ),
    ] = None,
    measure: Annotated[
        str | None,
        typer.Option(help="The measure whose contrasts are shown.  [default: the recipe's first]", show_default=False),
    ] = None,
    store: StoreOption = None,
    form: ResultsFormatOption = "table",
    as_json: JsonOption = False,
) -> None:
    """What a recipe found, whole: every mean, contrast, interval, effect size and p-value."""
    from store import LswError
    from store.query import recipe_run_named
    from workbench.comparison.results import Results

    form = checked_format(form, as_json)
    at = opened(store)
    about = recipe_run_named(at, name)
    measures = about["measures"]
    if measure:
        measures = [one_of(measure, measures, "measure"), *(other for other in measures if other != measure)]
    found = Results.of_recipe(at, about["recipe_run_id"], measures)
    whose = f"Recipe run {about['recipe_run_id']} of {about['recipe']}"
    again = "" if about["status"] == "done" else f"It is {about['status']}; run the recipe again: what is done is kept."
    if not found.runs:
        raise LswError(f"{whose} has no retrieval runs to show.", cure=again)
    if again:
        talk().print(f"{whose} is not whole. {again}", style="yellow")
    show_results(found, form)


def _plan(name: str, scale: str, overrides: list[str], fetch: bool = True) -> "Plan":
    from workbench.plans.recipe import compile_recipe
    from workbench.recipe.load import load, recipe_path, scale_path

    path, behind = recipe_path(name), scale_path(scale)
    recipe = load(path, behind, overrides)
    if recipe.study:
        from store import LswError

        raise LswError(f"{path.stem} is a study: a grid of recipe runs.", cure=f"Type `lsw study run {name}`.")
    return compile_recipe(recipe, path.stem, behind.stem, behind.parent, fetch)
