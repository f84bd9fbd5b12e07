"""How much text CC-100 has of each variety: the corpus of XLM-R, made again (`cc100.toml`)."""

import tomllib
from functools import cache
from pathlib import Path

from workbench.similarity.base import Feature, Measured, Wordings
from workbench.varieties import variety

TABLE = Path(__file__).with_name("cc100.toml")
SOURCE = "data.statmt.org/cc-100"


class Cc100(Feature):
    """`cc100-low` and `cc100-high`: megabytes of compressed text, of the pair. A variety without a file, or whose
    size is not in the table, has no value, which is not 0: text in it may be in the file of a relative."""

    def measure(self, of: Wordings) -> list[Measured]:
        out = []
        for side, (code, _) in zip(("low", "high"), of.sides, strict=True):
            size = megabytes(code)
            why_not = None if size is not None else f"no size of a file of {variety(code).name} is known"
            out.append(Measured(f"cc100-{side}", size, int(size is not None), SOURCE, why_not=why_not))
        return out


@cache
def _table() -> dict[str, float]:
    with TABLE.open("rb") as file:
        sizes: dict[str, float] = tomllib.load(file)["megabytes"]
    return sizes


def megabytes(code: str) -> float | None:
    """Of a variety; None if it has no file, or none whose size is known here."""
    return _table().get(code.partition("-")[0])
