"""Results as tables of a terminal, 80 columns wide if need be."""

from typing import Any

from rich import box
from rich import table as rich_table
from rich.console import Group, RenderableType
from rich.text import Text

from store.rows import ComparisonRow
from workbench.comparison.results import Results, starts
from workbench.comparison.words import (
    basis,
    bracket,
    detectable_words,
    families,
    interval_words,
    method_words,
    not_made,
    p_cell,
    p_text,
    sentence,
    signed,
    system_name,
    unit,
)
from workbench.reports.base import Report

# As a paper prints it.
PLAIN: dict[str, Any] = {
    "box": box.SIMPLE_HEAD, "pad_edge": False, "padding": 0, "show_edge": False,
    "title_justify": "left", "caption_justify": "left", "title_style": "bold",
}  # fmt: skip
OWN_QUERIES = "each mean is over the run's own n judged queries; differences below are over those that runs share"
STAR = "* significant: p < .05 after correction; W/T/L: queries won, tied, lost"


class Table(Report):
    """Tables of a terminal, 80 columns wide if need be: all of them."""

    def of(self, results: Results) -> RenderableType:
        return tables(results) if results.record else comparison(results)


def tables(results: Results) -> RenderableType:
    """All that a recipe found: effectiveness, contrasts, a summary and sentences."""
    parts: list[RenderableType] = [_effectiveness(results)]
    if results.comparisons:
        parts += [*_contrasts(results), _summary(results), _words(results)]
    parts += _not_made(results)
    return Group(*(item for part in parts for item in (part, Text())))


def _effectiveness(results: Results) -> rich_table.Table:
    runs = results.runs
    scale = results.record["scale"] if results.record else ""
    about = basis(results.comparisons) if results.comparisons else f"n = {runs[0]['n_queries']} queries"
    table = rich_table.Table(title=f"{results.title}\n{scale} scale, {about}", **PLAIN)
    for column in ("system", "trained on", "queries", "passages"):
        table.add_column(column, no_wrap=True)
    systems = results.systems()
    own = results.uneven
    for measure in (*results.measures, *(("n",) if own else ())):
        table.add_column(measure, justify="right", no_wrap=True)
    last = None
    for row in sorted(systems, key=lambda r: r["document_variety"] != runs[0]["document_variety"]):
        if last and last != row["document_variety"]:
            table.add_section()
        last = row["document_variety"]
        table.add_row(
            row["system"],
            row["trained_on"] or "-",
            row["query_variety"],
            row["document_variety"],
            *(_mean(row["means"].get(m), row["deviations"].get(m)) for m in results.measures),
            *((str(row["judged"]),) if own else ()),
        )
    several = max(len(row["run_ids"]) for row in systems)
    notes = [f"trained systems: mean of {several} models of different seeds ± their standard deviation"]
    notes = [*(notes if several > 1 else []), *([OWN_QUERIES] if own else []), *starts(results)]
    table.caption = "; ".join(notes) or None
    return table


def _mean(mean: float | None, deviation: float | None) -> str:
    if mean is None:
        return "-"
    return f"{mean:.3f}" + (f" ±{deviation:.3f}".replace("0.", ".", 1) if deviation is not None else "")


def _numbers(row: ComparisonRow) -> list[str]:
    """delta, interval, effect size, detectable difference, p, wins, ties and losses."""
    return [
        signed(row["delta"]),
        bracket(row),
        signed(row["effect_size"], 2) if row["effect_size"] is not None else "-",
        signed(row["detectable"]).removeprefix("+") if row["detectable"] is not None else "-",
        p_cell(row),
        f"{row['wins']}/{row['ties']}/{row['losses']}",
    ]


_NUMBERS = ("delta", "interval", "d", "min", "p", "W/T/L")


def _caption(rows: list[ComparisonRow]) -> str:
    return (
        f"delta: mean difference, {interval_words(rows)}; d: effect size d_z, {unit(rows)};"
        f" min: {detectable_words(rows)}; p: {method_words(rows)}; {STAR}"
    )


def _n(rows: list[ComparisonRow]) -> bool:
    """Whether the rows rest on different queries, so that each has to say on how many."""
    return len({(row["n"], row["left_out"]) for row in rows}) > 1


def _not_made(results: Results) -> list[RenderableType]:
    """Comparisons that are missing, and why."""
    lacking = [not_made(row) for row in results.not_made if row["measure"] == results.measures[0]]
    return [Text("\n".join(lacking))] if lacking else []


_MEANING = {
    "gap": "low- against high-resource queries, same system",
    "gain": "fine-tuned against base, same queries",
    "control": "fine-tuned against fine-tuned on high-resource queries alone, same queries",
    "closure": "gain on low- minus gain on high-resource queries",
}


def _contrasts(results: Results) -> list[rich_table.Table]:
    """A table for each family, the caption under the last."""
    measure = results.measures[0]
    every = results.of(measure)
    tables = []
    for kind in dict.fromkeys(row["family"] for row in every):
        rows = [row for row in every if row["family"] == kind]
        meaning = _MEANING.get(rows[0]["contrast"], "")
        primary = " (primary)" if rows[0]["primary"] else ""
        title = f"{kind.capitalize()}{primary} in {measure}: {meaning}"
        table = rich_table.Table(title=title, **PLAIN)
        for column in ("system", "trained\non", "on"):
            table.add_column(column, no_wrap=True)
        for column in _columns(every):
            table.add_column(column, justify="right", no_wrap=True)
        for row in rows:
            on = row["variety"] if rows[0]["contrast"] in ("gain", "control") else row["pair"]
            table.add_row(row["system"], row["trained_on"] or "-", on, *_cells(row, every))
        tables.append(table)
    tables[-1].caption = _caption(every)
    return tables


def _columns(rows: list[ComparisonRow]) -> tuple[str, ...]:
    """The columns of a table's figures: n and what was left out only where rows differ in them."""
    models = any(row["models"] > 1 for row in rows)
    return (*_NUMBERS, *(("seeds",) if models else ()), *(("n", "out") if _n(rows) else ()))


def _cells(row: ComparisonRow, rows: list[ComparisonRow]) -> list[str]:
    cells = _numbers(row)
    if any(other["models"] > 1 for other in rows):
        deviation = row["model_deviation"]
        cells.append("-" if deviation is None else f"±{deviation:.3f}".replace("0.", ".", 1))
    return cells + ([str(row["n"]), str(row["left_out"])] if _n(rows) else [])


def _summary(results: Results) -> rich_table.Table:
    rows = results.of(results.measures[0])
    title, caption = f"What holds in {results.measures[0]}", families(rows) + _secondary(rows)
    table = rich_table.Table(title=title, caption=caption, **PLAIN)
    for column in ("pair", "contrast", "higher", "lower", "no significant difference"):
        table.add_column(column, no_wrap=column in ("pair", "contrast"), overflow="fold")
    several = len({row["trained_on"] for row in rows} - {None}) > 1
    last = None
    for row in sorted(results.summary(), key=lambda r: [x["pair"] for x in rows].index(r["pair"])):
        if last and row["pair"] != last:
            table.add_section()
        on = f" {'of' if row['contrast'] == 'gap' else 'on'} {row['variety']}" if row["variety"] else ""
        what = row["contrast"] + on
        what += f", {row['trained_on']}" if several and row["trained_on"] else ""
        table.add_row(
            "" if row["pair"] == last else row["pair"],
            what,
            *(", ".join(row[side]) or "-" for side in ("higher", "lower", "neither")),
        )
        last = row["pair"]
    return table


def _secondary(rows: list[ComparisonRow]) -> str:
    primary = next((row["contrast"] for row in rows if row["primary"]), None)
    return f"; declared primary: {primary}, the others are secondary" if primary else ""


def _words(results: Results) -> Text:
    """One sentence for each system on the first pair's low-resource variety: gains, or gaps if nothing trained.

    Then one for each gap that training may have closed.
    """
    rows = results.of(results.measures[0])
    kind = "gain" if any(r["contrast"] == "gain" for r in rows) else "gap"
    rows = [r for r in rows if r["contrast"] == kind]
    if kind == "gain":
        rows = [r for r in rows if r["variety"] == str(rows[0]["pair"]).split("-")[0]]
    return Text("\n".join([*(sentence(r) for r in rows), *closing_words(results)]))


def closing_words(results: Results) -> list[str]:
    """What is to be said of each gap after training; the pairs of which nothing was shown in one line."""
    every = results.closings()
    out = []
    for each in every:
        if each["verdict"] != "not shown":
            what = "gain and closure both" if each["verdict"].startswith("closed") else "closure"
            p = f" (p {p_text(each['p_value'])} of {what})"
            out.append(f"{each['system']} ({each['trained_on']}): {each['words']}{p}")
    silent: dict[str, list[str]] = {}
    for each in every:
        if each["verdict"] == "not shown":
            silent.setdefault(f"{each['system']} ({each['trained_on']})", []).append(str(each["pair"]))
    return out + [f"{system}: no gap is shown to close ({', '.join(pairs)})" for system, pairs in silent.items()]


def comparison(results: Results) -> RenderableType:
    """What `lsw compare` prints: the runs, then a table for each measure."""
    runs = rich_table.Table(title=basis(results.comparisons), **PLAIN)
    for column in ("run", "system", "queries", "passages"):
        runs.add_column(column, no_wrap=True)
    own = len({run.get("judged") for run in results.runs}) > 1
    for measure in (*results.measures, *(("n",) if own else ())):
        runs.add_column(measure, justify="right", no_wrap=True)
    for run in results.runs:
        means = [*(f"{run['means'][m]:.4f}" for m in results.measures), *([str(run.get("judged"))] if own else [])]
        runs.add_row(run["run_id"], system_name(run), run["query_variety"], run["document_variety"] or "-", *means)
    runs.caption = OWN_QUERIES if own else None
    parts: list[RenderableType] = [runs]
    for measure in results.measures:
        rows = results.of(measure)
        if not rows:
            continue
        last = measure == results.measures[-1]
        table = rich_table.Table(title=f"Differences in {measure}", caption=_caption(rows) if last else None, **PLAIN)
        for column in ("run", "against"):
            table.add_column(column, no_wrap=True)
        for column in _columns(rows):
            table.add_column(column, justify="right", no_wrap=True)
        for row in rows:
            against = "other gain" if row["contrast"] == "closure" else row["baseline_run_id"]
            table.add_row(row["run_id"], against, *_cells(row, rows))
        parts.append(table)
    if results.closings():
        parts.append(Text("\n".join(each["words"][:1].upper() + each["words"][1:] for each in results.closings())))
    parts += _not_made(results)
    return Group(*(item for part in parts for item in (part, Text())))
