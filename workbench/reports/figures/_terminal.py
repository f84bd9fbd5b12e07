"""A figure in a terminal."""

from math import ceil, floor, log10
from typing import TYPE_CHECKING

from workbench.reports.figures._looks import RGB, colour, ink, margins, mark, shade, spread
from workbench.reports.figures.base import Axes, Cells, Drawing, Lines

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

NARROWEST, HEIGHT = 56, 16
"""Of a panel with axes: from twice so many columns on, two stand side by side."""


TRACK = 18
"""Columns at least of the scale of a forest plot."""


def drawn(drawing: Drawing, width: int, height: int = HEIGHT) -> "RenderableType":
    """What rich can print of it.

    Args:
        drawing: what is to be seen.
        width: columns of the terminal; nothing is wider.
        height: lines of a panel with axes.
    """
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    parts: list[RenderableType] = [Text(drawing.title, "bold")] if drawing.title else []
    axes = [panel for panel in drawing.panels if isinstance(panel, Axes)]
    if axes:
        beside = max(1, min(len(axes), width // NARROWEST))
        limits = y_limits(axes)
        pictures = [_axes(panel, width // beside, height, limits) for panel in axes]
        for i in range(0, len(pictures), beside):
            row = Table.grid()
            row.add_row(*pictures[i : i + beside])
            parts += [Text(), row] if parts else [row]
        parts.append(_legend(axes))
    every = [v for panel in drawing.panels if isinstance(panel, Cells) for line in panel.values for v in line]
    for panel in drawing.panels:
        if isinstance(panel, Cells):
            parts += [*([Text()] if parts else []), _cells(panel, spread(every), drawing.signed, width)]
        elif isinstance(panel, Lines):
            parts += [*([Text()] if parts else []), _lines(panel, width)]
    return Group(*parts, Text(drawing.words, "dim"))


def y_limits(panels: list[Axes]) -> tuple[float, float]:
    """One for all panels, so that they can be held against each other."""
    values: list[float | None] = []
    for panel in panels:
        values += [rule.at for rule in panel.rules if not rule.upright]
        for series in panel.series:
            values += [*series.y, *series.low, *series.high]
            values += [value for _, *heights in series.curve for value in heights]
    return margins(values)


def x_limits(panel: Axes) -> tuple[float, float]:
    """Of ticks, points and curves."""
    places = [at for at, _ in panel.ticks]
    for series in panel.series:
        places += [*series.x, *(at for at, *_ in series.curve)]
    return margins([*places], 0.03)


def steps(low: float, high: float, most: int) -> list[float]:
    """Round numbers between two, at equal steps of 1, 2 or 5 times a power of ten, so many at most."""
    rough = (high - low) / most
    power = 10.0 ** floor(log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)
    return [round(i * step, 12) for i in range(ceil(low / step), floor(high / step) + 1)]


def _axes(panel: Axes, width: int, height: int, limits: tuple[float, float]) -> "Text":
    from rich.text import Text
    from textual_plotext import Plot

    plt = Plot()
    plt.theme("clear")  # the terminal's own ground and letters
    plt.plotsize(width, height)
    plt.ylim(*limits)
    plt.xlim(*x_limits(panel))
    if limits[0] < 0 < limits[1]:
        plt.hline(0, "gray")
    for rule in panel.rules:
        tint = "gray" if rule.style is None else colour(rule.style)
        (plt.vline if rule.upright else plt.hline)(rule.at, tint)
    for series in panel.series:
        tint = colour(series.style)
        if series.curve:
            x, middle, *edges = ([point[i] for point in series.curve] for i in range(4))
            for edge in edges:
                if None not in edge:
                    plt.scatter(x, edge, color=tint, marker="·")
            plt.plot(x, middle, color=tint, marker="braille")
        elif series.joined and len(series.x) > 1:
            plt.plot(series.x, series.y, color=tint, marker="braille")
    for series in panel.series:
        for at, end, other in zip(series.x, series.low, series.high, strict=True):
            if end is not None and other is not None:
                plt.plot([at, at], [end, other], color=colour(series.style), marker="│")
    for series in panel.series:
        plt.scatter(series.x, series.y, color=colour(series.style), marker=mark(series.style))
    ticks = _apart(panel.ticks, x_limits(panel), width)
    plt.xticks([at for at, _ in ticks], [text for _, text in ticks])
    heights = steps(*limits, height // 2)
    plt.yticks(heights, [f"{at:g}" for at in heights])
    plt.title(f"{panel.title}: {panel.left}" if panel.title else panel.left)
    plt.xlabel(panel.below)
    text = Text.from_ansi(str(plt.build()).rstrip("\n"))
    text.no_wrap, text.overflow = True, "crop"
    return text


def _apart(ticks: list[tuple[float, str]], limits: tuple[float, float], width: int) -> list[tuple[float, str]]:
    """The labels that have room beside each other; the last one always has."""
    columns = (width - 10) / (limits[1] - limits[0])
    out: list[tuple[float, str]] = []
    for at, text in reversed(ticks):
        if not out or (out[-1][0] - at) * columns > (len(text) + len(out[-1][1])) / 2 + 1:
            out.append((at, text))
    return out[::-1]


def _legend(panels: list[Axes]) -> "Text":
    from rich.text import Text

    looks = {series.style: series.label for panel in panels for series in panel.series}
    out = Text()
    for style, label in sorted(looks.items()):
        out.append(f"{mark(style)} ", _style(colour(style))).append(f"{label}   ")
    for panel in panels:
        for rule in panel.rules:
            if rule.upright:
                where = f"{panel.title}, " if panel.title and len(panels) > 1 else ""
                out.append("│ ", _style(colour(rule.style or 0)))
                out.append(f"{rule.label} ({where}{looks.get(rule.style or 0, '')})   ")
    flat = dict.fromkeys(rule.label for panel in panels for rule in panel.rules if not rule.upright)
    return out.append("".join(f"─ {label}   " for label in flat))


def _style(front: RGB, ground: RGB | None = None) -> str:
    return f"rgb({','.join(map(str, front))})" + (f" on rgb({','.join(map(str, ground))})" if ground else "")


def _cells(panel: Cells, ends: tuple[float, float], signed: bool, width: int) -> "RenderableType":
    """Columns for which there is no room are named."""
    from rich.table import Table
    from rich.text import Text

    head = max(len(text) for text in [*panel.rows, panel.left])
    cell = max(len(text) for text in [*panel.columns, *(text for line in panel.texts for text in line)]) + 2
    room = max(1, (width - head - 1) // cell)
    table = Table.grid(padding=0)
    table.title, table.title_justify, table.title_style = panel.title or None, "left", "bold"
    table.add_row(Text(panel.left, "dim"), " ", *(Text(f"{text:^{cell}}") for text in panel.columns[:room]))
    for name, values, texts in zip(panel.rows, panel.values, panel.texts, strict=True):
        row = []
        for value, text in zip(values[:room], texts[:room], strict=True):
            ground = None if value is None else shade(value, *ends, signed)
            row.append(Text(f"{text or '-':^{cell}}", _style(ink(ground), ground) if ground else ""))
        table.add_row(Text(name), " ", *row)
    left_out = f"; no room for {', '.join(panel.columns[room:])}" if panel.columns[room:] else ""
    table.caption, table.caption_justify, table.caption_style = f"below: {panel.below}{left_out}", "left", "dim"
    return table


def _lines(panel: Lines, width: int) -> "Text":
    """A line for each effect: its label, its interval on a common scale, its figures."""
    from rich.text import Text

    told = min(max(map(len, panel.texts)), width // 3 + 4)
    label = min(max(map(len, panel.labels)), width - told - TRACK)
    room = max(10, width - label - told - 2)
    ends = margins([*panel.values, *panel.low, *panel.high, 0.0], 0.02)

    def column(value: float) -> int:
        return round((value - ends[0]) / (ends[1] - ends[0]) * (room - 1))

    out = Text(f"{panel.title}{panel.below and f', {panel.below}'}\n", "bold", no_wrap=True, overflow="crop")
    rows = zip(panel.labels, panel.values, panel.low, panel.high, panel.texts, strict=True)
    for name, value, low, high, text in rows:
        track = [" "] * room
        track[column(0.0)] = "┊"
        if low is not None and high is not None:
            first, last = column(low), column(high)
            track[first : last + 1] = ["├", *"─" * (last - first - 1), "┤"][: last - first + 1]
        if value is not None:
            track[column(value)] = mark(0)
        cut = name if len(name) <= label else name[: label - 1] + "…"
        out.append(f"{cut:{label}} ").append("".join(track), _style(colour(0)))
        out.append(f" {text if len(text) <= told else text[: told - 1] + '…'}\n")
    below = [" "] * (label + 1 + room)
    for value in steps(*ends, max(1, room // 9)):
        text = f"{value:g}"
        first = label + 1 + column(value) - len(text) // 2
        below[first : first + len(text)] = text
    return out.append("".join(below).rstrip(), "dim")
