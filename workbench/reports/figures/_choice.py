"""Which effects a figure shows, and what tells them apart."""

from collections.abc import Callable, Hashable, Iterable
from typing import TypeVar

from store import LswError, nearest
from store.rows import EffectRow
from workbench.studies.evidence import Level
from workbench.studies.results import StudyResults
from workbench.studies.words import DOSES, FITTED, asked, level_text, short

BASE = "base"
"""What a system is called that was trained on nothing."""
OF_RUNS = ("trained on", "system", "variety")
"""What varies beside factors, in the order in which it is put on an axis."""

K = TypeVar("K", bound=Hashable)


def drawable(results: StudyResults) -> list[EffectRow]:
    """Effects in the main measure that were estimated, curves and doses apart."""
    measure = results.measures[0] if results.measures else ""
    return [row for row in results.made if row["measure"] == measure and row["effect"] not in (FITTED, *DOSES)]


def chosen(rows: list[EffectRow], first: Iterable[str], fits: Callable[[list[EffectRow]], bool]) -> list[EffectRow]:
    """The effects of the first name that fits: of `first`, then in the order of the rows; empty if none does."""
    by_name = grouped(rows, lambda row: row["effect"])
    for name in dict.fromkeys([*first, *by_name]):
        if name in by_name and fits(by_name[name]):
            return by_name[name]
    return []


def grouped(rows: Iterable[EffectRow], by: Callable[[EffectRow], K]) -> dict[K, list[EffectRow]]:
    """Rows by what `by` says, in the order in which they come."""
    out: dict[K, list[EffectRow]] = {}
    for row in rows:
        out.setdefault(by(row), []).append(row)
    return out


def places(row: EffectRow, results: StudyResults) -> dict[str, Level]:
    """An effect's level of each factor, and whose it is."""
    whose = {"trained on": row.get("trained_on") or BASE, "system": row.get("system") or "", "variety": asked(row)}
    return {**results.levels(row), **whose}


def varied(rows: list[EffectRow], results: StudyResults) -> dict[str, list[Level]]:
    """What takes several values over some effects: factors in the grid's order, then `OF_RUNS`; each with its values.

    Values are in the order of the grid, numbers by size.
    """
    seen: dict[str, dict[Level, None]] = {}
    for row in rows:
        for name, level in places(row, results).items():
            seen.setdefault(name, {})[level] = None
    out = {}
    for name in (*results.factors, *OF_RUNS):
        if len(own := list(seen.get(name, {}))) > 1:
            known = [level for level in results.study["factors"].get(name, []) if level in own]
            out[name] = sorted(own, key=_size) if all(map(_numeric, own)) else list(dict.fromkeys([*known, *own]))
    return out


def axis(name: str, known: Iterable[str]) -> str:
    """The full name of what an axis is to show, from itself or from its last part.

    Raises:
        LswError: nothing that varies is called so.
    """
    known = list(known)
    matching = [full for full in known if name in (full, short(full, known))]
    if not matching:
        cure = nearest(name, [short(full, known) for full in known])
        raise LswError(f"Nothing that varies in these effects is called '{name}'.", cure=cure)
    return matching[0]


def told(at: dict[str, Level], names: Iterable[str], factors: list[str]) -> str:
    """Values in words, those of factors with what they are of: `ca-fr, noise 0.1`."""
    return ", ".join(value_text(name, at[name], factors) for name in names if at.get(name, "") != "")


def value_text(name: str, level: Level, factors: list[str]) -> str:
    """A value in words, of a factor with its name."""
    return level_text(level) if name in OF_RUNS else f"{short(name, factors)} {level_text(level)}"


def shared(rows: list[EffectRow], results: StudyResults) -> str:
    """What is the same in all effects of a figure, in words; empty if nothing is."""
    same, apart = places(rows[0], results), varied(rows, results)
    names = ("system", "trained on", "variety", *(name for name in same if name not in OF_RUNS))
    return told(same, [name for name in names if name not in apart], results.factors)


def label(name: str, factors: list[str]) -> str:
    """What an axis is called."""
    return name if name in OF_RUNS else short(name, factors)


def _numeric(level: Level) -> bool:
    return isinstance(level, int | float) and not isinstance(level, bool)


def _size(level: Level) -> float:
    return float(level)
