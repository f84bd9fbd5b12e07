"""Whether training closed a gap, in words: a closure alone does not say it."""

from typing import Literal, TypedDict

from store.rows import ComparisonRow
from workbench.significance.power import ALPHA

Verdict = Literal[
    "closed", "closed, partly by a loss", "bought by a loss", "smaller", "widened", "low gained more",
    "high gained more", "not shown",
]  # fmt: skip


class Closing(TypedDict):
    """What may be said of one gap.

    `p_value` is that of the verdict: of a gap that is closed the larger of gain's and closure's, both corrected
    (intersection-union: Berger 1982); else the closure's.
    """

    system: str
    trained_on: str | None
    pair: str | None
    verdict: Verdict
    p_value: float
    share_closed: float | None
    share_low: float | None
    share_high: float | None
    confidence: float
    words: str


def closings(rows: list[ComparisonRow]) -> list[Closing]:
    """One for each closure among the comparisons of one measure.

    A gap is closed where there was one (the interval of the gap before training lies above 0), and the gain on
    low-resource queries and the closure are both above 0, each significant in its own family; a closure with a
    significant loss on high-resource queries is said to be that.
    """
    return [_closing(row, rows) for row in rows if row["contrast"] == "closure"]


def _closing(closure: ComparisonRow, rows: list[ComparisonRow]) -> Closing:
    low, _, high = str(closure["pair"]).partition("-")
    gains = [row for row in rows if row["contrast"] == "gain"]
    on_low = next((row for row in gains if row["run_id"] == closure["run_id"]), None)
    on_high = _on_high(closure, [row for row in gains if row is not on_low], high)
    verdict = _verdict(closure, on_low, on_high)
    gap, whole, bounds = f"the {closure['pair']} gap", "", ""
    share = closure["share_closed"], closure["share_low"], closure["share_high"]
    if share[0] is not None and share[1] is not None and share[2] is not None:
        bounds = f", by {share[0]:.0%} [{share[1]:.0%}, {share[2]:.0%}]"
        whole = " and reversed" if share[1] > 1 else "" if share[2] >= 1 else " in part"
    words = {
        "closed": f"{gap} is closed{whole}{bounds}",
        "closed, partly by a loss": f"{gap} is closed{whole}{bounds}, some of it by a loss on {high}",
        "bought by a loss": f"{gap} is smaller by a loss on {high}; a gain on {low} is not shown",
        "smaller": f"{gap} is smaller; neither a gain on {low} nor a loss on {high} is shown by itself",
        "widened": f"{gap} is wider",
        "low gained more": f"{low} gained more than {high}; a {closure['pair']} gap before is not shown",
        "high gained more": f"{high} gained more than {low}; a {closure['pair']} gap before is not shown",
        "not shown": f"that {gap} closes is not shown",
    }[verdict]
    both = [closure["p_corrected"], *([on_low["p_corrected"]] if on_low and verdict.startswith("closed") else [])]
    return Closing(
        system=closure["system"], trained_on=closure["trained_on"], pair=closure["pair"], verdict=verdict,
        p_value=max(both), share_closed=share[0], share_low=share[1], share_high=share[2],
        confidence=closure["confidence"], words=words,
    )  # fmt: skip


def _on_high(closure: ComparisonRow, others: list[ComparisonRow], high: str) -> ComparisonRow | None:
    """The gain on high-resource queries: of any two gains the other; among those of a recipe the same system's."""
    if len(others) == 1:
        return others[0]
    return next(
        (
            row
            for row in others
            if (row["system"], row["trained_on"], row["variety"]) == (closure["system"], closure["trained_on"], high)
            and str(row["pair"]).rpartition("-")[2] == high
        ),
        None,
    )


def _verdict(closure: ComparisonRow, on_low: ComparisonRow | None, on_high: ComparisonRow | None) -> Verdict:
    if closure["p_corrected"] >= ALPHA:
        return "not shown"
    there_was_one = closure["share_closed"] is not None
    if closure["delta"] < 0:
        return "widened" if there_was_one else "high gained more"
    if not there_was_one:
        return "low gained more"
    lost = on_high is not None and on_high["p_corrected"] < ALPHA and on_high["delta"] < 0
    if on_low is not None and on_low["p_corrected"] < ALPHA and on_low["delta"] > 0:
        return "closed, partly by a loss" if lost else "closed"
    return "bought by a loss" if lost else "smaller"
