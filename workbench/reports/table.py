"""Results as tables of a terminal, 80 columns wide if need be."""

from typing import Any

from rich import box
from rich import table as rich_table
from rich.console import Group, RenderableType
from rich.text import Text

from store.rows import ComparisonRow
from workbench.comparison.results import (
    Results,
    basis,
    detectable_words,
    family,
    interval_title,
    method_words,
    p_cell,
    sentence,
    signed,
    system_name,
)
from workbench.reports.base import Report

# As a paper prints it.
PLAIN: dict[str, Any] = {
    "box": box.SIMPLE_HEAD, "pad_edge": False, "padding": 0, "show_edge": False,
    "title_justify": "left", "caption_justify": "left", "title_style": "bold",
}  # fmt: skip
STAR = "* significant: p < .05 after correction; W/T/L: queries won, tied, lost"


class Table(Report):
    """Tables of a terminal, 80 columns wide if need be."""

    def of(self, results: Results) -> RenderableType:
        return closing(results) if results.record else comparison(results)


def closing(results: Results) -> RenderableType:
    """The end of a recipe: effectiveness, contrasts, a summary and sentences."""
    parts: list[RenderableType] = [_effectiveness(results)]
    if results.comparisons:
        parts += [*_contrasts(results), _summary(results), _words(results)]
    return Group(*(item for part in parts for item in (part, Text())))


def _effectiveness(results: Results) -> rich_table.Table:
    runs = results.runs
    scale = results.record["scale"] if results.record else ""
    about = basis(results.comparisons[0]) if results.comparisons else f"n = {runs[0]['n_queries']} queries"
    table = rich_table.Table(title=f"{results.title}\n{scale} scale, {about}", **PLAIN)
    for column in ("system", "trained on", "queries", "passages"):
        table.add_column(column, no_wrap=True)
    for measure in results.measures:
        table.add_column(measure, justify="right", no_wrap=True)
    last = None
    for run in sorted(runs, key=lambda r: r["document_variety"] != runs[0]["document_variety"]):
        if last and last != run["document_variety"]:
            table.add_section()
        last = run["document_variety"]
        table.add_row(
            run["system"],
            run["trained_on"] or "-",
            run["query_variety"],
            run["document_variety"],
            *(f"{run['means'][m]:.3f}" if m in run["means"] else "-" for m in results.measures),
        )
    return table


def _numbers(row: ComparisonRow) -> list[str]:
    """delta, interval, effect size, detectable difference, p, wins, ties and losses."""
    return [
        signed(row["delta"]),
        f"[{signed(row['ci_low'])}, {signed(row['ci_high'])}]",
        signed(row["effect_size"], 2) if row["effect_size"] is not None else "-",
        signed(row["detectable"]).removeprefix("+") if row["detectable"] is not None else "-",
        p_cell(row),
        f"{row['wins']}/{row['ties']}/{row['losses']}",
    ]


_NUMBERS = ("delta", "interval", "d", "min", "p", "W/T/L")


def _caption(row: ComparisonRow) -> str:
    return (
        f"delta: mean difference, {row['confidence']:.0%} {interval_title(row)} interval; d: effect size d_z;"
        f" min: {detectable_words(row)}; p: {method_words(row)}; {STAR}"
    )


_MEANING = {
    "gap": "low- against high-resource queries, same system",
    "gain": "fine-tuned against base, same queries",
    "closure": "gain on low- minus gain on high-resource queries",
}


def _contrasts(results: Results) -> list[rich_table.Table]:
    """A table for each contrast, the caption under the last."""
    measure = results.measures[0]
    kinds = list(dict.fromkeys(row["contrast"] for row in results.of(measure)))
    tables = []
    for kind in kinds:
        rows = [row for row in results.of(measure) if row["contrast"] == kind]
        caption = _caption(rows[0]) if kind == kinds[-1] else None
        table = rich_table.Table(title=f"{kind.capitalize()} in {measure}: {_MEANING[kind]}", caption=caption, **PLAIN)
        for column in ("system", "trained\non", "on"):
            table.add_column(column, no_wrap=True)
        for column in _NUMBERS:
            table.add_column(column, justify="right", no_wrap=True)
        for row in rows:
            on = row["variety"] if kind == "gain" else row["pair"]
            table.add_row(row["system"], row["trained_on"] or "-", on, *_numbers(row))
        tables.append(table)
    return tables


def _summary(results: Results) -> rich_table.Table:
    rows = results.of(results.measures[0])
    table = rich_table.Table(title=f"What holds in {results.measures[0]} ({family(rows[0])})", **PLAIN)
    for column in ("pair", "contrast", "higher", "lower", "no significant difference"):
        table.add_column(column, no_wrap=column in ("pair", "contrast"), overflow="fold")
    last = None
    for row in sorted(results.summary(), key=lambda r: [x["pair"] for x in rows].index(r["pair"])):
        if last and row["pair"] != last:
            table.add_section()
        what = {"gap": f"gap of {row['variety']}", "gain": f"gain on {row['variety']}"}.get(row["contrast"])
        table.add_row(
            "" if row["pair"] == last else row["pair"],
            what or row["contrast"],
            *(", ".join(row[side]) or "-" for side in ("higher", "lower", "neither")),
        )
        last = row["pair"]
    return table


def _words(results: Results) -> Text:
    """One sentence for each system on the first pair's low-resource variety: gains, or gaps if nothing trained."""
    rows = results.of(results.measures[0])
    kind = "gain" if any(r["contrast"] == "gain" for r in rows) else "gap"
    rows = [r for r in rows if r["contrast"] == kind]
    if kind == "gain":
        rows = [r for r in rows if r["variety"] == str(rows[0]["pair"]).split("-")[0]]
    return Text("\n".join(sentence(r) for r in rows))


def comparison(results: Results) -> RenderableType:
    """What `lsw compare` prints: the runs, then a table for each measure."""
    runs = rich_table.Table(title=basis(results.comparisons[0]), **PLAIN)
    for column in ("run", "system", "queries", "passages"):
        runs.add_column(column, no_wrap=True)
    for measure in results.measures:
        runs.add_column(measure, justify="right", no_wrap=True)
    for run in results.runs:
        means = (f"{run['means'][m]:.4f}" for m in results.measures)
        runs.add_row(run["run_id"], system_name(run), run["query_variety"], run["document_variety"] or "-", *means)
    parts: list[RenderableType] = [runs]
    for measure in results.measures:
        rows = results.of(measure)
        last = measure == results.measures[-1]
        table = rich_table.Table(
            title=f"Differences in {measure}", caption=_caption(rows[0]) if last else None, **PLAIN
        )
        for column in ("run", "against"):
            table.add_column(column, no_wrap=True)
        for column in _NUMBERS:
            table.add_column(column, justify="right", no_wrap=True)
        for row in rows:
            against = "other gain" if row["contrast"] == "closure" else row["baseline_run_id"]
            table.add_row(row["run_id"], against, *_numbers(row))
        parts.append(table)
    return Group(*(item for part in parts for item in (part, Text())))
