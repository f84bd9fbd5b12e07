"""A grid as a heat map: the effect at the levels of two factors, as a colour and a number."""

from workbench.reports.figures._grid import over_two
from workbench.reports.figures.base import Cells, Drawing, Figure
from workbench.studies.results import StudyResults
from workbench.studies.words import STAR, level_text, number, significant


class HeatMap(Figure):
    """One panel for each combination of what varies beside the two factors on the axes."""

    def of(self, results: StudyResults, by: list[str] | None = None) -> Drawing | None:
        over = over_two(results, by)
        if over is None:
            return None
        below, beside = over.levels
        panels = []
        for title, cells in over.panels:
            rows = [[cells.get((x, y)) for x in below] for y in beside]
            panels.append(
                Cells(
                    title=title,
                    below=over.names[0],
                    left=over.names[1],
                    rows=[level_text(y) for y in beside],
                    columns=[level_text(x) for x in below],
                    values=[[row.get("estimate") if row else None for row in line] for line in rows],
                    texts=[
                        [number(row, row["estimate"] or 0.0) + ("*" if significant(row) else "") if row else ""
                         for row in line] for line in rows
                    ],
                )
            )  # fmt: skip
        values = [v for panel in panels for line in panel.values for v in line if v is not None]
        star = any("*" in text for panel in panels for line in panel.texts for text in line)
        method = "; ".join(filter(None, [over.method, STAR if star else ""]))
        return Drawing(results.title, over.caption(), method, list(panels), signed=min(values) < 0)
