"""Tables of pairs: files whose first two columns are words or texts in two varieties."""

from collections.abc import Iterator
from pathlib import Path

from workbench.collections.formats import fault, numbered

CURE = "Columns: a word, tab, its translation; more columns may follow."


def pairs(path: Path, turned: bool) -> Iterator[tuple[str, str, list[str]]]:
    """Source, target and the other columns of each line.

    Args:
        path: a file of columns separated by tabs; blank lines are passed over.
        turned: whether the target stands first.

    Raises:
        LswError: a line without a tab or with an empty word, invalid UTF-8.
    """
    for number, line in numbered(path):
        first, tab, rest = line.partition("\t")
        second, *others = rest.split("\t")
        if not tab:
            raise fault(path, number, "No tab on this line.", CURE)
        if not first.strip() or not second.strip():
            raise fault(path, number, "One of the two words is empty.", CURE)
        yield (second, first, others) if turned else (first, second, others)
