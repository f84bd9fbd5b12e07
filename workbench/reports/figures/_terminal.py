"""A figure in a terminal."""

from rich.cells import cell_len, set_cell_size
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from workbench.reports.figures._canvas import Canvas, Frame
from workbench.reports.figures._looks import Ground, ink, mark, shade
from workbench.reports.figures._plot import QUIET, look, plotted, style
from workbench.reports.figures._scales import margins, number, spread, steps, y_limits
from workbench.reports.figures.base import Axes, Cells, Drawing, Lines

NARROWEST, HEIGHT = 56, 16
"""Of a panel with axes: from twice so many columns on, two stand side by side."""
TRACK = 18
"""Columns at least of the scale of a forest plot."""
OPEN = "○"
"""Marks an effect that is not said to hold, where others are."""


def drawn(drawing: Drawing, width: int, height: int = HEIGHT, ground: Ground = None) -> RenderableType:
    """What rich can print of it.

    Args:
        drawing: what is to be seen.
        width: columns of the terminal; nothing is wider.
        height: lines of a panel with axes.
        ground: what it is printed on, if that is known.
    """
    parts: list[RenderableType] = [Text(drawing.title, "bold")] if drawing.title else []
    axes = [panel for panel in drawing.panels if isinstance(panel, Axes)]
    if axes:
        beside = max(1, min(len(axes), width // NARROWEST))
        limits = y_limits(axes)
        pictures = [plotted(panel, width // beside, height, limits, ground)[0] for panel in axes]
        for i in range(0, len(pictures), beside):
            row = Table.grid()
            row.add_row(*pictures[i : i + beside])
            parts += [Text(), row] if parts else [row]
        parts.append(_legend(axes, width, ground))
    every = [v for panel in drawing.panels if isinstance(panel, Cells) for line in panel.values for v in line]
    lines = [panel for panel in drawing.panels if isinstance(panel, Lines)]
    for panel in drawing.panels:
        if isinstance(panel, Cells):
            parts += [*([Text()] if parts else []), _cells(panel, spread(every), drawing.signed, width)]
        elif isinstance(panel, Lines):
            parts += [*([Text()] if parts else []), _lines(panel, lines, width, ground)]
    return Group(*parts, Text(drawing.words, QUIET))


def pictured(
    drawing: Drawing, width: int, lines: int, ground: Ground = None
) -> tuple[RenderableType, Frame | None]:  # fmt: skip
    """A drawing in a place of its own: of one panel with axes so many lines in all, and where its coordinates are.

    Of other drawings there are no coordinates, and they have as many lines as they need.
    """
    panel = drawing.panels[0]
    if not isinstance(panel, Axes) or len(drawing.panels) > 1:
        return drawn(drawing, width, max(HEIGHT, lines - 4), ground), None
    title = Text(drawing.title, "bold", no_wrap=True, overflow="ellipsis")
    legend, words = _legend([panel], width, ground), Text(drawing.words, QUIET)
    console = Console(width=max(1, width), color_system=None)
    below = [len(part.wrap(console, max(1, width))) if part else 0 for part in (legend, words)]
    room = lines - 1 - below[0] - below[1]
    if room < HEIGHT // 2:  # the words give way
        words, room = Text(), room + below[1]
    plot, frame = plotted(panel, width, room, y_limits([panel]), ground)
    parts = [part for part in (title, plot, legend, words) if part]
    return Group(*parts), frame and frame.below(1 if drawing.title else 0)


def _legend(panels: list[Axes], width: int, ground: Ground) -> Text:
    """Below the panels, never over data; looks whose series has no name are left out, and no name is broken."""
    looks = {series.style: series.label for panel in panels for series in panel.series if series.label}
    entries = [
        Text.assemble((f"{mark(at)} ", look(at, ground)), label)
        for at, label in sorted(looks.items(), key=lambda each: (each[0] < 0, abs(each[0])))
    ]
    for panel in panels:
        for rule in panel.rules:
            if rule.upright and rule.label:
                where = f"{panel.title}, " if panel.title and len(panels) > 1 else ""
                words = f"{rule.label} ({where}{looks.get(rule.style or 0, '')})"
                entries.append(Text.assemble(("│ ", look(rule.style or 0, ground)), words))
    flat = dict.fromkeys(rule.label for panel in panels for rule in panel.rules if not rule.upright and rule.label)
    out, used = Text(), 0
    for entry in [*entries, *(Text(f"─ {label}") for label in flat)]:
        apart = "   " if used and used + 3 + entry.cell_len <= width else "\n" if used else ""
        used = entry.cell_len + (used + 3 if apart == "   " else 0)
        out.append(apart).append_text(entry)
    return out


def _cells(panel: Cells, ends: tuple[float, float], signed: bool, width: int) -> RenderableType:
    """Columns for which there is no room are named."""
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
            row.append(Text(f"{text or '-':^{cell}}", style(ink(ground), ground) if ground else ""))
        table.add_row(Text(name), " ", *row)
    left_out = f"; no room for {', '.join(panel.columns[room:])}" if panel.columns[room:] else ""
    table.caption, table.caption_justify, table.caption_style = f"below: {panel.below}{left_out}", "left", "dim"
    return table


def _lines(panel: Lines, every: list[Lines], width: int, ground: Ground) -> Text:
    """A line for each effect: its label, its interval on a common scale, its figures; columns as in the other panels.

    Args:
        panel: what is drawn.
        every: it and those that it is drawn with.
        width: columns.
        ground: what it is drawn on.
    """
    told = min(max(cell_len(text) for each in every for text in each.texts), width // 3 + 4)
    indent = 2 if panel.groups else 0
    label = min(max(cell_len(text) + indent for each in every for text in each.labels), width - told - TRACK)
    room = max(10, width - label - told - 2)
    ends = margins([*panel.values, *panel.low, *panel.high, 0.0], 0.02)

    def column(value: float) -> int:
        return round((value - ends[0]) / (ends[1] - ends[0]) * (room - 1))

    out = Text(no_wrap=True, overflow="crop")
    out.append(f"{panel.title}{panel.below and f', {panel.below}'}\n", "bold")
    rows = zip(panel.labels, panel.values, panel.low, panel.high, panel.texts, strict=True)
    group = ""
    for i, (name, value, low, high, text) in enumerate(rows):
        if panel.groups and panel.groups[i] != group:
            group = panel.groups[i]
            out.append(f"{cut(group, width)}\n", "italic")
        track = Canvas(room, 1)
        track.write(column(0.0), 0, "┊", QUIET)
        tint = look(0, ground)
        if low is not None and high is not None:
            first, last = column(low), column(high)
            track.write(first, 0, ("├" + "─" * (last - first - 1) + "┤")[: last - first + 1], tint)
            if first < column(0.0) < last:
                track.write(column(0.0), 0, "┼", tint)
        if value is not None:
            track.write(column(value), 0, mark(0) if not panel.holds or panel.holds[i] else OPEN, tint)
        out.append(f"{fitted(' ' * indent + name, label)} ").append_text(track.text(whole=True))
        out.append(f" {cut(text, told)}\n")
    below = Canvas(label + 1 + room, 1)
    for at in steps(*ends, max(1, room // 9)):
        text = number(at)
        below.write(label + 1 + column(at) - len(text) // 2, 0, text, QUIET)
    return out.append_text(below.text())


def cut(text: str, width: int) -> str:
    """At most so many cells; what is too long ends in an ellipsis."""
    return text if cell_len(text) <= width else set_cell_size(text, max(0, width - 1)).rstrip() + "…"


def fitted(text: str, width: int) -> str:
    """Exactly so many cells; what is too long has an ellipsis in its middle, as names differ at their ends."""
    if cell_len(text) <= width or width < 4:
        return set_cell_size(text, width)
    tail, at = (width - 1) // 2, len(text)
    while cell_len(text[at - 1 :]) <= tail:
        at -= 1
    return set_cell_size(text, width - 1 - cell_len(text[at:])) + "…" + text[at:]
