"""Comparisons as one object, whatever made them: tables, sentences, JSON, CSV, LaTeX and screens show it."""

import csv
import io
from dataclasses import dataclass
from typing import Any

from store import Store
from store.query import recipe_run
from workbench.significance.statistics import ALPHA, POWER

Row = dict[str, Any]
CORRECTIONS = {
    "holm": "Holm",
    "bonferroni": "Bonferroni",
    "bh": "Benjamini-Hochberg",
    "tukey": "Tukey HSD",
    "none": "uncorrected",
}
TESTS = {
    "randomisation": "paired randomisation",
    "t": "paired t",
    "wilcoxon": "Wilcoxon signed-rank",
    "tukey": "randomised Tukey HSD",
}
INTERVALS = {"percentile": "bootstrap", "bca": "BCa bootstrap"}
KINDS = ("gap", "gain", "closure", "difference")
"""Contrasts in the order of a table."""

COLUMNS = (
    "contrast", "system", "trained_on", "variety", "pair", "baseline_run_id", "run_id", "measure", "n", "n_groups",
    "no_result", "no_relevant", "mean_baseline", "mean", "delta", "ci_low", "ci_high", "confidence", "interval",
    "effect_size", "detectable", "test", "resamples", "p_value", "correction", "family_size", "p_corrected", "wins",
    "ties", "losses", "seed",
)  # fmt: skip
"""Of a comparison, in the order of a CSV file."""


def significant(row: Row) -> bool:
    """Whether a difference may be called significant: after correction over its family."""
    return bool(row["p_corrected"] < ALPHA)


def short(x: float, digits: int = 3) -> str:
    """A signed number below 1 as papers print it: +.012."""
    return f"{x:+.{digits}f}".replace("0.", ".", 1) if abs(x) < 1 else f"{x:+.{digits}f}"


def p_text(p: float) -> str:
    """A p-value in words of a paper: never 0."""
    return f"= {p:.3f}" if p >= 0.001 else "< .001"


def p_cell(row: Row) -> str:
    """The corrected p-value of a table's cell, with a star if it is significant."""
    text = p_text(row["p_corrected"]).removeprefix("= ").replace("0.", ".").replace(" ", "")
    return text + ("*" if significant(row) else " ")


def name(run: Row) -> str:
    """A system with what it was trained on."""
    return str(run["system"]) + (f" ({run['trained_on']})" if run["trained_on"] else "")


def sentence(row: Row) -> str:
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
        f"{name(row)}: {what} {verdict}: {row['delta']:+.3f} [{row['ci_low']:+.3f}, {row['ci_high']:+.3f}],"
        f" p {p_text(row['p_corrected'])}, {over(row)}"
    )


def over(row: Row) -> str:
    """The correction and the size of its family."""
    if row["correction"] == "none":
        return f"uncorrected, one of {row['family_size']}"
    return f"{CORRECTIONS[row['correction']]} over {row['family_size']}"


def method(row: Row) -> str:
    """The test, the family and the correction, as a caption has to say them."""
    made = f", {row['resamples']:,} resamples" if row["resamples"] else ""
    if row["test"] == "randomisation" and row["resamples"] == 2 ** row["n_groups"]:
        made = f", exact: all {row['resamples']:,} flips"
    correction = "" if row["correction"] == "tukey" else f"{CORRECTIONS[row['correction']]}, "
    n = row["family_size"]
    family = f"family of {n} comparisons in one measure" if n > 1 else "a single comparison"
    return f"{TESTS[row['test']]} test, two-sided{made}; {correction}{family}"


def queries(row: Row) -> str:
    """How many queries a comparison rests on, and how many of them count 0 for want of results or relevant passages."""
    units = f" in {row['n_groups']} topics, resampled by topic" if row["n_groups"] != row["n"] else ""
    return (
        f"n = {row['n']} queries{units}; {row['no_result']} without result,"
        f" {row['no_relevant']} without relevant passage"
    )


def could_have(row: Row) -> str:
    """What `detectable` means, in the words of a caption."""
    level = f"{ALPHA}/{row['family_size']}" if row["correction"] != "none" and row["family_size"] > 1 else f"{ALPHA}"
    return f"smallest true difference found with {POWER:.0%} power at p < {level} (paired t)"


@dataclass(frozen=True)
class Results:
    """Runs with their means, and comparisons between them, as the store has them.

    Args:
        title: what was asked; may be empty.
        runs: rows of the view `runs`, with `means` by measure.
        comparisons: rows of the view `comparisons`.
        measures: their names, the main one first.
        record: row of the view `recipe_runs`, if a recipe made them.
    """

    title: str
    runs: list[Row]
    comparisons: list[Row]
    measures: list[str]
    record: Row | None = None

    @classmethod
    def of_recipe(cls, store: Store, recipe_run_id: str, measures: list[str]) -> "Results":
        """What a recipe recorded."""
        found = recipe_run(store, recipe_run_id)
        means: dict[str, dict[str, float]] = {}
        for row in found["means"]:
            means.setdefault(row["run_id"], {})[row["measure"]] = row["mean"]
        runs = [{**run, "means": means.get(run["run_id"], {})} for run in found["runs"]]
        order = {kind: i for i, kind in enumerate(KINDS)}
        rows = sorted(found["comparisons"], key=lambda r: order[r["contrast"]])
        return cls(found["recipe_run"].get("title", ""), runs, rows, measures, found["recipe_run"])

    def of(self, measure: str) -> list[Row]:
        """The comparisons in one measure: a family."""
        return [row for row in self.comparisons if row["measure"] == measure]

    def run(self, run_id: str) -> Row:
        """A run by its id."""
        return next(r for r in self.runs if r["run_id"] == run_id)

    def summary(self) -> list[Row]:
        """What holds after correction, in the main measure: for each pair and contrast the systems that are
        significantly higher, lower, and neither.

        A row has contrast, pair, variety, trained_on, and higher, lower, neither as lists of systems.
        """
        rows: dict[tuple[Any, ...], Row] = {}
        for row in self.of(self.measures[0]):
            about = {key: row[key] for key in ("pair", "contrast", "variety", "trained_on")}
            if row["contrast"] == "gap":
                about["trained_on"] = None
            into = rows.setdefault(tuple(about.values()), {**about, "higher": [], "lower": [], "neither": []})
            system = name(row) if row["contrast"] == "gap" else row["system"]
            into["neither" if not significant(row) else "higher" if row["delta"] > 0 else "lower"].append(system)
        return list(rows.values())

    def sentences(self) -> list[str]:
        """One sentence for each comparison in the main measure."""
        return [sentence(row) for row in self.of(self.measures[0])]

    def as_json(self) -> dict[str, Any]:
        """Plain values for `--json`."""
        return {
            **({"recipe_run": self.record} if self.record else {}),
            "runs": self.runs,
            "comparisons": self.comparisons,
            "summary": self.summary(),
            "sentences": self.sentences(),
        }

    def as_csv(self) -> str:
        """All comparisons, one a line, unrounded; missing values are empty."""
        out = io.StringIO()
        writer = csv.DictWriter(out, COLUMNS, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.comparisons)
        return out.getvalue()
