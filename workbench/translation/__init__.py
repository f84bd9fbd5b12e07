"""Translators, each one file: the collection itself, a file, services, Apertium, a checkpoint."""

from workbench.registry import Registry
from workbench.translation.base import Translator

TRANSLATORS = Registry(Translator, "translator", ("workbench.translation",), "lsw.translators")
