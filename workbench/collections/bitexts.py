"""Files of parallel texts: columns of a table, or two files line by line.

`texts.tsv` has the source's text in its first column and the target's in its second; `texts.tsv#4,2` has them in its
fourth and second (Tatoeba's exports: id, text, id, text). `a.txt|b.txt` are two files of as many lines (FLORES).
`{source}` and `{target}` stand for the varieties' codes.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path

from store import LswError
from workbench.collections.formats import fault, raw_lines

LONGER = 10.0
"""How much longer a side may be, in bytes of UTF-8: a Han character has three, as many as a short word's letters."""
_COLUMNS = re.compile(r"(.*)#([1-9][0-9]?),([1-9][0-9]?)", re.DOTALL)


@dataclass(frozen=True)
class Parallel:
    """Where parallel texts are.

    Args:
        files: one, or that of the source and that of the target.
        columns: of the source and of the target in a single file, from 0.
    """

    files: tuple[str, ...]
    columns: tuple[int, int] = (0, 1)


@dataclass
class Dropped:
    """Lines that are left out, and why."""

    uneven: list[int] = field(default_factory=list)


def parallel(origin: str, source: str, target: str) -> Parallel:
    """Read a place as a recipe writes it.

    Raises:
        LswError: it names the same column twice, or more than two files.
    """
    filled = origin.replace("{source}", source).replace("{target}", target)
    if match := _COLUMNS.fullmatch(filled):
        columns = int(match[2]) - 1, int(match[3]) - 1
        if columns[0] == columns[1] or "|" in match[1]:
            raise LswError(f"'{origin}' is no bitext.", cure="Name two columns of one file, as in texts.tsv#2,4.")
        return Parallel((match[1],), columns)
    files = tuple(part.strip() for part in filled.split("|"))
    if len(files) > 2 or not all(files):
        raise LswError(f"'{origin}' is no bitext.", cure="Name one file of columns, or two as in a.txt|b.txt.")
    return Parallel(files)


def turned(origin: str) -> str:
    """The same place with source and target exchanged."""
    if match := _COLUMNS.fullmatch(origin):
        return f"{match[1]}#{match[3]},{match[2]}"
    return "|".join(reversed(origin.split("|"))) if "|" in origin else f"{origin}#2,1"


def read_bitext(paths: list[Path], columns: tuple[int, int], dropped: Dropped) -> Iterator[tuple[int, str, str]]:
    """Line, source and target of parallel texts.

    Args:
        paths: one file of columns, or two of lines.
        columns: of the source and the target in a single file.
        dropped: told the lines left out because one side is more than ten times as long as the other.

    Raises:
        LswError: an empty side, too few columns, files of unequal length, invalid UTF-8.
    """
    for number, source, target in _lines(*paths) if len(paths) == 2 else _columns(paths[0], columns):
        for path, column, text in zip((paths[0], paths[-1]), columns, (source, target), strict=True):
            if not text.strip():
                what = "This line" if len(paths) == 2 else f"Column {column + 1} of this line"
                raise fault(path, number, f"{what} is empty.", "Fill it, or remove the line on both sides.")
        long, short = sorted((len(source.strip().encode()), len(target.strip().encode())), reverse=True)
        if long > LONGER * short:
            dropped.uneven.append(number)
            continue
        yield number, source.strip(), target.strip()


def _decoded(path: Path) -> Iterator[tuple[int, str]]:
    """Numbered lines, blank ones as well: two files are held together by their numbers."""
    for number, raw in raw_lines(path):
        try:
            yield number, raw.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
        except UnicodeDecodeError as error:
            where = f"Invalid UTF-8 at byte {error.start} of the line."
            raise fault(path, number, where, "Save the file as UTF-8.") from None


def _columns(path: Path, columns: tuple[int, int]) -> Iterator[tuple[int, str, str]]:
    for number, line in _decoded(path):
        if not line.strip():
            continue
        cells = line.split("\t")
        if len(cells) <= max(columns):
            few = "No tab on this line." if len(cells) == 1 else f"{len(cells)} columns; {max(columns) + 1} expected."
            raise fault(path, number, few, "Columns: a text, tab, its translation; or name others, as in FILE#2,4.")
        yield number, cells[columns[0]], cells[columns[1]]


def _lines(left: Path, right: Path) -> Iterator[tuple[int, str, str]]:
    count = {path: sum(1 for _ in raw_lines(path)) for path in (left, right)}
    if count[left] != count[right]:
        raise LswError(
            f"The two files of the bitext have {count[left]:,} and {count[right]:,} lines.",
            f"{left}, {right}",
            "Line n of one must be the translation of line n of the other.",
        )
    for one, other in zip_longest(_decoded(left), _decoded(right)):
        if one[1].strip() or other[1].strip():  # a line that is blank on both sides parts two texts
            yield one[0], one[1], other[1]
