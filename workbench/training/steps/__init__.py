"""What is done to training triples before a model sees them, each one file."""

from workbench.registry import Registry
from workbench.training.steps.base import Step

STEPS = Registry(Step, "training step", ("workbench.training.steps",), "lsw.steps")
