"""Whether training closed a gap, in words: a closure alone does not say it."""

from typing import Literal, TypedDict

from store.rows import ComparisonRow
from workbench.significance.power import ALPHA

Verdict = Literal["closed", "closed, partly by a loss", "bought by a loss", "no gain on low", "widened", "not shown"]


class Closing(TypedDict):
    """What may be said of one gap.

    `p_value` is the larger of the two corrected ones (intersection-union: Berger 1982), where both were tested.
    """

    system: str
    trained_on: str | None
    pair: str | None
    verdict: Verdict
    p_value: float | None
    share_closed: float | None
    share_low: float | None
    share_high: float | None
    confidence: float
    words: str


def closings(rows: list[ComparisonRow]) -> list[Closing]:
    """One for each closure among the comparisons of one measure.

    A gap is closed where the gain on low-resource queries and the closure are both above 0, each significant in its own
    family; a closure with a loss on high-resource queries is said to be that.
    """
    return [_closing(row, rows) for row in rows if row["contrast"] == "closure"]


def _closing(closure: ComparisonRow, rows: list[ComparisonRow]) -> Closing:
    low, _, high = str(closure["pair"]).partition("-")
    gains = [
        row
        for row in rows
        if row["contrast"] == "gain"
        and (row["system"], row["trained_on"]) == (closure["system"], closure["trained_on"])
    ]
    on_low = next((row for row in gains if row["run_id"] == closure["run_id"]), None)
    on_high = next((row for row in gains if row["variety"] == high and _over(row) == high), None)
    verdict = _verdict(closure, on_low, on_high)
    words = {
        "closed": f"the {closure['pair']} gap is closed in part",
        "closed, partly by a loss": f"the {closure['pair']} gap is closed in part, and in part by a loss on {high}",
        "bought by a loss": f"the {closure['pair']} gap is smaller by a loss on {high}, not by a gain on {low}",
        "no gain on low": f"the {closure['pair']} gap is smaller, but no gain on {low} is shown",
        "widened": f"the {closure['pair']} gap is wider",
        "not shown": f"that the {closure['pair']} gap closes is not shown",
    }[verdict]
    if verdict.startswith("closed") and closure["share_closed"] is not None:
        share, bounds = closure["share_closed"], (closure["share_low"], closure["share_high"])
        words += f", by {share:.0%} [{bounds[0]:.0%}, {bounds[1]:.0%}]"
    return Closing(
        system=closure["system"], trained_on=closure["trained_on"], pair=closure["pair"], verdict=verdict,
        p_value=max(closure["p_corrected"], on_low["p_corrected"]) if on_low else None,
        share_closed=closure["share_closed"], share_low=closure["share_low"], share_high=closure["share_high"],
        confidence=closure["confidence"], words=words,
    )  # fmt: skip


def _over(gain: ComparisonRow) -> str:
    """The variety of the passages of a gain."""
    return str(gain["pair"]).rpartition("-")[2]


def _verdict(closure: ComparisonRow, on_low: ComparisonRow | None, on_high: ComparisonRow | None) -> Verdict:
    if closure["p_corrected"] >= ALPHA:
        return "not shown"
    if closure["delta"] < 0:
        return "widened"
    lost = on_high is not None and on_high["p_corrected"] < ALPHA and on_high["delta"] < 0
    if on_low is not None and on_low["p_corrected"] < ALPHA and on_low["delta"] > 0:
        return "closed, partly by a loss" if lost else "closed"
    gained = on_low["delta"] if on_low else 0.0
    return "bought by a loss" if on_high is not None and -on_high["delta"] > max(gained, 0) else "no gain on low"
