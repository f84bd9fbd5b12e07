"""Every query's difference, sorted: how many are lost and won, and how much; ties as one stretch."""

from dataclasses import dataclass

import numpy as np

from workbench.reports.figures._looks import HERE, LOST, WON
from workbench.reports.figures._scales import number, steps
from workbench.reports.figures.base import Axes, Drawing, Note, Rule, Series
from workbench.reports.figures.of_runs.base import Compared, Plain, RunFigure

SHARE = 0.25
"""Of the width, at most, that tied queries take."""


class Differences(RunFigure):
    """Bars from 0, the worst query at the left, the best at the right."""

    of_data = Compared
    title = "differences"

    def of(self, data: Compared) -> Drawing | None:
        if not data.qids:
            return None
        order = np.argsort(data.deltas, kind="stable")
        sorted_ = data.deltas[order]
        axis = _Axis.of(data)
        low, high = min(0.0, float(sorted_[0])), max(0.0, float(sorted_[-1]))
        margin = 0.06 * (high - low) or 0.1
        ends = (low - margin if low else -margin / 2, high + margin if high else margin / 2)
        series = []
        for style, word, first, last in (
            (LOST, "lost", 0, axis.lost), (WON, "won", axis.lost + axis.tied, len(order)),
        ):  # fmt: skip
            if last > first:
                y = sorted_[first:last].tolist()
                x = [axis.place(i) for i in range(first, last)]
                series.append(Series(f"{word}: {len(y):,}", style, x, y, filled=True))
        notes = [Note(axis.place(axis.lost + (axis.tied - 1) / 2), 0.0, f" {axis.tied:,} tied ")] if axis.tied else []
        rules = []
        if data.here is not None:
            rules = [Rule(axis.place(order.tolist().index(data.here)), "", upright=True, style=HERE)]
        panel = Axes(
            title=f"{data.measure}: {data.names[1]} against {data.names[0]}",
            below="queries, from the worst to the best",
            left="difference",
            series=series,
            ticks=axis.ticks(),
            rules=rules,
            notes=notes,
            widths=(0.5, axis.lost + axis.won + axis.width + 0.5),
            heights=ends,
        )
        words = f"{len(order):,} queries"
        if axis.width < axis.tied:
            words += f"; the {axis.tied:,} tied ones are drawn as one stretch"
        return Drawing("", words, "", [panel], signed=True)

    def plain(self, data: Compared) -> Plain:
        return data.plain()

    def queries(self, data: Compared, x: float, y: float, among: list[int]) -> list[int]:
        axis, order = _Axis.of(data), np.argsort(data.deltas, kind="stable").tolist()
        rank = {query: i for i, query in enumerate(order)}
        return [min(among, key=lambda query: abs(axis.place(rank[query]) - x))] if among else []


@dataclass(frozen=True)
class _Axis:
    """Where sorted queries stand: at their rank, but for ties, which take so much `width`."""

    lost: int
    tied: int
    won: int
    width: float

    @classmethod
    def of(cls, data: Compared) -> "_Axis":
        lost, tied = int((data.deltas < 0).sum()), int((data.deltas == 0).sum())
        won = len(data.qids) - lost - tied
        most = (lost + won) * SHARE / (1 - SHARE) or tied
        return cls(lost, tied, won, min(tied, most))

    def place(self, rank: float) -> float:
        """Of a rank from 0; the first place is 1."""
        if rank < self.lost:
            return rank + 1
        if rank < self.lost + self.tied:
            return self.lost + 0.5 + (rank - self.lost + 0.5) / self.tied * self.width
        return rank + 1 - self.tied + self.width

    def ticks(self) -> list[tuple[float, str]]:
        """Round ranks on both sides of the ties, and the first."""
        every = self.lost + self.tied + self.won
        sides = ((0, every),) if self.width == self.tied else ((0, self.lost), (self.lost + self.tied, every))
        ranks = {1} if every else set()
        for first, last in sides:
            if last > first:
                found = (round(at) for at in steps(first, last, 8 // len(sides)) if at == round(at))
                ranks |= {rank for rank in found if first < rank <= last}
        return [(self.place(rank - 1), number(rank)) for rank in sorted(ranks)]
