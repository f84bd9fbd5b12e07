"""The kinds of stage, each one file: its settings, its version, the tables it fills, its work and what that costs."""

from workbench.graph import Kind
from workbench.registry import Registry

KINDS = Registry(Kind, "kind of stage", ("workbench.stages", "workbench.stages.triples"), "lsw.stages")
