"""`lsw runs`: list, show."""

from typing import TYPE_CHECKING, Any

import typer

from workbench.cli.console import JsonOption, RunId, StoreOption, grid, opened, out, print_json, put, shown, talk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from store import Store
    from store.rows import Evaluated, RunRow

app = typer.Typer(help="Retrieval runs in the store.", invoke_without_command=True)

LONGEST = 80
"""Characters of a parameter that is shown."""


@app.callback(invoke_without_command=True)
def default(context: typer.Context, store: StoreOption = None, as_json: JsonOption = False) -> None:
    if context.invoked_subcommand is None:
        list_runs(store, as_json)


@app.command("list")
def list_runs(store: StoreOption = None, as_json: JsonOption = False) -> None:
    """All runs, newest first, with their measures."""

    from store.query import runs
    from workbench.comparison.words import trained_on

    known = runs(opened(store))
    if as_json:
        print_json(known)
        return
    measures = sorted({m for row in known for m in row["means"]}, key=lambda m: (m != "RR@10", m))[:4]
    columns = ("run_id", "recipe", "collection", "system", "trained_on", "query_variety", "document_variety")
    of_study = any("levels" in row for row in known)
    table = grid(*columns, *(("levels",) if of_study else ()), *measures, "started")
    for row in known:
        means = [f"{row['means'][m]:.3f}" if m in row["means"] else "-" for m in measures]
        about = {**row, "trained_on": trained_on(row) or None}
        levels = [_levels(row)] if of_study else []
        table.add_row(*(shown(about.get(c)) for c in columns), *levels, *means, shown(row["started_at"]))
    out().print(table)
    talk().print(f"{len(known)} runs.")


def _levels(run: "RunRow") -> str:
    """A run's place in the grid of a study: `queries 31, regime steps`."""
    return ", ".join(f"{name.rpartition('.')[2]} {level}" for name, level in run.get("levels", {}).items()) or "-"


@app.command("show")
def show_run(name: RunId, store: StoreOption = None, as_json: JsonOption = False) -> None:
    """A run and every stage behind it: models, triples, negatives, translations, queries, with their parameters."""
    import json

    from store.artifacts import short
    from store.query import lineage, run, runs

    at = opened(store)
    run_id = run(at, name)["run_id"]
    chosen = next(r for r in runs(at) if r["run_id"] == run_id)
    behind = lineage(at, chosen["key"])
    if as_json:
        print_json({**chosen, "lineage": behind})
        return
    about = grid("", "", show_header=False)
    for key, value in chosen.items():
        if key == "means":
            value = ", ".join(f"{m} {v:.4f}" for m, v in chosen["means"].items())
        if key == "evaluated" and chosen["evaluated"]:
            value = counts(chosen["evaluated"])
        about.add_row(key, _levels(chosen) if key == "levels" else shown(value))

    table = grid("stage", "kind", "role", "seconds", "parameters", title="behind it")
    for row in behind:
        parameters = json.loads(row["parameters"])
        brief = ", ".join(_brief(parameters))
        table.add_row(short(row["key"]), row["kind"], row["role"], shown(row["seconds"]), brief)
    out().print(about, table)


def _brief(parameters: dict[str, Any]) -> "Iterator[str]":
    """`name=value`, sections opened; what is not set, is long, or tells a file's content is left out."""
    import json

    for name, value in parameters.items():
        if isinstance(value, list) and any(isinstance(item, dict) for item in value):
            yield from (f"{name}.{text}" for text in _brief({str(i): item for i, item in enumerate(value)}))
        elif isinstance(value, dict) and name not in ("files", "contents"):
            yield from (f"{name}.{text}" for text in _brief(value))
        elif value not in (None, [], "") and not isinstance(value, dict):
            text = json.dumps(value, ensure_ascii=False) if isinstance(value, list) else str(value)
            if len(text) <= LONGEST:
                yield f"{name}={text}"


def counts(evaluated: "Evaluated") -> str:
    """How many queries count, in words."""
    unasked = f"; {evaluated['not_asked']} judged but never asked, left out" if evaluated["not_asked"] else ""
    return (
        f"{evaluated['queries']} judged queries; {evaluated['without_result']} without result and"
        f" {evaluated['without_relevant']} without relevant passage count 0{unasked}"
    )


def print_run(at: "Store", run_id: str, as_json: bool) -> None:
    """A run that was just made: what it reached, and last its id, alone on stdout."""
    from store.query import runs

    row = next(r for r in runs(at) if r["run_id"] == run_id)
    if as_json:
        print_json(row)
        return
    means = ", ".join(f"{m} {v:.4f}" for m, v in row["means"].items())
    talk().print(f"{row['system']}, {row['query_variety']}: {means or 'not measured, there are no judgements'}")
    if evaluated := row["evaluated"]:
        talk().print(counts(evaluated))
    put(f"{run_id}\n")
