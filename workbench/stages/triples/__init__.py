"""Where training triples come from, each one file: a kind of stage that plans itself."""

from workbench.registry import Registry
from workbench.stages.triples.base import TripleSource

TRIPLES = Registry(TripleSource, "source of negatives", ("workbench.stages.triples",), "lsw.triples")
