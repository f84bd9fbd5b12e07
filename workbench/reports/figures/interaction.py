"""An interaction: the effect over the levels of one factor, a line for each level of another."""

from workbench.reports.figures._grid import over_two
from workbench.reports.figures.base import Axes, Drawing, Figure, Panel, Series
from workbench.studies.results import StudyResults
from workbench.studies.words import level_text

ASIDE = 0.07
"""How far lines stand beside each other, of the step from one level to the next."""


class Interaction(Figure):
    """Levels below at equal steps, whatever their size. Where lines are not parallel, one factor changes the other's
    effect, as far as the intervals let it be said."""

    def of(self, results: StudyResults, by: list[str] | None = None) -> Drawing | None:
        over = over_two(results, by)
        if over is None:
            return None
        below, beside = over.levels
        ticks = [(float(i), level_text(x)) for i, x in enumerate(below)]
        panels: list[Panel] = []
        for title, cells in over.panels:
            series = []
            for j, y in enumerate(beside):
                there = [(i, cells[x, y]) for i, x in enumerate(below) if (x, y) in cells]
                aside = (j - (len(beside) - 1) / 2) * ASIDE
                series.append(
                    Series(
                        label=over.beside[j],
                        style=j,
                        x=[i + aside for i, _ in there],
                        y=[row["estimate"] or 0.0 for _, row in there],
                        low=[row.get("ci_low") for _, row in there],
                        high=[row.get("ci_high") for _, row in there],
                        joined=True,
                    )
                )
            drawn = [each for each in series if each.x]
            panels.append(Axes(title, over.names[0], f"{over.effect}, {over.measure}", drawn, ticks))
        return Drawing(results.title, over.caption(), over.method, panels)
