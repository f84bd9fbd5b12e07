"""Pictures of runs, each sort one file: what screens show of them, and files for a paper by the same code."""

from workbench.registry import Registry
from workbench.reports.figures.of_runs.base import RunFigure

RUN_FIGURES = Registry(
    RunFigure,
    "figure of runs",
    ("workbench.reports.figures.of_runs",),
    "lsw.run_figures",
    ("differences", "scatter", "cutoffs", "losses", "contrasts"),
)
