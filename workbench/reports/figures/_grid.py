"""Effects over two factors, as a heat map and an interaction plot show them."""

from dataclasses import dataclass

from store.rows import EffectRow
from workbench.reports.figures._choice import (
    axis,
    chosen,
    drawable,
    grouped,
    label,
    places,
    shared,
    told,
    value_text,
    varied,
)
from workbench.studies.evidence import Level
from workbench.studies.results import StudyResults
from workbench.studies.words import method_words

FIRST = ("cell mean", "mean", "gain")
"""Effects that are shown over a grid, if there are any, before others."""


@dataclass(frozen=True)
class Over:
    """Effects over two factors.

    Args:
        names: what the two are called, that of the axis below first.
        beside: the values of the second in words.
        levels: of each.
        panels: title, and the effect at each place (below, beside) that has one.
        shared: what is the same in all.
        repeated: effects that share their place with another, and are not shown.
        lacking: effects that could not be estimated.
        nowhere: effects that are at no level of one of the two: it changes nothing of them.
    """

    effect: str
    measure: str
    method: str
    shared: str
    names: tuple[str, str]
    beside: list[str]
    levels: tuple[list[Level], list[Level]]
    panels: list[tuple[str, dict[tuple[Level, Level], EffectRow]]]
    repeated: int
    lacking: int
    nowhere: int

    def caption(self) -> str:
        """What is shown and what is not."""
        words = [f"{self.effect} in {self.measure}{self.shared and f' ({self.shared})'}"]
        if self.lacking:
            words.append(f"{self.lacking} could not be estimated and are not shown")
        if self.nowhere:
            words.append(f"without a level of {' or '.join(self.names)}, and not shown: {self.nowhere}")
        if self.repeated:
            words.append(f"{self.repeated} share their place with another and are not shown: choose with --by")
        return "; ".join(words)


def over_two(results: StudyResults, by: list[str] | None) -> Over | None:
    """The effects of the first name that vary in two ways at least, or (two names in `by`) in these ways.

    Raises:
        LswError: a name in `by` is of nothing that varies.
    """
    rows = chosen(drawable(results), FIRST, lambda some: len(_axes(some, results)) > 1)
    if not rows:
        return None
    known = varied(rows, results)
    wanted = [axis(name, known) for name in by or []]
    first = list(dict.fromkeys([*wanted, *_axes(rows, results)]))[:2]
    rest = [name for name in known if name not in first]
    panels, repeated, nowhere = [], 0, 0
    for title, own in grouped(rows, lambda row: told(places(row, results), rest, results.factors)).items():
        cells: dict[tuple[Level, Level], EffectRow] = {}
        for row in own:
            at = places(row, results)
            if any(name not in at for name in first):
                nowhere += 1
                continue
            place = at[first[0]], at[first[1]]
            repeated += place in cells
            cells.setdefault(place, row)
        if cells:
            panels.append((title, cells))
    lacking = sum(row["effect"] == rows[0]["effect"] and row.get("estimate") is None for row in results.effects)
    return Over(
        effect=rows[0]["effect"],
        measure=rows[0]["measure"],
        method=method_words(rows),
        shared=shared(rows, results),
        names=(label(first[0], results.factors), label(first[1], results.factors)),
        beside=[value_text(first[1], level, results.factors) for level in known[first[1]]],
        levels=(known[first[0]], known[first[1]]),
        panels=panels,
        repeated=repeated,
        lacking=lacking,
        nowhere=nowhere,
    )


def _axes(rows: list[EffectRow], results: StudyResults) -> list[str]:
    """What may stand on an axis: one factor of the grid at least, else there is no grid."""
    known = list(varied(rows, results))
    return known if any(name in results.factors for name in known) else []
