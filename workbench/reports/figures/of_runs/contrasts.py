"""A recipe's contrasts as a forest plot: gap, gain, control and closure, a panel each, pair by pair."""

from store.rows import ComparisonRow, NotCompared
from workbench.comparison.results import ORDER, Results
from workbench.comparison.words import (
    basis,
    bracket,
    interval_words,
    method_words,
    signed,
    significant,
)
from workbench.reports.figures.base import Drawing, Lines, Panel
from workbench.reports.figures.of_runs.base import Plain, RunFigure
from workbench.studies.words import STAR

ASKS = {
    "gap": "gap: low-resource queries against high",
    "gain": "gain: trained against base",
    "control": "control: trained against the control",
    "closure": "closure: gain on low minus gain on high",
    "difference": "difference",
}
BOTH = ("gap", "closure")
"""Contrasts of both varieties of a pair; others are of one."""


class Contrasts(RunFigure):
    """A line for each comparison in the main measure; one that could not be made says why."""

    of_data = Results
    title = "contrasts"

    def of(self, data: Results) -> Drawing | None:
        rows = data.of(data.measures[0]) if data.measures else []
        if not rows:
            return None
        lacking = [row for row in data.not_made if row["measure"] == data.measures[0]]
        panels: list[Panel] = []
        for contrast in [*ORDER, *dict.fromkeys(row["contrast"] for row in rows if row["contrast"] not in ORDER)]:
            made = [row for row in rows if row["contrast"] == contrast]
            unmade = [row for row in lacking if row["contrast"] == contrast]
            if made or unmade:
                panels.append(_panel(contrast, made, unmade, data.measures[0]))
        said = f"{method_words(rows)}; {interval_words(rows)}"
        marks = f"; filled marks and {STAR}" if any(map(significant, rows)) else ""
        return Drawing(data.title, f"{data.measures[0]}, {basis(rows)}", said + marks, panels, signed=True)

    def plain(self, data: Results) -> Plain:
        columns = [
            "contrast",
            "pair",
            "variety",
            "system",
            "trained on",
            "estimate",
            "ci_low",
            "ci_high",
            "p corrected",
        ]
        rows = [
            [row["contrast"], row["pair"] or "", row["variety"] or "", row["system"], row["trained_on"] or "",
             *("" if value is None else repr(value) for value in (row["delta"], row["ci_low"], row["ci_high"])),
             repr(row["p_corrected"])]
            for row in data.of(data.measures[0])
        ]  # fmt: skip
        return columns, rows


def _panel(contrast: str, made: list[ComparisonRow], unmade: list[NotCompared], measure: str) -> Lines:
    pairs = dict.fromkeys(row["pair"] or "" for row in [*made, *unmade])
    lines: list[tuple[str, str, ComparisonRow | None, str]] = []
    for pair in pairs:
        lines += [(pair, _label(row), row, _text(row)) for row in made if (row["pair"] or "") == pair]
        lines += [(pair, _label(row), None, row["why_not"]) for row in unmade if (row["pair"] or "") == pair]
    rows = [row for _, _, row, _ in lines]
    return Lines(
        title=ASKS.get(contrast, contrast),
        below=measure,
        labels=[label for _, label, _, _ in lines],
        values=[row and row["delta"] for row in rows],
        low=[row and row["ci_low"] for row in rows],
        high=[row and row["ci_high"] for row in rows],
        texts=[text for *_, text in lines],
        groups=[pair for pair, *_ in lines] if any(pairs) else [],
        holds=[row is not None and significant(row) for row in rows],
    )


def _label(row: ComparisonRow | NotCompared) -> str:
    trained = f" ({row['trained_on']})" if row["trained_on"] else ""
    on = f", {row['variety']}" if row["contrast"] not in BOTH and row["variety"] else ""
    return f"{row['system']}{trained}{on}"


def _text(row: ComparisonRow) -> str:
    return f"{signed(row['delta'])} {bracket(row)}{'*' if significant(row) else ' '}"
