"""A query's value in one run against its value in the other: what is above the diagonal is won."""

import numpy as np

from workbench.reports.figures._looks import HERE, LOST, TIED, WON
from workbench.reports.figures._scales import number, steps
from workbench.reports.figures.base import Axes, Drawing, Series
from workbench.reports.figures.of_runs.base import Compared, Floats, Plain, RunFigure

DIGITS = 9
"""To which values are equal."""


class Scatter(RunFigure):
    """Queries of equal values are one point, which tells how many they are."""

    of_data = Compared
    title = "query by query"

    def of(self, data: Compared) -> Drawing | None:
        if not data.qids:
            return None
        points, counts = np.unique(np.round(data.values, DIGITS), axis=0, return_counts=True)
        way = np.sign(np.round(points[:, 1] - points[:, 0], DIGITS))
        ends = _ends(data.values)
        series = []
        for style, word, sign in ((WON, "won", 1), (LOST, "lost", -1), (TIED, "tied", 0)):
            keep = way == sign
            if keep.any():
                x, y, many = points[keep, 0].tolist(), points[keep, 1].tolist(), counts[keep].tolist()
                series.append(Series(f"{word}: {sum(many):,}", style, x, y, counts=many))
        if data.here is not None:
            x, y = ([float(value)] for value in data.values[data.here])
            series.append(Series("", HERE, x, y))
        panel = Axes(
            title=data.measure,
            below=data.names[0],
            left=data.names[1],
            series=series,
            ticks=[(at, number(at)) for at in steps(*ends, 6)],
            widths=ends,
            heights=ends,
            square=True,
        )
        words = f"{len(data.qids):,} queries at {len(points):,} points; numbers: how many at one, where there is room"
        return Drawing("", words, "", [panel])

    def plain(self, data: Compared) -> Plain:
        return data.plain()

    def queries(self, data: Compared, x: float, y: float, among: list[int]) -> list[int]:
        if not among:
            return []
        values = data.values[among]
        far = np.round(np.hypot(values[:, 0] - x, values[:, 1] - y), DIGITS)
        nearest = values[int(far.argmin())]
        return [i for i, point in zip(among, values, strict=True) if np.allclose(point, nearest, atol=10.0**-DIGITS)]


def _ends(values: Floats) -> tuple[float, float]:
    """One scale for both axes, with 0 on it."""
    low, high = min(0.0, float(values.min())), max(0.0, float(values.max())) or 1.0
    margin = 0.05 * (high - low)
    return low - margin, high + margin
