"""What tables, figures and screens say of the effects of a study: no more than the rows do."""

import json
from collections.abc import Iterable
from typing import Any

from store.rows import EffectRow
from workbench.comparison.words import p_text, signed, title
from workbench.significance.corrections import CORRECTIONS
from workbench.significance.paired_tests import TESTS
from workbench.significance.power import ALPHA
from workbench.studies.doses import SEQUENCE
from workbench.studies.evidence import Level
from workbench.varieties import table

DOSES = ("minimum effective dose", "plateau")
"""Effects whose estimate is a level of the factor on the axis; one that is not there is `not reached`."""
FITTED = "curve"
"""The effect that is a fitted curve: a row at each of many doses, with a band."""
OVER_PAIRS = "rho"
"""The effect whose `n` counts pairs of varieties, not queries."""
STAR = f"*: p < {ALPHA} after correction".replace("0.", ".")
_POSITIVE = ("mean", "cell mean", "N0", "k", *DOSES)


def levels(row: EffectRow) -> dict[str, Level]:
    """The level of each factor, by its full name."""
    read: dict[str, Any] = json.loads(row.get("levels") or "{}")
    return {name: level if isinstance(level, bool | int | float | str) else json.dumps(level)
            for name, level in read.items()}  # fmt: skip


def detail(row: EffectRow) -> dict[str, Any]:
    """What else is known of an effect; empty if nothing is."""
    read = json.loads(row.get("detail") or "{}")
    return read if isinstance(read, dict) else {}


def short(factor: str, factors: Iterable[str]) -> str:
    """The last part of a factor's name (`queries` of `training.ca-fr.queries`) if no other ends in it."""
    last = factor.rpartition(".")[2]
    return last if sum(other.rpartition(".")[2] == last for other in {factor, *factors}) == 1 else factor


def level_text(level: Level) -> str:
    """A level as a table or an axis has it."""
    if isinstance(level, bool):
        return "yes" if level else "no"
    return f"{level:,.12g}" if isinstance(level, int | float) else level


def levels_text(of: dict[str, Level], factors: Iterable[str]) -> str:
    """Levels in words: `queries 31, regime epochs`."""
    known = list(factors)
    return ", ".join(f"{short(name, known)} {level_text(level)}" for name, level in of.items())


def whose(row: EffectRow) -> str:
    """A system with what it was trained on."""
    trained = f" ({row['trained_on']})" if row.get("trained_on") else ""
    return f"{row.get('system') or ''}{trained}".strip()


def asked(row: EffectRow) -> str:
    """The variety of the queries; with that of the passages where it is not the one that is usual."""
    queries, passages = row.get("query_variety") or "", row.get("document_variety")
    known = table().get(queries)
    usual = (None, queries, known.high if known else None)
    return queries if passages in usual else f"{queries} over {passages}".strip()


def named(row: EffectRow, at: dict[str, Level], factors: Iterable[str]) -> str:
    """Whose effect it is, on which queries, at which levels."""
    words = levels_text(at, factors)
    on = f"on {asked(row)}" if asked(row) else ""
    return " ".join(filter(None, [whose(row), on, f"at {words}" if words else ""]))


def significant(row: EffectRow) -> bool:
    """Whether an effect may be called significant: after correction over its family, never before."""
    p = row.get("p_corrected")
    return p is not None and p < ALPHA


def number(row: EffectRow, value: float) -> str:
    """A value in the effect's unit: differences with their sign, doses as counts."""
    if abs(value) >= 10 or (row["effect"] in DOSES and value == round(value)):
        return f"{value:,.4g}" if abs(value) < 10_000 else f"{value:,.0f}"
    plain = row["effect"] in _POSITIVE or "squared" in row["effect"]
    text = signed(value)
    return text.removeprefix("+") if plain else text


def opening(row: EffectRow) -> str:
    """The bracket that opens its interval: a dose is greater than the lower end of its own."""
    return "(" if row["effect"] in DOSES else "["


def interval(row: EffectRow) -> str:
    """Its interval in brackets; empty where there is none."""
    low, high = row.get("ci_low"), row.get("ci_high")
    return "" if low is None or high is None else f"{opening(row)}{number(row, low)}, {number(row, high)}]"


def at_most(row: EffectRow) -> str:
    """Why a dose is an upper bound alone: which smaller ones are not there. Empty if it is an estimate."""
    return str(detail(row).get("at_most") or "") if row["effect"] in DOSES else ""


def value(row: EffectRow) -> str:
    """The estimate in the effect's unit, told as an upper bound where it is one."""
    return f"{'at most ' * bool(at_most(row))}{number(row, row.get('estimate') or 0.0)}"


def unit(rows: list[EffectRow]) -> str | None:
    """The unit of some effects; the measure where each is in it, per step of one factor or another; None of others."""
    units, measure = {row.get("unit") or "" for row in rows}, rows[0]["measure"]
    if len(units) == 1:
        return units.pop()
    return measure if all(each.startswith(measure) for each in units) else None


def figures(row: EffectRow) -> str:
    """The estimate with its interval and, where it was tested, its p-value."""
    estimate, p = row.get("estimate"), row.get("p_corrected")
    if estimate is None:
        return row.get("why_not") or "not defined"
    text = f"{value(row)} {interval(row)}".strip()
    return f"{text}, p {p_text(p)}" if p is not None else text


def p_cell(row: EffectRow) -> str:
    """The corrected p-value of a table's cell, with a star if it is significant; one without correction in brackets."""
    p, raw = row.get("p_corrected"), row.get("p_value")
    if p is None and raw is None:
        return ""
    text = p_text(p if p is not None else raw or 0.0).removeprefix("= ").replace("0.", ".").replace(" ", "")
    return f"({text})" if p is None else text + ("*" if significant(row) else " ")


def corrected(row: EffectRow) -> str:
    """The test and the correction of an effect; empty if it was not tested."""
    if not row.get("test"):
        return ""
    words, correction = f"{title(TESTS, row['test'] or '')} test", row.get("correction")
    uncorrected = not correction or correction == "none"
    return f"{words}, uncorrected" if uncorrected else f"{words}, {title(CORRECTIONS, correction or '')}"


def by_itself(rows: list[EffectRow]) -> str:
    """Words for tests of several curves: nothing corrects for how many there are. Empty of one, and of other tests."""
    families = {row.get("family") for row in rows if row.get("correction") == SEQUENCE}
    return f" in {len(families)} curves, each corrected by itself" if len(families) > 1 else ""


def method_words(rows: list[EffectRow]) -> str:
    """Tests, corrections and the sizes of families, and what the intervals are, as a caption has to say them."""
    sizes, of = dict[str, dict[str, None]](), dict[str, list[EffectRow]]()
    for row in rows:
        if words := corrected(row):
            of.setdefault(words, []).append(row)
            sizes.setdefault(words, {}).update({str(row["family_size"]): None} if row.get("family_size") else {})
    over = {words: f" over {', '.join(own)}" if own else "" for words, own in sizes.items()}
    tests = [f"{words}{over[words]}{by_itself(own)}" for words, own in of.items()]
    confidences = dict.fromkeys(
        row["confidence"] for row in rows if row.get("confidence") is not None and row.get("ci_low") is not None
    )
    levels = " and ".join(f"{level:.0%}" for level in confidences if level)
    return "; ".join([*([f"{levels} intervals, each by itself"] if levels else []), *tests])


def basis(rows: list[EffectRow]) -> str:
    """On how many queries, topics and models some effects rest; ranges where they differ. Correlations over pairs
    rest on pairs: said if there is nothing else."""

    def span(values: list[int]) -> str:
        return f"{min(values)}" if min(values) == max(values) else f"{min(values)} to {max(values)}"

    of_queries = [row for row in rows if row["effect"] != OVER_PAIRS]
    counts = {"n": [], "n_groups": [], "models": []}  # type: dict[str, list[int]]
    for row in of_queries or rows:
        for name, values in counts.items():
            if isinstance(value := row.get(name), int) and value:
                values.append(value)
    if not counts["n"]:
        return ""
    words = f"n = {span(counts['n'])} {'queries' if of_queries else 'pairs'}"
    words += f" in {span(counts['n_groups'])} topics" if counts["n_groups"] and of_queries else ""
    most = max(counts["models"], default=1)
    return words + (f", {span(counts['models'])} models of different seeds" if most > 1 else "")
