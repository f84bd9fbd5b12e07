"""A figure as a file for a paper: SVG or PDF, by matplotlib, text as text; the same effects make the same bytes."""

import warnings
from itertools import pairwise
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Any

from store import LswError, nearest
from workbench.reports.figures._fonts import families
from workbench.reports.figures._looks import (
    BELOW_AND_ABOVE,
    DASHES,
    LOW_TO_HIGH,
    RGB,
    colour,
    ink,
    shade,
    shape,
)
from workbench.reports.figures._scales import margins, number, spread, steps, x_limits, y_limits
from workbench.reports.figures.base import Axes, Cells, Drawing, Lines, Series

if TYPE_CHECKING:
    from matplotlib.axes import Axes as Plot
    from matplotlib.figure import Figure as Sheet

FORMS = ("svg", "pdf")
WIDTH = 8.0
"""Inches of a row of panels, unless one alone is wider."""
LETTER = 0.065
"""Inches of a letter, nearly."""
STEPS = 48
"""Of the scale of colours; one of 50 matplotlib would draw as pixels."""
_SETTINGS = {
    "svg.fonttype": "none", "svg.hashsalt": "lsw", "pdf.fonttype": 42, "font.size": 8,
    "axes.spines.top": False, "axes.spines.right": False, "axes.titlesize": 8, "axes.linewidth": 0.6,
    "xtick.major.width": 0.6, "ytick.major.width": 0.6, "legend.frameon": False, "legend.fontsize": 8,
}  # fmt: skip


def form_of(path: Path) -> str:
    """The form that a file's name asks for.

    Raises:
        LswError: it is neither SVG nor PDF.
    """
    form = path.suffix.lower().removeprefix(".")
    if form not in FORMS:
        raise LswError(f"{path}: a figure is written as SVG or PDF, not as '{form}'.", cure=nearest(form, FORMS))
    return form


def written(drawing: Drawing, path: Path) -> str:
    """Write a figure, whole or not at all.

    Returns:
        what is to be said of it; empty if there is nothing.

    Raises:
        LswError: the name is of no known form, matplotlib is not there, or the file cannot be written.
    """
    form = form_of(path)
    try:
        import matplotlib
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure as Sheet
    except ImportError:
        raise LswError(
            "Figures in files are drawn by matplotlib, which is not installed.",
            cure="pip install 'lsw-workbench[plots]'. In the terminal they are drawn without it.",
        ) from None
    about = {"Title": drawing.title or drawing.panels[0].title, "Date" if form == "svg" else "CreationDate": None}
    about["Description" if form == "svg" else "Subject"] = drawing.words
    aside = path.with_name(f".{path.name}.part")
    fonts, warning = families(_text(drawing))
    settings = {**matplotlib.rcParamsDefault, **_SETTINGS, "font.family": fonts, "backend": "agg"}
    if len(fonts) > 1:  # fonts with Han characters are often OpenType, which is no Type 42
        settings["pdf.fonttype"] = 3
    with matplotlib.rc_context(settings), warnings.catch_warnings():
        if warning:
            warnings.filterwarnings("ignore", message="Glyph .* missing")  # said in our own words
        sheet = Sheet(layout="constrained")
        FigureCanvasAgg(sheet)
        _draw(drawing, sheet)
        try:
            sheet.savefig(aside, format=form, metadata=about)
            aside.replace(path)
        except OSError as error:
            aside.unlink(missing_ok=True)
            raise LswError(
                f"The figure {path} cannot be written: {error.strerror or error}.", cure="Name another file."
            ) from None
    return warning


def _text(drawing: Drawing) -> str:
    """All letters of it."""
    return str([drawing.panels, drawing.title])


def _draw(drawing: Drawing, sheet: "Sheet") -> None:
    panels = drawing.panels
    wide, high = _size(drawing)
    beside = 1 if isinstance(panels[0], Lines) else min(max(1, int(WIDTH / wide)), len(panels))
    beside = 2 if len(panels) == 4 and beside == 3 else beside
    down = -(-len(panels) // beside)
    sheet.set_size_inches(wide * beside + 0.2, high * down + (0.5 if isinstance(panels[0], Axes) else 0.2))
    heights = [len(panel.labels) + len(set(panel.groups)) + 2 for panel in panels if isinstance(panel, Lines)]
    if heights:
        sheet.set_size_inches(6.4, 0.19 * sum(heights) + 0.4 * len(heights))
    plots = sheet.subplots(down, beside, squeeze=False, gridspec_kw={"height_ratios": heights} if heights else None)
    flat = list(plots.flat)
    axes = [panel for panel in panels if isinstance(panel, Axes)]
    limits = y_limits(axes) if axes else (0.0, 1.0)
    every = [value for panel in panels if isinstance(panel, Cells) for line in panel.values for value in line]
    for i, (panel, plot) in enumerate(zip(panels, flat, strict=False)):
        if isinstance(panel, Axes):
            _axes(panel, plot, limits, first=i % beside == 0, alone=len(panels) == 1)
        elif isinstance(panel, Cells):
            _cells(panel, plot, spread(every), drawing.signed)
        else:
            _lines(panel, plot)
    for plot in flat[len(panels) :]:
        plot.set_axis_off()
    if axes:
        _legend(axes, sheet)
    elif every:
        _scale(sheet, flat[: len(panels)], spread(every), drawing)


def _size(drawing: Drawing) -> tuple[float, float]:
    """Inches of one panel."""
    panel = drawing.panels[0]
    if isinstance(panel, Cells):
        return 0.52 * len(panel.columns) + 1.1, 0.3 * len(panel.rows) + 0.7
    if isinstance(panel, Axes) and panel.square:
        return 4.0, 3.8
    return (4.4, 2.8) if len(drawing.panels) == 1 else (2.6, 2.1)


def _hex(rgb: RGB) -> str:
    return "#{:02x}{:02x}{:02x}".format(*rgb)


def _axes(panel: Axes, plot: "Plot", limits: tuple[float, float], first: bool, alone: bool) -> None:
    plot.set_ylim(*limits)
    plot.set_xlim(*x_limits(panel))
    if limits[0] < 0 < limits[1]:
        plot.axhline(0, color="#999999", linewidth=0.6)
    for rule in panel.rules:
        tint = "#777777" if rule.style is None else _hex(colour(rule.style))
        line = plot.axvline if rule.upright else plot.axhline
        line(rule.at, color=tint, linewidth=0.8, linestyle=(0, (3, 2)))
        if not rule.upright:
            at = (1.01, rule.at)
            plot.annotate(rule.label, at, xycoords=("axes fraction", "data"), va="center", fontsize=6, color=tint)
    if panel.square:
        plot.set_box_aspect(1)
        plot.plot(limits, limits, color="#bbbbbb", linewidth=0.6, linestyle=(0, (1, 2)))
    for note in panel.notes:
        plot.annotate(
            note.text,
            (note.x, note.y),
            ha="center",
            va="center",
            fontsize=7,
            color="#555555",
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1},
        )
    for i, series in enumerate(panel.series):
        tint, dash = _hex(colour(series.style)), DASHES[max(0, series.style) % len(DASHES)]
        if series.filled:
            edges = [x + half for x in series.x for half in (-0.5, 0.5)]
            bars = plot.fill_between(edges, [y for y in series.y for _ in range(2)], color=tint, linewidth=0)
            bars.set_gid(f"bars-{i}")
            continue
        if series.curve:
            x, middle, low, high = ([point[i] for point in series.curve] for i in range(4))
            if None not in (*low, *high):
                plot.fill_between(x, low, high, color=tint, alpha=0.18, linewidth=0)  # type: ignore[arg-type]
            plot.plot(x, middle, color=tint, linewidth=1.1, linestyle=dash)  # type: ignore[arg-type]
        elif series.joined:
            plot.plot(series.x, series.y, color=tint, linewidth=1.0, linestyle=dash)
        for place, low_end, high_end in zip(series.x, series.low, series.high, strict=False):
            if low_end is not None and high_end is not None:
                plot.plot([place, place], [low_end, high_end], color=tint, linewidth=0.9)
        if series.counts:
            _counted(series, plot, tint, i)
        elif series.marked:
            [marks] = plot.plot(series.x, series.y, shape(series.style), color=tint, markersize=3.6)
            marks.set_gid(f"points-{i}")
    plot.set_xticks([at for at, _ in panel.ticks], [text for _, text in panel.ticks])
    plot.minorticks_off()
    heights = steps(*limits, 6)
    plot.set_yticks(heights, [number(at) for at in heights])
    wide = 4.4 if alone else 2.6
    _thin(plot, panel, wide)
    plot.set_title(fill(panel.title, int(wide / LETTER)), loc="left")
    plot.set_xlabel(panel.below)
    if first:
        plot.set_ylabel(panel.left)


def _counted(series: Series, plot: "Plot", tint: str, i: int) -> None:
    """Marks whose area grows with how many things they stand for, and how many these are."""
    areas = [10.0 * count**0.5 for count in series.counts]
    marks = plot.scatter(series.x, series.y, s=areas, c=tint, marker=shape(series.style), linewidths=0, alpha=0.85)
    marks.set_gid(f"points-{i}")
    for x, y, count, area in zip(series.x, series.y, series.counts, areas, strict=True):
        if count > 1:
            aside = (area**0.5 / 2 + 1, 0)
            plot.annotate(f"{count}", (x, y), aside, textcoords="offset points", va="center", fontsize=5, color=tint)


def _thin(plot: "Plot", panel: Axes, wide: float) -> None:
    """Labels that would lie on each other stand upright."""
    ends = x_limits(panel)
    places = [(at - ends[0]) / (ends[1] - ends[0]) for at, _ in panel.ticks]
    near = min((b - a for a, b in pairwise(places)), default=1.0)
    if near * wide < LETTER * max((len(text) for _, text in panel.ticks), default=1) + 0.05:
        plot.tick_params(axis="x", labelrotation=90)


def _legend(panels: list[Axes], sheet: "Sheet") -> None:
    from matplotlib.lines import Line2D

    looks = {series.style: series for panel in panels for series in panel.series if series.label}
    entries: list[Any] = [
        Line2D([], [], color=_hex(colour(i)), marker=shape(i), markersize=3.6, label=series.label,
               linestyle=DASHES[max(0, i) % len(DASHES)] if series.curve or series.joined else "none", linewidth=1.0)
        for i, series in sorted(looks.items(), key=lambda each: (each[0] < 0, abs(each[0])))
    ]  # fmt: skip
    upright = [rule.label for panel in panels for rule in panel.rules if rule.upright and rule.label]
    if upright:
        what = upright[0].rpartition(" ")[0]
        entries.append(Line2D([], [], color="#777777", linewidth=0.8, linestyle=(0, (3, 2)), label=what))
    longest = max((len(entry.get_label()) for entry in entries), default=1)
    beside = int(sheet.get_figwidth() / (LETTER * longest + 0.45))
    if entries:
        sheet.legend(handles=entries, loc="outside lower center", ncols=max(1, min(4, len(entries), beside)))


def _cells(panel: Cells, plot: "Plot", ends: tuple[float, float], signed: bool) -> None:
    from matplotlib.patches import Rectangle

    for i, (values, texts) in enumerate(zip(panel.values, panel.texts, strict=True)):
        for j, (value, text) in enumerate(zip(values, texts, strict=True)):
            ground = (255, 255, 255) if value is None else shade(value, *ends, signed)
            cell = Rectangle((j - 0.5, i - 0.5), 1, 1, facecolor=_hex(ground), edgecolor="white", linewidth=0.6)
            cell.set_gid(f"cell-{i}-{j}")
            plot.add_patch(cell)
            plot.text(j, i, text or "–", ha="center", va="center", fontsize=7, color=_hex(ink(ground)))
    plot.set_xlim(-0.5, len(panel.columns) - 0.5)
    plot.set_ylim(len(panel.rows) - 0.5, -0.5)
    plot.set_xticks(range(len(panel.columns)), panel.columns)
    plot.set_yticks(range(len(panel.rows)), panel.rows)
    plot.tick_params(length=0)
    plot.spines[:].set_visible(False)
    plot.set_title(panel.title, loc="left")
    plot.set_xlabel(panel.below)
    plot.set_ylabel(panel.left)


def _scale(sheet: "Sheet", plots: "list[Plot]", ends: tuple[float, float], drawing: Drawing) -> None:
    """Which colour is which value."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import LinearSegmentedColormap, Normalize

    low, high = ends
    if drawing.signed:
        high = max(abs(low), abs(high))
        low = -high
    if low == high:
        return
    three = [_hex(rgb) for rgb in (BELOW_AND_ABOVE if drawing.signed else LOW_TO_HIGH)]
    colours = ScalarMappable(Normalize(low, high), LinearSegmentedColormap.from_list("lsw", three, STEPS))
    bar: Any = sheet.colorbar(colours, ax=plots, shrink=0.9, aspect=25, pad=0.02)
    bar.solids.set_edgecolor("face")


def _lines(panel: Lines, plot: "Plot") -> None:
    tint = _hex(colour(0))
    places, ends, groups = _rows(panel)
    rows = enumerate(zip(places, panel.values, panel.low, panel.high, panel.texts, strict=True))
    there: list[tuple[float, float, bool]] = []
    for i, (at, value, low, high, text) in rows:
        if low is not None and high is not None:
            plot.plot([low, high], [at, at], color=tint, linewidth=1.0)
        if value is not None:
            there.append((value, at, not panel.holds or panel.holds[i]))
        plot.annotate(text, (1.02, at), xycoords=("axes fraction", "data"), va="center", fontsize=7)
    faces = [tint if holds else "white" for *_, holds in there]
    marks = plot.scatter([x for x, *_ in there], [y for _, y, _ in there], s=14, c=faces, edgecolors=tint,
                         linewidths=0.9, zorder=3)  # fmt: skip
    marks.set_gid("points-0")
    plot.axvline(0, color="#999999", linewidth=0.6)
    plot.set_xlim(*margins([*panel.values, *panel.low, *panel.high, 0.0], 0.04))
    plot.set_ylim(ends + 0.7, -0.7)
    ticks = [*zip(places, panel.labels, strict=True), *groups]
    plot.set_yticks([at for at, _ in ticks], [text for _, text in ticks])
    for label in plot.get_yticklabels()[len(places) :]:
        label.set_fontstyle("italic")
    steady = steps(*plot.get_xlim(), 6)
    plot.set_xticks(steady, [number(at) for at in steady])
    plot.tick_params(axis="y", length=0)
    plot.spines["left"].set_visible(False)
    plot.set_title(panel.title, loc="left")
    plot.set_xlabel(panel.below)


def _rows(panel: Lines) -> tuple[list[float], float, list[tuple[float, str]]]:
    """Where each line is, from the top; where the last one is; names of groups, each on a line of its own."""
    at, group, places, groups = -1.0, "", list[float](), list[tuple[float, str]]()
    for i in range(len(panel.labels)):
        at += 1
        if panel.groups and panel.groups[i] != group:
            group = panel.groups[i]
            groups.append((at, group))
            at += 1
        places.append(at)
    return places, at, groups
