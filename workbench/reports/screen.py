"""The closing of a recipe on one screen: what was found in words, then one row a system."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.table import Table as Grid
from rich.text import Text

from store.rows import ComparisonRow
from workbench.comparison.findings import FULLEST, control_of, seen
from workbench.comparison.results import Results, starts
from workbench.comparison.words import bracket, interval_title, signed, title
from workbench.reports._cells import Cells, Pair
from workbench.reports.base import Report
from workbench.reports.table import comparison
from workbench.significance.corrections import CORRECTIONS
from workbench.significance.paired_tests import TESTS
from workbench.significance.power import ALPHA

WIDTH, LINES = 80, 44
"""Of a closing. The rest of a screen of 80 x 48 is for what to type next."""

SIDES = ("low", "high")
COUNTED: dict[Literal["no_result", "no_relevant", "left_out"], str] = {
    "no_result": "without result", "no_relevant": "without relevant passage",
    "left_out": "not in every run or never asked, left out",
}  # fmt: skip
FIRST_INTERVALS = ("gain", "control", "closure", "gap")
"""Whose intervals are shown first, where there is room."""


class Screen(Report):
    """The closing of a recipe, no more than a screen of 80 x 48; what there is no room for is named."""

    def of(self, results: Results) -> RenderableType:
        return closing(results) if results.record else comparison(results)


def closing(results: Results) -> RenderableType:
    """What was found, then systems with their means and contrasts in the main measure, of so many lines at most.

    Pair by pair if there is room, else contrast by contrast with the pairs side by side.
    """
    words = [_words(results, detail) for detail in range(FULLEST + 1)]
    layout, detail, air = _fitting(results, [_height(each) for each in words])
    blank, caption = [Text()] * air, _caption(results, layout)
    about = [Text(f"{caption}.", style="dim")] if caption else []
    return Group(words[detail], *blank, layout.table, *blank, *about)


def _fitting(results: Results, heights: list[int]) -> tuple["Layout", int, bool]:
    """The fullest layout that leaves room for words, the fullest words, and whether blank lines have room too.

    Args:
        results: of a recipe.
        heights: lines of the words, in each detail.
    """
    for layout in _layouts(Cells.of(results)):
        if layout.table.row_count > LINES:
            continue
        height = _height(layout.table) + _height(Text(_caption(results, layout) + "."))
        for detail, air in ((FULLEST, True), *((detail, False) for detail in range(FULLEST, -1, -1))):
            if height + heights[detail] + 2 * air <= LINES:
                return layout, detail, air
    return layout, 0, False


def _height(part: RenderableType) -> int:
    """Its lines."""
    console = Console(width=WIDTH, color_system=None)
    return len(console.render_lines(part))


def _words(results: Results, detail: int) -> Group:
    """The title and what was found."""
    scale = f", {results.record['scale']} scale" if results.record else ""
    title = Text(f"{results.title} ({results.measures[0]}{scale})".strip(), style="bold")
    found = results.findings(detail)
    return Group(title, *(Text.assemble((each["question"], "italic"), " ", each["answer"]) for each in found))


@dataclass(frozen=True)
class Layout:
    """A table; which columns are in it, the intervals of which contrasts, and what is not in it."""

    table: Grid
    columns: list[str]
    intervals: list[str]
    left_out: list[str]


def _layouts(cells: Cells) -> Iterator[Layout]:
    """From the fullest to the barest."""
    yield _by_pair(cells)
    columns = [*cells.contrasts, *SIDES]
    for count in range(len(columns), 0, -1):
        yield _by_contrast(cells, columns[:count], columns[count:])
    for rows in range(LINES, 0, -2):
        yield _by_contrast(cells, columns[:1], columns[1:], rows)


def _grid() -> Grid:
    return Grid(box=None, show_header=False, padding=(0, 1, 0, 0), pad_edge=False)


def _width(table: Grid) -> int:
    """What it takes if nothing is folded."""
    return sum(max(cell_len(str(cell)) + 1 for cell in column.cells) for column in table.columns) - 1


def _by_pair(cells: Cells) -> Layout:
    """One row a system for each pair; intervals of as many contrasts as there is room for."""
    intervals: list[str] = []
    table = _pairs(cells, intervals)
    order = [contrast for contrast in FIRST_INTERVALS if contrast in cells.contrasts]
    for contrast in order:
        wider = _pairs(cells, [*intervals, contrast])
        if _width(wider) <= WIDTH:
            table, intervals = wider, [*intervals, contrast]
    return Layout(table, [*SIDES, *cells.contrasts], intervals, [])


def _pairs(cells: Cells, intervals: list[str]) -> Grid:
    table, several = _grid(), any(row["models"] > 1 for row in cells.rows.values())
    table.add_column(overflow="fold")
    for column in (*SIDES, *cells.contrasts):
        table.add_column(justify="right", no_wrap=True)
        for _ in range((column in intervals) + (column == "gain" and several)):
            table.add_column(no_wrap=True)
    for pair in cells.pairs:
        table.add_row(*_heads(cells, pair, intervals, several), style="bold")
        for label, name in cells.labels(SIDES, [pair]):
            line = [label]
            for column in (*SIDES, *cells.contrasts):
                row = cells.row(column, name, pair) if name else None
                line.append(cells.cell(column, name, pair) if name else "")
                line += [bracket(row) if row else ""] * (column in intervals)
                line += [_between(row)] * (column == "gain" and several)
            table.add_row(*line)
    return table


def _heads(cells: Cells, pair: Pair, intervals: list[str], several: bool) -> list[str]:
    word = seen([row for place, row in cells.rows.items() if place[2] == str(pair)])
    heads = [f"{pair} ({word})" if word else str(pair), f"{pair.low} ", f"{pair.high} "]
    for contrast in cells.contrasts:
        heads.append(f"{contrast} ")
        heads += [f"on {pair.low}" if contrast in ("gain", "control") else ""] * (contrast in intervals)
        heads += [""] * (contrast == "gain" and several)
    return heads


def _between(row: ComparisonRow | None) -> str:
    """The standard deviation between models."""
    deviation = row["model_deviation"] if row else None
    return "" if deviation is None else "±" + signed(deviation).removeprefix("+")


def _by_contrast(cells: Cells, columns: list[str], left_out: list[str], most: int | None = None) -> Layout:
    """One row a system for each contrast or mean, the pairs side by side.

    Args:
        cells: the figures.
        columns: the contrasts and sides that are shown.
        left_out: those that are not.
        most: rows of each at most.
    """
    pairs = list(cells.pairs)
    table, hidden = _contrasts(cells, columns, pairs, most)
    while _width(table) > WIDTH and len(pairs) > 1:
        pairs.pop()
        table, hidden = _contrasts(cells, columns, pairs, most)
    out = [*left_out, *(str(pair) for pair in cells.pairs[len(pairs) :]), *([f"{hidden} rows"] if hidden else [])]
    return Layout(table, columns, [], out)


def _contrasts(cells: Cells, columns: list[str], pairs: list[Pair], most: int | None) -> tuple[Grid, int]:
    table, hidden = _grid(), 0
    table.add_column(overflow="fold")
    for _ in pairs:
        table.add_column(justify="right", no_wrap=True)
    for column in columns:
        table.add_row(column, *(f"{pair} " for pair in pairs), style="bold")
        labels = cells.labels([column], pairs)
        for label, name in labels[:most]:
            table.add_row(label, *(cells.cell(column, name, pair) for pair in pairs) if name else ())
        hidden += len(labels) - len(labels[:most])
    return table, hidden


def _caption(results: Results, layout: Layout) -> str:
    """What the figures are, what a star holds for, and what is not shown."""
    rows = results.of(results.measures[0])
    meanings = {
        "gap": "low - high",
        "gain": "trained - base, on low",
        "control": f"trained - {control_of(rows) or 'its control'}, on low",
        "closure": "gain on low - on high",
    }
    shown = [column for column in layout.columns if column in meanings]
    words = [f"{contrast} = {meanings[contrast]}" for contrast in shown]
    if layout.intervals:
        words.append(f"[{rows[0]['confidence']:.0%} {interval_title(rows[0])} interval, each by itself]")
    models = max((row["models"] for row in rows), default=1)
    if models > 1:
        words.append(f"mean of {models} models" + (" ± deviation" if layout.intervals else ""))
    out = ["; ".join(words)] if words else []
    if rows:
        on_high = "; at high: of its gain" if "gain" in shown and "high" in layout.columns else ""
        out += [f"*: p < {ALPHA}".replace("0.", ".") + f", {_method(rows)}{on_high}", _basis(rows)]
    elif results.runs:
        out.append(f"n = {results.runs[0]['n_queries']} queries")
    out += starts(results)
    if results.uneven:
        out.append("Means are over each run's own queries, differences over those that runs share")
    return ". ".join([*out, *_missing(results, layout)])


def _basis(rows: list[ComparisonRow]) -> str:
    """On how many queries the comparisons rest; how many count 0 or were left out, if any."""

    def span(column: Literal["n", "n_groups"]) -> str:
        return " to ".join(dict.fromkeys(str(edge(row[column] for row in rows)) for edge in (min, max)))

    out = [f"n = {span('n')} queries in {span('n_groups')} topics"]
    if all(row["n_groups"] == row["n"] for row in rows):
        out = [f"n = {span('n')} queries"]
    for column, words in COUNTED.items():
        if most := max(row[column] for row in rows):
            out.append(f"up to {most} {words}")
    return "; ".join(out)


def _method(rows: list[ComparisonRow]) -> str:
    """Test, correction, and the size of each family."""
    row, sizes = rows[0], dict[str, dict[str, int]]()
    for each in rows:
        sizes.setdefault(each["contrast"], {})[seen([each])] = each["family_size"]
    apart = any(len(each) > 1 for each in sizes.values())
    words = {}
    for contrast, own in sizes.items():
        alone = apart and len(own) == 1  # of seen pairs, or of unseen ones
        words[contrast] = [f"{size} {word}".rstrip() if alone else str(size) for word, size in sorted(own.items())]
    families = ", ".join(f"{contrast} {' + '.join(each)}" for contrast, each in words.items())
    families += ", seen + unseen pairs" if apart else ""
    primary = next((f", {row['contrast']} primary" for row in rows if row["primary"]), "")
    correction = title(CORRECTIONS, row["correction"])
    over = f"{correction} over {families}" if row["correction"] != "none" else correction
    return f"{title(TESTS, row['test'])} test, {over}{primary}"


def _missing(results: Results, layout: Layout) -> list[str]:
    """What was not compared, and what there is no room for."""
    lacking = sum(row["measure"] == results.measures[0] for row in results.not_made)
    out = [f"-: {lacking} comparisons could not be made"] if lacking else []
    if layout.left_out:
        out.append(f"No room here for: {', '.join(layout.left_out)}")
    if out:
        out.append(f"`lsw recipe results {(results.record or {}).get('recipe_run_id', '')}` has everything")
    return out
