"""Pictures of a study, each sort one file: `lsw study figure NAME`."""

from workbench.registry import Registry
from workbench.reports.figures.base import Figure

FIGURES = Registry(
    Figure, "figure", ("workbench.reports.figures",), "lsw.figures", ("curve", "interaction", "heat-map", "forest")
)
