"""The rankers, each one file: BM25, bi-encoder, multi-vector and sparse encoders, their sum, rerankers.

Imports of torch and PyTerrier stay inside functions, so that a command which ranks nothing starts at once.
"""

from workbench.registry import Registry
from workbench.systems.base import System

SYSTEMS = Registry(System, "architecture", ("workbench.systems",), "lsw.systems")
