"""Where words and their translations come from, each one file."""

from workbench.lexicons.base import Lexicon
from workbench.registry import Registry

LEXICONS = Registry(Lexicon, "lexicon", ("workbench.lexicons",), "lsw.lexicons")
