"""Effects of a study as tables of a terminal, 80 columns wide if need be."""

from rich import table as rich_table
from rich.console import Group, RenderableType
from rich.text import Text

from store.rows import EffectRow
from workbench.reports.study.base import StudyReport
from workbench.reports.table import PLAIN
from workbench.studies.results import StudyResults
from workbench.studies.words import (
    FITTED,
    STAR,
    asked,
    at_most,
    basis,
    interval,
    level_text,
    method_words,
    p_cell,
    short,
    significant,
    unit,
    value,
)


class Table(StudyReport):
    """A table for each effect and measure. Points of fitted curves are counted: `csv` and figures have them."""

    def of(self, results: StudyResults) -> RenderableType:
        head = Text.assemble((f"{results.title}\n", "bold"), f"{results.study['scale']} scale; {results.progress()}")
        parts: list[RenderableType] = [head]
        fitted = 0
        for rows in by_effect(results):
            if rows[0]["effect"] == FITTED:
                fitted += len(rows)
                continue
            parts += [Text(), *_table(rows, results)]
        if fitted:
            parts.append(Text(f"\n{fitted} points of fitted curves: --format csv, or lsw study figure curve."))
        return Group(*parts)


def by_effect(results: StudyResults) -> list[list[EffectRow]]:
    """The effects by name and measure, in the order in which they come."""
    out: dict[tuple[str, str], list[EffectRow]] = {}
    for row in results.effects:
        out.setdefault((row["measure"], row["effect"]), []).append(row)
    return list(out.values())


def columns(rows: list[EffectRow], results: StudyResults) -> list[tuple[str, list[str]]]:
    """Heads and cells of what tells the effects of a table apart; what is the same in all is left to its title."""
    of = [results.levels(row) for row in rows]
    own = [name for name in results.factors if any(name in each for each in of)]
    out = [
        ("system", [row.get("system") or "-" for row in rows]),
        ("trained on", [row.get("trained_on") or "-" for row in rows]),
        ("variety", [asked(row) or "-" for row in rows]),
        *(
            (short(name, results.factors), [level_text(each[name]) if name in each else "-" for each in of])
            for name in own
        ),
    ]
    return [*out, *([("unit", [row.get("unit") or "-" for row in rows])] if unit(rows) is None else [])]


def common(rows: list[EffectRow], results: StudyResults) -> tuple[str, list[tuple[str, list[str]]]]:
    """What all effects of a table share, in words; and the columns that tell them apart."""
    every = columns(rows, results)
    apart = [(head, cells) for head, cells in every if len(set(cells)) > 1]
    shared = [f"{head} {cells[0]}" for head, cells in every if len(set(cells)) == 1 and cells[0] != "-"]
    return ", ".join(shared), apart


def heading(rows: list[EffectRow]) -> str:
    """The effect and the measure of a table, and the unit if it is another and the same in all rows."""
    effect, measure, same = rows[0]["effect"], rows[0]["measure"], unit(rows)
    effect = f"{effect[0].upper()}{effect[1:]}" if len(effect) > 1 else effect  # k is a name
    return f"{effect} in {measure}" + (f" ({same})" if same not in (None, "", measure) else "")


def numbers(rows: list[EffectRow]) -> list[str]:
    """The columns of figures that any of these effects has."""
    tested, bounded = any(map(p_cell, rows)), any(map(interval, rows))
    return ["estimate", *(["interval"] if bounded else []), *(["p"] if tested else [])]


def lower_doses(rows: list[EffectRow]) -> list[str]:
    """What is to be said under a table of doses some of which are upper bounds alone."""
    why = dict.fromkeys(filter(None, map(at_most, rows)))
    return [f"at most: {lacking}" for lacking in why]


def _table(rows: list[EffectRow], results: StudyResults) -> list[RenderableType]:
    """A title, a table, and what is to be said under it."""
    shared, apart = common(rows, results)
    title = heading(rows)
    table = rich_table.Table(**PLAIN)
    for head, _ in apart:
        table.add_column(head, overflow="fold")
    more = [name for name in ("n", "models") if len({row.get(name) for row in rows} - {None, 0}) > 1]
    last = [*numbers(rows), *more]
    for head in last:
        table.add_column(head, justify="right", no_wrap=True)
    for i, row in enumerate(rows):
        mine, estimate = [cells[i] for _, cells in apart], row.get("estimate")
        if estimate is None:
            table.add_row(*mine, "-", *("" for _ in last[1:]))
            continue
        figures = {"estimate": value(row), "interval": interval(row) or "-", "p": p_cell(row) or "-"}
        figures |= {name: "-" if row.get(name) is None else str(row.get(name)) for name in more}
        table.add_row(*mine, *(figures[name] for name in last))
    lacking = dict.fromkeys(row.get("why_not") or "not defined" for row in rows if row.get("estimate") is None)
    words = [basis(rows), method_words(rows), STAR if any(map(significant, rows)) else ""]
    words += lower_doses(rows)
    words += [f"-: {'; '.join(lacking)}"] if lacking else []
    above = Text(f"{title}: {shared}" if shared else title, "bold")
    return [above, table, Text("; ".join(filter(None, words)), "dim")]
