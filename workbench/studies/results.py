"""A study as one object: every report and figure shows it, and says no more than it."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

from store import LswError, Store, nearest
from store.rows import CellRow, EffectRow, StudyRow
from store.studies import study
from workbench.studies.evidence import Level
from workbench.studies.words import DOSES, level_text, levels, levels_text, named, short

Column = Literal["effect", "measure", "system", "trained_on", "query_variety"]
_CALLED: dict[Column, str] = {
    "effect": "effect", "measure": "measure", "system": "system", "trained_on": "training", "query_variety": "variety",
}  # fmt: skip


@dataclass(frozen=True)
class StudyResults:
    """What the store has of a study.

    Args:
        study: row of the view `studies`.
        cells: rows of the view `study_cells`.
        effects: rows of the view `effects`, in the order of a table; those that were not made too.
    """

    study: StudyRow
    cells: list[CellRow]
    effects: list[EffectRow]

    @classmethod
    def of(cls, store: Store, study_id: str) -> "StudyResults":
        """Those of a study that is in a store."""
        return cls(*study(store, study_id))

    @property
    def title(self) -> str:
        """What was asked."""
        return self.study["title"] or self.study["study"]

    @property
    def analysis(self) -> str:
        """What was estimated: the name of an analysis, or several."""
        names = dict.fromkeys(row["analysis"] for row in self.effects if row.get("analysis"))
        return ", ".join(names) or str(self.study["analysis"].get("analysis", ""))

    @cached_property
    def factors(self) -> list[str]:
        """Full names of the grid's factors, in its order; those that only effects name come last."""
        return list(
            dict.fromkeys([*self.study["factors"], *(name for row in self.effects for name in self.levels(row))])
        )

    @cached_property
    def dose(self) -> str:
        """What the doses of curves are of: the full name of a factor, else what the effects call it."""
        said = self.study["analysis"].get("factor")
        units = [row["unit"] for row in self.effects if row["effect"] in DOSES and row.get("unit")]
        for name in (said, *units):
            known = [full for full in self.study["factors"] if name in (full, full.rpartition(".")[2])]
            if len(known) == 1:
                return known[0]
        return units[0] if units else "dose"

    def levels(self, row: EffectRow) -> dict[str, Level]:
        """The level of each factor that an effect is at, its dose among them."""
        at, dose = levels(row), row.get("dose")
        return at if dose is None or self.dose in at else {**at, self.dose: dose}

    def named(self, row: EffectRow) -> str:
        """Whose effect it is, on which queries, at which levels and dose."""
        return named(row, self.levels(row), self.factors)

    @cached_property
    def measures(self) -> list[str]:
        """Of the effects, the main one first."""
        return list(dict.fromkeys(row["measure"] for row in self.effects))

    @property
    def made(self) -> list[EffectRow]:
        """Effects that were estimated."""
        return [row for row in self.effects if row.get("estimate") is not None]

    @property
    def not_made(self) -> list[EffectRow]:
        """Effects that were not, each with `why_not`."""
        return [row for row in self.effects if row.get("estimate") is None]

    def progress(self) -> str:
        """How many cells are done, what the others are, and of how many the effects are."""
        total, counts = self.study["n_cells"], dict[str, int]()
        for cell in self.cells:
            counts[cell["status"]] = counts.get(cell["status"], 0) + 1
        if len(self.cells) < total:
            counts["waiting"] = counts.get("waiting", 0) + total - len(self.cells)
        others = [f"{count} {status}" for status, count in counts.items() if status != "done" and count]
        done = counts.get("done", 0)
        words = f"{done} of {total} cells done" + "".join(f", {each}" for each in others)
        analysed = self.study["analysed"]
        if analysed is None:
            return f"{words}; not analysed yet"
        if analysed == done == total:
            return words
        again = "" if analysed == done else "; analyse the others too: lsw study analyse " + self.study["study"]
        return f"{words}; the effects are of {analysed} cells{again}"

    def grid(self) -> str:
        """The factors and their levels in words."""
        known = list(self.study["factors"])
        parts = []
        for name, own in self.study["factors"].items():
            texts = [level_text(level) if isinstance(level, bool | int | float | str) else str(level) for level in own]
            parts.append(f"{short(name, known)} {', '.join(texts)}")
        return " x ".join(parts)

    def at(self, some: dict[str, Any]) -> str:
        """Levels in words, factors by the last part of their names."""
        return levels_text(some, self.factors)

    def only(self, **wanted: str | None) -> "StudyResults":
        """The same with effects of one `effect`, `measure`, `system`, `trained_on` or `query_variety` alone.

        Raises:
            LswError: the study has none such; the nearest is offered.
        """
        effects = self.effects
        for column, called in _CALLED.items():
            value = wanted.get(column)
            if value is None:
                continue
            known = {str(row[column]) for row in self.effects if row.get(column) is not None}
            if value not in known:
                title = f"The study {self.study['study']} has no effect of {called} '{value}'."
                raise LswError(title, cure=nearest(value, known) if known else "It has none yet.")
            effects = [row for row in effects if row.get(column) == value]
        return replace(self, effects=effects)
