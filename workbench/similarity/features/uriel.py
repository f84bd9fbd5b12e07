"""Distances between varieties by URIEL, from the table that ships with lsw (`uriel.csv` says how each is made)."""

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from workbench.similarity.base import Feature, Measured, Wordings
from workbench.varieties import Pair

TABLE = Path(__file__).with_name("uriel.csv")
SOURCE = "URIEL (lang2vec 1.1.2)"
CODES = {
    "af": "afr", "nl": "nld", "ca": "cat", "oc": "oci", "fr": "fra", "yue": "yue", "zh": "cmn", "ms": "zsm",
    "id": "ind", "scn": "scn", "it": "ita", "gd": "gla", "en": "eng", "fa": "pes", "ru": "rus", "de": "deu",
    "ar": "arb", "es": "spa", "pt": "por", "da": "dan", "sv": "swe", "pl": "pol", "hi": "hin", "tr": "tur",
    "vi": "vie",
}  # fmt: skip
"""ISO 639-3 of each variety: of a macrolanguage (Chinese, Malay, Persian, Arabic) its standard language."""
LEAST = 10
"""Features that must be known of both for a distance over them."""
KNOWN = ("syntactic", "phonological", "inventory", "featural")
"""Distances over features, which may be unknown."""
NAMES = ("genetic", "geographic", *KNOWN, *(f"{name}-knn" for name in KNOWN))
"""The distances."""
COLUMNS = ("a", "b", *(column for name in NAMES for column in ((name, f"{name}-n") if name in KNOWN else (name,))))
"""The columns of the table: with a distance over features, how many are known of both."""


@dataclass(frozen=True)
class Distance:
    """A distance, 0 (the same) to 1; of one over features also how many are known of both. None if too few are."""

    value: float | None
    features: int | None = None


class Uriel(Feature):
    """`uriel-genetic`, `uriel-geographic`, `uriel-syntactic`, `uriel-phonological`, `uriel-inventory`, `uriel-featural`
    over what is known of both varieties, and the last four as `-knn` over all features, some of them predicted
    (Littell et al. 2017). Of the pair; 0 to 1."""

    def measure(self, of: Wordings) -> list[Measured]:
        known = distances(of.on)
        return [_measured(name, known.get(name), of.on) for name in NAMES]


def _measured(name: str, distance: Distance | None, on: Pair) -> Measured:
    about = f"uriel-{name}"
    if distance is None:
        missing = ", ".join(code for code in (on.low, on.high) if _language(code) not in CODES) or str(on)
        return Measured(about, None, 0, SOURCE, why_not=f"the table has no {missing}")
    n = 1 if distance.features is None else distance.features
    why_not = None if distance.value is not None else f"{n} features are known of both, fewer than {LEAST}"
    return Measured(about, distance.value, n, SOURCE, why_not=why_not)


def distances(on: Pair) -> dict[str, Distance]:
    """By name (`NAMES`); of a variety to itself each is 0; empty where the table has not both."""
    low, high = _language(on.low), _language(on.high)
    if low == high and low in CODES:
        return dict.fromkeys(NAMES, Distance(0.0))
    return _table().get(frozenset((low, high)), {})


def _language(code: str) -> str:
    """A variety without its region."""
    return code.partition("-")[0]


@cache
def _table() -> dict[frozenset[str], dict[str, Distance]]:
    lines = [line for line in TABLE.read_text("utf-8").splitlines() if not line.startswith("#")]
    return {frozenset((row["a"], row["b"])): _distances(row) for row in csv.DictReader(lines)}


def _distances(row: dict[str, str]) -> dict[str, Distance]:
    return {
        name: Distance(float(row[name]) if row[name] else None, int(row[f"{name}-n"]) if name in KNOWN else None)
        for name in NAMES
    }
