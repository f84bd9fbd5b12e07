"""`lsw compare`: runs against each other, or published figures beside ours."""

from typing import TYPE_CHECKING, Annotated

import typer

from workbench.cli.console import (
    FormatOption,
    JsonOption,
    StoreOption,
    checked_format,
    data,
    one_of,
    opened,
    out,
    print_json,
    refused,
    show_results,
    talk,
    waiting,
)

if TYPE_CHECKING:
    from store import Store
    from store.rows import Row


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
        str | None, typer.Option(help="randomisation, t, wilcoxon, or tukey (all pairs, family-wise).  [randomisation]")
    ] = None,
    correction: Annotated[str | None, typer.Option(help="holm, bonferroni, bh or none.  [holm]")] = None,
    interval: Annotated[str | None, typer.Option(help="percentile or bca.  [percentile]")] = None,
    all_pairs: Annotated[bool, typer.Option("--all-pairs", help="Every run with every other.")] = False,
    closure: Annotated[
        bool,
        typer.Option("--closure", help="Four runs, BASE TUNED BASE TUNED: the first gain minus the second."),
    ] = False,
    reference: Annotated[
        bool, typer.Option("--reference", help="No runs: published figures, the store's beside or apart.")
    ] = False,
    resamples: Annotated[
        int | None, typer.Option(min=100, max=100_000_000, help="Sign flips or shuffles.  [100000]")
    ] = None,
    confidence: Annotated[float | None, typer.Option(min=0.5, max=0.999, help="Of the interval.  [0.95]")] = None,
    seed: Annotated[int | None, typer.Option(help="Of flips, shuffles and resamples.  [42]")] = None,
    form: FormatOption = "table",
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare runs, paired by qid; the comparisons of one measure are one family.

    Each with the first, unless --all-pairs, --closure or the test tukey say otherwise. Queries of one topic are
    flipped and resampled together.
    """
    from pydantic import ValidationError

    from store import LswError
    from workbench.comparison.runs import compare_runs
    from workbench.significance.corrections import CORRECTIONS
    from workbench.significance.intervals import INTERVALS
    from workbench.significance.outcomes import Method
    from workbench.significance.paired_tests import TESTS

    form = checked_format(form, as_json)
    if reference:
        _reference(opened(store), run_ids or [], form)
        return
    if all_pairs and closure:
        raise LswError("Choose one of --all-pairs and --closure.")
    for name, registry in ((test, TESTS), (correction, CORRECTIONS), (interval, INTERVALS)):
        if name is not None:
            registry.known(name)
    chosen = {"test": test, "correction": correction, "interval": interval, "resamples": resamples,
              "confidence": confidence, "seed": seed}  # fmt: skip
    try:
        method = Method.model_validate({name: value for name, value in chosen.items() if value is not None})
    except ValidationError as error:
        raise refused(error) from None
    with waiting("resampling") as progress:
        results = compare_runs(
            opened(store),
            run_ids or [],
            list(dict.fromkeys(measure or ["RR@10"])),
            method,
            talk().print,
            "closure" if closure else "pairs" if all_pairs else "baseline",
            progress,
        )
    show_results(results, form)


def _reference(at: "Store", run_ids: list[str], form: str) -> None:
    """Published figures, ours beside them where the collections agree, ours on other collections apart."""
    import csv

    from rich.table import Table
    from rich.text import Text

    from store import LswError
    from store.query import runs
    from workbench.comparison.published import apart, beside, every, grounds, warning
    from workbench.reports.table import PLAIN

    if run_ids:
        raise LswError("--reference takes no runs.", cure="Type `lsw compare --reference`.")
    one_of(form, ("table", "json", "csv"), "format of --reference")
    figures, ours, known = every(), runs(at) if at.exists() else [], grounds(at)
    rows, others = beside(figures, ours, known), apart(figures, ours, known)
    if form == "json":
        print_json({"figures": rows, "apart": others, "note": warning(rows, others)})
        return
    if form == "csv":
        both = [*rows, *others]
        writer = csv.DictWriter(data(), list(dict.fromkeys(name for row in both for name in row)), lineterminator="\n")
        writer.writeheader()
        writer.writerows(both)
        return
    table = Table(**PLAIN)
    for column in ("system", "trained\non", "on", "measure"):
        table.add_column(column, no_wrap=True)
    for column in ("base", "tuned", "gain", "our\nbase", "our\ntuned", "our\ngain"):
        table.add_column(column, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(*_reference_cells(row))
    out().print(table)
    for why in dict.fromkeys((row["our_data"], row["why_not"]) for row in others):
        out().print(Text.assemble((f"\nOurs on {why[0]}, not comparable: ", "bold"), why[1]), highlight=False)
        table = Table(**PLAIN, header_style="dim", row_styles=["dim"])
        for column in ("system", "trained\non", "on", "measure"):
            table.add_column(column, no_wrap=True)
        for column in ("our\nbase", "our\ntuned", "our\ngain"):
            table.add_column(column, justify="right", no_wrap=True)
        for row in others:
            if (row["our_data"], row["why_not"]) == why:
                cells = _reference_cells(row)
                table.add_row(*cells[:4], *cells[7:])
        out().print(table)
    talk().print(warning(rows, others))


def _reference_cells(row: "Row") -> list[str]:
    """What it is of, published figures and their gain, ours and their gain."""
    from workbench.comparison.words import signed

    figures = ["-" if row[c] is None else f"{row[c]:.4f}" for c in ("base", "finetuned", "our_base", "our_finetuned")]
    gains = ["-" if row[c] is None else signed(row[c], 4) for c in ("gain", "our_gain")]
    over = f"-{row['document_variety']}" if row.get("document_variety") else ""
    about = [row["system"], row["trained_on"], row["query_variety"] + over, row["measure"]]
    return [*about, *figures[:2], gains[0], *figures[2:], gains[1]]
