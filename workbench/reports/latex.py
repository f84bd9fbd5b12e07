"""Results as LaTeX tables for a paper.

In booktabs style; significance is marked, and captions name test, family and correction.
"""

import re

from store.rows import ComparisonRow
from workbench.comparison.results import Results, starts
from workbench.comparison.words import (
    basis,
    bracket,
    detectable_words,
    interval_words,
    method_words,
    not_made,
    p_text,
    significant,
    system_name,
    unit,
)
from workbench.reports.base import Report

_SPECIAL = {
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", ">>": r"$\gg$", "<": r"$<$",
    ">": r"$>$", **{c: "\\" + c for c in "&%$#_{}"},
}  # fmt: skip
_PATTERN = re.compile("|".join(re.escape(key) for key in sorted(_SPECIAL, key=len, reverse=True)))
MARK = r"$^{*}$"


class Latex(Report):
    """Tables for a paper."""

    def of(self, results: Results) -> str:
        return latex(results)


def escaped(text: str) -> str:
    """Text as LaTeX prints it."""
    return _PATTERN.sub(lambda m: _SPECIAL[m[0]], text)


def latex(results: Results) -> str:
    """The tables of `Results`, one after another; needs `\\usepackage{booktabs}`."""
    parts = ["% \\usepackage{booktabs}"]
    if results.record:
        parts.append(_effectiveness(results))
    parts += [_differences(results, measure) for measure in results.measures if results.of(measure)]
    return "\n\n".join(parts) + "\n"


def table(columns: str, head: list[str], body: list[str], caption: str, label: str) -> str:
    return "\n".join(
        [
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{caption}}}",
            rf"\label{{tab:{label}}}",
            rf"\begin{{tabular}}{{{columns}}}",
            r"\toprule",
            " & ".join(head) + r" \\",
            r"\midrule",
            *body,
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
        ]
    )


def _effectiveness(results: Results) -> str:
    """Means of each system over its trained models; a trained one is marked where its gain is significant."""
    gains = {(r["run_id"], r["measure"]): r for r in results.comparisons if r["contrast"] == "gain"}
    systems = results.systems()
    body = []
    for system in systems:
        cells = [
            escaped(system["system"]),
            system["trained_on"] or "--",
            system["query_variety"],
            system["document_variety"] or "--",
        ]
        for measure in results.measures:
            mean = f"{system['means'][measure]:.3f}" if measure in system["means"] else "--"
            deviation = system["deviations"].get(measure)
            mean += rf" $\pm$ {deviation:.3f}" if deviation is not None else ""
            row = gains.get((system["run_ids"][0], measure))
            cells.append(mean + (MARK if row and significant(row) else ""))
        body.append(" & ".join(cells) + r" \\")
    caption = escaped(f"{results.title}. {(results.record or {}).get('scale', '')} scale".strip())
    several = max(len(system["run_ids"]) for system in systems)
    if several > 1:
        caption += rf"; trained systems: mean of {several} models $\pm$ their standard deviation"
    caption += "".join(f"; {escaped(words)}" for words in starts(results))
    if results.uneven:
        caption += "; each mean is over the run's own judged queries"
    if results.comparisons:
        rows = results.of(results.measures[0])
        caption += "; " + escaped(basis(rows))
        if gains:
            of_gains = [row for row in rows if row["contrast"] == "gain"]
            words = escaped(method_words(of_gains))
            caption += rf". {MARK}: differs from the same system untrained ({words}; $p < .05$)"
    columns = "llll" + "r" * len(results.measures)
    head = ["System", "Trained on", "Queries", "Passages", *map(escaped, results.measures)]
    return table(columns, head, body, caption + ".", "effectiveness")


def _differences(results: Results, measure: str) -> str:
    rows = results.of(measure)
    body = []
    last = rows[0]["family"]
    for row in rows:
        if row["family"] != last:
            body.append(r"\midrule")
            last = row["family"]
        body.append(" & ".join(_cells(results, row)) + r" \\")
    lacking = [not_made(row) for row in results.not_made if row["measure"] == measure]
    caption = (
        f"Differences in {escaped(measure)}; {escaped(basis(rows))}. "
        rf"$\Delta$: mean difference with its {escaped(interval_words(rows))};"
        rf" $d_z$: effect size, {escaped(unit(rows))}; min: {escaped(detectable_words(rows))};"
        rf" $p$: {escaped(method_words(rows))}. {MARK}: $p < .05$ after correction."
        + "".join(f" {escaped(words)}." for words in lacking)
    )
    head = ["Contrast", "System", "On", "Against", "$n$", r"$\Delta$", "Interval", "$d_z$", "min", "$p$"]
    return table("llllrrrrrr", head, body, caption, "differences-" + re.sub(r"\W+", "-", measure).strip("-"))


def _cells(results: Results, row: ComparisonRow) -> list[str]:
    baseline = results.run(row["baseline_run_id"])
    against = {
        "gap": baseline["query_variety"],
        "gain": "untrained",
        "closure": "other gain" if not row["variety"] else f"gain on {str(row['pair']).rpartition('-')[2]}",
    }.get(row["contrast"], f"{system_name(baseline)}, {baseline['query_variety']}")
    p = p_text(row["p_corrected"]).replace("0.", ".", 1)
    return [
        row["contrast"],
        escaped(system_name(row)),
        row["variety"] or str(row["pair"]),
        escaped(against),
        str(row["n"]),
        _signed(row["delta"]),
        f"${bracket(row, _plain)}$",
        _signed(row["effect_size"], 2) if row["effect_size"] is not None else "--",
        f"{row['detectable']:.3f}" if row["detectable"] is not None else "--",
        f"${p.removeprefix('= ')}{'^{*}' if significant(row) else ''}$",
    ]


def _plain(x: float, digits: int = 3) -> str:
    return f"{x:+.{digits}f}"


def _signed(x: float, digits: int = 3) -> str:
    return f"${_plain(x, digits)}$"
