"""Comparisons as one object, whatever made them: reports and screens show it, and say no more than it."""

from dataclasses import dataclass, field
from statistics import mean, stdev
from typing import Any, TypedDict

from store import Store
from store.query import recipe_run
from store.rows import ComparisonRow, NotCompared, RunRow
from workbench.comparison.closing import Closing, closings
from workbench.comparison.findings import FULLEST, Finding, findings
from workbench.comparison.words import not_made, sentence, significant, system_name
from workbench.pipeline import pipeline, shaped

ORDER = ("gap", "gain", "control", "closure", "difference")
"""Contrasts in the order of a table."""


def starts(results: "Results") -> list[str]:
    """Which gains compare two starts, not what training did to one."""
    told = (results.record or {}).get("starts") or {}
    trained = {run["system"] for run in results.runs if run["trained_on"]} if told else set()
    used = {name for text in trained for name in shaped(pipeline(text))}
    return [
        f"{system} was trained from {start}, so its gain compares two starts"
        for system, start in told.items() if system.partition(" (")[0] in used
    ]  # fmt: skip


def in_order(rows: list[ComparisonRow]) -> list[ComparisonRow]:
    """The primary contrast first, if one was declared; then gaps, gains and closures."""
    order = {contrast: i for i, contrast in enumerate(ORDER)}
    return sorted(rows, key=lambda row: (not row["primary"], order.get(row["contrast"], len(order))))


class SystemMeans(TypedDict):
    """A system's mean over its trained models in each measure, of so many judged queries; the standard deviation
    between them (None of one)."""

    system: str
    trained_on: str | None
    query_variety: str
    document_variety: str | None
    run_ids: list[str]
    judged: int | None
    means: dict[str, float]
    deviations: dict[str, float | None]


class Summary(TypedDict):
    """What holds for one pair and contrast: systems that are significantly higher, lower, and neither."""

    pair: str | None
    contrast: str
    variety: str | None
    trained_on: str | None
    higher: list[str]
    lower: list[str]
    neither: list[str]


@dataclass(frozen=True)
class Results:
    """Runs with their means, and comparisons between them, as the store has them.

    Args:
        title: what was asked; may be empty.
        runs: with `means` by measure.
        comparisons: rows of the view `comparisons`.
        measures: their names, the main one first.
        record: row of the view `recipe_runs`, if a recipe made them.
        not_made: comparisons that could not be made, and why.
    """

    title: str
    runs: list[RunRow]
    comparisons: list[ComparisonRow]
    measures: list[str]
    record: dict[str, Any] | None = None
    not_made: list[NotCompared] = field(default_factory=list)

    @classmethod
    def of_recipe(cls, store: Store, recipe_run_id: str, measures: list[str]) -> "Results":
        """What a recipe recorded."""
        record, runs, comparisons, not_made = recipe_run(store, recipe_run_id)
        return cls(record.get("title", ""), runs, in_order(comparisons), measures, record, not_made)

    def of(self, measure: str) -> list[ComparisonRow]:
        """The comparisons in one measure: a family."""
        return [row for row in self.comparisons if row["measure"] == measure]

    def run(self, run_id: str) -> RunRow:
        """A run by its id."""
        return next(run for run in self.runs if run["run_id"] == run_id)

    def systems(self) -> list[SystemMeans]:
        """Runs with what they were trained on, those of several seeds as one, in their order."""
        by_name: dict[tuple[str | None, ...], list[RunRow]] = {}
        for run in self.runs:
            name = run["system"], run["trained_on"], run["query_variety"], run["document_variety"]
            by_name.setdefault(name, []).append(run)
        out = []
        for same in by_name.values():
            first = same[0]
            values = {m: [r["means"][m] for r in same] for m in self.measures if all(m in r["means"] for r in same)}
            out.append(
                SystemMeans(
                    system=first["system"], trained_on=first["trained_on"], query_variety=first["query_variety"],
                    document_variety=first["document_variety"], run_ids=[r["run_id"] for r in same],
                    judged=first.get("judged"),
                    means={m: mean(each) for m, each in values.items()},
                    deviations={m: stdev(each) if len(each) > 1 else None for m, each in values.items()},
                )
            )  # fmt: skip
        return out

    @property
    def uneven(self) -> bool:
        """Whether means are over other queries in one run than in another; a part of a pipeline that nobody asked for
        by itself has no means."""
        return len({system["judged"] for system in self.systems() if system["means"]}) > 1

    def summary(self) -> list[Summary]:
        """What holds after correction, in the main measure."""
        rows: dict[tuple[str | None, ...], Summary] = {}
        for row in self.of(self.measures[0]):
            trained_on = None if row["contrast"] == "gap" else row["trained_on"]
            about = row["pair"], row["contrast"], row["variety"], trained_on
            into = rows.setdefault(
                about,
                Summary(pair=row["pair"], contrast=row["contrast"], variety=row["variety"], trained_on=trained_on,
                        higher=[], lower=[], neither=[]),
            )  # fmt: skip
            systems = into["neither"] if not significant(row) else into["higher" if row["delta"] > 0 else "lower"]
            systems.append(system_name(row) if row["contrast"] == "gap" else row["system"])
        return list(rows.values())

    def closings(self) -> list[Closing]:
        """Which gaps training closed, in the main measure."""
        return closings(self.of(self.measures[0]))

    def findings(self, detail: int = FULLEST) -> list[Finding]:
        """What was found in the main measure, question by question."""
        return findings(self.of(self.measures[0]), detail)

    def sentences(self) -> list[str]:
        """One sentence for each comparison in the main measure, made or not."""
        lacking = [not_made(row) for row in self.not_made if row["measure"] == self.measures[0]]
        return [sentence(row) for row in self.of(self.measures[0])] + lacking
