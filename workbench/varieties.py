"""Varieties and pairs: one table, read from `varieties.toml`."""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

from store import LswError, nearest

MIXED = "mul"
"""The code of passages in several varieties."""


@dataclass(frozen=True)
class Variety:
    """One row of the table; `code` is what users type, the rest is explained at the head of `varieties.toml`."""

    code: str
    name: str
    script: str
    family: str
    words: str
    xmod: tuple[str, ...] = field(default=())
    high: str | None = None
    ir_datasets: str | None = None
    google: str | None = None
    nllb: str | None = None
    apertium: str | None = None

    def adapter(self, available: Iterable[str]) -> str:
        """The X-MOD adapter of this variety in a model: the first of its row that the model has.

        Raises:
            LswError: the model has none of them.
        """
        have = set(available)
        for name in self.xmod:
            if name in have:
                return name
        raise LswError(
            f"The model has no X-MOD adapter for {self.name} ({self.code}).",
            f"Wanted one of {', '.join(self.xmod)}; it has {', '.join(sorted(have))}.",
            "Add an adapter the model has to the variety's `xmod` list in varieties.toml.",
        )


@cache
def table() -> dict[str, Variety]:
    """All varieties by code."""
    with (Path(__file__).parent / "varieties.toml").open("rb") as file:
        rows = tomllib.load(file)
    return {code: Variety(code=code, **{**row, "xmod": tuple(row["xmod"])}) for code, row in rows.items()}


def variety(code: str) -> Variety:
    """The variety with this code; one with a region after a hyphen (`fr-ca`) is the language's, under its own code.

    Raises:
        LswError: there is no such code; the nearest one is offered.
    """
    known = table()
    language, _, region = code.partition("-")
    if region.isalnum() and code not in known and language in known:
        return replace(known[language], code=code)
    if code not in known:
        raise LswError(f"Unknown variety '{code}'.", cure=nearest(code, known))
    return known[code]


@dataclass(frozen=True)
class Pair:
    """A low-resource variety and the high-resource relative in which the documents are written, as in `yue-zh`."""

    low: str
    high: str

    def __str__(self) -> str:
        return f"{self.low}-{self.high}"


def pair(text: str) -> Pair:
    """Read `low-high`.

    Raises:
        LswError: not of that form, or a code is unknown.
    """
    low, dash, high = text.partition("-")
    if not dash:
        raise LswError(
            f"'{text}' is not a pair of varieties.", cure="Write low-resource first, as in yue-zh. " + _known_pairs()
        )
    return Pair(variety(low).code, variety(high).code)


def _known_pairs() -> str:
    return "Known: " + ", ".join(f"{v.code}-{v.high}" for v in table().values() if v.high) + "."
