"""Ends and round ticks of axes, in a terminal and in a file."""

from math import ceil, floor, log10

from workbench.reports.figures.base import Axes


def spread(values: list[float | None]) -> tuple[float, float]:
    """The smallest and the largest of some values; 0 and 1 of none."""
    known = [value for value in values if value is not None]
    return (min(known), max(known)) if known else (0.0, 1.0)


def margins(values: list[float | None], share: float = 0.06) -> tuple[float, float]:
    """`spread` with a margin on both sides."""
    low, high = spread(values)
    more = share * (high - low) or 0.5
    return low - more, high + more


def y_limits(panels: list[Axes]) -> tuple[float, float]:
    """One for all panels, so that they can be held against each other."""
    if fixed := [panel.heights for panel in panels if panel.heights]:
        return min(low for low, _ in fixed), max(high for _, high in fixed)
    values: list[float | None] = []
    for panel in panels:
        values += [rule.at for rule in panel.rules if not rule.upright]
        for series in panel.series:
            values += [*series.y, *series.low, *series.high]
            values += [value for _, *heights in series.curve for value in heights]
    return margins(values)


def x_limits(panel: Axes) -> tuple[float, float]:
    """Of ticks, points and curves."""
    if panel.widths:
        return panel.widths
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


def number(value: float) -> str:
    """A tick's label: no more digits than it needs, and thousands apart."""
    return f"{value:,.12g}"
