"""The mean of a measure at rank cut-offs: where in the ranking runs differ."""

from math import isnan, log10

from workbench.reports.figures._looks import RUNS
from workbench.reports.figures.base import Axes, Drawing, Series
from workbench.reports.figures.of_runs.base import AtCutoffs, Plain, RunFigure, ladder


class Cutoffs(RunFigure):
    """A curve for each run over the logarithm of the cut-off, from 0 up."""

    of_data = AtCutoffs
    title = "by cut-off"

    def of(self, data: AtCutoffs) -> Drawing | None:
        if not data.cutoffs or not data.names:
            return None
        x = [log10(k) for k in data.cutoffs]
        series = []
        for i, name in enumerate(data.names):
            known = [(at, mean) for at, mean in zip(x, data.means[i].tolist(), strict=True) if not isnan(mean)]
            series.append(
                Series(name, RUNS[i % len(RUNS)], [at for at, _ in known], [mean for _, mean in known], joined=True)
            )
        panel = Axes(
            title=f"{data.measure}@k",
            below="rank cut-off k",
            left="mean",
            series=series,
            ticks=[(log10(k), f"{k:,}") for k in ladder(data.cutoffs[-1])],
            widths=(x[0] - 0.03 * (x[-1] - x[0] or 1), x[-1] + 0.03 * (x[-1] - x[0] or 1)),
            heights=(0.0, 1.08 * max((max(each.y) for each in series if each.y), default=0.0) or 1.0),
        )
        return Drawing("", f"{data.measure} at {len(data.cutoffs)} cut-offs, on a logarithmic axis", "", [panel])

    def plain(self, data: AtCutoffs) -> Plain:
        rows = zip(data.cutoffs, data.means.T, strict=True)
        return ["k", *data.names], [
            [str(k), *("" if isnan(mean) else repr(float(mean)) for mean in means)] for k, means in rows
        ]
