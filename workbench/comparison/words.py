"""What tables, captions and screens say of comparisons: no more than the rows do."""

from collections.abc import Callable
from typing import Any, Literal, cast

from store.rows import ComparisonRow, NotCompared, RunRow
from workbench.registry import Registry
from workbench.significance.corrections import CORRECTIONS
from workbench.significance.intervals import INTERVALS
from workbench.significance.paired_tests import TESTS
from workbench.significance.paired_tests.randomisation import FEW
from workbench.significance.power import ALPHA, POWER


def title(registry: Registry[Any], name: str) -> str:
    """What captions call a test, a correction or an interval; one of a plug-in that is gone, by its recorded name."""
    return str(registry.part(name).title) if name in registry.names() else name


def interval_title(row: ComparisonRow) -> str:
    """What captions call the interval of a comparison."""
    return title(INTERVALS, row["interval"])


def _correction(row: ComparisonRow) -> str:
    """What captions call the correction; a family-wise test is its own."""
    return title(TESTS if row["correction"] == row["test"] else CORRECTIONS, row["correction"])


def significant(row: ComparisonRow) -> bool:
    """Whether a difference may be called significant: after correction over its family."""
    return bool(row["p_corrected"] < ALPHA)


def signed(x: float, digits: int = 3) -> str:
    """A signed number below 1 as papers print it: +.012."""
    return f"{x:+.{digits}f}".replace("0.", ".", 1) if abs(x) < 1 else f"{x:+.{digits}f}"


def bracket(row: ComparisonRow, number: Callable[[float], str] = signed) -> str:
    """The interval of a comparison; of a single topic there is none."""
    low, high = row["ci_low"], row["ci_high"]
    return "[-]" if low is None or high is None else f"[{number(low)}, {number(high)}]"


def p_text(p: float) -> str:
    """A p-value in words of a paper: never 0."""
    return f"= {p:.3f}" if p >= 0.001 else "< .001"


def p_cell(row: ComparisonRow) -> str:
    """The corrected p-value of a table's cell, with a star if it is significant."""
    text = p_text(row["p_corrected"]).removeprefix("= ").replace("0.", ".").replace(" ", "")
    return text + ("*" if significant(row) else " ")


def trained_on(run: RunRow | ComparisonRow) -> str:
    """What a system was trained on, and the seed where the store has several; empty if on nothing."""
    if not run["trained_on"]:
        return ""
    return str(run["trained_on"]) + (f", seed {run['seed']}" if cast("int", run.get("seeds", 1)) > 1 else "")


def system_name(run: RunRow | ComparisonRow) -> str:
    """A system with what it was trained on."""
    trained = trained_on(run)
    return str(run["system"]) + (f" ({trained})" if trained else "")


def subject(row: ComparisonRow | NotCompared) -> str:
    """What a comparison is of, in words."""
    return {
        "gap": f"gap of {row['variety']} to {str(row['pair']).rpartition('-')[2]}",
        "gain": f"gain on {row['variety']}",
        "closure": f"closure of the {row['pair']} gap",
        "control": f"gain over the control on {row['variety']}",
    }.get(row["contrast"], f"difference on {row['variety']}")


def not_made(row: NotCompared) -> str:
    """Why a comparison is missing."""
    trained = f" ({row['trained_on']})" if row["trained_on"] else ""
    return (
        f"{row['system']}{trained}: {subject(row)} not compared in {row['measure']}: {row['why_not']}"
        f" ({row['left_out']} left out)"
    )


def sentence(row: ComparisonRow) -> str:
    """What one comparison says, and no more."""
    what = subject(row)
    verdict = "significant" if significant(row) else "not significant"
    if verdict == "significant" and row["contrast"] != "gap" and row["delta"] < 0:
        verdict = "significant and negative"
    return (
        f"{system_name(row)}: {what} {verdict}: {row['delta']:+.3f} {bracket(row, '{:+.3f}'.format)},"
        f" p {p_text(row['p_corrected'])}, {family(row)}"
    )


def family(row: ComparisonRow) -> str:
    """The correction and the size of its family."""
    if row["correction"] == "none":
        return f"uncorrected, one of {row['family_size']}"
    return f"{_correction(row)} over {row['family_size']}"


def families(rows: list[ComparisonRow]) -> str:
    """The correction of some comparisons of one measure, and the name and size of each family."""
    sizes = {row["family"]: row["family_size"] for row in rows}
    if len(sizes) == 1:
        [n] = sizes.values()
        return f"{_corrected(rows[0])}family of {n} comparisons in one measure" if n > 1 else "a single comparison"
    return f"{_corrected(rows[0])}families in one measure: " + ", ".join(f"{name} ({n})" for name, n in sizes.items())


def _corrected(row: ComparisonRow) -> str:
    return "" if row["correction"] == row["test"] else f"{_correction(row)}, "


def method_words(rows: list[ComparisonRow]) -> str:
    """The test, families and correction, as a caption has to say them, and what p holds for.

    Args:
        rows: of one measure and method, one at least.
    """
    row = rows[0]
    resamples = ", ".join(dict.fromkeys(filter(None, map(_resamples, rows))))
    resamples = f", {resamples}" if resamples else ""
    few = [r["n_groups"] < FEW for r in rows]
    if row["test"] == "randomisation" and any(few):
        resamples += ", freed from skew " + (f"(fewer than {FEW} units)" if all(few) else f"below {FEW} units")
    most = max(row["models"] for row in rows)
    models = f"; trained systems: of the mean of {most} models, and p holds for these" if most > 1 else ""
    return f"{title(TESTS, row['test'])} test, two-sided{resamples}; {families(rows)}{models}"


def _resamples(row: ComparisonRow) -> str:
    if row["test"] == "randomisation" and row["resamples"] == 2 ** row["n_groups"]:
        return f"exact: all {row['resamples']:,} flips"
    return f"{row['resamples']:,} resamples" if row["resamples"] else ""


def interval_words(rows: list[ComparisonRow]) -> str:
    """What the intervals of some comparisons of one method are, as a caption has to say it."""
    row, most = rows[0], max(row["models"] for row in rows)
    over = f", over topics and, of trained systems, {most} models" if most > 1 else ""
    return f"{row['confidence']:.0%} {interval_title(row)} interval{over}, each by itself"


def unit(rows: list[ComparisonRow]) -> str:
    """What effect size and delta are over, as a caption has to say it."""
    if all(row["n_groups"] == row["n"] for row in rows):
        return "delta over its standard deviation, over queries"
    return "delta over its standard deviation, over topics, each by its number of queries as in delta"


def basis(rows: list[ComparisonRow]) -> str:
    """How many queries some comparisons rest on, how many of them count 0 for want of results or relevant passages, and
    how many were left out; ranges where they differ."""

    def span(column: Literal["n", "n_groups", "no_result", "no_relevant", "left_out"]) -> str:
        values = [row[column] for row in rows]
        return f"{min(values)}" if min(values) == max(values) else f"{min(values)} to {max(values)}"

    grouped = any(row["n_groups"] != row["n"] for row in rows)
    units = f" in {span('n_groups')} topics, resampled by topic" if grouped else ""
    own = ", each contrast over its own runs" if len({row["n"] for row in rows}) > 1 else ""
    left_out = f"; {span('left_out')} not in every run or never asked, left out" if span("left_out") != "0" else ""
    return (
        f"n = {span('n')} queries{units}{own}; {span('no_result')} without result,"
        f" {span('no_relevant')} without relevant passage{left_out}"
    )


def detectable_words(rows: list[ComparisonRow]) -> str:
    """What `detectable` means, in the words of a caption."""
    sizes = {row["family_size"] for row in rows}
    correction = rows[0]["correction"]
    alone = correction == "none" or sizes == {1}
    level = f"{ALPHA}" if alone else f"{ALPHA}/{max(sizes)}" if len(sizes) == 1 else f"{ALPHA}/family size"
    stepwise = correction in CORRECTIONS.names() and CORRECTIONS.part(correction).stepwise and not alone
    bound = "; a bound: where others of the family hold, smaller ones are found" if stepwise else ""
    return f"smallest true difference found with {POWER:.0%} power at p < {level} (paired t{bound})"
