"""A panel with axes in a terminal: thin lines of dots, marks where the points are, nothing brighter than the data."""

from bisect import bisect_left
from dataclasses import dataclass
from itertools import pairwise

from rich.text import Text

from workbench.reports.figures._canvas import Canvas, Frame
from workbench.reports.figures._looks import HERE, RGB, Ground, colour, mark
from workbench.reports.figures._scales import number, steps, x_limits
from workbench.reports.figures.base import Axes, Series

FEW = 4
"""Columns and lines within axes below which nothing is drawn."""
SQUARE = 2.1
"""How much higher than wide a terminal's cell is, nearly."""
QUIET = "dim"
"""Of axes and lines that are no data: the terminal's own letters, fainter."""


def style(front: RGB, ground: RGB | None = None) -> str:
    """As rich calls it."""
    return f"rgb({','.join(map(str, front))})" + (f" on rgb({','.join(map(str, ground))})" if ground else "")


def look(series: int, ground: Ground = None) -> str:
    """The style of a series; what is pointed to has the terminal's own colour of letters."""
    return "bold" if series == HERE else style(colour(series, ground))


@dataclass(frozen=True)
class _Plot:
    """What the parts of one panel share."""

    canvas: Canvas
    frame: Frame
    ground: Ground


def plotted(
    panel: Axes, width: int, height: int, limits: tuple[float, float], ground: Ground = None
) -> tuple[Text, Frame | None]:
    """A panel of so many columns and lines, and where its coordinates are; None if there is no room for it.

    Args:
        panel: what is to be seen.
        width, height: cells.
        limits: both ends of the axis at the left.
        ground: what it is drawn on.
    """
    below = 1 if panel.below else 0
    lines = height - 3 - below
    heights = [(at, number(at)) for at in steps(*limits, max(5, lines // 3))]
    left = max((len(text) for _, text in heights), default=0) + 1
    columns = width - left - 1
    if panel.square:
        columns = min(columns, round(lines * SQUARE))
    if columns < FEW or lines < FEW:
        return Text("(no room)", QUIET, no_wrap=True, overflow="crop"), None
    frame = Frame(left, 1, columns, lines, x_limits(panel), limits)
    plot = _Plot(Canvas(width, height), frame, ground)
    _axes(plot, panel, heights)
    _rules(plot, panel)
    for series in panel.series:
        (_bars if series.filled else _curve)(plot, series)
    for series in panel.series:
        for at, low, high in zip(series.x, series.low, series.high, strict=False):
            if low is not None and high is not None:
                _upright(plot, at, low, high, look(series.style, ground))
    _counted(plot, [series for series in panel.series if series.counts])
    for series in panel.series:
        if not series.filled and not series.counts and series.marked:
            for x, y in zip(series.x, series.y, strict=True):
                column, line = frame.cell(x, y)
                plot.canvas.write(column, line, mark(series.style), look(series.style, ground))
    for note in panel.notes:
        column, line = frame.cell(note.x, note.y)
        first = column - len(note.text) // 2
        first = max(frame.left, min(first, frame.left + frame.columns - len(note.text)))
        plot.canvas.write(first, line, note.text, QUIET)
    return plot.canvas.text(), frame


def _axes(plot: _Plot, panel: Axes, heights: list[tuple[float, str]]) -> None:
    canvas, frame = plot.canvas, plot.frame
    canvas.write(0, 0, _cut(f"{panel.title}: {panel.left}" if panel.title else panel.left, canvas.columns), "bold")
    bottom = frame.top + frame.lines
    for line in range(frame.top, bottom):
        canvas.write(frame.left - 1, line, "│", QUIET)
    canvas.write(frame.left - 1, bottom, "└" + "─" * frame.columns, QUIET)
    for at, text in heights:
        line = frame.cell(frame.x[0], at)[1]
        canvas.write(frame.left - 1 - len(text), line, text, QUIET)
        canvas.write(frame.left - 1, line, "┤", QUIET)
    for at, text in apart(panel.ticks, frame):
        column = frame.cell(at, frame.y[0])[0]
        canvas.write(column, bottom, "┴", QUIET)
        first = max(0, min(column - len(text) // 2, canvas.columns - len(text)))
        canvas.write(first, bottom + 1, text, QUIET)
    words = _cut(panel.below, frame.columns)
    canvas.write(frame.left + (frame.columns - len(words)) // 2, bottom + 2, words, QUIET)


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: max(0, width - 1)] + "…"


def _rules(plot: _Plot, panel: Axes) -> None:
    """Zero, where both axes are equal, and lines from edge to edge: below all data."""
    canvas, frame = plot.canvas, plot.frame
    if frame.y[0] < 0 < frame.y[1]:
        canvas.write(frame.left, frame.cell(0, 0)[1], "─" * frame.columns, QUIET)
    if panel.square:
        for column in range(frame.left, frame.left + frame.columns):
            at = frame.place(column, frame.top)
            if at and frame.y[0] <= at[0] <= frame.y[1]:
                canvas.write(column, frame.cell(at[0], at[0])[1], "·", QUIET)
    for rule in panel.rules:
        how = QUIET if rule.style is None else look(rule.style, plot.ground)
        if rule.upright:
            column = frame.cell(rule.at, frame.y[0])[0]
            for line in range(frame.top, frame.top + frame.lines):
                canvas.write(column, line, "│", how)
        else:
            canvas.write(frame.left, frame.cell(frame.x[0], rule.at)[1], "─" * frame.columns, how)


def _curve(plot: _Plot, series: Series) -> None:
    canvas, frame, how = plot.canvas, plot.frame, look(series.style, plot.ground)
    middle = [(x, y) for x, y, *_ in series.curve] or (
        list(zip(series.x, series.y, strict=True)) if series.joined else []
    )
    for at, _, *edges in series.curve:
        for edge in edges:
            if edge is not None:
                canvas.write(*frame.cell(at, edge), "·", how)
    for one, other in pairwise(middle):
        canvas.line(frame.dots(*one), frame.dots(*other), how)


def _bars(plot: _Plot, series: Series) -> None:
    """From 0 to the value of the nearest point, to half a cell, in each column from the first point to the last."""
    canvas, frame, how = plot.canvas, plot.frame, look(series.style, plot.ground)
    zero = frame.cell(frame.x[0], 0.0)[1]
    first, last = (frame.cell(series.x[end] + half, 0.0)[0] for end, half in ((0, -0.5), (-1, 0.5)))
    for column in range(first, last + 1):
        place = frame.place(column, frame.top)
        assert place
        after = min(bisect_left(series.x, place[0]), len(series.x) - 1)
        value = series.y[min((max(after - 1, 0), after), key=lambda i: abs(series.x[i] - place[0]))]
        halves = max(1, round(abs(value) / (frame.y[1] - frame.y[0]) * 2 * frame.lines))
        up = -1 if value > 0 else 1
        canvas.write(column, zero, "▀" if value > 0 else "▄", how)
        for full in range(1, (halves - 1) // 2 + 1):
            canvas.write(column, zero + up * full, "█", how)
        if halves % 2 == 0:
            canvas.write(column, zero + up * (halves // 2), "▄" if value > 0 else "▀", how)


def _upright(plot: _Plot, at: float, low: float, high: float, how: str) -> None:
    column, top = plot.frame.cell(at, high)
    for line in range(top, plot.frame.cell(at, low)[1] + 1):
        plot.canvas.write(column, line, "│", how)


def _counted(plot: _Plot, every: list[Series]) -> None:
    """A mark for each cell with points, of the look that most of them have, and beside it of how many they are."""
    cells: dict[tuple[int, int], dict[int, int]] = {}
    for series in every:
        for x, y, count in zip(series.x, series.y, series.counts, strict=True):
            within = cells.setdefault(plot.frame.cell(x, y), {})
            within[series.style] = within.get(series.style, 0) + count
    looks = {cell: max(of, key=lambda each: of[each]) for cell, of in cells.items()}
    for (column, line), series_style in looks.items():
        plot.canvas.write(column, line, mark(series_style), look(series_style, plot.ground))
    for (column, line), of in sorted(cells.items(), key=lambda item: -sum(item[1].values())):
        if (count := sum(of.values())) > 1:
            text = str(count)
            long, edge = len(text), column + 1 + len(text) == plot.canvas.columns
            places = [  # where it would stand, and what must be free for it
                (column + 1, line, column + 1, long + (not edge)),
                (column - long, line, column - long - 1, long + 1),
                (column, line + 1, column - 1, long + 2),
                (column, line - 1, column - 1, long + 2),
            ]
            for first, at, beginning, room in places:
                inside = first > plot.frame.left and plot.frame.top <= at < plot.frame.top + plot.frame.lines
                if inside and plot.canvas.free(beginning, at, room):
                    plot.canvas.write(first, at, text, look(looks[column, line], plot.ground))
                    break


def apart(ticks: list[tuple[float, str]], frame: Frame) -> list[tuple[float, str]]:
    """The labels that have room beside each other; the last one always has."""
    columns = frame.columns / (frame.x[1] - frame.x[0])
    out: list[tuple[float, str]] = []
    for at, text in reversed(ticks):
        if not out or (out[-1][0] - at) * columns > (len(text) + len(out[-1][1])) / 2 + 1:
            out.append((at, text))
    return out[::-1]
