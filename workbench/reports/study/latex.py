"""Effects of a study as LaTeX tables for a paper, in booktabs style."""

import re

from store.rows import EffectRow
from workbench.reports.latex import MARK, escaped, table
from workbench.reports.study.base import StudyReport
from workbench.reports.study.table import by_effect, common, heading, lower_doses, numbers
from workbench.studies.results import StudyResults
from workbench.studies.words import FITTED, at_most, basis, method_words, number, opening, p_cell, significant

_HEADS = {"estimate": "Estimate", "interval": "Interval", "p": "$p$"}


class Latex(StudyReport):
    """A table for each effect and measure; needs `\\usepackage{booktabs}`. Points of fitted curves are counted."""

    def of(self, results: StudyResults) -> str:
        parts, fitted = ["% \\usepackage{booktabs}", f"% {_line(results.progress())}"], 0
        for rows in by_effect(results):
            if rows[0]["effect"] == FITTED:
                fitted += len(rows)
            else:
                parts.append(_table(rows, results))
        if fitted:
            parts.append(f"% {fitted} points of fitted curves: lsw study figure curve --to FILE.pdf")
        return "\n\n".join(parts) + "\n"


def _table(rows: list[EffectRow], results: StudyResults) -> str:
    shared, apart = common(rows, results)
    body = []
    for i, row in enumerate(rows):
        cells = [escaped(own[i]) for _, own in apart]
        body.append(" & ".join([*cells, *_numbers(row, numbers(rows))]) + r" \\")
    lacking = dict.fromkeys(row.get("why_not") or "not defined" for row in rows if row.get("estimate") is None)
    what = heading(rows)
    words = filter(None, [f"{what}: {shared}" if shared else what, results.title, basis(rows), method_words(rows)])
    caption = escaped("; ".join([*words, *lower_doses(rows)]))
    if any(map(p_cell, rows)):
        caption += rf"; {MARK}: $p < .05$ after correction"
    if lacking:
        caption += f"; --: {escaped('; '.join(lacking))}"
    last = numbers(rows)
    heads = [*(escaped(head[:1].upper() + head[1:]) for head, _ in apart), *(_HEADS[name] for name in last)]
    label = re.sub(r"\W+", "-", f"{rows[0]['effect']}-{rows[0]['measure']}".lower()).strip("-")
    return table("l" * len(apart) + "r" * len(last), heads, body, caption + ".", label)


def _numbers(row: EffectRow, wanted: list[str]) -> list[str]:
    """The cells of `wanted` columns."""
    estimate, low, high = row.get("estimate"), row.get("ci_low"), row.get("ci_high")
    if estimate is None:
        return ["--", *("" for _ in wanted[1:])]
    own = "--" if low is None or high is None else f"${opening(row)}{_math(row, low)}, {_math(row, high)}]$"
    p = p_cell(row).strip()
    star = MARK if significant(row) else ""
    bound = r"\le " if at_most(row) else ""
    told = f"${bound}{_math(row, estimate)}${star}"
    cells = {"estimate": told, "interval": own, "p": f"${p.rstrip('*')}$" if p else "--"}
    return [cells[name] for name in wanted]


def _math(row: EffectRow, value: float) -> str:
    """A comma between thousands has no space behind it."""
    return number(row, value).replace(",", "{,}")


def _line(text: str) -> str:
    """On one line, as a comment has to be."""
    return " ".join(text.split())
