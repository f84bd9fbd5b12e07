"""What every source of words and their translations can do."""

from workbench.registry import Part


class Lexicon(Part):
    """Words of one variety with their translations in another."""

    lexicon: str
