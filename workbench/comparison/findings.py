"""What was found, in words: an answer to each question that a recipe asks, no more than its comparisons say.

"Yes" is said of what is significant after correction, and of nothing else.
"""

from typing import TypedDict

from store.rows import ComparisonRow
from workbench.comparison.closing import Closing, closings
from workbench.comparison.words import signed, significant
from workbench.significance.power import POWER
from workbench.varieties import table

FEW = 2
"""Pairs at most that are spoken of one by one."""
NAMED = 3
"""Systems at most that are named one by one."""
FULLEST = 3
"""The most that `detail` may be."""


class Finding(TypedDict):
    """A question that one contrast answers, and the answer."""

    contrast: str
    question: str
    answer: str


def findings(rows: list[ComparisonRow], detail: int = FULLEST) -> list[Finding]:
    """One for each contrast that there is, in the order of the comparisons.

    Args:
        rows: the comparisons of a recipe in one measure.
        detail: with 3 a few systems are named with their differences, of many the smallest and the largest; with 2 a
            few are named, of many the largest; with 1 a few are named, many counted; with 0 all are counted.
    """
    out = []
    for contrast in dict.fromkeys(row["contrast"] for row in rows):
        own = [row for row in rows if row["contrast"] == contrast]
        if contrast == "gap":
            base = [row for row in own if not row["trained_on"]] or own
            before = " before training" if len(base) < len(own) else ""
            told = f"{_harder(own)}{before}?", _answer(base, -1, "easier", detail)
        elif contrast == "gain":
            told = f"Did training{_on(own)} help?", _answer(own, 1, "worse", detail) + _alone(rows)
        elif contrast == "control":
            told = f"More than {control_of(rows) or 'its control'}?", _answer(own, 1, "less", detail)
        elif contrast == "closure":
            told = "Did a gap close?", _closed(own, rows, detail)
        else:
            continue
        out.append(Finding(contrast=contrast, question=told[0], answer=told[1]))
    return out


def _harder(rows: list[ComparisonRow]) -> str:
    """The question of a gap; of a pair whose first variety is no low-resource one (en-de) another."""
    low = all(table()[str(row["pair"]).partition("-")[0]].high for row in rows)
    return "Are low-resource queries harder" if low else "Are queries in another language than the passages' harder"


def seen(rows: list[ComparisonRow]) -> str:
    """`seen` or `unseen`, if all comparisons are of pairs that a training saw, or all of others; else nothing."""
    ends = {"seen": " on seen pairs", "unseen": " on unseen pairs"}
    words = {next((word for word, end in ends.items() if row["family"].endswith(end)), "") for row in rows}
    return words.pop() if len(words) == 1 else ""


def control_of(rows: list[ComparisonRow]) -> str | None:
    """What the training is called that the others are held against, if a comparison of it says so."""
    held = {row["baseline_run_id"] for row in rows if row["contrast"] == "control"}
    return next((row["trained_on"] for row in rows if row["run_id"] in held and row["trained_on"]), None)


def _on(rows: list[ComparisonRow]) -> str:
    trainings = {row["trained_on"] for row in rows}
    return f" on {trainings.pop()}" if len(trainings) == 1 else ""


def _alone(rows: list[ComparisonRow]) -> str:
    """What a gain does not say where nothing was trained on high-resource queries alone."""
    gained = any(row["contrast"] == "gain" and significant(row) and row["delta"] > 0 for row in rows)
    held = any(row["contrast"] == "control" for row in rows)
    return " No control says whether its low-resource queries did it." if gained and not held else ""


def _is_low(row: ComparisonRow) -> bool:
    return row["variety"] == str(row["pair"]).partition("-")[0]


def _answer(rows: list[ComparisonRow], wanted: int, otherwise: str, detail: int) -> str:
    """What comparisons show: pair by pair or, of many, seen and unseen ones together; then of high-resource queries.

    Args:
        rows: of one contrast.
        wanted: the sign of a difference that means yes.
        otherwise: what the other sign means.
        detail: as in `findings`.
    """
    low = [row for row in rows if _is_low(row)]
    word = {id(row): seen([row]) if row["contrast"] != "gap" else "" for row in low}
    many = len({row["pair"] for row in low}) > FEW
    places: dict[str | None, list[ComparisonRow]] = {}
    for row in low:
        places.setdefault(word[id(row)] if many else row["pair"], []).append(row)
    answers: dict[str, list[str]] = {}
    for some in places.values():
        words = {word[id(row)] for row in some} if many or rows[0]["contrast"] == "gain" else {""}
        where = _place(some, words.pop() if len(words) == 1 else "")
        yes, no, neither = _parted(some, wanted)
        said = [f"yes {_listed(yes, some, detail)}" if yes else "not shown"]
        said += [f"{otherwise} {_listed(no, some, detail)}"] if no else []
        if yes and 0 < len(neither) <= NAMED and detail >= 2:
            said.append("not shown with " + ", ".join(_named(neither, some, False)))
        answers.setdefault("; ".join(said), []).append(where)
    out = [f"{' and '.join(where)}: {said}." for said, where in answers.items()]
    high = [row for row in rows if not _is_low(row)]
    better, worse, _ = _parted(high, 1)
    briefly = detail if detail > 1 else 0
    said = [f"better {_listed(better, high, briefly)}"] if better else []
    said += [f"worse {_listed(worse, high, briefly)}"] if worse else []
    if said and rows[0]["contrast"] == "gain":
        out.append(f"High-resource queries: {'; '.join(said)}.")
    if not any(_parted(some, wanted)[0] for some in places.values()):
        out += _missed(low, detail)
    return " ".join(out)


def _parted(rows: list[ComparisonRow], wanted: int) -> tuple[list[ComparisonRow], ...]:
    """Those that are significant and of the wanted sign, of the other, and those that are not significant."""
    shown = [row for row in rows if significant(row)]
    yes, no = ([row for row in shown if row["delta"] * sign > 0] for sign in (wanted, -wanted))
    return yes, no, [row for row in rows if not significant(row)]


def _place(rows: list[ComparisonRow], word: str) -> str:
    varieties = list(dict.fromkeys(str(row["variety"]) for row in rows))
    if len(varieties) == 1:
        return varieties[0] + (f" ({word})" if word else "")
    return f"{len(varieties)}{f' {word}' if word else ''} pairs"


def _listed(rows: list[ComparisonRow], of: list[ComparisonRow], detail: int) -> str:
    """Some comparisons by name with their differences, or how many they are of how many."""
    names = _named(rows, of, detail == FULLEST)
    if detail > 0 and len(names) <= NAMED:
        return f"with {', '.join(names)}"
    cases = " cases" if _several(of) and detail >= 2 else ""
    count = f"with all {len(of)}{cases}" if len(rows) == len(of) else f"with {len(rows)} of {len(of)}{cases}"
    order = sorted(rows, key=lambda row: abs(row["delta"]))
    least, largest = (_named([row], of, True)[0] for row in (order[0], order[-1]))
    if detail == FULLEST:
        return f"{count}, {least} to {largest}"
    return f"{count}, most {largest}" if detail == 2 else count


def _several(rows: list[ComparisonRow]) -> bool:
    return len({row["variety"] for row in rows}) > 1


def _named(rows: list[ComparisonRow], of: list[ComparisonRow], figures: bool) -> list[str]:
    """System by system, with what it was trained on and the variety where these differ among all, and differences."""
    single, several = len({row["trained_on"] for row in of}) == 1, _several(of)
    groups: dict[tuple[str, str | None], list[ComparisonRow]] = {}
    for row in rows:
        groups.setdefault((row["system"], row["variety"] if several else None), []).append(row)
    out = []
    for (system, variety), some in groups.items():
        trainings = "" if single else f" ({', '.join(str(row['trained_on']) for row in some)})"
        ends = dict.fromkeys(signed(edge(row["delta"] for row in some)) for edge in (min, max)) if figures else {}
        on = f" on {variety}" if variety else ""
        out.append(f"{system}{trainings}{on} {' to '.join(ends)}".rstrip())
    return out


def _missed(rows: list[ComparisonRow], detail: int) -> list[str]:
    """What could have been found where nothing was."""
    sizes = [row["detectable"] for row in rows if row["detectable"] is not None]
    if not sizes:
        return []
    span = " to ".join(dict.fromkeys(signed(edge(sizes)).removeprefix("+") for edge in (min, max)))
    what = "Smallest difference detectable with" if detail == FULLEST else "Detectable with"
    return [f"{what} {POWER:.0%} power: {span}."]


_SHORT = {
    "closed": "closed", "closed, partly by a loss": "closed, partly by a loss on high",
    "bought by a loss": "smaller by a loss on high", "smaller": "smaller", "widened": "wider",
    "low gained more": "low gained more without a gap before",
    "high gained more": "high gained more without a gap before",
}  # fmt: skip


def _closed(rows: list[ComparisonRow], every: list[ComparisonRow], detail: int) -> str:
    """What may be said of the gaps after training."""
    gaps = closings(every)
    shown = [each for each in gaps if each["verdict"] != "not shown"]
    answer = "Yes." if any(each["verdict"].startswith("closed") for each in shown) else "Not shown."
    if not shown:
        return " ".join([answer, *_missed(rows, detail)])
    single = len({each["trained_on"] for each in gaps}) == 1
    if len(shown) <= NAMED and detail == FULLEST:
        return " ".join([answer, *(f"{_closer([each], single)}: {each['words']}." for each in shown)])
    told = []
    for verdict, short in _SHORT.items():
        groups: dict[tuple[str | None, str], list[Closing]] = {}
        for each in shown:
            if each["verdict"] == verdict:
                groups.setdefault((each["pair"], each["system"]), []).append(each)
        named = ", ".join(f"{pair} with {_closer(some, single)}" for (pair, _), some in groups.items())
        counted = f"{sum(map(len, groups.values()))} of {len(gaps)}"
        if groups:
            told.append(f"{short}: {named if len(groups) <= NAMED and detail else counted}.")
    return " ".join([answer, *(each[:1].upper() + each[1:] for each in told)])


def _closer(same: list[Closing], single: bool) -> str:
    """A system, with the trainings that it has the same verdict of."""
    return same[0]["system"] + ("" if single else f" ({', '.join(str(each['trained_on']) for each in same)})")
