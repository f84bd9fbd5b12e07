"""What training minimises, each one file."""

from workbench.registry import Registry
from workbench.training.objectives.base import Objective

OBJECTIVES = Registry(Objective, "objective", ("workbench.training.objectives",), "lsw.objectives")
