"""What a study found, in words: sentences that say no more than its effects do.

"Significant" is said after correction and of nothing else; "predicts" of a lower bound above 0 on pairs not used.
"""

from collections import Counter
from collections.abc import Callable

from store.rows import EffectRow
from workbench.studies.results import StudyResults
from workbench.studies.words import (
    DOSES,
    FITTED,
    OVER_PAIRS,
    asked,
    at_most,
    by_itself,
    detail,
    figures,
    interval,
    levels,
    levels_text,
    number,
    significant,
    value,
    whose,
)

FEW = 4
"""Effects of one name at most that are told one by one."""
_LEAVING_OUT = "R squared (leave one pair out)"
_LATER = ("cell mean", "mean", "mixed model", "G", "N0", "k")
"""Effects that are told after all others."""
_NO_DOSE = "no minimum effective dose"


def findings(results: StudyResults) -> list[str]:
    """Sentences, the most telling first: doses, what was tested, the rest, and what could not be estimated."""
    first, others = told_apart(results)
    return first + others


def told_apart(results: StudyResults) -> tuple[list[str], list[str]]:
    """What a study was made to find; and the rest: means, a curve's parameters, what could not be estimated."""
    rows = [row for row in results.effects if row["measure"] == results.measures[0]]
    by_effect: dict[str, list[EffectRow]] = {}
    for row in rows:
        by_effect.setdefault(row["effect"], []).append(row)
    out, later = list[str](), list[str]()
    for effect in DOSES:
        out += _doses(effect, by_effect.pop(effect, []), rows, results)
    by_effect.pop(FITTED, None)
    for effect, own in by_effect.items():
        made = [row for row in own if row.get("estimate") is not None]
        if not made:
            continue
        tested = [row for row in made if row.get("p_corrected") is not None]
        if effect == _LEAVING_OUT:
            out += [_one(effect, row, results) for row in made]
        elif tested and effect not in _LATER:
            out += _tested(effect, tested, results)
        else:
            told = _untested(effect, made, results)
            if effect in _LATER or len(made) > FEW:
                later += told
            else:
                out += told
    return out, [*later, *_lacking(rows)]


def _doses(effect: str, rows: list[EffectRow], every: list[EffectRow], results: StudyResults) -> list[str]:
    """A sentence for each system, training and other levels; varieties with the same answer together."""
    largest: dict[object, float] = {}
    for row in every:
        if row.get("dose") is not None and row["effect"] not in (*DOSES, FITTED):
            largest[_whom(row)] = max(row["dose"] or 0.0, largest.get(_whom(row), 0.0))
    out = []
    for same in _grouped(rows, lambda row: (whose(row), levels_text(levels(row), results.factors))):
        answers: dict[str, list[str]] = {}
        for row in same:
            if row.get("why_not") != _NO_DOSE:  # of a plateau: it has been told
                answers.setdefault(_dose(row, largest.get(_whom(row))), []).append(asked(row))
        at = levels_text(levels(same[0]), results.factors)
        words = [f"{answer} on {', '.join(on)}" if any(on) else answer for answer, on in answers.items()]
        if words:
            out.append(f"{effect} of {whose(same[0])}{f', {at}' if at else ''}: {'; '.join(words)}")
    return out


def _whom(row: EffectRow) -> tuple[str | None, ...]:
    return row.get("system"), row.get("trained_on"), row.get("query_variety")


def _dose(row: EffectRow, largest: float | None) -> str:
    """What is known of a dose; of one that was not reached, the `largest` that was tested."""
    if row.get("estimate") is not None:
        lacking = at_most(row)
        return f"{value(row)} {interval(row)}".strip() + (f": {lacking}" if lacking else "")
    why = row.get("why_not") or "not defined"
    if why.startswith("not reached") and "largest" not in why and largest is not None:
        return f"{why} (largest tested {largest:,.12g})"
    return why


def _tested(effect: str, rows: list[EffectRow], results: StudyResults) -> list[str]:
    """Each if there are few; else how many are significant, and the largest of those."""
    if len(rows) <= FEW:
        return [_one(effect, row, results) for row in rows]
    out = []
    for same in _grouped(rows, lambda row: (row.get("system"), row.get("trained_on"))):
        found = [row for row in same if significant(row)]
        largest = max(found or same, key=lambda row: abs(row["estimate"] or 0))
        who = f" of {whose(same[0])}" if whose(same[0]) else ""
        about = results.named({**largest, "system": None, "trained_on": None})
        lead = f"significant in {len(found)} of {len(same)}" if found else f"none of {len(same)} significant"
        lead += f",{by_itself(same)}" if by_itself(same) else ""
        which = "" if len(same) == 1 else "the largest "
        out.append(f"{effect}{who}: {lead}; {which}{figures(largest)} {about}".rstrip())
    return out


def _one(effect: str, row: EffectRow, results: StudyResults) -> str:
    about = results.named(row)
    verdict = "significant" if significant(row) else "not significant"
    if row.get("p_corrected") is None:
        verdict = ""
    if effect == _LEAVING_OUT:
        low = row.get("ci_low")
        shown = low is not None and low > 0 and (row.get("p_corrected") is None or significant(row))
        said = detail(row).get("finding", "")
        verdict = "predicts pairs that were not used" if shown else "no prediction is shown"
        if said and "predict" not in said:
            verdict += f": {said}" if said != "nothing is shown" else ""
    if effect == OVER_PAIRS and "needed" in detail(row):
        needed = detail(row)["needed"]
        over = f"of {row.get('n')} pairs"
        verdict = f"{over} it takes {needed:.2f}" if needed is not None else f"{over} none could be shown"
    words = f"{effect}{f' {about}' if about.startswith(('at', 'on')) else f' of {about}' if about else ''}"
    return f"{words}: {figures(row)}{f': {verdict}' if verdict else ''}"


def _untested(effect: str, rows: list[EffectRow], results: StudyResults) -> list[str]:
    """Each if there are few; else the smallest and the largest."""
    if len(rows) <= FEW:
        return [_one(effect, row, results) for row in rows]
    ends = [end(rows, key=lambda row: row["estimate"] or 0) for end in (min, max)]
    words = [f"{number(row, row['estimate'] or 0)} {interval(row)}".strip() + f" {results.named(row)}" for row in ends]
    return [f"{effect}: {len(rows)} estimates, from {words[0]} to {words[1]}"]


def _lacking(rows: list[EffectRow]) -> list[str]:
    """How many effects were not estimated, and why; those of doses have been told."""
    why = Counter(
        f"{row['effect']}: {row.get('why_not') or 'not defined'}"
        for row in rows if row.get("estimate") is None and row["effect"] not in DOSES
    )  # fmt: skip
    return [f"not estimated ({count}): {words}" for words, count in why.most_common()]


def _grouped(rows: list[EffectRow], by: Callable[[EffectRow], object]) -> list[list[EffectRow]]:
    out: dict[object, list[EffectRow]] = {}
    for row in rows:
        out.setdefault(by(row), []).append(row)
    return list(out.values())
