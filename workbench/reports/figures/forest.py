"""A forest plot: effects with their intervals, one below the other."""

from store.rows import EffectRow
from workbench.reports.figures._choice import axis, grouped, places, told
from workbench.reports.figures.base import Drawing, Figure, Lines, Panel
from workbench.studies.evidence import Level
from workbench.studies.results import StudyResults
from workbench.studies.words import (
    DOSES,
    FITTED,
    STAR,
    interval,
    levels_text,
    method_words,
    number,
    significant,
    unit,
    whose,
)

MEANS = ("cell mean", "mean")
"""Effects that are shown alone if they are asked for: of a mean there is no 0 to hold it against."""


class Forest(Figure):
    """One panel for each effect; one that could not be estimated is a line without a mark."""

    def of(self, results: StudyResults, by: list[str] | None = None) -> Drawing | None:
        measure = results.measures[0] if results.measures else ""
        rows = [row for row in results.effects if row["measure"] == measure and row["effect"] != FITTED]
        with_interval = {row["effect"] for row in rows if row.get("ci_low") is not None}
        rows = [row for row in rows if row["effect"] in with_interval]
        rows = [row for row in rows if row["effect"] not in MEANS] or rows
        if not rows:
            return None
        panels: list[Panel] = []
        first = [axis(name, _apart([places(row, results) for row in rows])) for name in by or []]
        units = {effect: unit(own) for effect, own in grouped(rows, lambda row: row["effect"]).items()}
        for (effect, below), own in grouped(rows, lambda row: (row["effect"], _unit(row, units))).items():
            at = [places(row, results) for row in own]
            known = _apart(at)
            names = [n for n in dict.fromkeys([*first, "system", "trained on", "variety", *known]) if n in known]
            labels = [told(each, names, results.factors) for each in at]
            panels.append(
                Lines(
                    title=effect,
                    below=below,
                    labels=[each or _alone(row, results) for each, row in zip(labels, own, strict=True)],
                    values=[row.get("estimate") for row in own],
                    low=[row.get("ci_low") for row in own],
                    high=[row.get("ci_high") for row in own],
                    texts=[_text(row) for row in own],
                )
            )
        method = "; ".join([method_words(rows), *([STAR] if any(map(significant, rows)) else [])])
        signed = any(row["effect"] not in (*DOSES, *MEANS) for row in rows)
        return Drawing(results.title, f"effects in {measure}", method, panels, signed=signed)


def _apart(at: list[dict[str, Level]]) -> list[str]:
    """What differs between some places, or is of some of them only."""
    names = dict.fromkeys(name for each in at for name in each)
    return [name for name in names if len({each.get(name) for each in at}) > 1]


def _unit(row: EffectRow, units: dict[str, str | None]) -> str:
    same = units[row["effect"]]
    return (row.get("unit") or "") if same is None else same


def _alone(row: EffectRow, results: StudyResults) -> str:
    """What an effect is called that nothing tells from others."""
    return levels_text(results.levels(row), results.factors) or whose(row) or row["effect"]


def _text(row: EffectRow) -> str:
    estimate = row.get("estimate")
    if estimate is None:
        return row.get("why_not") or "not defined"
    return f"{number(row, estimate)} {interval(row)}".rstrip() + ("*" if significant(row) else "")
