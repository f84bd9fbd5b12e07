"""Commands on runs: `runs`, `compare`, `retrieve`, `import`, `export`."""

import sys
from pathlib import Path
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
    shown,
    talk,
    waiting,
)

if TYPE_CHECKING:
    from store import Store

app = typer.Typer(help="Retrieval runs in the store.", invoke_without_command=True)

RunId = Annotated[str, typer.Argument(help="A run id, or how it begins (see `lsw runs list`).")]


@app.callback(invoke_without_command=True)
def default(context: typer.Context, store: StoreOption = None, as_json: JsonOption = False) -> None:
    if context.invoked_subcommand is None:
        list_runs(store, as_json)


@app.command("list")
def list_runs(store: StoreOption = None, as_json: JsonOption = False) -> None:
    """All runs, newest first, with their measures."""

    from store.query import runs

    found = runs(opened(store))
    if as_json:
        print_json(found)
        return
    measures = sorted({m for row in found for m in row["means"]}, key=lambda m: (m != "RR@10", m))[:4]
    columns = ("run_id", "recipe", "collection", "system", "trained_on", "query_variety", "document_variety")
    table = grid(*columns, *measures, "started")
    for row in found:
        means = [f"{row['means'][m]:.3f}" if m in row["means"] else "-" for m in measures]
        table.add_row(*(shown(row[c]) for c in columns), *means, shown(row["started_at"]))
    out().print(table)
    talk().print(f"{len(found)} runs.")


@app.command("show")
def show_run(name: RunId, store: StoreOption = None, as_json: JsonOption = False) -> None:
    """A run and every stage behind it: models, triples, negatives, translations, queries, with their parameters."""
    import json

    from store.query import lineage, run, runs

    at = opened(store)
    found = run(at, name)
    found = next(r for r in runs(at) if r["run_id"] == found["run_id"])
    behind = lineage(at, found["key"])
    if as_json:
        print_json({**found, "lineage": behind})
        return
    about = grid("", "", show_header=False)
    for key, value in found.items():
        if key == "means":
            value = ", ".join(f"{m} {v:.4f}" for m, v in value.items())
        if key == "evaluated" and value:
            value = _counts(value)
        about.add_row(key, shown(value))
    table = grid("stage", "kind", "role", "seconds", "parameters", title="behind it")
    for row in behind:
        said = json.loads(row["parameters"])
        brief = ", ".join(f"{k}={v}" for k, v in said.items() if not isinstance(v, dict | list))
        nested = said.get("settings") or {}
        brief += "".join(f", {k}={v}" for k, v in nested.items())
        table.add_row(row["key"][:12], row["kind"], row["role"], shown(row["seconds"]), brief)
    out().print(about, table)


def compare(
    run_ids: Annotated[
        list[str] | None,
        typer.Argument(help="Runs: the baseline first, then the others.", metavar="RUN RUN...", show_default=False),
    ] = None,
    measure: Annotated[
        list[str] | None,
        typer.Option(help="An ir_measures name, recorded or not, as in 'RR(rel=2)@10'; may be repeated.  [RR@10]"),
    ] = None,
    test: Annotated[
        str, typer.Option(help="randomisation, t, wilcoxon, or tukey (all pairs, family-wise).")
    ] = "randomisation",
    correction: Annotated[str, typer.Option(help="holm, bonferroni, bh or none.")] = "holm",
    interval: Annotated[str, typer.Option(help="percentile or bca.")] = "percentile",
    all_pairs: Annotated[bool, typer.Option("--all-pairs", help="Every run with every other.")] = False,
    closure: Annotated[
        bool,
        typer.Option("--closure", help="Four runs, BASE TUNED BASE TUNED: the first gain minus the second."),
    ] = False,
    reference: Annotated[
        bool, typer.Option("--reference", help="No runs: the published figures beside the store's.")
    ] = False,
    resamples: Annotated[int, typer.Option(min=100, help="Sign flips or shuffles.")] = 100_000,
    confidence: Annotated[float, typer.Option(min=0.5, max=0.999)] = 0.95,
    seed: int = 42,
    form: FormatOption = "table",
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare runs, paired by qid; the comparisons of one measure are one family.

    Each with the first, unless --all-pairs, --closure or the test tukey say otherwise. Queries of one topic are
    flipped and resampled together.
    """
    from workbench.comparison.runs import How, compare_runs
    from workbench.reports.table import comparison

    form = checked_format(form, as_json)
    if reference:
        _reference(opened(store), run_ids or [], form)
        return
    if all_pairs and closure:
        from store import LswError

        raise LswError("Choose one of --all-pairs and --closure.")
    how = How(test, correction, interval, resamples, confidence, seed)
    with waiting("resampling") as progress:
        found = compare_runs(
            opened(store),
            run_ids or [],
            list(dict.fromkeys(measure or ["RR@10"])),
            how,
            talk().print,
            "closure" if closure else "pairs" if all_pairs else "baseline",
            progress,
        )
    show_results(found, form, comparison)


def _reference(at: "Store", run_ids: list[str], form: str) -> None:
    """Published figures beside ours, in one of the formats."""
    import csv

    from rich.table import Table

    from store import LswError
    from store.query import runs
    from workbench.comparison.published import beside, published, warning
    from workbench.comparison.results import short
    from workbench.reports.table import PLAIN

    if run_ids or form == "latex":
        raise LswError("--reference takes no runs, and no LaTeX.", cure="Type `lsw compare --reference`.")
    rows = beside(published(), runs(at) if at.exists() else [])
    if form == "json":
        print_json({"figures": rows, "note": warning(rows)})
        return
    if form == "csv":
        writer = csv.DictWriter(sys.stdout, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        return
    table = Table(**PLAIN)
    for column in ("system", "trained\non", "on", "measure"):
        table.add_column(column, no_wrap=True)
    for column in ("base", "tuned", "gain", "our\nbase", "our\ntuned", "our\ngain"):
        table.add_column(column, justify="right", no_wrap=True)
    for row in rows:
        theirs = [f"{row['base']:.4f}", f"{row['finetuned']:.4f}", short(row["gain"], 4)]
        ours = ["-" if row[c] is None else f"{row[c]:.4f}" for c in ("our_base", "our_finetuned")]
        gain = "-" if row["our_gain"] is None else short(row["our_gain"], 4)
        about = (row["system"], row["trained_on"], row["query_variety"], row["measure"])
        table.add_row(*about, *theirs, *ours, gain)
    out().print(table)
    talk().print(warning(rows))


def retrieve(
    folder: Annotated[Path, typer.Argument(help="A collection: corpus.jsonl, queries.<variety>.tsv, qrels.tsv.")],
    system: Annotated[str, typer.Option(help="A system or pipeline of the scale, as in bm25 or 'bge-m3 >> mt5'.")],
    query_variety: Annotated[str, typer.Option(help="Whose queries, as in yue.")],
    document_variety: Annotated[str, typer.Option(help="Whose passages, as in zh.")],
    depth: Annotated[int, typer.Option(min=1, help="Results a query.")] = 1000,
    script: Annotated[
        str, typer.Option(help="'as written', or 'simplified': Traditional and Simplified Chinese reconciled.")
    ] = "as written",
    name: Annotated[
        str | None, typer.Option(help="What the store calls the collection.  [default: FOLDER's name]")
    ] = None,
    scale: ScaleOption = "mini",
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """One system on one's own collection, recorded. Prints the run id."""
    from workbench.cli.recipe import Shown
    from workbench.engine.execute import execute
    from workbench.plans.single import retrieval_plan

    plan, run_id = retrieval_plan(
        folder, name or folder.resolve().name, system, query_variety, document_variety, depth, script, scale
    )
    at = opened(store)
    with Shown(plan.recipe) as screen:
        execute(plan, at, screen)
    _print_run(at, run_id, as_json)


def import_run(
    file: Annotated[Path, typer.Argument(help="A run in TREC's six columns.", metavar="RUN.trec")],
    system: Annotated[str, typer.Option(help="What made it, as in 'bge-m3 >> mt5'.")],
    query_variety: Annotated[str, typer.Option(help="Whose queries, as in yue.")],
    document_variety: Annotated[str | None, typer.Option(help="Whose passages, as in zh.")] = None,
    collection: Annotated[
        str | None, typer.Option(help="A collection in the store, or a folder: its judgements and queries.")
    ] = None,
    qrels: Annotated[Path | None, typer.Option(help="Judgements, instead of a collection.")] = None,
    trained_on: Annotated[str | None, typer.Option(help="The pair it was trained on, as in ca-fr.")] = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Record a run made elsewhere, and measure it. Prints the run id."""
    from workbench.cli.recipe import Shown
    from workbench.engine.execute import execute
    from workbench.plans.single import import_plan

    at = opened(store)
    plan, run_id = import_plan(at, file, system, trained_on, query_variety, document_variety, collection, qrels)
    with Shown(plan.recipe) as screen:
        execute(plan, at, screen)
    _print_run(at, run_id, as_json)


def _print_run(at: Any, run_id: str, as_json: bool) -> None:
    from store.query import runs

    row = next(r for r in runs(at) if r["run_id"] == run_id)
    if as_json:
        print_json(row)
        return
    means = ", ".join(f"{m} {v:.4f}" for m, v in row["means"].items())
    talk().print(f"{row['system']}, {row['query_variety']}: {means or 'not measured, there are no judgements'}")
    if row["evaluated"]:
        talk().print(_counts(row["evaluated"]))
    typer.echo(run_id)


def _counts(evaluated: dict[str, int]) -> str:
    return (
        f"{evaluated['queries']} judged queries; {evaluated['without_result']} without result and"
        f" {evaluated['without_relevant']} without relevant passage count 0"
    )


def export(
    name: RunId,
    form: Annotated[str, typer.Option("--format", help="trec, csv or parquet")] = "trec",
    to: Annotated[Path | None, typer.Option("--to", help="A file.  [default: stdout]", show_default=False)] = None,
    store: StoreOption = None,
) -> None:
    """Write a run: as trec_eval reads it, as CSV, or as Parquet."""
    from store import LswError, nearest
    from store.query import ranking, run

    if form not in ("trec", "csv", "parquet"):
        raise LswError(f"Unknown format '{form}'.", cure=nearest(form, ["trec", "csv", "parquet"]))
    if form == "parquet" and to is None and sys.stdout.isatty():
        raise LswError("Parquet is binary.", cure="Give a file: --to run.parquet")
    at = opened(store)
    found = run(at, name)
    table = ranking(at, found["run_id"])
    if form == "trec":
        from workbench.evaluation.run_files import lines

        chunks = lines(table, found["system"])
    target: Any = to.open("wb") if to else sys.stdout.buffer
    try:
        if form == "parquet":
            import pyarrow.parquet as pq

            pq.write_table(table, target)
        elif form == "csv":
            import pyarrow.csv as pc

            pc.write_csv(table, target)
        else:
            for chunk in chunks:
                target.write(chunk)
    finally:
        if to:
            target.close()
