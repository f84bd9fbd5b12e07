"""The figures of a closing in the main measure, where each row and column finds its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from store.rows import ComparisonRow, NotCompared
from workbench.comparison.results import Results
from workbench.comparison.words import signed, significant


class Pair(NamedTuple):
    """Of varieties; `low` or `high` is empty where only the other was asked. `documents` are in the high one."""

    low: str
    high: str
    documents: str

    def __str__(self) -> str:
        return f"{self.low}-{self.documents}" if self.low else self.documents


class Name(NamedTuple):
    """A system and what it was trained on."""

    system: str
    trained_on: str | None


Place = tuple[str, Name, str, str]
"""Contrast, name, pair and variety of a comparison."""


@dataclass(frozen=True)
class Cells:
    """Figures as they are printed; empty where there is none to be expected, `-` where one could not be made."""

    pairs: list[Pair]
    names: list[Name]
    contrasts: list[str]
    means: dict[tuple[Name, str, str], float]
    rows: dict[Place, ComparisonRow]
    lacking: set[Place]

    @classmethod
    def of(cls, results: Results) -> "Cells":
        """Those of a recipe."""
        measure, systems = results.measures[0], results.systems()
        lacking = [row for row in results.not_made if row["measure"] == measure]
        asked = dict.fromkeys((s["query_variety"], s["document_variety"] or "") for s in systems)
        pairs = [Pair(query, document if (document, document) in asked else "", document)
                 for query, document in asked if query != document]  # fmt: skip
        low = {pair.documents for pair in pairs}
        alone = [Pair("", query, query) for query, document in asked if query == document and query not in low]
        return cls(
            pairs=pairs + alone,
            names=list(dict.fromkeys(Name(s["system"], s["trained_on"]) for s in systems)),
            contrasts=list(dict.fromkeys(row["contrast"] for row in (*results.of(measure), *lacking))),
            means={
                (Name(s["system"], s["trained_on"]), s["query_variety"], s["document_variety"] or ""):
                s["means"][measure] for s in systems if measure in s["means"]
            },
            rows={_place(row): row for row in results.of(measure)},
            lacking={_place(row) for row in lacking},
        )  # fmt: skip

    def labels(self, columns: Sequence[str], pairs: Sequence[Pair]) -> list[tuple[str, Name | None]]:
        """The names that have a figure there, what was trained under its base; a base that has none heads its own."""
        some = [n for n in self.names if any(self.cell(column, n, pair) for column in columns for pair in pairs)]
        out: list[tuple[str, Name | None]] = []
        for system in dict.fromkeys(name.system for name in some):
            base = Name(system, None)
            out.append((system, base if base in some else None))
            out += [(f"  {name.trained_on}", name) for name in some if name.system == system and name.trained_on]
        return out

    def mean(self, name: Name, pair: Pair, side: str) -> str:
        """The mean of a side, `low` or `high`; on the high one with a star if its gain is significant."""
        variety = pair.low if side == "low" else pair.high
        value = self.means.get((name, variety, pair.documents)) if variety else None
        if value is None:
            return ""
        text = f"{value:.3f}".removeprefix("0") if value < 1 else f"{value:.3f}"
        return text + _star(self._gain_on_high(name, pair) if side == "high" else None)

    def _gain_on_high(self, name: Name, pair: Pair) -> ComparisonRow | None:
        """Filed under another pair where two share it, or one whose low-resource queries were not asked."""
        for (contrast, whose, of, variety), row in self.rows.items():
            if (contrast, whose, variety) == ("gain", name, pair.high) and of.endswith(f"-{pair.documents}"):
                return row
        return None

    def row(self, contrast: str, name: Name, pair: Pair) -> ComparisonRow | None:
        """A comparison of low-resource queries."""
        return self.rows.get(_of(contrast, name, pair))

    def difference(self, contrast: str, name: Name, pair: Pair) -> str:
        """Its difference, with a star if it is significant."""
        row = self.row(contrast, name, pair)
        if row:
            return signed(row["delta"]) + _star(row)
        return "- " if _of(contrast, name, pair) in self.lacking else ""

    def cell(self, column: str, name: Name, pair: Pair) -> str:
        """A mean or a difference."""
        side = column in ("low", "high")
        return self.mean(name, pair, column) if side else self.difference(column, name, pair)


def _star(row: ComparisonRow | None) -> str:
    return "*" if row and significant(row) else " "


def _of(contrast: str, name: Name, pair: Pair) -> Place:
    return contrast, name, str(pair), "" if contrast == "closure" else pair.low


def _place(row: ComparisonRow | NotCompared) -> Place:
    return row["contrast"], Name(row["system"], row["trained_on"]), str(row["pair"]), row["variety"] or ""
