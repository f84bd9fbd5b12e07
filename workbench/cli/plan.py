"""`lsw plan`: what a recipe will cost before it is run."""

from pathlib import Path
from typing import Annotated, Any

import typer

from workbench.cli.console import JsonOption, ScaleOption, StoreOption, grid, opened, out, print_json, talk, waiting

GROUPS = {
    "download": ("passages", "queries", "qrels", "checkpoint", "scores", "reference"),
    "translate": ("translate", "back"),
    "train": ("negatives", "hard_negatives", "docpairs", "published_triples", "search", "finetune"),
    "encode": ("index",),
    "rank": ("retrieve", "rerank"),
    "evaluate": ("measure", "compare", "audit", "start"),
}


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
    """What a recipe will download, translate, train, encode and keep, and how long that takes on this machine.

    Nothing is downloaded and nothing is run: each model is timed for a few seconds on this machine; one that is not
    here is timed by a stand-in of its shape. What the store has already costs nothing. Read the hours as within a
    factor of two.
    """
    from dataclasses import asdict

    from workbench.costs.forecast import Forecast
    from workbench.engine.execute import foresee
    from workbench.plans.recipe import compile_recipe
    from workbench.recipe import schema as recipes
    from workbench.silence import advise

    path, behind = recipes.recipe_path(name), recipes.scale_path(scale)
    loaded = recipes.load(path, behind, overrides or [])
    compiled = compile_recipe(loaded, path.stem, behind.stem, behind.parent, fetch=False)
    at = opened(store)
    table = {k: float(v) for k, v in recipes.read_toml(prices or recipes.FOLDER / "prices.toml").items()}
    advise()
    with waiting("timing this machine") as progress:
        costs = Forecast(compiled, foresee(compiled, at), behind.parent, table, lambda text: progress(0, 0)).costs()
    cached = len(compiled.stages) - sum(c.kind != "start" for c in costs)
    groups = {group: [c for c in costs if c.kind in kinds] for group, kinds in GROUPS.items()}
    if as_json:
        print_json(
            {
                "cached": cached,
                "total": _total(costs),
                "groups": {group: _total(some) for group, some in groups.items()},
                "stages": [asdict(c) for c in costs],
            }
        )
        return
    if each:
        shown = grid("stage", "download", "characters", "tokens", "time", "disk", "")
        for c in costs:
            shown.add_row(c.stage, _bytes(c.download), _count(c.characters), _count(c.tokens), _time(c.seconds),
                          _bytes(c.disk), c.unknown)  # fmt: skip
        out().print(shown)
    total = grid("", "stages", "download", "characters", "list price", "tokens", "time", "disk")
    for group, some in [*groups.items(), ("all", costs)]:
        t = _total(some)
        if some:
            total.add_row(
                group, str(sum(c.kind != "start" for c in some)), _bytes(t["download"]), _count(t["characters"]),
                f"${t['dollars']:,.2f}" if t["characters"] else "-", _count(t["tokens"]), _time(t["seconds"]),
                _bytes(t["disk"]),
            )  # fmt: skip
    out().print(total)
    talk().print(f"{cached} stages cached. Tokens are counted at four bytes each.")
    for reason in dict.fromkeys(c.unknown for c in costs if c.unknown):
        named = [c.stage for c in costs if c.unknown == reason]
        more = f" and {len(named) - 1} more" if len(named) > 1 else ""
        talk().print(f"Not counted: {named[0]}{more}. {reason}", style="yellow")


def _total(costs: list[Any]) -> dict[str, Any]:
    names = ("download", "characters", "dollars", "tokens", "seconds", "disk")
    return {name: sum(getattr(c, name) for c in costs) for name in names} | {"stages": len(costs)}


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
