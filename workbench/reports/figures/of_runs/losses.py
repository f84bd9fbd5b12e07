"""The loss of a fine-tuning, as it was logged."""

from workbench.reports.figures._scales import margins, number, steps
from workbench.reports.figures.base import Axes, Drawing, Series
from workbench.reports.figures.of_runs.base import Losses as Logged
from workbench.reports.figures.of_runs.base import Plain, RunFigure

FEW = 40
"""Logged losses up to which each is marked."""


class Losses(RunFigure):
    """One curve over whole steps; from 0 up if the loss fell below half of its highest."""

    of_data = Logged
    title = "losses"

    def of(self, data: Logged) -> Drawing | None:
        if not data.steps:
            return None
        low, high = margins([*data.losses])
        if 0 <= min(data.losses) < max(data.losses) / 2:
            low = 0.0
        series = Series(
            "", 0, [float(step) for step in data.steps], list(data.losses), joined=True,
            marked=len(data.steps) <= FEW,
        )  # fmt: skip
        whole = [at for at in steps(0, max(1, data.steps[-1]), 6) if at == round(at)]
        panel = Axes(
            title=data.name,
            below="step",
            left="loss",
            series=[series],
            ticks=[(at, number(at)) for at in whole],
            widths=margins([0.0, float(data.steps[-1])], 0.02),
            heights=(low, high),
        )
        return Drawing("", data.about, "", [panel])

    def plain(self, data: Logged) -> Plain:
        rows = zip(data.steps, data.losses, strict=True)
        return ["step", "loss"], [[str(step), repr(loss)] for step, loss in rows]
