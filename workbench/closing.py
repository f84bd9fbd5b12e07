"""The end of a recipe: its results as one object, printed as tables, sentences or JSON."""

from dataclasses import dataclass
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from store import Store
from store.query import recipe_run

Row = dict[str, Any]
METHODS = {"holm": "Holm", "bonferroni": "Bonferroni", "bh": "Benjamini-Hochberg", "none": "uncorrected"}
TESTS = {"randomisation": "paired randomisation", "t": "paired t", "wilcoxon": "Wilcoxon signed-rank"}
SIGNIFICANT = 0.05
# As a paper prints it, and narrow enough for 80 columns.
PLAIN: dict[str, Any] = {"box": box.SIMPLE_HEAD, "pad_edge": False, "padding": 0, "show_edge": False}


def short(x: float, digits: int = 3) -> str:
    """A signed number below 1 as papers print it: +.012."""
    return f"{x:+.{digits}f}".replace("0.", ".", 1) if abs(x) < 1 else f"{x:+.{digits}f}"


def p_text(p: float) -> str:
    """A p-value in words of a paper: never 0."""
    return f"= {p:.3f}" if p >= 0.001 else "< .001"


def sentence(row: Row) -> str:
    """What one comparison says, and no more."""
    what = {
        "gap": f"gap of {row['variety']} to {row['pair'].split('-')[1]}",
        "gain": f"gain on {row['variety']}",
        "closure": f"closure of the {row['pair']} gap",
    }.get(row["contrast"], row["contrast"])
    who = row["system"] + (f" ({row['trained_on']})" if row["trained_on"] else "")
    verdict = "significant" if row["p_corrected"] < SIGNIFICANT else "not significant"
    if verdict == "significant" and row["contrast"] != "gap" and row["delta"] < 0:
        verdict = "significant and negative"
    over = f"{METHODS[row['correction']]} over {row['family_size']}" if row["correction"] != "none" else "uncorrected"
    return (
        f"{who}: {what} {verdict}: {row['delta']:+.3f} [{row['ci_low']:+.3f}, {row['ci_high']:+.3f}],"
        f" p {p_text(row['p_corrected'])}, {over}"
    )


@dataclass(frozen=True)
class Closing:
    """Results of a recipe run: `runs` with their means, and `comparisons`, as the store has them."""

    record: Row
    runs: list[Row]
    comparisons: list[Row]
    measures: list[str]

    @classmethod
    def of(cls, store: Store, recipe_run_id: str, measures: list[str]) -> "Closing":
        """Read it from the store."""
        found = recipe_run(store, recipe_run_id)
        means: dict[str, dict[str, float]] = {}
        for row in found["means"]:
            means.setdefault(row["run_id"], {})[row["measure"]] = row["mean"]
        runs = [{**run, "means": means.get(run["run_id"], {})} for run in found["runs"]]
        return cls(found["recipe_run"], runs, found["comparisons"], measures)

    def as_json(self) -> dict[str, Any]:
        """Plain values for `--json`."""
        return {
            "recipe_run": self.record,
            "runs": self.runs,
            "comparisons": self.comparisons,
            "sentences": [sentence(row) for row in self.comparisons if row["measure"] == self.measures[0]],
        }

    def tables(self) -> RenderableType:
        """Effectiveness, contrasts and sentences."""
        parts: list[RenderableType] = [self._effectiveness()]
        if self.comparisons:
            parts += [self._contrasts(), self._words()]
        return Group(*(item for part in parts for item in (part, Text())))

    def _cell(self, measure: str, **run: Any) -> Row | None:
        for row in self.comparisons:
            if row["measure"] == measure and all(row[k] == v for k, v in run.items()):
                return row
        return None

    def _effectiveness(self) -> Table:
        n = self.runs[0]["n_queries"] if self.runs else 0
        table = Table(
            title=f"{self.record.get('title', '')}\nmean over {n} queries, {self.record.get('scale', '')} scale",
            title_justify="left",
            title_style="bold",
            **PLAIN,
        )
        for name in ("system", "trained on", "queries", "passages"):
            table.add_column(name, no_wrap=True)
        for measure in self.measures:
            table.add_column(measure, justify="right", no_wrap=True)
        last = None
        for run in sorted(self.runs, key=lambda r: r["document_variety"] != self.runs[0]["document_variety"]):
            if last and last != (run["system"], run["document_variety"]):
                table.add_section() if last[1] != run["document_variety"] else None
            last = (run["system"], run["document_variety"])
            table.add_row(
                run["system"],
                run["trained_on"] or "-",
                run["query_variety"],
                run["document_variety"],
                *(f"{run['means'][m]:.3f}" if m in run["means"] else "-" for m in self.measures),
            )
        return table

    def _contrasts(self) -> Table:
        first = self.measures[0]
        rows = [r for r in self.comparisons if r["measure"] == first]
        about = rows[0]
        resamples = f", {about['resamples']:,} resamples" if about["resamples"] else ""
        units = f" in {about['n_groups']} topics, resampled by topic" if about["n_groups"] != about["n"] else ""
        table = Table(
            title=f"Contrasts in {first} (n = {about['n']} queries{units})",
            caption=(
                f"delta with {about['confidence']:.0%} bootstrap interval; d: effect size d_z;"
                f" p: {TESTS[about['test']]}{resamples}, {METHODS[about['correction']]} over {about['family_size']};"
                f" * p < {SIGNIFICANT}; W/T/L: queries won, tied, lost"
            ),
            title_justify="left",
            caption_justify="left",
            title_style="bold",
            **PLAIN,
        )
        table.add_column("", no_wrap=True)
        for name in ("system", "trained\non", "on"):
            table.add_column(name, no_wrap=True)
        for name in ("delta", "interval", "d", "p", "W/T/L"):
            table.add_column(name, justify="right", no_wrap=True)
        last = None
        for row in sorted(rows, key=lambda r: ("gap", "gain", "closure").index(r["contrast"])):
            first_of_kind = row["contrast"] != last
            if last and first_of_kind:
                table.add_section()
            last = row["contrast"]
            star = "*" if row["p_corrected"] < SIGNIFICANT else " "
            table.add_row(
                row["contrast"] if first_of_kind else "",
                row["system"],
                row["trained_on"] or "-",
                row["variety"] if row["contrast"] == "gain" else row["pair"],
                short(row["delta"]),
                f"[{short(row['ci_low'])}, {short(row['ci_high'])}]",
                short(row["effect_size"], 2) if row["effect_size"] is not None else "-",
                p_text(row["p_corrected"]).removeprefix("= ").replace("0.", ".").replace(" ", "") + star,
                f"{row['wins']}/{row['ties']}/{row['losses']}",
            )
        return table

    def _words(self) -> Text:
        """One sentence for each system on the first pair's low-resource variety: gains, or gaps if nothing trained."""
        first = self.measures[0]
        kind = "gain" if any(r["contrast"] == "gain" for r in self.comparisons) else "gap"
        rows = [r for r in self.comparisons if r["measure"] == first and r["contrast"] == kind]
        if kind == "gain":
            low = rows[0]["pair"].split("-")[0]
            rows = [r for r in rows if r["variety"] == low]
        return Text("\n".join(sentence(r) for r in rows))
