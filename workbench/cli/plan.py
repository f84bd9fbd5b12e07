"""`lsw plan`: what a recipe will cost before it is run."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.cli.console import JsonOption, ScaleOption, StoreOption, grid, opened, out, print_json, talk, waiting

if TYPE_CHECKING:
    from workbench.engine.forecast import Estimate


def plan(
    name: Annotated[str, typer.Argument(help="A recipe's name (see `lsw recipe list`) or a TOML file.")],
    overrides: Annotated[
        list[str] | None, typer.Argument(help="Changes, as section.key=value.", metavar="[SECTION.KEY=VALUE]...")
    ] = None,
    scale: ScaleOption = "mini",
    prices: Annotated[
        Path | None, typer.Option(help="Dollars for a million characters, by translator.  [those of lsw]")
    ] = None,
    each: Annotated[bool, typer.Option("--each", help="Every stage, not only what they add up to.")] = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """What a recipe, or a study's grid, will download, translate, train, encode and keep, and how long that takes.

    Nothing is downloaded and nothing is run: each model is timed for a few seconds on this machine; one that is not
    here is timed by a stand-in of its shape. What the store has already costs nothing. Read the hours as within a
    factor of two.
    """
    from dataclasses import asdict

    from workbench.costs.estimator import Estimator
    from workbench.engine.dry_run import foresee
    from workbench.engine.forecast import START, forecast
    from workbench.graph import GROUPS
    from workbench.plans.recipe import compile_recipe
    from workbench.plans.study import compile_study
    from workbench.recipe.load import FOLDER, load, load_grid, read_toml, recipe_path, scale_path
    from workbench.talk import advise

    path, behind = recipe_path(name), scale_path(scale)
    recipe = load(path, behind, overrides or [])
    cells = 0
    if recipe.study:
        of_grid = load_grid(path, behind, overrides or [])
        study = compile_study(*of_grid, path.stem, behind.stem, behind.parent, fetch=False)
        compiled, cells = study.whole, len(study.cells)
    else:
        compiled = compile_recipe(recipe, path.stem, behind.stem, behind.parent, fetch=False)
    at = opened(store)
    table = {k: float(v) for k, v in read_toml(prices or FOLDER / "prices.toml").items()}
    advise()
    with waiting("timing this machine") as progress:
        estimator = Estimator(behind.parent, table, lambda text: progress(0, 0))
        estimates = forecast(foresee(compiled, at), estimator)
    cached = len(compiled.stages) - sum(e.kind != START for e in estimates)
    groups = {group: [e for e in estimates if e.group == group] for group in GROUPS}
    if as_json:
        print_json(
            {
                **({"cells": cells} if cells else {}),
                "cached": cached,
                "total": _total(estimates),
                "groups": {group: _total(some) for group, some in groups.items()},
                "stages": [{"stage": e.stage, "kind": e.kind, "group": e.group, **asdict(e.cost)} for e in estimates],
            }
        )
        return
    if each:
        stages = grid("stage", "download", "characters", "tokens", "time", "disk", "")
        for e in estimates:
            c = e.cost
            time = "not estimated" if c.unknown else _time(c.seconds)
            figures = _bytes(c.download), _count(c.characters), _count(c.tokens), time, _bytes(c.disk)
            stages.add_row(e.stage, *("" if c.unknown and f == "-" else f for f in figures), c.unknown)
        out().print(stages)
    total = grid("", "stages", "not estimated", "download", "characters", "list price", "tokens", "time", "disk")
    for group, some in [*groups.items(), ("all", estimates)]:
        t = _total(some)
        if some:
            total.add_row(
                group, str(sum(e.kind != START for e in some)), str(t["not_estimated"] or "-"), _bytes(t["download"]),
                _count(t["characters"]), f"${t['dollars']:,.2f}" if t["characters"] else "-", _count(t["tokens"]),
                _time(t["seconds"]), _bytes(t["disk"]),
            )  # fmt: skip
    out().print(total)
    if cells:
        talk().print(f"A study of {cells} cells; what they share is counted once.")
    talk().print(f"{cached} stages cached. Tokens are counted at four bytes each.")
    for reason in dict.fromkeys(e.cost.unknown for e in estimates if e.cost.unknown):
        stages_so = [e.stage for e in estimates if e.cost.unknown == reason]
        more = f" and {len(stages_so) - 1} more" if len(stages_so) > 1 else ""
        talk().print(f"Not estimated: {stages_so[0]}{more}. {reason}", style="yellow")


def _total(estimates: "list[Estimate]") -> dict[str, Any]:
    names = ("download", "characters", "dollars", "tokens", "seconds", "disk")
    sums = {name: sum(getattr(e.cost, name) for e in estimates) for name in names}
    return sums | {"stages": len(estimates), "not_estimated": sum(bool(e.cost.unknown) for e in estimates)}


def _bytes(n: int) -> str:
    if n < 1_000_000:
        return "-" if not n else "<1 MB"
    return f"{n / 1e9:.1f} GB" if n >= 1e9 else f"{n / 1e6:.0f} MB"


def _count(n: int) -> str:
    if not n:
        return "-"
    return f"{n / 1e9:.1f} G" if n >= 1e9 else f"{n / 1e6:.1f} M" if n >= 1e6 else f"{n / 1e3:.0f} k"


def _time(seconds: float) -> str:
    if seconds >= 3600:
        return f"{seconds / 3600:,.1f} h"
    return f"{seconds / 60:.1f} min" if seconds >= 60 else f"{seconds:.1f} s"
