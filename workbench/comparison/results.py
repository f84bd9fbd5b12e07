"""Comparisons as one object, whatever made them: reports and screens show it, and say no more than it."""

from dataclasses import dataclass
from typing import Any, TypedDict

from store import Store
from store.query import recipe_run
from store.rows import ComparisonRow, RunRow
from workbench.registry import Registry
from workbench.significance.corrections import CORRECTIONS
from workbench.significance.intervals import INTERVALS
from workbench.significance.paired_tests import TESTS
from workbench.significance.power import ALPHA, POWER

ORDER = ("gap", "gain", "closure", "difference")
"""Contrasts in the order of a table."""


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


def p_text(p: float) -> str:
    """A p-value in words of a paper: never 0."""
    return f"= {p:.3f}" if p >= 0.001 else "< .001"


def p_cell(row: ComparisonRow) -> str:
    """The corrected p-value of a table's cell, with a star if it is significant."""
    text = p_text(row["p_corrected"]).removeprefix("= ").replace("0.", ".").replace(" ", "")
    return text + ("*" if significant(row) else " ")


def system_name(run: RunRow | ComparisonRow) -> str:
    """A system with what it was trained on."""
    return str(run["system"]) + (f" ({run['trained_on']})" if run["trained_on"] else "")


def sentence(row: ComparisonRow) -> str:
    """What one comparison says, and no more."""
    what = {
        "gap": f"gap of {row['variety']} to {str(row['pair']).rpartition('-')[2]}",
        "gain": f"gain on {row['variety']}",
        "closure": f"closure of the {row['pair']} gap",
    }.get(row["contrast"], f"difference on {row['variety']}")
    verdict = "significant" if significant(row) else "not significant"
    if verdict == "significant" and row["contrast"] != "gap" and row["delta"] < 0:
        verdict = "significant and negative"
    return (
        f"{system_name(row)}: {what} {verdict}: {row['delta']:+.3f} [{row['ci_low']:+.3f}, {row['ci_high']:+.3f}],"
        f" p {p_text(row['p_corrected'])}, {family(row)}"
    )


def family(row: ComparisonRow) -> str:
    """The correction and the size of its family."""
    if row["correction"] == "none":
        return f"uncorrected, one of {row['family_size']}"
    return f"{_correction(row)} over {row['family_size']}"


def method_words(row: ComparisonRow) -> str:
    """The test, the family and the correction, as a caption has to say them."""
    resamples = f", {row['resamples']:,} resamples" if row["resamples"] else ""
    if row["test"] == "randomisation" and row["resamples"] == 2 ** row["n_groups"]:
        resamples = f", exact: all {row['resamples']:,} flips"
    correction = "" if row["correction"] == row["test"] else f"{_correction(row)}, "
    n = row["family_size"]
    family_words = f"family of {n} comparisons in one measure" if n > 1 else "a single comparison"
    return f"{title(TESTS, row['test'])} test, two-sided{resamples}; {correction}{family_words}"


def basis(row: ComparisonRow) -> str:
    """How many queries a comparison rests on, and how many of them count 0 for want of results or relevant passages."""
    units = f" in {row['n_groups']} topics, resampled by topic" if row["n_groups"] != row["n"] else ""
    return (
        f"n = {row['n']} queries{units}; {row['no_result']} without result,"
        f" {row['no_relevant']} without relevant passage"
    )


def detectable_words(row: ComparisonRow) -> str:
    """What `detectable` means, in the words of a caption."""
    level = f"{ALPHA}/{row['family_size']}" if row["correction"] != "none" and row["family_size"] > 1 else f"{ALPHA}"
    return f"smallest true difference found with {POWER:.0%} power at p < {level} (paired t)"


class Summary(TypedDict):
    """What holds for one pair and contrast: systems that are significantly higher, lower, and neither."""

    pair: str | None
    contrast: str
    variety: str | None
    trained_on: str | None
    higher: list[str]
    lower: list[str]
    neither: list[str]


@dataclass(frozen=True)
class Results:
    """Runs with their means, and comparisons between them, as the store has them.

    Args:
        title: what was asked; may be empty.
        runs: with `means` by measure.
        comparisons: rows of the view `comparisons`.
        measures: their names, the main one first.
        record: row of the view `recipe_runs`, if a recipe made them.
    """

    title: str
    runs: list[RunRow]
    comparisons: list[ComparisonRow]
    measures: list[str]
    record: dict[str, Any] | None = None

    @classmethod
    def of_recipe(cls, store: Store, recipe_run_id: str, measures: list[str]) -> "Results":
        """What a recipe recorded."""
        record, runs, comparisons = recipe_run(store, recipe_run_id)
        order = {contrast: i for i, contrast in enumerate(ORDER)}
        rows = sorted(comparisons, key=lambda row: order.get(row["contrast"], len(order)))
        return cls(record.get("title", ""), runs, rows, measures, record)

    def of(self, measure: str) -> list[ComparisonRow]:
        """The comparisons in one measure: a family."""
        return [row for row in self.comparisons if row["measure"] == measure]

    def run(self, run_id: str) -> RunRow:
        """A run by its id."""
        return next(run for run in self.runs if run["run_id"] == run_id)

    def summary(self) -> list[Summary]:
        """What holds after correction, in the main measure."""
        rows: dict[tuple[str | None, ...], Summary] = {}
        for row in self.of(self.measures[0]):
            trained_on = None if row["contrast"] == "gap" else row["trained_on"]
            about = row["pair"], row["contrast"], row["variety"], trained_on
            into = rows.setdefault(
                about,
                Summary(pair=row["pair"], contrast=row["contrast"], variety=row["variety"], trained_on=trained_on,
                        higher=[], lower=[], neither=[]),
            )  # fmt: skip
            systems = into["neither"] if not significant(row) else into["higher" if row["delta"] > 0 else "lower"]
            systems.append(system_name(row) if row["contrast"] == "gap" else row["system"])
        return list(rows.values())

    def sentences(self) -> list[str]:
        """One sentence for each comparison in the main measure."""
        return [sentence(row) for row in self.of(self.measures[0])]
