"""The shipped table of URIEL distances: `python -m tests.make_uriel lang2vec-1.1.2-py3-none-any.whl` writes it anew.

The wheel (`pip download lang2vec==1.1.2 --no-deps`) is read as a zip file of arrays of numbers and text; none of its code
is run, and arrays that hold Python objects are refused (`allow_pickle=False`).
"""

import csv
import io
import sys
import textwrap
import zipfile
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from workbench.similarity.features.uriel import CODES, COLUMNS, LEAST, TABLE

HEAD = """\
# How far the varieties are from each other, by the vectors of URIEL in lang2vec 1.1.2 (package index, 2019).
# Littell, Mortensen, Lin, Kairis, Turner and Levin 2017, EACL, https://aclanthology.org/E17-2002/
# Licence of URIEL's data and so of this table: CC BY-SA 4.0, https://creativecommons.org/licenses/by-sa/4.0/
# Made by `python -m tests.make_uriel WHEEL`. Languages by ISO 639-3:
{codes}
# 0 is the same, 1 is far:
#   genetic       1 - cosine of membership in families and subfamilies (Glottolog's tree; lang2vec's set `fam`)
#   geographic    great circle between the two places, in half circumferences of the Earth (`geo` holds the distance of
#                 each language from 299 points; the place is the one that fits them best)
#   syntactic, phonological, inventory, featural (the three together)
#                 1 - cosine over the features known of BOTH (`*_average`), in the column after it how many; empty where
#                 they are fewer than {least}
#   *-knn         the same over all features, with what URIEL's authors predicted from related and near languages
#                 where nothing is known (`*_knn`): it is partly made of kinship and place
# lang2vec's own precomputed distances are not in the wheel; how they were made is not told in full (Toossi et al. 2024,
# arXiv 2405.11125), so these are not they.
"""
PREFIXES = {"syntactic": ("S_",), "phonological": ("P_",), "inventory": ("INV_",), "featural": ("S_", "P_", "INV_")}

PUBLISHED = (("frr", "dan", 0.0028), ("frr", "deu", 0.0359), ("dan", "deu", 0.0361))
"""Geographic distances that the README of lang2vec shows of its precomputed ones."""


@dataclass(frozen=True)
class Vectors:
    """One file of vectors: features by name, languages by ISO 639-3, values (languages x features), -1 for unknown."""

    features: list[str]
    languages: dict[str, int]
    values: Any

    def of(self, language: str, *prefixes: str) -> Any:
        chosen = [i for i, name in enumerate(self.features) if name.startswith(prefixes)]
        return self.values[self.languages[language]][chosen].astype(np.float64)


def vectors(wheel: zipfile.ZipFile, name: str) -> Vectors:
    with np.load(io.BytesIO(wheel.read(f"lang2vec/data/{name}.npz")), allow_pickle=False) as arrays:
        languages = {language: i for i, language in enumerate(arrays["langs"].tolist())}
        assert arrays["data"].shape[2] == 1
        return Vectors(arrays["feats"].tolist(), languages, arrays["data"][:, :, 0])


def apart(a: Any, b: Any) -> float:
    """1 - cosine."""
    return float(1 - a @ b / np.sqrt((a @ a) * (b @ b)))


def place(of: Vectors, language: str) -> Any:
    """Where a language is spoken, as a unit vector: the cosine of an arc is the product of the unit vectors of its ends."""
    points = np.radians([[int(n) for n in name.split("_")[1:]] for name in of.features])
    latitude, longitude = points.T
    units = np.stack(
        [np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude), np.sin(latitude)], axis=1
    )
    arcs = of.of(language, "GC_") * np.pi
    found, *_ = np.linalg.lstsq(units, np.cos(arcs), rcond=None)
    found = found / np.linalg.norm(found)
    assert np.abs(np.arccos(np.clip(units @ found, -1, 1)) - arcs).max() < 0.015, (
        language
    )  # lang2vec's Earth is an ellipsoid
    return found


def arc(a: Any, b: Any) -> float:
    """Great circle in half circumferences."""
    return float(np.arccos(np.clip(a @ b, -1, 1)) / np.pi)


def rows(wheel: zipfile.ZipFile) -> list[dict[str, Any]]:
    family, known, predicted, places = (
        vectors(wheel, f"{name}_features" if name in ("family", "geocoord") else f"feature_{name}")
        for name in ("family", "averages", "predictions", "geocoord")
    )
    for one, other, published in PUBLISHED:
        assert abs(arc(place(places, one), place(places, other)) - published) < 5e-4, (one, other)
    at = {code: place(places, language) for code, language in CODES.items()}
    out = []
    for a, b in combinations(sorted(CODES), 2):
        one, other = CODES[a], CODES[b]
        row: dict[str, Any] = {
            "a": a,
            "b": b,
            "genetic": apart(family.of(one, ""), family.of(other, "")),
            "geographic": arc(at[a], at[b]),
        }
        for distance, prefixes in PREFIXES.items():
            x, y = known.of(one, *prefixes), known.of(other, *prefixes)
            both = (x >= 0) & (y >= 0)
            row[distance] = apart(x[both], y[both]) if both.sum() >= LEAST else None
            row[f"{distance}-n"] = int(both.sum())
            row[f"{distance}-knn"] = apart(predicted.of(one, *prefixes), predicted.of(other, *prefixes))
        out.append({name: _shown(row[name]) for name in COLUMNS})
    return out


def _shown(value: Any) -> str:
    return "" if value is None else f"{max(value, 0.0):.4f}" if isinstance(value, float) else str(value)


def main(path: Path) -> None:
    with zipfile.ZipFile(path) as wheel:
        table = rows(wheel)
    out = io.StringIO()
    out.write(
        HEAD.format(
            codes=textwrap.fill(
                ", ".join(f"{c} {iso}" for c, iso in CODES.items()), 110, initial_indent="# ", subsequent_indent="# "
            ),
            least=LEAST,
        )
    )
    writer = csv.DictWriter(out, list(table[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(table)
    TABLE.write_text(out.getvalue(), "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
